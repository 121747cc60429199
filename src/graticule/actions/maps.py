"""Maps: listing, making, changing, deleting."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, or_, select, update

from graticule.actions import fields, listing, need
from graticule.actions.users import new_resource
from graticule.actions.versions import check_version
from graticule.catalogue import access
from graticule.catalogue.orm import Layer, Map, Resource
from graticule.errors import BadRequest
from graticule.geometry.bounds import parse_map_bounds
from graticule.geometry.crs import Crs
from graticule.geometry.reproject import reproject_box

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

    from graticule.actions.listing import Listing
    from graticule.backend import Backend
    from graticule.catalogue.access import Actor

DEFAULT_EPSG = "900913"
ATTRIBUTES = {
    name: getattr(Map, name)
    for name in (
        "id", "name", "description", "copyright", "epsg", "proj4", "units", "bounds", "bgcolor", "owner_id", "archived",
        "created", "modified", "accessed", "visited",
    )
} | {"owner": Map.owner_id}  # fmt: skip
TYPES = ("private", "shared", "public", "archived")

# How each settable field is read, and what it is when null is sent.
SETTERS: dict[str, tuple[Callable[[str, Any], Any], Any]] = {
    **dict.fromkeys(("name", "description", "copyright", "bgcolor"), (fields.text, None)),
    **dict.fromkeys(("mobileacess", "wmsaccess", "share"), (fields.flag, None)),
    "visible": (fields.flag, "t"),
    "active": (fields.text, "1"),
    "maxzoom": (fields.integer_text, None),
    "archived": (fields.boolean, False),
}


@dataclass(frozen=True, slots=True)
class MapView:
    """A map with what the caller may do with it."""

    map: Map
    permissions: frozenset[str]


def list_maps(backend: Backend, actor: Actor, wanted: Listing, types: str | None) -> tuple[int | None, list[MapView]]:
    """The maps that the caller may read, by type. Raises ``BadRequest``."""
    with backend.catalogue.read() as session:
        statement = select(Map).where(access.visible_maps(actor.user_id), _of_types(types, actor))
        total, maps = listing.run(session, statement, wanted, ATTRIBUTES)
        return total, [_view(session, actor, found) for found in maps]


def get_map(backend: Backend, actor: Actor, map_id: int) -> MapView:
    """One map. Raises ``NotFound``."""
    with backend.catalogue.read() as session:
        return _view(session, actor, need.find_map(session, actor, map_id))


def check_editable(backend: Backend, actor: Actor, map_id: int) -> None:
    """Raises ``NotFound`` or ``Forbidden`` when the caller may not change the map."""
    with backend.catalogue.read() as session:
        need.find_map(session, actor, map_id, "EDIT")


def note_visit(backend: Backend, map_id: int) -> None:
    """Somebody looked at the map; this is no change of it."""
    with backend.catalogue.write() as session:
        values = {Map.visited: Map.visited + 1, Map.accessed: int(time.time())}
        session.execute(update(Map).where(Map.id == map_id).values(values))


def create_map(backend: Backend, actor: Actor, sent: Mapping[str, Any]) -> MapView:
    """A new map of the caller. Raises ``BadRequest``, ``Forbidden``."""
    need.signed_in(actor)
    now = int(time.time())
    made = Map(owner_id=actor.user_id, created=now, modified=now, accessed=now, visited=0, archived=False, version=1)
    for name, (_, default) in SETTERS.items():
        setattr(made, name, default)
    _set_projection(made, Crs.from_epsg(DEFAULT_EPSG))
    _apply(made, sent)
    with backend.catalogue.write() as session:
        made.resource_id = new_resource(session, "map", actor.user_id)
        session.add(made)
        session.flush()
        session.refresh(made)
        return _view(session, actor, made)


def update_map(
    backend: Backend, actor: Actor, map_id: int, sent: Mapping[str, Any], if_match: int | None = None
) -> MapView:
    """Change a map. Raises ``NotFound``, ``Forbidden``, ``BadRequest``, ``PreconditionFailed``."""
    with backend.catalogue.write() as session:
        found = need.find_map(session, actor, map_id, "EDIT")
        check_version(found.version, if_match)
        before = _settable(found)
        _apply(found, sent)
        if _settable(found) != before:
            touch(found)
        session.flush()
        return _view(session, actor, found)


def delete_map(backend: Backend, actor: Actor, map_id: int, if_match: int | None = None) -> None:
    """Delete a map with its layers, never the data they show. Raises ``NotFound``, ``Forbidden``."""
    with backend.catalogue.write() as session:
        found = need.find_map(session, actor, map_id, "OWNER")
        check_version(found.version, if_match)
        resources = [*session.scalars(select(Layer.resource_id).where(Layer.map_id == map_id)), found.resource_id]
        session.execute(delete(Layer).where(Layer.map_id == map_id))
        session.execute(delete(Map).where(Map.id == map_id))
        session.execute(delete(Resource).where(Resource.id.in_(resources)))


def touch(found: Map | Layer) -> None:
    """Note that it has changed now."""
    found.modified = int(time.time())
    found.version += 1


def map_crs(found: Map) -> Crs:
    """The projection of a map."""
    return Crs.from_epsg(found.epsg) if found.epsg else Crs.from_proj4(found.proj4)


def _view(session: Session, actor: Actor, found: Map) -> MapView:
    return MapView(found, access.permissions_on(session, actor.user_id, found.resource_id))


def _of_types(types: str | None, actor: Actor) -> ColumnElement[bool]:
    words = dict.fromkeys(word.strip() for word in (types or "").split(",") if word.strip())
    for word in words:
        if word not in TYPES:
            raise BadRequest(f"Unknown type {word}.", field="type", value=word, expected=", ".join(TYPES))
    meaning = {
        "private": Map.owner_id == actor.user_id,
        "shared": access.shared_map(actor.user_id),
        "public": access.public_map(),
    }
    kinds = [meaning[word] for word in words if word != "archived"]
    current = ~Map.archived & or_(*kinds) if kinds else ~Map.archived
    if "archived" not in words:
        return current
    return or_(Map.archived, current) if kinds else Map.archived.is_(True)


def _settable(found: Map) -> tuple[Any, ...]:
    return tuple(getattr(found, name) for name in (*SETTERS, "epsg", "proj4", "units", "bounds"))


def _apply(found: Map, sent: Mapping[str, Any]) -> None:
    for name, (read, default) in SETTERS.items():
        if name in sent:
            setattr(found, name, default if sent[name] is None else read(name, sent[name]))
    moved_from = _apply_projection(found, sent)
    if "bounds" in sent:
        _apply_bounds(found, sent["bounds"])
    elif moved_from is not None and found.bounds:
        _reproject_bounds(found, moved_from)


def _apply_projection(found: Map, sent: Mapping[str, Any]) -> Crs | None:
    """Set the projection that was sent; answers the one before when it is another."""
    same = (sent.get("epsg", found.epsg), sent.get("proj4", found.proj4)) == (found.epsg, found.proj4)
    if same or not sent.keys() & {"epsg", "proj4"}:
        return None
    if sent.get("epsg") is not None and (str(sent["epsg"]) != found.epsg or sent.get("proj4") is None):
        wanted = Crs.from_epsg(sent["epsg"])
    elif sent.get("proj4") is not None:
        wanted = Crs.from_proj4(fields.text("proj4", sent["proj4"]))
    else:
        wanted = Crs.from_epsg(DEFAULT_EPSG)
    before = map_crs(found)
    _set_projection(found, wanted, sent.get("proj4"))
    return None if wanted.same_as(before) else before


def _set_projection(found: Map, crs: Crs, proj4: Any = None) -> None:
    found.epsg = None if crs.epsg is None else str(crs.epsg)
    found.proj4 = str(proj4) if crs.epsg is None and proj4 else crs.proj4
    found.units = crs.units


def _apply_bounds(found: Map, value: Any) -> None:
    if value in (None, ""):
        found.bounds = None
        return
    parse_map_bounds(value)
    found.bounds = fields.json_text("bounds", value)


def _reproject_bounds(found: Map, before: Crs) -> None:
    held = parse_map_bounds(found.bounds)
    assert held is not None
    box = reproject_box((held["xmin"], held["ymin"], held["xmax"], held["ymax"]), before, map_crs(found))
    found.bounds = None if box is None else json.dumps(dict(zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True)))
