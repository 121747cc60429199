"""The command line: starting the server, and what is done on the machine itself."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from graticule import __version__
from graticule.errors import GraticuleError
from graticule.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fastapi import FastAPI

    from graticule.backend import Backend
    from graticule.catalogue.access import Actor

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="Graticule, a self-hosted cloud GIS.")
user_app = typer.Typer(no_args_is_help=True, help="Accounts on this installation.")
key_app = typer.Typer(no_args_is_help=True, help="API keys of an account.")
app.add_typer(user_app, name="user")
app.add_typer(key_app, name="key")

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

Data = Annotated[Path, typer.Option(help="The data directory.", envvar="GRATICULE_DATA")]
DEFAULT_DATA = Path("data")


def main() -> None:
    """Run a command; what a person can act on is told in a sentence, with exit code 1."""
    try:
        app()
    except GraticuleError as error:
        text = error.message if error.expected is None else f"{error.message} Expected: {error.expected}."
        err.print(f"[red]error:[/red] {text}", soft_wrap=True)
        sys.exit(1)


@app.callback(invoke_without_command=True)
def version(show: Annotated[bool, typer.Option("--version", help="Say the version.", is_eager=True)] = False) -> None:
    if show:
        out.print(__version__)
        raise typer.Exit


@app.command()
def serve(
    data: Data = DEFAULT_DATA,
    host: Annotated[str, typer.Option(help="The address to listen on.", envvar="GRATICULE_HOST")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on.", envvar="GRATICULE_PORT")] = 8000,
    workers: Annotated[int, typer.Option(help="Server processes.", min=1, envvar="GRATICULE_WORKERS")] = 1,
) -> None:
    """Start the server."""
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    require_data(data)
    settings = Settings(data=data, host=host, port=port, workers=workers)
    # The server processes read the same settings from their environment.
    for name in ("data", "host", "port", "workers"):
        os.environ[f"GRATICULE_{name.upper()}"] = str(getattr(settings, name))
    os.environ["GRATICULE_DATA"] = str(data.resolve())
    Granian(
        "graticule.cli:worker_application",
        factory=True,
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        workers=workers,
        log_level=LogLevels(settings.log_level),
        websockets=False,
        respawn_failed_workers=True,
    ).serve()


def worker_application() -> FastAPI:
    """The application of one server process."""
    from graticule.app import create_app

    return create_app(Settings())


@app.command()
def init(
    data: Data = DEFAULT_DATA,
    admin: Annotated[str, typer.Option(help="The administrator's user name.")] = "admin",
    password: Annotated[str | None, typer.Option(help="The administrator's password.", envvar="GRATICULE_ADMIN_PASSWORD")] = None,
    demo: Annotated[bool, typer.Option("--demo", help="Load the demonstration map.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but the API key.")] = False,
) -> None:
    """Make the data directory and the administrator; the last line printed is an API key."""
    from graticule.actions import keys, users
    from graticule.actions.demonstration import make_demonstration

    if password is None:
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    with opened(data, new=True) as backend:
        users.create_user(backend, admin, password, administrator=True)
        actor = actor_named(backend, admin)
        if demo:
            with steps("Loading the demonstration map", quiet=quiet) as report:
                make_demonstration(backend, actor, report)
        key = keys.create_key(backend, actor, "made by graticule init")
    if not quiet:
        out.print(f"Made the administrator {admin} in {data}. This is an API key of that account:")
    out.print(key.value)


@user_app.command("add")
def user_add(
    name: Annotated[str, typer.Argument(help="The user name.")],
    password: Annotated[str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True)],
    data: Data = DEFAULT_DATA,
    administrator: Annotated[bool, typer.Option("--administrator", help="May make other users.")] = False,
) -> None:
    """Add a user."""
    from graticule.actions import users

    with opened(data) as backend:
        user = users.create_user(backend, name, password, administrator=administrator)
    out.print(f"Added the user {user.username} with the id {user.id}.")


@user_app.command("list")
def user_list(data: Data = DEFAULT_DATA) -> None:
    """List the users."""
    from graticule.actions import users

    table = Table("id", "name", "administrator", "active", box=None)
    with opened(data) as backend:
        for user in users.all_users(backend):
            table.add_row(str(user.id), user.username, *("yes" if flag else "no" for flag in (user.administrator, user.active)))
    out.print(table)


@user_app.command("password")
def user_password(
    name: Annotated[str, typer.Argument(help="The user name.")],
    password: Annotated[str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True)],
    data: Data = DEFAULT_DATA,
) -> None:
    """Give a user another password."""
    from graticule.actions import users

    with opened(data) as backend:
        users.set_password(backend, name, password)
    out.print(f"Changed the password of {name}.")


User = Annotated[str, typer.Option("--user", help="Whose; the first administrator when left out.")]


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
        out.print(keys.create_key(backend, actor_named(backend, user), description, scope).value)


@key_app.command("list")
def key_list(data: Data = DEFAULT_DATA, user: User = "") -> None:
    """List the API keys of a user, not their values."""
    from graticule.actions import keys
    from graticule.actions.listing import Page

    table = Table("id", "ends in", "description", "scope", box=None)
    with opened(data) as backend:
        for key in keys.list_keys(backend, actor_named(backend, user), Page(size=None))[1]:
            row = key.row
            table.add_row(str(row.id), row.key_trunc, row.key_desc or "", row.scope or "")
    out.print(table)


@key_app.command("revoke")
def key_revoke(
    key_id: Annotated[int, typer.Argument(help="The key's id, as graticule key list shows it.")],
    data: Data = DEFAULT_DATA,
    user: User = "",
) -> None:
    """Revoke an API key."""
    from graticule.actions import keys

    with opened(data) as backend:
        keys.delete_key(backend, actor_named(backend, user), key_id)
    out.print(f"Revoked the key {key_id}.")


@app.command("import")
def import_files(
    files: Annotated[list[Path], typer.Argument(help="Files to import; a zip is unpacked.", exists=True, dir_okay=False)],
    data: Data = DEFAULT_DATA,
    user: User = "",
    to_map: Annotated[str | None, typer.Option("--map", help="Put layers of them on the map of this name, made if missing.")] = None,
    folder: Annotated[str, typer.Option(help="The folder of the account's storage to put them in.")] = "imports",
) -> None:
    """Put files into an account's storage and read them in; with --map make layers of them."""
    from graticule.actions.imports import import_file, map_named

    with opened(data) as backend:
        actor = actor_named(backend, user)
        map_id = None if to_map is None else map_named(backend, actor, to_map)
        for file in files:
            with counting(f"Importing {file.name}") as report:
                made = import_file(backend, actor, file, folder, map_id, report)
            for line in made:
                out.print(line, soft_wrap=True)


