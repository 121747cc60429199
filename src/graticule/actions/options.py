"""Options: named texts that programs keep with a user, a map, a layer or anything else that is a resource."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from graticule.actions import fields, listing, need
from graticule.actions.permissions import held_on
from graticule.actions.versions import check_version
from graticule.catalogue.orm import Layer, Map, Option, User
from graticule.errors import BadRequest, Conflict, NotFound

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy.orm import Session

    from graticule.actions.listing import Listing
    from graticule.backend import Backend
    from graticule.catalogue.access import Actor

LONGEST_NAME = 255
LONGEST_TYPE = 40
MOST_OF_ONE = 10_000
# By the names that options have on users, and by those they have elsewhere.
ATTRIBUTES = {
    **{name: getattr(Option, name) for name in ("id", "name", "type", "value")},
    **{f"option_{name}": getattr(Option, name) for name in ("name", "type", "value")},
}
# SQLite takes only so many bound values in one statement.
MOST_BOUND = 1000


def resource_of_map(backend: Backend, actor: Actor, map_id: int) -> int:
    """The resource of a map that the caller may see. Raises ``NotFound``, ``Forbidden``."""
    with backend.catalogue.read() as session:
        found: Map = need.find_map(session, actor, map_id)
        return found.resource_id


def resource_of_layer(backend: Backend, actor: Actor, layer_id: int) -> int:
    """The resource of a layer that the caller may see. Raises ``NotFound``, ``Forbidden``."""
    with backend.catalogue.read() as session:
        found: Layer = need.find_layer(session, actor, layer_id)
        return found.resource_id


def resource_of_caller(backend: Backend, actor: Actor) -> int:
    """The resource of the caller's account. Raises ``Forbidden``."""
    need.signed_in(actor)
    with backend.catalogue.read() as session:
        return session.get_one(User, actor.user_id).resource_id or 0


def list_options(backend: Backend, actor: Actor, resource_id: int, wanted: Listing) -> tuple[int | None, list[Option]]:
    """The options of a resource in the order in which they were made.

    Raises ``NotFound``, ``Forbidden``, ``BadRequest``.
    """
    with backend.catalogue.read() as session:
        _allow(session, actor, resource_id, "READ")
        return listing.run(session, select(Option).where(Option.resource_id == resource_id), wanted, ATTRIBUTES)


def by_resource(backend: Backend, resource_ids: Iterable[int | None]) -> dict[int, list[Option]]:
    """The options of many resources that the caller has been found to be allowed to read."""
    wanted, found = [one for one in resource_ids if one is not None], dict[int, list[Option]]()
    with backend.catalogue.read() as session:
        for start in range(0, len(wanted), MOST_BOUND):
            some = Option.resource_id.in_(wanted[start : start + MOST_BOUND])
            for option in session.scalars(select(Option).where(some).order_by(Option.id)):
                found.setdefault(option.resource_id, []).append(option)
    return found


def get_option(backend: Backend, actor: Actor, resource_id: int, option: str) -> Option:
    """One option by its id or name. Raises ``NotFound``, ``Forbidden``."""
    with backend.catalogue.read() as session:
        _allow(session, actor, resource_id, "READ")
        return _find(session, resource_id, option)


def keep_option(backend: Backend, actor: Actor, resource_id: int, sent: Mapping[str, Any]) -> Option:
    """A new option; one of that name that is there already gets the value that was sent.

    Raises ``NotFound``, ``Forbidden``, ``BadRequest``.
    """
    with backend.catalogue.write() as session:
        _allow(session, actor, resource_id, "EDIT")
        need.signed_in(actor)
        name = _name(_sent(sent, "name"))
        option = _named(session, resource_id, name)
        if option is None:
            if _number(session, resource_id) >= MOST_OF_ONE:
                expected = f"up to {MOST_OF_ONE} options"
                raise BadRequest("There are too many options here.", field="option_name", expected=expected)
            option = Option(resource_id=resource_id, name=name)
            session.add(option)
        _apply(option, sent)
        session.flush()
        return option


