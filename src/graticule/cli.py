"""The command line: starting the server, and what is done on the machine itself.

What takes long to import is imported by the commands that need it. Exit codes: 0 done, 1 not done, with a sentence
that says why, 2 the command was not understood.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from graticule import __version__
from graticule.errors import Conflict, GraticuleError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from fastapi import FastAPI

    from graticule.actions.imports import Report
    from graticule.backend import Backend
    from graticule.catalogue.access import Actor
    from graticule.settings import Settings

PLAIN = {"no_args_is_help": True, "add_completion": False, "pretty_exceptions_enable": False, "rich_markup_mode": None}

app = typer.Typer(help="Graticule, a self-hosted cloud GIS.", **PLAIN)  # type: ignore[arg-type]
user_app = typer.Typer(help="Accounts of this installation.", **PLAIN)  # type: ignore[arg-type]
key_app = typer.Typer(help="API keys of an account.", **PLAIN)  # type: ignore[arg-type]
app.add_typer(user_app, name="user")
role_app = typer.Typer(help="Roles: groups of users.", **PLAIN)  # type: ignore[arg-type]
app.add_typer(key_app, name="key")
app.add_typer(role_app, name="role")

err = Console(stderr=True, highlight=False)

Data = Annotated[Path, typer.Option(help="The data directory.", envvar="GRATICULE_DATA", file_okay=False)]
DEFAULT_DATA = Path("data")
Password = Annotated[
    str | None, typer.Option(help="The password; asked for when it is not given.", envvar="GRATICULE_PASSWORD")
]
User = Annotated[str, typer.Option("--user", help="Whose; the first administrator when left out.")]

# Formats that are never a single file.
SEVERAL_FILES = ("shp", "mif", "gml")

# Seconds that a server process is given to answer what it has begun when the server is told to end.
END_SECONDS = 30


def main() -> None:
    """Run a command; what stands in its way is told in a sentence, with exit code 1."""
    try:
        app(prog_name="graticule")
    except GraticuleError as error:
        complain(error)
        sys.exit(1)


@app.callback(invoke_without_command=True)
def version(show: Annotated[bool, typer.Option("--version", help="Say the version.", is_eager=True)] = False) -> None:
    if show:
        typer.echo(__version__)
        raise typer.Exit


# ---------------------------------------------------------------- the server


@app.command()
def serve(
    data: Data = DEFAULT_DATA,
    host: Annotated[str, typer.Option(help="The address to listen on.", envvar="GRATICULE_HOST")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on.", min=1, max=65535, envvar="GRATICULE_PORT")] = 8000,
    workers: Annotated[int, typer.Option(help="Server processes.", min=1, max=64, envvar="GRATICULE_WORKERS")] = 1,
) -> None:
    """Start the server, with workers for its jobs; Ctrl-C ends it."""
    from graticule.worker import Crew

    require_data(data)
    settings = settings_of(data=data.resolve(), host=host, port=port, workers=workers)
    require_free_port(host, port)
    with opened(data):  # what is wrong with it is told here, in a sentence
        pass
    # The server processes read the same settings from their environment.
    for name in ("data", "host", "port", "workers"):
        os.environ[f"GRATICULE_{name.upper()}"] = str(getattr(settings, name))
    # uvicorn passes the signal on when it has ended: without a handler the workers would be left behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with Crew(settings.data, settings.job_workers):
        run_server(settings)


def run_server(settings: Settings) -> None:
    """Answer requests until told to end."""
    import uvicorn

    uvicorn.run(
        "graticule.cli:worker_application",
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        # The parser that takes < and > in addresses as they are: people write where=POP>5 in them.
        http="httptools",
        loop="uvloop",
        ws="none",
        lifespan="on",
        log_level=settings.log_level,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=END_SECONDS,
    )


def worker_application() -> FastAPI:
    """The application of one server process."""
    from graticule.app import create_app

    return create_app(settings_of())


@app.command()
def worker(
    data: Data = DEFAULT_DATA,
    workers: Annotated[int, typer.Option(help="Worker processes.", min=1, max=64)] = 1,
    attended: Annotated[bool, typer.Option("--attended", hidden=True)] = False,
) -> None:
    """Work at jobs, as reading large files, beside the workers that the server starts itself; Ctrl-C ends it."""
    from graticule.worker import Crew, work

    require_data(data)
    if workers == 1:
        work(settings_of(data=data.resolve()), attended=attended)
        return
    with Crew(data.resolve(), workers):
        wait_for_end()


def wait_for_end() -> None:
    """Until SIGTERM or SIGINT comes."""
    told = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told.set())
    told.wait()


def require_free_port(host: str, port: int) -> None:
    """Raises ``GraticuleError`` when nothing can listen there."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except OSError as error:
        hint = " Another program listens there; choose another one with --port." if error.errno == 98 else ""
        raise GraticuleError(f"Cannot listen on {host}, port {port}: {error.strerror}.{hint}") from error


