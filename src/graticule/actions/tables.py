"""Tables that users make, and their rows."""

from __future__ import annotations

import re
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from graticule.actions import external, fields, listing, media_grants, need
from graticule.actions.attributes import check_values
from graticule.actions.datasets import (
    FILE_PREFIX,
    NO_GEOMETRY,
    Part,
    forget,
    geometry_type_of,
    keeping,
    local_file,
    naming,
    stage,
)
from graticule.actions.external import SCHEMA
from graticule.actions.features import attributes
from graticule.actions.geometry_input import Projections, take_geometry
from graticule.actions.sources import find_table, locate, stated
from graticule.actions.users import new_resource
from graticule.catalogue import access
from graticule.catalogue.orm import Dataset, Layer
from graticule.errors import BadRequest, Conflict, Forbidden, NotFound, PreconditionFailed
from graticule.geometry.crs import Crs
from graticule.model.features import COLUMN_TYPES, Column, Query, Table
from graticule.stores.base import CREATED, GEOMETRY, KEY, MODIFIED, OWNER, Change

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from graticule.actions.external import ExternalTable
    from graticule.actions.listing import Listing, Page
    from graticule.backend import Backend
    from graticule.catalogue.access import Actor
    from graticule.model.features import Batch

NAME = re.compile(r"\w{1,63}")
RESERVED_PREFIXES = ("gpkg_", "rtree_", "sqlite_", "idx_", "pg_", "trigger_", FILE_PREFIX)
OUR_COLUMNS = {KEY, GEOMETRY, CREATED, MODIFIED, OWNER, "fid", "rowid"}
GEOMETRIES = {
    **{name: name for name in ("POINT", "LINESTRING", "POLYGON", "MULTIPOINT", "MULTILINESTRING", "MULTIPOLYGON")},
    "GEOMETRY": "GEOMETRY",
    "LINE": "LINESTRING",
}
MOST_COLUMNS = 1000
# What lists of tables can be ordered and searched by.
ATTRIBUTES = {
    **{name: getattr(Dataset, name) for name in ("id", "resource_id", "created")},
    **{"name": Dataset.store_table, "geometry": Dataset.geometry_type, "owner_id": Dataset.account_id},
}


@dataclass(frozen=True, slots=True)
class TableView:
    """A table with its place in the catalogue and what the caller may do with it.

    ``owner`` is set where the caller may see only rows of their own.
    """

    dataset: Dataset
    table: Table
    held: frozenset[str]
    owner: int | None = None
    external: ExternalTable | None = None

    @property
    def version(self) -> int:
        """What its tag begins with: tables are not changed, and another of the same name is another one."""
        return self.dataset.id if self.external is None else self.external.datasource.version

    @property
    def name(self) -> str:
        """What people call it."""
        if self.external is None:
            return self.table.name
        schema, name = self.external.found.schema, self.external.found.name
        return name if schema == SCHEMA else f"{schema}.{name}"


def _external_view(found: ExternalTable) -> TableView:
    return TableView(found.dataset, found.found.table, frozenset({"READ"}), external=found)


def list_external_tables(
    backend: Backend, actor: Actor, connection: str, page: Page, *, spatial: bool | None = None
) -> tuple[int | None, list[TableView]]:
    """The tables of the database that a datasource is of, as ``list_tables``.

    Raises ``NotFound``, ``BadRequest``, ``Unavailable``.
    """
    every = [_external_view(found) for found in external.list_external(backend, actor, connection)]
    views = [view for view in every if spatial is None or spatial == (view.table.geometry_type is not None)]
    return len(views) if page.total else None, views[page.offset :][: page.size]


def get_external_table(backend: Backend, actor: Actor, name: str, connection: str) -> TableView:
    """One table of a datasource's database. Raises ``NotFound``, ``BadRequest``, ``Unavailable``."""
    return _external_view(external.get_external(backend, actor, connection, name))


