"""Datasources: where data comes from, as programs note it down. The password of a database is never told again."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select, update

from graticule.actions import fields, listing, need
from graticule.actions.datasets import forget
from graticule.actions.users import new_resource
from graticule.actions.verbatim import fields_as_written, object_of
from graticule.actions.versions import check_version
from graticule.actions.wfs import tables_of
from graticule.catalogue import access
from graticule.catalogue.databases import DATABASE, password_in, place_of
from graticule.catalogue.orm import Dataset, Datasource, Layer, Resource
from graticule.errors import BadRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

    from graticule.actions.listing import Listing
    from graticule.backend import Backend
    from graticule.catalogue.access import Actor

FOLDER, TABLE, FILE, WFS = 5, 15, 20, 70
TYPES = {
    FOLDER: "folder", DATABASE: "database", TABLE: "table", FILE: "file", 40: "WMS", 50: "WMS", 60: "TMS",
    WFS: "WFS", 80: "WMTS",
}  # fmt: skip
NUMBERS = ("epsg", "x_min", "x_max", "y_min", "y_max")
LONGEST_NUMBER = 100
PASSWORDS = frozenset({"password", "passwd", "pwd", "pass"})

ATTRIBUTES = {
    name: getattr(Datasource, name)
    for name in ("id", "resource_id", "name", "owner_id", "type", "proj4", "description", "copyright", "created",
                 "modified")
} | {"owner": Datasource.owner_id}  # fmt: skip

# How each settable text is read; null makes it null.
SETTERS: dict[str, Callable[[str, Any], Any]] = dict.fromkeys(
    ("name", "proj4", "description", "copyright"), fields.text
)


@dataclass(frozen=True, slots=True)
class DatasourceView:
    """A datasource with what the caller may do with it."""

    datasource: Datasource
    permissions: frozenset[str]


@dataclass(frozen=True, slots=True)
class Sent:
    """What was sent of a datasource: its fields, and the JSON text that each was written in."""

    values: Mapping[str, Any]
    written: Mapping[str, str]


def list_datasources(
    backend: Backend, actor: Actor, wanted: Listing, types: str | None
) -> tuple[int | None, list[DatasourceView]]:
    """The datasources that the caller may read, by type. Raises ``BadRequest``."""
    with backend.catalogue.read() as session:
        visible = access.readable(Datasource.resource_id, access.holds_for(actor.user_id))
        total, rows = listing.run(session, select(Datasource).where(visible, *_of_types(types)), wanted, ATTRIBUTES)
        return total, [_view(session, actor, row) for row in rows]


def _of_types(types: str | None) -> list[ColumnElement[bool]]:
    words = [word.strip() for word in (types or "").split(",") if word.strip()]
    return [Datasource.type.in_([_type(word) for word in words])] if words else []


def get_datasource(backend: Backend, actor: Actor, datasource_id: int) -> DatasourceView:
    """One datasource. Raises ``NotFound``."""
    with backend.catalogue.read() as session:
        return _view(session, actor, find_datasource(session, actor, datasource_id))


def find_datasource(session: Session, actor: Actor, datasource_id: int, permission: str = "READ") -> Datasource:
    """The datasource. Raises ``NotFound``, ``Forbidden``."""
    found = session.get(Datasource, datasource_id)
    held = access.permissions_on(session, actor.user_id, found.resource_id) if found else access.NOTHING
    need.require(held, permission, f"datasource {datasource_id}")
    assert found is not None
    return found


def datasources_of(session: Session, actor: Actor, ids: Collection[int]) -> dict[int, DatasourceView]:
    """The datasources with these ids, as the caller may use each."""
    rows = session.scalars(select(Datasource).where(Datasource.id.in_(ids))).all() if ids else ()
    return {row.id: _view(session, actor, row) for row in rows}


def create_datasource(backend: Backend, actor: Actor, sent: Sent) -> DatasourceView:
    """A new datasource of the caller. Raises ``BadRequest``, ``Forbidden``."""
    need.signed_in(actor)
    made = Datasource(type=_type(fields.required(sent.values, "type")))
    _apply(backend, made, sent)
    with backend.catalogue.write() as session:
        return _view(session, actor, enter(session, actor, made))


def enter(session: Session, actor: Actor, made: Datasource) -> Datasource:
    """Keep a new datasource, which is the caller's."""
    made.owner_id, made.created, made.modified, made.version = actor.user_id, int(time.time()), int(time.time()), 1
    made.resource_id = new_resource(session, "datasource", actor.user_id)
    session.add(made)
    session.flush()
    return made


