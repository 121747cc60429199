"""What the interactive map is made of: the MapLibre style, TileJSON, and the configuration of the page."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from graticule.actions import need
from graticule.actions.drawing import Drawable, drawable_layer, drawables_of_map
from graticule.actions.jobs import percentages
from graticule.actions.layers import job_of, state_of
from graticule.actions.maps import map_crs
from graticule.actions.pictures import background_colour, is_visible, layers_box, tile_source
from graticule.actions.tiles import names
from graticule.catalogue import access
from graticule.geometry.bounds import parse_map_bounds
from graticule.geometry.crs import Crs
from graticule.geometry.reproject import reproject_box
from graticule.style.legend import legend
from graticule.style.to_maplibre import maplibre_layers
from graticule.tiles.grid import MAX_ZOOM

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from graticule.backend import Backend
    from graticule.catalogue.access import Actor
    from graticule.catalogue.orm import Map
    from graticule.model.features import Box

VECTOR_MAX_ZOOM = 16
WORLD = (-180.0, -85.051129, 180.0, 85.051129)


def map_style(backend: Backend, actor: Actor, map_id: int) -> dict[str, Any]:
    """The MapLibre style of a map, addresses relative to the server. Raises ``NotFound``."""
    found, drawables = drawables_of_map(backend, actor, map_id)
    shown = {drawable.layer.id for drawable in drawables if is_visible(drawable, drawables)}
    return _style(backend, found, drawables, shown) | {"metadata": {"map_id": map_id}}


def layer_style(backend: Backend, actor: Actor, layer_id: int) -> dict[str, Any]:
    """The same of one layer alone, also of one that is not visible on its map. Raises ``NotFound``, ``Forbidden``."""
    drawable = drawable_layer(backend, actor, layer_id)
    style = _style(backend, drawable.layer.map, [drawable], {layer_id})
    return style | {"name": drawable.layer.name or "", "metadata": {"layer_id": layer_id}}


def _style(backend: Backend, found: Map, drawables: Sequence[Drawable], shown: Container[int]) -> dict[str, Any]:
    """The style of some layers of a map, the bottom one first; those not ``shown`` are there to be switched on."""
    sources: dict[str, Any] = {}
    layers: list[dict[str, Any]] = [
        {"id": "background", "type": "background", "paint": {"background-color": _background(found)}}
    ]
    for drawable in drawables:
        source = _source(backend, drawable)
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


def _source(backend: Backend, drawable: Drawable) -> dict[str, Any] | None:
    layer = drawable.layer
    if drawable.look is not None:
        tiles = f"/1/layers/{layer.id}/tiles/{{z}}/{{x}}/{{y}}.mvt?v={_stamp(drawable)}"
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


def page_of_map(backend: Backend, actor: Actor, map_id: int, options: dict[str, Any]) -> dict[str, Any]:
    """What the page of a map needs to know. Raises ``NotFound``."""
    found, drawables = drawables_of_map(backend, actor, map_id)
    config = _page(backend, actor, found, bounds_of(backend, found, drawables), options)
    return config | {
        "style_url": f"/1/maps/{map_id}/style.json",
        "layers": _layers(backend, drawables),
    }


def page_of_layer(
    backend: Backend, actor: Actor, layer_id: int, options: dict[str, Any], map_id: int | None = None
) -> dict[str, Any]:
    """The same for one layer alone, also for one that is not visible on its map. Raises ``NotFound``, ``Forbidden``."""
    drawable = drawable_layer(backend, actor, layer_id, map_id)
    bounds = _within_world(layers_box(backend, [drawable], Crs.wgs84()))
    config = _page(backend, actor, drawable.layer.map, bounds, options)
    layer = _layers(backend, [drawable])[0] | {"visible": True, "parent": None}
    config["map"]["name"] = layer["name"]
    return config | {"style_url": f"/1/layers/{layer_id}/style.json", "layers": [layer]}


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
