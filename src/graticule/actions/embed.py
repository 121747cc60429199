"""What the interactive map is made of: the MapLibre style, TileJSON, and the configuration of the page."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from graticule.actions import need
from graticule.actions.drawing import Drawable, drawable_layer, drawables_of_map
from graticule.actions.expressions import as_parameter, left_over, narrowed
from graticule.actions.jobs import percentages
from graticule.actions.layers import job_of, state_of
from graticule.actions.maps import map_crs
from graticule.actions.page_css import css_of
from graticule.actions.pictures import background_colour, is_visible, layers_box, tile_source
from graticule.actions.selection import features_with
from graticule.actions.tiles import names
from graticule.catalogue import access
from graticule.errors import BadRequest, NotFound
from graticule.geometry.bounds import parse_map_bounds
from graticule.geometry.crs import Crs
from graticule.geometry.reproject import reproject_box
from graticule.style.legend import legend
from graticule.style.to_maplibre import maplibre_layers
from graticule.tiles.grid import MAX_ZOOM

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from graticule.actions.expressions import Expressions
    from graticule.backend import Backend
    from graticule.catalogue.access import Actor
    from graticule.catalogue.orm import Map
    from graticule.model.features import Box

VECTOR_MAX_ZOOM = 16
WORLD = (-180.0, -85.051129, 180.0, 85.051129)


def map_style(backend: Backend, actor: Actor, map_id: int, expressions: Expressions) -> dict[str, Any]:
    """The MapLibre style of a map, addresses relative to the server. Raises ``NotFound``, ``BadRequest``."""
    found, drawables = drawables_of_map(backend, actor, map_id)
    narrowed(drawables, expressions)
    shown = {drawable.layer.id for drawable in drawables if is_visible(drawable, drawables)}
    return _style(backend, found, drawables, shown, expressions) | {"metadata": {"map_id": map_id}}


def layer_style(backend: Backend, actor: Actor, layer_id: int, expressions: Expressions) -> dict[str, Any]:
    """The same of one layer alone, also of one that is not visible on its map.

    Raises ``NotFound``, ``Forbidden``, ``BadRequest``.
    """
    drawable = drawable_layer(backend, actor, layer_id)
    narrowed([drawable], expressions)
    style = _style(backend, drawable.layer.map, [drawable], {layer_id}, expressions)
    return style | {"name": drawable.layer.name or "", "metadata": {"layer_id": layer_id}}


def _style(
    backend: Backend, found: Map, drawables: Sequence[Drawable], shown: Container[int], expressions: Expressions
) -> dict[str, Any]:
    """The style of some layers of a map, the bottom one first; those not ``shown`` are there to be switched on."""
    sources: dict[str, Any] = {}
    layers: list[dict[str, Any]] = [
        {"id": "background", "type": "background", "paint": {"background-color": _background(found)}}
    ]
    for drawable in drawables:
        source = _source(backend, drawable, expressions.get(drawable.layer.id))
        if source is not None:
            sources[str(drawable.layer.id)] = source
            layers += _style_layers(drawable, visible=drawable.layer.id in shown)
    # No layer's geometry may cover the labels of another; the sort keeps the order within the two kinds.
    layers.sort(key=lambda one: one["type"] == "symbol")
    return {
        "version": 8,
        "name": found.name or "",
        "sources": sources,
        "layers": layers,
    }


def _background(found: Map) -> str:
    red, green, blue = background_colour(found)
    return f"#{red:02x}{green:02x}{blue:02x}"


def _source(backend: Backend, drawable: Drawable, where: str | None) -> dict[str, Any] | None:
    layer = drawable.layer
    if drawable.look is not None:
        tiles = f"/1/layers/{layer.id}/tiles/{{z}}/{{x}}/{{y}}.mvt?v={_stamp(drawable)}"
        tiles += "" if where is None else f"&where={quote(where, safe='')}"
        return {"type": "vector", "tiles": [tiles], "minzoom": 0, "maxzoom": VECTOR_MAX_ZOOM}
    if layer.type in ("raster", "wms"):
        tiles = f"/1/layers/{layer.id}/tiles/{{z}}/{{x}}/{{y}}.png?v={layer.version}"
        return {"type": "raster", "tiles": [tiles], "tileSize": 256, "maxzoom": 22}
    if layer.type == "tile":
        held = tile_source(backend, drawable)
        flipped = "{-y}" in held["url"]
        source = {"type": "raster", "tiles": [held["url"].replace("{-y}", "{y}")], "tileSize": 256, "maxzoom": 19}
        source["scheme"] = "tms" if flipped else "xyz"
        return source | ({"attribution": held["attribution"]} if held.get("attribution") else {})
    return None


def _stamp(drawable: Drawable) -> str:
    """Changes with the look of the layer, so that no browser mixes tiles of two."""
    layer = drawable.layer
    looks = f"{layer.version};{layer.styles};{layer.tooltip};{drawable.owner}"
    return hashlib.blake2b(looks.encode(), digest_size=6).hexdigest()


def _style_layers(drawable: Drawable, *, visible: bool) -> list[dict[str, Any]]:
    layer, look = drawable.layer, drawable.look
    name = str(layer.id)
    if look is not None:
        geometry, labels = names(layer.id)
        made = maplibre_layers(layer.id, look.style, look.family, name, geometry, labels)
    else:
        paint = {"raster-opacity": float(layer.alpha) / 100, "raster-fade-duration": 0}
        made = [{"id": name, "type": "raster", "source": name, "metadata": {"layer_id": layer.id}, "paint": paint}]
    if not visible:
        for one in made:
            one.setdefault("layout", {})["visibility"] = "none"
    return made


def tilejson(backend: Backend, actor: Actor, map_id: int, base_url: str) -> dict[str, Any]:
    """The TileJSON 3.0 of a map's vector tiles (https://github.com/mapbox/tilejson-spec). Raises ``NotFound``."""
    found, drawables = drawables_of_map(backend, actor, map_id)
    bounds = bounds_of(backend, found, drawables) or WORLD
    return {
        "tilejson": "3.0.0",
        "name": found.name or "",
        "description": found.description or "",
        "attribution": found.copyright or "",
        "scheme": "xyz",
        "tiles": [f"{base_url}/1/maps/{map_id}/tiles/{{z}}/{{x}}/{{y}}.mvt"],
        "minzoom": 0,
        "maxzoom": MAX_ZOOM,
        "bounds": list(bounds),
        "vector_layers": [
            {"id": names(drawable.layer.id)[0], "description": drawable.layer.name or "", "fields": _fields(drawable)}
            for drawable in drawables
            if drawable.table is not None
        ],
    }