def list_tables(
    backend: Backend, actor: Actor, wanted: Listing, *, spatial: bool | None = None
) -> tuple[int | None, list[TableView]]:
    """The tables that the caller may read, by name; with ``spatial`` only those with or without geometry."""
    with backend.catalogue.read() as session:
        readable = access.readable(Dataset.resource_id, access.holds_for(actor.user_id))
        statement = select(Dataset).where(Dataset.kind == "table", Dataset.status == "ready", readable)
        if spatial is not None:
            plain = Dataset.geometry_type == NO_GEOMETRY
            statement = statement.where(~plain if spatial else plain)
        if not wanted.order_by:
            statement = statement.order_by(Dataset.store_table)
        total, rows = listing.run(session, statement, wanted, ATTRIBUTES)
        held = [need.dataset_permissions(session, actor.user_id, row) for row in rows]
    views = [_viewed(backend, row, mine) for row, mine in zip(rows, held, strict=True)]
    return total, [view for view in views if view is not None]


def _viewed(backend: Backend, dataset: Dataset, held: frozenset[str]) -> TableView | None:
    """None for a table that was deleted just now."""
    try:
        return TableView(dataset, backend.store.table(dataset.account_id, dataset.store_table), held)
    except NotFound:
        return None


def get_table(backend: Backend, actor: Actor, name: str, permission: str = "READ") -> TableView:
    """One table. Raises ``NotFound``, ``Forbidden``."""
    with backend.catalogue.read() as session:
        dataset = find_table(session, actor, name)
        held = need.dataset_permissions(session, actor.user_id, dataset) if dataset else access.NOTHING
    need.require(held, permission, f"table {name}")
    assert dataset is not None
    return TableView(dataset, backend.store.table(dataset.account_id, dataset.store_table), held)


def open_rows(backend: Backend, actor: Actor, name: str) -> TableView:
    """A table of which the caller may read rows, or at least rows of their own. Raises ``NotFound``."""
    with backend.catalogue.read() as session:
        dataset = find_table(session, actor, name)
        held = need.dataset_permissions(session, actor.user_id, dataset) if dataset else access.NOTHING
    if dataset is None or not held:
        raise NotFound(f"There is no table {name}, or it is not shared with you.")
    table = backend.store.table(dataset.account_id, dataset.store_table)
    return TableView(dataset, table, held, access.sees_features_of(actor.user_id, held))


def create_table(backend: Backend, actor: Actor, sent: Mapping[str, Any]) -> TableView:
    """A new table of the caller: empty by ``columns``, or filled from a file by ``source``.

    Raises ``BadRequest``, ``Conflict``, ``Forbidden``.
    """
    need.signed_in(actor)
    name = _name(sent)
    if sent.get("source") is not None:
        _fill_from_file(backend, actor, name, sent["source"])
    else:
        table = _described(name, sent)
        with backend.files.staging(actor.user_id), entered(backend, actor, name):
            backend.store.create(actor.user_id, table)
    return get_table(backend, actor, name)


def _refuse_taken(backend: Backend, actor: Actor, name: str) -> None:
    taken = {other.casefold() for other in backend.store.tables(actor.user_id)}
    if name.casefold() in taken:
        raise Conflict(f"You already have a table named {name}.", field="name", value=name, expected="another name")


@contextmanager
def entered(backend: Backend, actor: Actor, name: str) -> Iterator[None]:
    """Keep a table's name in the catalogue while it is made; nobody sees it before that has gone well.

    A process that dies meanwhile leaves an entry that tells the next one what to clear away. Raises ``Conflict``.
    """
    account = actor.user_id
    with keeping(backend, account):
        _refuse_taken(backend, actor, name)
        with backend.catalogue.write() as session:
            entry = Dataset(account_id=account, kind="table", store_table=name, status="busy", created=int(time.time()))
            entry.resource_id = new_resource(session, "table", account)
            session.add(entry)
        try:
            yield
        except BaseException:
            with backend.catalogue.write() as session:
                forget(session, entry)
            raise
        geometry_type = geometry_type_of(backend, account, name)
        with backend.catalogue.write() as session:
            made = session.get_one(Dataset, entry.id)
            made.status, made.geometry_type = "ready", geometry_type


