"""Tables of other databases, which are kept as datasources of type 10 and only read."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from graticule.actions import fields
from graticule.actions.datasources import find_datasource
from graticule.catalogue.databases import DATABASE
from graticule.catalogue.orm import Dataset
from graticule.errors import BadRequest, Forbidden, NotFound
from graticule.stores.external import external_name

if TYPE_CHECKING:
    from graticule.backend import Backend
    from graticule.catalogue.access import Actor
    from graticule.catalogue.orm import Datasource
    from graticule.stores.external_sql import Found

SCHEMA = "public"
# As long as the catalogue keeps names of tables.
LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class ExternalTable:
    """A table of a datasource's database; ``dataset`` says where its rows are, and is not in the catalogue."""

    datasource: Datasource
    found: Found
    dataset: Dataset


def list_external(backend: Backend, actor: Actor, connection: Any) -> list[ExternalTable]:
    """The tables of a database. Raises ``NotFound``, ``BadRequest``, ``Unavailable``."""
    source = database_of(backend, actor, connection)
    names = backend.external.tables(source.id)
    return [ExternalTable(source, backend.external.found(name), _dataset(source, name)) for name in names]


def get_external(backend: Backend, actor: Actor, connection: Any, name: str) -> ExternalTable:
    """One of them, by ``table`` or ``schema.table``. Raises as ``list_external``."""
    source = database_of(backend, actor, connection)
    full = _full_name(source.id, name)
    return ExternalTable(source, backend.external.found(full), _dataset(source, full))


def database_of(backend: Backend, actor: Actor, connection: Any) -> Datasource:
    """The datasource of a database that the caller may read. Raises ``NotFound``, ``BadRequest``."""
    with backend.catalogue.read() as session:
        found = find_datasource(session, actor, fields.integer("connection_id", connection, 0))
    if found.type != DATABASE:
        message = f"Datasource {found.id} is no database."
        raise BadRequest(message, field="connection_id", value=connection, expected=f"a datasource of type {DATABASE}")
    return found


def external_dataset(backend: Backend, actor: Actor, connection: Any, name: str) -> Dataset:
    """What layers of a table of another database show, in the catalogue. Raises ``BadRequest``, ``Unavailable``."""
    try:
        table = get_external(backend, actor, connection, name)
    except (NotFound, Forbidden) as error:
        expected = "a table of a database you may read"
        raise BadRequest(error.message, field="source", value=name, expected=expected) from None
    wanted = table.dataset.store_table
    if len(wanted) > LONGEST_NAME:
        raise BadRequest("The table's name is too long.", field="source", value=name, expected="a shorter name")
    with backend.catalogue.write() as session:
        mine = (Dataset.account_id == actor.user_id, Dataset.store_table == wanted)
        dataset = session.scalar(select(Dataset).where(*mine))
        if dataset is None:
            dataset = _dataset(table.datasource, wanted)
            dataset.account_id = actor.user_id
            session.add(dataset)
    return dataset


def _full_name(datasource_id: int, name: str) -> str:
    schema, dot, table = name.partition(".")
    return external_name(datasource_id, schema, table) if dot else external_name(datasource_id, SCHEMA, name)


def _dataset(source: Datasource, name: str) -> Dataset:
    path = name.split(":", 2)[2]
    return Dataset(
        account_id=source.owner_id,
        kind="external",
        store_table=name,
        datasource_id=source.id,
        path=path,
        status="ready",
        skipped=0,
        created=int(time.time()),
    )