def _fields(drawable: Drawable) -> dict[str, str]:
    assert drawable.table is not None
    assert drawable.look is not None
    types = {column.name: column.type for column in drawable.table.columns}
    return {name: types[name] for name in drawable.look.columns}


def bounds_of(backend: Backend, found: Map, drawables: Sequence[Drawable]) -> Box | None:
    """The map's bounds, else those of its layers, in longitude and latitude."""
    held = parse_map_bounds(found.bounds) if found.bounds else None
    if held is not None:
        box = (held["xmin"], held["ymin"], held["xmax"], held["ymax"])
        return reproject_box(box, map_crs(found), Crs.wgs84())
    return _within_world(layers_box(backend, drawables, Crs.wgs84()))


def _within_world(box: Box | None) -> Box | None:
    if box is None:
        return None
    west, south, east, north = box
    return max(west, WORLD[0]), max(south, WORLD[1]), min(east, WORLD[2]), min(north, WORLD[3])


@dataclass(frozen=True, slots=True)
class Asked:
    """What an address asks of an interactive map that the server has to see to; ``options`` are for the browser.

    ``field`` and ``value`` name features of ``layer_id``, ``style`` a style sheet of the map's owner.
    """

    options: dict[str, Any]
    expressions: Expressions
    layer_id: int | None = None
    field: str | None = None
    value: str | None = None
    style: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """The configuration of an interactive map, and its style sheet where one was asked for and is there."""

    config: dict[str, Any]
    css: str | None


def page_of_map(backend: Backend, actor: Actor, map_id: int, asked: Asked) -> Page:
    """What the page of a map needs to know. Raises ``NotFound``, ``BadRequest``."""
    found, drawables = drawables_of_map(backend, actor, map_id)
    address = f"/1/maps/{map_id}/style.json"
    bounds = bounds_of(backend, found, drawables)
    return _page_of(backend, actor, found, drawables, bounds, asked, address)