# ---------------------------------------------------------------- the installation


@app.command()
def init(
    data: Data = DEFAULT_DATA,
    admin: Annotated[str, typer.Option(help="The administrator's user name.")] = "admin",
    password: Password = None,
    demo: Annotated[bool, typer.Option("--demo", help="Load the demonstration map.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but the API key.")] = False,
) -> None:
    """Make the data directory and its administrator; the last line printed is an API key."""
    from graticule.actions import keys, users

    password = password or asked_password()
    users.check_username(admin)
    users.check_password(password)
    with opened(data, new=True) as backend:
        make_administrator(backend, admin, password)
        actor = actor_named(backend, admin)
        if demo:
            load_demonstration(backend, actor, quiet=quiet)
        key = keys.create_key(backend, actor, "made by graticule init")
    if not quiet:
        typer.echo(f"Made the administrator {admin} in {data}. This is an API key of that account:")
    typer.echo(key.value)


def make_administrator(backend: Backend, name: str, password: str) -> None:
    """Raises ``GraticuleError`` when the user is there already."""
    from graticule.actions import users

    data = backend.settings.data
    try:
        users.create_user(backend, name, password, administrator=True)
    except Conflict as error:
        raise GraticuleError(
            f"{data} has a user {name} already; nothing was changed. Another API key of that account: "
            f"graticule key add --data {data} --user {name}"
        ) from error


def load_demonstration(backend: Backend, actor: Actor, *, quiet: bool) -> None:
    from graticule.actions.demonstration import make_demonstration

    with bar("Loading the demonstration map", quiet=quiet) as report:
        make_demonstration(backend, actor, report)


@app.command()
def migrate(
    to: Annotated[
        str,
        typer.Option(
            help="The database to move to: postgresql://user:password@host/name.", envvar="GRATICULE_DATABASE_URL"
        ),
    ],
    data: Data = DEFAULT_DATA,
) -> None:
    """Move catalogue and features from files into a PostgreSQL database with PostGIS; uploaded files stay.

    To be run while the server is stopped. Run again, it moves what is missing or has changed.
    """
    from graticule.actions.migrate import migrate as move
    from graticule.postgres import checked_url, without_password

    checked_url(to)
    if not (data / "catalogue.sqlite").exists():
        raise GraticuleError(f"{data} has no catalogue in a file: there is nothing to move.")
    source = open_installation(settings_of(data=data, database_url=None, database_read_url=None))
    try:
        target = open_installation(settings_of(data=data, database_url=to, database_read_url=None))
        try:
            with bar("Moving features") as report:
                done = move(source, target, report)
        finally:
            target.close()
    finally:
        source.close()
    typer.echo(f"Moved {len(done.moved)} parts; {len(done.equal)} were there already. {done.rows} features in all.")
    typer.echo(f"Start the server with GRATICULE_DATABASE_URL set to {without_password(to)} (with the password).")


@app.command()
def doctor(data: Data = DEFAULT_DATA) -> None:
    """Say what of the environment is missing or wrong; exit code 1 when anything is."""
    from rich.markup import escape

    from graticule.diagnosis import examine

    out = Console(highlight=False)
    findings = examine(data)
    for finding in findings:
        mark = "[green]ok   [/green]" if finding.well else "[red]wrong[/red]"
        out.print(f"{mark} {escape(f'{finding.subject}: {finding.text}')}", soft_wrap=True)
    if not all(finding.well for finding in findings):
        raise typer.Exit(1)