@app.command()
def export(
    layer: Annotated[int, typer.Argument(help="The layer's id.")],
    target: Annotated[Path, typer.Argument(help="The file to write; its suffix says the format: shp geojson csv gpkg zip.")],
    data: Data = DEFAULT_DATA,
    user: User = "",
    fmt: Annotated[str | None, typer.Option("--format", help="The format, where the suffix does not say it.")] = None,
) -> None:
    """Write a layer's features to a file."""
    from graticule.actions.exports import export_layer

    fmt = fmt or {"zip": "shp"}.get(target.suffix[1:].lower(), target.suffix[1:].lower())
    with opened(data) as backend:
        actor = actor_named(backend, user)
        with backend.files.staging(actor.user_id) as staging, counting(f"Exporting layer {layer}") as report:
            made = export_layer(backend, actor, layer, fmt, staging, progress=report)
            target.write_bytes(b"")
            made.path.replace(target) if made.path.stat().st_dev == target.parent.stat().st_dev else _copy(made.path, target)
    out.print(f"Wrote {target}.")


def _copy(source: Path, target: Path) -> None:
    import shutil

    shutil.copyfile(source, target)


@app.command()
def doctor(data: Data = DEFAULT_DATA) -> None:
    """Say what of the environment is missing or wrong."""
    from graticule.diagnosis import examine

    findings = examine(data)
    for finding in findings:
        mark = "[green]ok[/green]   " if finding.well else "[red]wrong[/red]"
        out.print(f"{mark} {finding.subject}: {finding.text}", soft_wrap=True)
    if not all(finding.well for finding in findings):
        raise typer.Exit(1)


def require_data(data: Path) -> None:
    """Raises ``GraticuleError`` when this is no data directory."""
    if not (data / "catalogue.sqlite").exists():
        raise GraticuleError(f"{data} is no data directory. Make one first: graticule init --data {data}")


@contextmanager
def opened(data: Path, *, new: bool = False) -> Iterator[Backend]:
    """The installation in a data directory."""
    from graticule.actions import users
    from graticule.backend import open_backend

    if not new:
        require_data(data)
    backend = open_backend(Settings(data=data))
    try:
        users.ensure_anonymous(backend)
        yield backend
    finally:
        backend.close()


def actor_named(backend: Backend, name: str) -> Actor:
    """The user of that name, or the first administrator; whoever can run a command may act as anybody."""
    from graticule.actions import users
    from graticule.catalogue.access import Actor

    for user in users.all_users(backend):
        if user.username.casefold() == name.casefold() or (not name and user.administrator):
            return Actor(user.id, user.username, user.administrator)
    raise GraticuleError(f"There is no user named {name}." if name else "There is no administrator yet.")


@contextmanager
def steps(title: str, *, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """A bar on the error stream that is told how many steps of how many are done."""
    with Progress(TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), console=err, disable=quiet) as bar:
        task = bar.add_task(title)
        yield lambda done, of: bar.update(task, completed=done, total=of)


@contextmanager
def counting(title: str) -> Iterator[Callable[[int], None]]:
    """A line on the error stream that is told how many rows are done."""
    columns: list[Any] = [TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed} rows"), TimeElapsedColumn()]
    with Progress(*columns, console=err) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done: bar.update(task, completed=done)