def update_datasource(
    backend: Backend, actor: Actor, datasource_id: int, sent: Sent, if_match: int | None = None
) -> DatasourceView:
    """Change a datasource. Raises ``NotFound``, ``Forbidden``, ``BadRequest``, ``PreconditionFailed``."""
    with backend.catalogue.write() as session:
        found = find_datasource(session, actor, datasource_id, "EDIT")
        check_version(found.version, if_match)
        before = _state(backend, found)
        if "type" in sent.values:
            found.type = _type(fields.required(sent.values, "type"))
        _apply(backend, found, sent)
        if _state(backend, found) != before:
            found.modified = int(time.time())
            found.version += 1
        session.flush()
        return _view(session, actor, found)


def delete_datasource(backend: Backend, actor: Actor, datasource_id: int, if_match: int | None = None) -> None:
    """Delete a datasource, never the data it stands for. Raises ``NotFound``, ``Forbidden``."""
    with backend.catalogue.write() as session:
        found = find_datasource(session, actor, datasource_id, "OWNER")
        check_version(found.version, if_match)
        copies = session.scalars(select(Dataset).where(Dataset.datasource_id == found.id)).all()
        for copy in copies:
            forget(session, copy)
        session.execute(update(Layer).where(Layer.datasource_id == found.id).values(datasource_id=None))
        session.execute(delete(Datasource).where(Datasource.id == found.id))
        session.execute(delete(Resource).where(Resource.id == found.resource_id))
    for copy in copies:
        if copy.kind == "wfs":
            for name in tables_of(copy):
                backend.store.drop(copy.account_id, name)


def _view(session: Session, actor: Actor, found: Datasource) -> DatasourceView:
    return DatasourceView(found, access.permissions_on(session, actor.user_id, found.resource_id))


def _type(value: Any) -> int:
    number = fields.integer("type", value)
    if number not in TYPES:
        expected = ", ".join(f"{one} {name}" for one, name in TYPES.items())
        raise BadRequest(f"Unknown type of datasource {number}.", field="type", value=value, expected=expected)
    return number


def _apply(backend: Backend, found: Datasource, sent: Sent) -> None:
    for name, read in SETTERS.items():
        if name in sent.values:
            value = sent.values[name]
            setattr(found, name, None if value is None else read(name, value))
    _apply_numbers(found, sent)
    if "params" in sent.values:
        _apply_params(backend, found, sent)
    if found.type != DATABASE:
        found.secret = None
    elif "params" not in sent.values and found.params is not None:
        _hide_password(backend, found, found.params)


def _apply_numbers(found: Datasource, sent: Sent) -> None:
    """Keep the numbers as they were written: as a number or as its text, with these digits."""
    held = fields_as_written(found.numbers or "{}")
    for name in NUMBERS:
        value = sent.values.get(name)
        if value is not None:
            (fields.integer if name == "epsg" else fields.number)(name, value)
            if len(sent.written[name]) > LONGEST_NUMBER:
                raise BadRequest(f"{name} has too many digits.", field=name, expected=f"up to {LONGEST_NUMBER}")
            held[name] = sent.written[name]
        elif name in sent.values:
            held.pop(name, None)
    found.numbers = object_of(held) if held else None


def numbers(found: Datasource) -> dict[str, str | None]:
    """The JSON text of each number."""
    held = fields_as_written(found.numbers or "{}")
    return {name: held.get(name) for name in NUMBERS}


def _apply_params(backend: Backend, found: Datasource, sent: Sent) -> None:
    value = sent.values["params"]
    if value is None or value == "":
        found.params = found.secret = None
        return
    text = sent.written["params"] if isinstance(value, (dict, list)) else fields.json_text("params", value)
    text = fields.text("params", text)
    if found.type == DATABASE:
        _hide_password(backend, found, text)
    else:
        found.params = text


def _hide_password(backend: Backend, found: Datasource, text: str) -> None:
    """Take the password out of the text, and keep it locked away. Raises ``BadRequest``."""
    held = fields.parse_json("params", text)
    if not isinstance(held, dict):
        expected = '{"host": …, "port": …, "database": …, "user": …, "password": …}'
        raise BadRequest("The params of a database are not an object.", field="params", expected=expected)
    hidden = [name for name in held if name.lower() in PASSWORDS]
    passwords = [held[name] for name in hidden if held[name] not in (None, "")]
    if passwords:
        found.secret = backend.keys.lock(fields.text("password", passwords[0]))
    elif found.secret is not None and place_of(held) != place_of(json.loads(found.params or "{}")):
        message = "The password must be sent again when the host, port, database or user changes."
        raise BadRequest(message, field="password", expected="the password of the database")
    written = fields_as_written(text)
    found.params = object_of({name: written[name] for name in written if name not in hidden}) if hidden else text


def _state(backend: Backend, found: Datasource) -> tuple[Any, ...]:
    password = password_in(backend.keys, found.secret)
    return (*(getattr(found, name) for name in (*SETTERS, "type", "params", "numbers")), password)