def _fill_from_file(backend: Backend, actor: Actor, name: str, source: Any) -> None:
    held = fields.parse_json("source", source)
    if not isinstance(held, dict) or held.get("type") != "file":
        expected = '{"type": "file", "src": …}'
        raise BadRequest("A table is made of a file.", field="source", value=source, expected=expected)
    account, path = locate(backend, actor, fields.text("source", fields.required(held, "src")), "source")
    sublayer = fields.text("layer", held["layer"]) if held.get("layer") is not None else None
    _refuse_taken(backend, actor, name)
    with naming(path), backend.files.staging(actor.user_id) as staging:
        local = local_file(backend, account, path)
        staged = stage(local, Part(sublayer, stated=stated(held)), staging, name, actor.user_id)
        with entered(backend, actor, name):
            backend.store.adopt(actor.user_id, staged.path, name, staged.rows)


def delete_table(
    backend: Backend, actor: Actor, name: str, *, force: bool = False, if_match: int | None = None
) -> None:
    """Delete a table; its number in the catalogue is its version, since it never changes.

    Raises ``NotFound``, ``Forbidden``, ``PreconditionFailed``, ``Conflict`` when layers show it and not ``force``.
    """
    dataset = get_table(backend, actor, name, "OWNER").dataset
    if if_match not in (None, dataset.id):
        raise PreconditionFailed("This is another table by now; read it again.", field="If-Match", value=if_match)
    with keeping(backend, dataset.account_id), backend.files.staging(dataset.account_id):
        with backend.catalogue.read() as session:
            layers = session.execute(select(Layer.id, Layer.name).where(Layer.dataset_id == dataset.id)).all()
        if layers and not force:
            named = ", ".join(f"{layer.id} ({layer.name})" for layer in layers[:20])
            raise Conflict(f"Layers show this table: {named}. Delete them first, or send force=true.", field="force")
        backend.store.drop(dataset.account_id, dataset.store_table)
        with backend.catalogue.write() as session:
            forget(session, dataset)


def empty_table(backend: Backend, actor: Actor, name: str) -> None:
    """Remove all rows. Raises ``NotFound``, ``Forbidden``."""
    view = get_table(backend, actor, name, "DELETE")
    backend.store.empty(view.dataset.account_id, view.table)
    media_grants.forget(backend, view.dataset.id)


def read_rows(backend: Backend, view: TableView, query: Query) -> Iterator[Batch]:
    """Rows of a table, in batches."""
    return backend.store.read(view.dataset.account_id, view.table, replace(query, owner=view.owner))


def count_rows(backend: Backend, view: TableView, query: Query) -> int:
    """How many rows there are, limit and offset aside."""
    return backend.store.count(view.dataset.account_id, view.table, replace(query, owner=view.owner))


def read_row(backend: Backend, view: TableView, row: int, query: Query) -> Batch:
    """One row as a batch of one. Raises ``NotFound``."""
    for batch in read_rows(backend, view, query):
        return batch
    raise NotFound(f"Table {view.name} has no row {row}.")


def row_version(backend: Backend, view: TableView, row: int) -> str:
    """A word that changes with the row. Raises ``NotFound``."""
    word = backend.store.version(view.dataset.account_id, view.table, row)
    if word is None:
        raise NotFound(f"Table {view.name} has no row {row}.")
    return word


def insert_row(
    backend: Backend, actor: Actor, name: str, sent: Mapping[str, Any], projections: Projections
) -> tuple[TableView, int]:
    """Add a row; answers the table and the row's number. Raises ``NotFound``, ``Forbidden``, ``BadRequest``."""
    view = _to_write(backend, actor, name, "INSERT", None)
    values = check_values(view.table, attributes(sent), whole=True)
    taken = take_geometry(view.table, sent, projections)
    change = Change(values, taken.geometry, set_geometry=view.table.geometry_type is not None)
    ids = backend.store.insert(view.dataset.account_id, view.table, [change], actor.user_id)
    media_grants.note_inserted(backend, actor, view.dataset, view.table, ids, [change])
    return view, ids[0]


