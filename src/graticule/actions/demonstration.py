"""The demonstration map: real files uploaded, layers of them styled, a table to edit; all by the ordinary actions."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

from graticule.actions import features, layers, maps, permissions, storage, tables
from graticule.actions.geometry_input import Projections
from graticule.demo import ARCHIVES, CAPITALS
from graticule.storage.multipart import StagedFile

if TYPE_CHECKING:
    from collections.abc import Callable

    from graticule.backend import Backend
    from graticule.catalogue.access import Actor

FOLDER = "demonstration"
TABLE = "capitals"
STEPS = 7

COUNTRIES = [
    {"expression": "POP_EST >= 100000000", "label": "100 million people and more", "color": "196,120,92"},
    {"expression": "POP_EST >= 30000000", "label": "30 to 100 million", "color": "223,165,122"},
    {"expression": "POP_EST >= 5000000", "label": "5 to 30 million", "color": "240,207,164"},
    {"label": "fewer", "color": "249,236,211"},
]
LABELLED = {
    "bordercolor": "255,255,255",
    "borderwidth": 0.8,
    "labelfield": "NAME",
    "fontsize": 11,
    "fontcolor": "70,55,45",
    "outline": "255,250,240",
}


def make_demonstration(backend: Backend, actor: Actor, progress: Callable[[int, int], None]) -> int:
    """Fill an account with the demonstration map; answers its id.

    ``progress`` is told the number of steps done, and of how many.
    """
    _upload(backend, actor)
    progress(1, STEPS)
    made = maps.create_map(backend, actor, {
        "name": "The world in four layers",
        "description": "Countries by population, lakes, land boundaries and some capitals.",
        "copyright": "Natural Earth",
        "bgcolor": "207,224,235",
        "bounds": {"xmin": -18000000, "ymin": -7500000, "xmax": 18500000, "ymax": 13500000},
    }).map  # fmt: skip
    shown = (
        _of_file("Countries", "ne_110m_admin_0_countries.shp", [style | LABELLED for style in COUNTRIES])
        | {"tooltip": "NAME"},
        _of_file("Lakes", "ne_10m_lakes.shp", [{"color": "168,203,226", "bordercolor": "120,165,195"}]),
        _of_file("Boundaries", "ne_10m_admin_0_boundary_lines_land.shp", [{"color": "150,110,90", "width": 0.7}]),
    )
    for number, sent in enumerate(shown, 2):
        layers.create_layer(backend, actor, sent, made.id)
        progress(number, STEPS)
    _capitals(backend, actor, made.id)
    progress(6, STEPS)
    permissions.grant(backend, actor, made.resource_id, {"username": "anonymous", "permission": "READ"})
    progress(STEPS, STEPS)
    return made.id


def _upload(backend: Backend, actor: Actor) -> None:
    at = storage.place(backend, actor, FOLDER, "OWNER")
    with backend.files.staging(actor.user_id) as staging:
        staged = []
        for archive in ARCHIVES:
            copy = staging / archive.name
            shutil.copyfile(archive, copy)
            staged.append(StagedFile("file", archive.name, copy, copy.stat().st_size))
        storage.store_upload(backend, at, staged, staging)


def _of_file(name: str, file: str, styles: list[dict[str, Any]]) -> dict[str, Any]:
    source = {"type": "file", "src": f"/{FOLDER}/{file}"}
    return {"name": name, "source": json.dumps(source), "styles": json.dumps(styles), "exportable": "t"}


def _capitals(backend: Backend, actor: Actor, map_id: int) -> None:
    columns = {"name": {"type": "text", "not_null": True}, "country": {"type": "text"}, "visited": {"type": "date"}}
    tables.create_table(backend, actor, {"name": TABLE, "geometry": "point", "srid": 4326, "columns": columns})
    symbol = {"type": "circle", "color": "178,34,52", "border": "255,255,255", "bw": 1.5, "size": 9}
    label = {"labelfield": "name", "fontsize": 12, "outline": "255,255,255", "ldx": 8, "labelplacement": "L"}
    sent = {
        "name": "Capitals",
        "source": json.dumps({"type": "pg", "src": TABLE}),
        "styles": json.dumps([{"symbol": symbol, "fromlevel": 2, "tolevel": 24} | label]),
        "tooltip": "name",
    }
    made = layers.create_layer(backend, actor, sent, map_id)
    data = features.open_layer(backend, actor, made.layer.id)
    rows = [{"data": {"name": n, "country": c}, "geometry": f"POINT({x} {y})"} for n, c, x, y in CAPITALS]
    features.insert(backend, actor, data, rows, Projections())