def update_option(
    backend: Backend,
    actor: Actor,
    resource_id: int,
    option: str,
    sent: Mapping[str, Any],
    if_match: int | None = None,
) -> None:
    """Change an option. Raises ``NotFound``, ``Forbidden``, ``BadRequest``, ``PreconditionFailed``."""
    with backend.catalogue.write() as session:
        _allow(session, actor, resource_id, "EDIT")
        found = _find(session, resource_id, option)
        check_version(version_of(found), if_match)
        _rename(session, found, sent)
        _apply(found, sent)


def delete_option(backend: Backend, actor: Actor, resource_id: int, option: str, if_match: int | None = None) -> None:
    """Remove an option. Raises ``NotFound``, ``Forbidden``, ``PreconditionFailed``."""
    with backend.catalogue.write() as session:
        _allow(session, actor, resource_id, "EDIT")
        found = _find(session, resource_id, option)
        check_version(version_of(found), if_match)
        session.delete(found)


def named_in_body(sent: Mapping[str, Any]) -> str:
    """Which option a body is about: by its id, else its name. Raises ``BadRequest``."""
    if sent.get("id") is not None:
        return str(fields.integer("id", sent["id"], 0))
    return _name(_sent(sent, "name"))


def version_of(option: Option) -> int:
    """A number that changes with what the option holds."""
    return zlib.crc32(repr((option.name, option.type, option.value)).encode())


def _allow(session: Session, actor: Actor, resource_id: int, permission: str) -> None:
    need.require(held_on(session, actor, resource_id), permission, f"resource {resource_id}")


def _number(session: Session, resource_id: int) -> int:
    return session.scalar(select(func.count()).where(Option.resource_id == resource_id)) or 0


def _named(session: Session, resource_id: int, name: str) -> Option | None:
    return session.scalar(select(Option).where(Option.resource_id == resource_id, Option.name == name))


def _find(session: Session, resource_id: int, option: str) -> Option:
    found = None
    if option.isascii() and option.isdigit() and len(option) < 19:
        found = session.scalar(select(Option).where(Option.resource_id == resource_id, Option.id == int(option)))
    found = found or _named(session, resource_id, option)
    if found is None:
        raise NotFound(f"Resource {resource_id} has no option {option[:100]}.")
    return found


def _sent(sent: Mapping[str, Any], what: str) -> Any:
    """A field by its longer or its shorter name."""
    return sent.get(f"option_{what}", sent.get(what))


def _name(value: Any) -> str:
    name = fields.text("option_name", fields.required({"option_name": value}, "option_name"))
    if len(name) > LONGEST_NAME:
        expected = f"up to {LONGEST_NAME} characters"
        raise BadRequest("The name is too long.", field="option_name", value=name, expected=expected)
    return name


def _rename(session: Session, option: Option, sent: Mapping[str, Any]) -> None:
    if _sent(sent, "name") is None:
        return
    name = _name(_sent(sent, "name"))
    if name != option.name and _named(session, option.resource_id, name) is not None:
        raise Conflict(f"There is an option {name} already.", field="option_name", value=name, expected="another name")
    option.name = name


def _apply(option: Option, sent: Mapping[str, Any]) -> None:
    if {"option_value", "value"} & sent.keys():
        option.value = _text_of("option_value", _sent(sent, "value"))
    if {"option_type", "type"} & sent.keys():
        option.type = _text_of("option_type", _sent(sent, "type"))
        if option.type is not None and len(option.type) > LONGEST_TYPE:
            expected = f"up to {LONGEST_TYPE} characters"
            raise BadRequest("The type is too long.", field="option_type", value=option.type, expected=expected)


def _text_of(name: str, value: Any) -> str | None:
    """Text as it is; all else as its JSON text."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return fields.json_text(name, value) if isinstance(value, (dict, list)) else fields.text(name, value)