def update_row(
    backend: Backend,
    actor: Actor,
    name: str,
    row: int,
    sent: Mapping[str, Any],
    projections: Projections,
    expected: str | None = None,
) -> None:
    """Change the values given. Raises ``NotFound``, ``Forbidden``, ``BadRequest``, ``PreconditionFailed``."""
    view = _to_write(backend, actor, name, "UPDATE", row)
    values = check_values(view.table, attributes(sent), whole=False)
    taken = take_geometry(view.table, sent, projections)
    change = Change(values, taken.geometry, set_geometry=taken.given, id=row)
    with media_grants.kept_with(backend, actor, view.dataset, view.table, change):
        if not backend.store.update(view.dataset.account_id, view.table, change, expected):
            raise NotFound(f"Table {name} has no row {row}.")


def delete_row(backend: Backend, actor: Actor, name: str, row: int, expected: str | None = None) -> None:
    """Remove a row. Raises ``NotFound``, ``Forbidden``, ``PreconditionFailed``."""
    view = _to_write(backend, actor, name, "DELETE", row)
    if not backend.store.delete(view.dataset.account_id, view.table, row, expected):
        raise NotFound(f"Table {name} has no row {row}.")
    media_grants.forget(backend, view.dataset.id, row)


def _to_write(backend: Backend, actor: Actor, name: str, permission: str, row: int | None) -> TableView:
    view = open_rows(backend, actor, name)
    _allow(access.may(view.held, permission, own=True))
    if row is not None and permission not in view.held:
        found = read_row(backend, view, row, Query(columns=(), ids=(row,), geometry=False))
        own = actor.signed_in and found.owner is not None and found.owner[0] == actor.user_id
        _allow(access.may(view.held, permission, own=own))
    return view


def _allow(verdict: access.Verdict) -> None:
    if not verdict.allowed:
        raise Forbidden(verdict.because)


def _name(sent: Mapping[str, Any]) -> str:
    name = fields.text("name", fields.required(sent, "name"))
    if not NAME.fullmatch(name) or name.lower().startswith(RESERVED_PREFIXES):
        expected = "up to 63 letters, digits and _, not beginning with " + " ".join(RESERVED_PREFIXES)
        raise BadRequest("This cannot be a table's name.", field="name", value=name, expected=expected)
    return name


def _described(name: str, sent: Mapping[str, Any]) -> Table:
    columns = _columns(sent.get("columns"))
    geometry = sent.get("geometry")
    if geometry in (None, "", False):
        return Table(name, columns)
    kind = GEOMETRIES.get(fields.text("geometry", geometry).upper())
    if kind is None:
        expected = "one of " + ", ".join(GEOMETRIES)
        raise BadRequest(f"Unknown geometry {geometry}.", field="geometry", value=geometry, expected=expected)
    srid = sent.get("srid")
    crs = Crs.from_epsg(4326 if srid in (None, "") else srid, field="srid")
    return Table(name, columns, kind, crs=f"EPSG:{crs.epsg}")


def _columns(sent: Any) -> tuple[Column, ...]:
    if sent in (None, ""):
        return ()
    sent = fields.parse_json("columns", sent)
    if not isinstance(sent, dict) or len(sent) > MOST_COLUMNS:
        expected = f'{{"name": {{"type": "text"}}}}, up to {MOST_COLUMNS}'
        raise BadRequest("columns is not an object of columns.", field="columns", expected=expected)
    columns = tuple(_column(name, described) for name, described in sent.items())
    seen: set[str] = set()
    for column in columns:
        if column.name.casefold() in seen:
            raise BadRequest(f"Two columns are named {column.name}.", field="columns", value=column.name)
        seen.add(column.name.casefold())
    return columns


def _column(name: str, described: Any) -> Column:
    if not NAME.fullmatch(name) or name.casefold() in OUR_COLUMNS or name.startswith("__"):
        expected = "up to 63 letters, digits and _, not beginning with __"
        raise BadRequest(f"{name} cannot be a column's name.", field="columns", value=name, expected=expected)
    described = {"type": described} if isinstance(described, str) else described
    kind = described.get("type", "text") if isinstance(described, dict) else None
    if kind not in COLUMN_TYPES:
        expected = "one of " + ", ".join(COLUMN_TYPES)
        raise BadRequest(f"Unknown type of column {name}.", field=f"columns.{name}.type", value=kind, expected=expected)
    not_null = described.get("not_null")
    return Column(name, kind, fields.boolean(f"columns.{name}.not_null", not_null) if not_null is not None else False)