def page_of_layer(backend: Backend, actor: Actor, layer_id: int, asked: Asked, map_id: int | None = None) -> Page:
    """The same for one layer alone, also for one that is not visible on its map.

    Raises ``NotFound``, ``Forbidden``, ``BadRequest``.
    """
    drawable = drawable_layer(backend, actor, layer_id, map_id)
    bounds = _within_world(layers_box(backend, [drawable], Crs.wgs84()))
    address = f"/1/layers/{layer_id}/style.json"
    page = _page_of(backend, actor, drawable.layer.map, [drawable], bounds, asked, address)
    page.config["layers"][0] |= {"visible": True, "parent": None}
    page.config["map"]["name"] = page.config["layers"][0]["name"]
    return page


def _page_of(
    backend: Backend,
    actor: Actor,
    found: Map,
    drawables: Sequence[Drawable],
    bounds: Box | None,
    asked: Asked,
    address: str,
) -> Page:
    narrow = narrowed(drawables, asked.expressions)
    selection, problems = _selected(backend, narrow, asked)
    css, problem = _css(backend, found, asked.style)
    query = f"?expressions={as_parameter(asked.expressions)}" if asked.expressions else ""
    config = _page(backend, actor, found, bounds, asked.options) | {
        "style_url": address + query,
        "layers": _layers(backend, drawables),
        "selection": selection,
        "notices": [*left_over(drawables, asked.expressions), *problems, *problem],
    }
    return Page(config, css)


def _selected(backend: Backend, drawables: Sequence[Drawable], asked: Asked) -> tuple[dict[str, Any] | None, list[str]]:
    """The features that ``f`` and ``v`` name, or what to say where there are none. Raises ``BadRequest``."""
    if asked.field is None or asked.value is None:
        return None, []
    layer = next((one for one in drawables if one.layer.id == asked.layer_id and one.look is not None), None)
    if layer is None:
        return None, [f"There is no layer {asked.layer_id} on this map to find features of."]
    selection = features_with(backend, layer, asked.field, asked.value)
    if selection.box is None:
        return None, [f"No feature of “{layer.layer.name or layer.layer.id}” has {asked.field} = {asked.value}."]
    return {"layer": asked.layer_id, "feature": selection.feature, "bounds": _within_world(selection.box)}, []


def _css(backend: Backend, found: Map, path: str | None) -> tuple[str | None, list[str]]:
    """The style sheet, or why there is none: without it the map is still a map."""
    if path is None:
        return None, []
    try:
        return css_of(backend, found, path), []
    except (NotFound, BadRequest) as error:
        return None, [f"The style sheet {path} is not used: {error.message}"]


def _page(backend: Backend, actor: Actor, found: Map, bounds: Box | None, options: dict[str, Any]) -> dict[str, Any]:
    with backend.catalogue.read() as session:
        held = access.permissions_on(session, actor.user_id, found.resource_id)
        public = "READ" in access.permissions_on(session, access.ANONYMOUS.user_id, found.resource_id)
    return {
        "map": {
            "id": found.id,
            "name": found.name or "Untitled map",
            "description": found.description,
            "copyright": found.copyright,
            "bounds": None if bounds is None else list(bounds),
            "can_edit": "EDIT" in held,
            "can_share": bool(held & need.SHARERS),
            "resource_id": str(found.resource_id),
            "public": public,
        },
        "options": options,
    }


def _layers(backend: Backend, drawables: Sequence[Drawable]) -> list[dict[str, Any]]:
    """The layers as the page has them, the top one first."""
    at_work = {drawable.layer.id: job_of(drawable.layer) for drawable in drawables}
    done = percentages(backend, [job for job in at_work.values() if job is not None])
    return [_layer(drawable, done.get(at_work[drawable.layer.id] or 0)) for drawable in reversed(drawables)]


def _layer(drawable: Drawable, percentage: int | None) -> dict[str, Any]:
    layer = drawable.layer
    status, status_text = state_of(layer)
    return {
        "id": layer.id,
        "name": layer.name or f"Layer {layer.id}",
        "type": layer.type,
        "parent": layer.parent,
        "visible": layer.visible == "t",
        "lock": layer.lock == "t",
        "tooltip": layer.tooltip,
        "use_info_window": layer.use_info_window == "t",
        "status": status,
        "status_text": status_text,
        "percentage": percentage if status == "busy" else None,
        "legend": legend(drawable.look.parsed, drawable.look.family) if drawable.look else [],
    }
