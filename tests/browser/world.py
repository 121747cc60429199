"""The map that the browser looks at: real files, uploaded and styled over the API, each layer in colours of its own."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.server import Caller

Colour = tuple[int, int, int]

FILES = ("earth.tif", "countries.zip", "countries.kml", "lakes.zip", "borders.gpx", "cities.csv")
FOLDER = "Reference"

# The bottom layer first: its name, the file, and the rest of what is sent.
LAYERS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("Earth", "earth.tif", {}),
    (
        "Countries",
        "ne_110m_admin_0_countries.shp",
        {"styles": [{"color": "240,200,120", "bordercolor": "120,60,0"}], "tooltip": "NAME"},
    ),
    (
        "Europe",
        "countries.kml",
        {
            "styles": [
                {"color": "150,220,150", "bordercolor": "0,110,0", "labelfield": "Name", "outline": "255,255,255"}
            ]
        },
    ),
    ("Lakes", "ne_10m_lakes.shp", {"styles": [{"color": "0,120,255", "bordercolor": "0,120,255"}]}),
    (
        "Borders",
        "borders.gpx",
        {"styles": [{"color": "255,0,200", "width": 4, "bordercolor": "80,0,60", "borderwidth": 1, "dashed": "12,6"}]},
    ),
    (
        "Cities",
        "cities.csv",
        {
            "styles": [
                {
                    "expression": "population >= 1000000",
                    "label": "A million people and more",
                    "symbol": {"type": "circle", "color": "220,0,0", "border": "255,255,255", "bw": 1, "size": 10},
                }
            ],
            "tooltip": "name",
        },
    ),
)
COLOURS: dict[str, Colour] = {
    "Countries": (240, 200, 120),
    "Europe": (150, 220, 150),
    "Lakes": (0, 120, 255),
    "Borders": (255, 0, 200),
    "Cities": (220, 0, 0),
}


@dataclass
class World:
    """A map of six layers and a folder, and whose it is. ``layers`` are the ids by name."""

    owner: Caller
    map_id: int
    resource_id: str
    layers: dict[str, int] = field(default_factory=dict)

    def iframe(self, query: str = "") -> str:
        """The path of the embedded map, with the owner's key."""
        return f"/1/maps/{self.map_id}/render.iframe?api_key={self.owner.key}&{query}"


def sent(answer: Any) -> Any:
    """The body of a good answer."""
    assert answer.status_code < 400, answer.text
    return answer.json()


def make_world(owner: Caller, data_dir: Path) -> World:
    """Upload the files and make the map."""
    for name in FILES:
        with (data_dir / name).open("rb") as content:
            assert owner.post("storage/fs/data/", files={"file": (name, content)}).status_code == 201
    made = sent(owner.post("maps.json", json={"name": "Six layers", "copyright": "Natural Earth & GeoNames"}))
    world = World(owner, int(made["id"]), made["resource_id"])
    folder = {"mid": made["id"], "name": FOLDER, "type": "folder"}
    world.layers[FOLDER] = parent = int(sent(owner.post("layers.json", json=folder))["id"])
    for name, file, rest in LAYERS:
        source = json.dumps({"type": "file", "src": f"/data/{file}"})
        body = {"mid": made["id"], "name": name, "source": source, **rest}
        if name in ("Lakes", "Borders"):
            body["parent"] = parent
        world.layers[name] = int(sent(owner.post("layers.json", json=body))["id"])
    return world