# ---------------------------------------------------------------- users


@user_app.command("add")
def user_add(
    name: Annotated[str, typer.Argument(help="The user name.")],
    password: Password = None,
    data: Data = DEFAULT_DATA,
    administrator: Annotated[bool, typer.Option("--administrator", help="May make other users.")] = False,
) -> None:
    """Add a user."""
    from graticule.actions import users

    with opened(data) as backend:
        user = users.create_user(backend, name, password or asked_password(), administrator=administrator)
    typer.echo(f"Added the user {user.username} with the id {user.id}.")


@user_app.command("list")
def user_list(data: Data = DEFAULT_DATA) -> None:
    """List the users."""
    from graticule.actions import users

    with opened(data) as backend:
        found = users.all_users(backend)
    rows = [(str(user.id), user.username, yes(user.administrator), yes(user.active)) for user in found]
    show_table(("id", "name", "administrator", "active"), rows)


@user_app.command("password")
def user_password(
    name: Annotated[str, typer.Argument(help="The user name.")],
    password: Password = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """Give a user another password."""
    from graticule.actions import users

    with opened(data) as backend:
        users.set_password(backend, name, password or asked_password())
    typer.echo(f"Changed the password of {name}.")


# ---------------------------------------------------------------- keys


@key_app.command("add")
def key_add(
    data: Data = DEFAULT_DATA,
    user: User = "",
    description: Annotated[str | None, typer.Option(help="What the key is for.")] = None,
    scope: Annotated[str | None, typer.Option(help="read, write or features, to limit it.")] = None,
) -> None:
    """Make an API key and print it."""
    from graticule.actions import keys

    with opened(data) as backend:
        typer.echo(keys.create_key(backend, actor_named(backend, user), description, scope).value)


@key_app.command("list")
def key_list(data: Data = DEFAULT_DATA, user: User = "") -> None:
    """List the API keys of a user, not their values."""
    from graticule.actions import keys
    from graticule.actions.listing import Listing, Page

    with opened(data) as backend:
        every = keys.list_keys(backend, actor_named(backend, user), Listing(Page(size=None)))[1]
        found = [key.row for key in every]
    rows = [(str(row.id), row.key_trunc, row.key_desc or "", row.scope or "") for row in found]
    show_table(("id", "ends in", "description", "scope"), rows)


@key_app.command("revoke")
def key_revoke(
    key_id: Annotated[int, typer.Argument(help="The key's id, as graticule key list shows it.")],
    data: Data = DEFAULT_DATA,
    user: User = "",
) -> None:
    """Revoke an API key, at once and for every running server."""
    from graticule.actions import keys

    with opened(data) as backend:
        keys.delete_key(backend, actor_named(backend, user), key_id)
    typer.echo(f"Revoked the key {key_id}.")


# ---------------------------------------------------------------- roles


@role_app.command("add")
def role_add(
    name: Annotated[str, typer.Argument(help="What it is called.")],
    data: Data = DEFAULT_DATA,
    user: User = "",
    parent: Annotated[int | None, typer.Option(help="The id of the role that it stands below.")] = None,
) -> None:
    """Make a role and print its id."""
    from graticule.actions import roles

    with opened(data) as backend:
        view = roles.create_role(backend, actor_named(backend, user), {"name": name, "parent_id": parent})
    typer.echo(str(view.role.id))


@role_app.command("list")
def role_list(data: Data = DEFAULT_DATA) -> None:
    """List the roles and how many users are in each."""
    from graticule.actions import roles

    with opened(data) as backend:
        found = roles.all_roles(backend)
    rows = [
        (str(role.id), role.name, str(role.parent_id or ""), role.owner.username, str(members))
        for role, members in found
    ]
    show_table(("id", "name", "below", "owner", "users"), rows)


@role_app.command("member")
def role_member(
    role_id: Annotated[int, typer.Argument(help="The role's id, as graticule role list shows it.")],
    name: Annotated[str, typer.Argument(help="The user's name.")],
    data: Data = DEFAULT_DATA,
    remove: Annotated[bool, typer.Option("--remove", help="Take the user out of the role.")] = False,
) -> None:
    """Put a user into a role, or take one out, at once and for every running server."""
    from graticule.actions import roles

    with opened(data) as backend:
        administrator = actor_named(backend, "")
        if remove:
            roles.remove_member(backend, administrator, role_id, actor_named(backend, name).user_id)
        else:
            roles.add_member(backend, administrator, role_id, {"username": name})
    typer.echo(f"{name} is {'no longer ' if remove else ''}in the role {role_id}.")


# ---------------------------------------------------------------- files in and out


@app.command("import")
def import_files(
    files: Annotated[
        list[Path], typer.Argument(help="Files to import; a zip is unpacked.", exists=True, dir_okay=False)
    ],
    data: Data = DEFAULT_DATA,
    user: User = "",
    to_map: Annotated[
        str | None, typer.Option("--map", help="Make layers of them on the map of this name, made when missing.")
    ] = None,
    folder: Annotated[str, typer.Option(help="The folder of the account's storage to put them in.")] = "imports",
) -> None:
    """Put files into an account's storage and read them in; with --map make layers of them.

    A file that cannot be read is left out and said so; the others are imported, and the exit code is 1.
    """
    from graticule.actions.imports import import_file, map_named

    failed = False
    with opened(data) as backend:
        actor = actor_named(backend, user)
        map_id = None if to_map is None else map_named(backend, actor, to_map)
        for file in files:
            try:
                with bar(f"Importing {file.name}") as report:
                    made = import_file(backend, actor, file, folder, map_id, report)
            except GraticuleError as error:
                failed = True
                complain(error, about=str(file))
            else:
                typer.echo("\n".join(made))
    if failed:
        raise typer.Exit(1)


@app.command()
def export(
    layer: Annotated[int, typer.Argument(help="The layer's id.")],
    target: Annotated[
        Path,
        typer.Argument(
            help="The file to write: .geojson .gpkg .fgb .csv .xlsx .kml .gpx .dxf; a .zip is a shapefile, and "
            "roads.mif.zip, roads.gml.zip and so on a zip of that format."
        ),
    ],
    data: Data = DEFAULT_DATA,
    user: User = "",
    fmt: Annotated[
        str | None, typer.Option("--format", help="The format, where the file's name does not say it.")
    ] = None,
) -> None:
    """Write a layer's features to a file. A file of that name is replaced."""
    from graticule.actions.exports import export_layer

    fmt, zipped = fmt or format_of(target), target.suffix.lower() == ".zip"
    if fmt in SEVERAL_FILES and not zipped:
        raise several_files(target)
    with opened(data) as backend:
        actor = actor_named(backend, user)
        with backend.files.staging(actor.user_id) as staging, bar(f"Exporting layer {layer}") as report:
            made = export_layer(
                backend, actor, layer, fmt, staging, zipped=zipped, progress=lambda done: report(done, None)
            )
            if made.path.suffix == ".zip" and not zipped:
                raise several_files(target)
            put_in_place(made.path, target)
    typer.echo(f"Wrote {target}.")


def several_files(target: Path) -> GraticuleError:
    """A format of several files, or an export with notes of what could not be kept, goes into a zip."""
    zipped = target.with_suffix(".zip") if target.suffix.lower() == ".shp" else target.with_name(target.name + ".zip")
    return GraticuleError(f"This export is several files: write them to {zipped}")


def format_of(target: Path) -> str:
    """The format that a name stands for: ``roads.csv``, ``roads.csv.zip``; a plain ``.zip`` is a shapefile."""
    name = target.with_suffix("") if target.suffix.lower() == ".zip" else target
    return name.suffix[1:].lower() or ("shp" if name != target else "")


def put_in_place(made: Path, target: Path) -> None:
    """Move a finished file to where it is wanted, which never holds half of it. Raises ``GraticuleError``."""
    draft = target.with_name(target.name + ".part")
    try:
        shutil.copyfile(made, draft)
        draft.replace(target)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise GraticuleError(f"{target} cannot be written: {error.strerror}.") from error


# ---------------------------------------------------------------- what the commands share


def settings_of(**given: Any) -> Settings:
    """The settings of the environment, with these instead. Raises ``GraticuleError`` that names a wrong one."""
    from pydantic import ValidationError
    from pydantic_settings import SettingsError

    from graticule.settings import Settings

    try:
        return Settings(**given)
    except ValidationError as error:
        wrong = error.errors()[0]
        name = "_".join(("GRATICULE", *(str(part).upper() for part in wrong["loc"])))
        raise GraticuleError(f"The setting {name} cannot be {wrong['input']!r}: {wrong['msg']}.") from error
    except SettingsError as error:
        raise GraticuleError(f"The settings cannot be read: {error}.") from error


def require_data(data: Path) -> None:
    """Raises ``GraticuleError`` when this is no data directory."""
    in_database = settings_of(data=data).database_url is not None
    if not (data / ("accounts" if in_database else "catalogue.sqlite")).exists():
        raise GraticuleError(f"{data} is no data directory. This makes one: graticule init --data {data}")


@contextmanager
def opened(data: Path, *, new: bool = False) -> Iterator[Backend]:
    """The installation in a data directory."""
    from graticule.actions import users

    if not new:
        require_data(data)
    backend = open_installation(settings_of(data=data))
    try:
        users.ensure_anonymous(backend)
        yield backend
    finally:
        backend.close()


def open_installation(settings: Settings) -> Backend:
    """Raises ``GraticuleError`` when the data directory cannot be used."""
    from graticule.backend import open_backend

    try:
        return open_backend(settings)
    except Exception as error:
        reason = unusable(settings.data, error)
        if reason is None:
            raise
        raise GraticuleError(reason) from error


def unusable(data: Path, error: Exception) -> str | None:
    """Why a data directory cannot be opened, in words; None for what is no fault of the directory."""
    from alembic.util import CommandError
    from sqlalchemy.exc import DatabaseError

    if isinstance(error, OSError):
        return f"The data directory {data} cannot be used: {error.strerror}."
    if isinstance(error, CommandError):
        return f"{data} was made by a newer version of Graticule than this {__version__}."
    if isinstance(error, DatabaseError) and settings_of().database_url is not None:
        return f"The database cannot be used: {error.orig}"
    if isinstance(error, DatabaseError):
        return f"The catalogue in {data} cannot be used: {error.orig}. This says more: graticule doctor --data {data}"
    return None


def actor_named(backend: Backend, name: str) -> Actor:
    """The user of that name, or the first administrator: whoever may read the data directory may act as anybody."""
    from graticule.actions import users
    from graticule.catalogue.access import Actor

    for user in users.all_users(backend):
        if user.username.casefold() == name.casefold() or (not name and user.administrator):
            return Actor(user.id, user.username, user.administrator)
    missing = f"There is no user named {name}." if name else "There is no administrator."
    raise GraticuleError(f"{missing} This lists the users: graticule user list --data {backend.settings.data}")


def asked_password() -> str:
    """A password from the terminal, asked for twice."""
    if not sys.stdin.isatty():
        raise typer.BadParameter("Give one, or set GRATICULE_PASSWORD.", param_hint="--password")
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))


def complain(error: GraticuleError, about: str | None = None) -> None:
    """Say on the error stream what went wrong, and what would be right."""
    from rich.markup import escape

    text = error.message if error.expected is None else f"{error.message} Expected: {error.expected}."
    err.print(f"[red]error:[/red] {escape(f'{about}: {text}' if about else text)}", soft_wrap=True)


def show_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table for people, or lines with tabs when another program reads them."""
    if not sys.stdout.isatty():
        typer.echo("\n".join("\t".join(row) for row in rows))
        return
    from rich.markup import escape
    from rich.table import Table

    table = Table(*head, box=None)
    for row in rows:
        table.add_row(*map(escape, row))
    Console().print(table)


def yes(flag: bool) -> str:
    return "yes" if flag else "no"


@contextmanager
def bar(title: str, *, quiet: bool = False) -> Iterator[Report]:
    """A progress bar on the error stream, to be told how much of how much (None: nobody knows) is done."""
    from rich.markup import escape
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, disable=quiet) as progress:
        task = progress.add_task(escape(title), total=None)
        yield lambda done, of: progress.update(task, completed=done, total=of)
