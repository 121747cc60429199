"""Other programs read an account's GeoPackage, and write to it, while the server runs."""

from __future__ import annotations

import random
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import mapbox_vector_tile
import pyarrow as pa
import pyogrio
import pytest
import shapely
from tests.server import Caller, Server
from tests.sharing import feature_ids, got, new_feature, new_file_layer, new_layer, new_map, new_table, tables_of


def geopackage(server: Server, caller: Caller) -> Path:
    return server.data / "accounts" / str(caller.user_id) / "data.gpkg"


def append(path: Path, layer: str, *places: tuple[float, float], **columns: list[Any]) -> None:
    """Add points, as GDAL does."""
    geometry = pa.array(shapely.to_wkb(shapely.points(places)), pa.binary())
    values = {name: pa.array(column) for name, column in columns.items()}
    pyogrio.write_arrow(
        pa.table(values | {"wkb_geometry": geometry}),
        path,
        layer=layer,
        driver="GPKG",
        geometry_name="wkb_geometry",
        geometry_type="Point",
        crs="EPSG:4326",
        append=True,
    )


def told(path: Path) -> dict[str, tuple[int, tuple[float, ...] | None]]:
    """What GDAL says of every table, from the registers of the file: how many features, and where."""
    said = {}
    for name, kind in pyogrio.list_layers(path):
        info = pyogrio.read_info(path, layer=name)
        said[name] = (info["features"], None if kind is None else info["total_bounds"])
    return said


def true(path: Path) -> dict[str, tuple[int, tuple[float, ...] | None]]:
    """The same, from the features themselves."""
    found = {}
    for name, kind in pyogrio.list_layers(path):
        table = pyogrio.raw.read_arrow(path, layer=name)[1]
        bounds = None
        if kind is not None:
            shapes = shapely.from_wkb(table.column("wkb_geometry").to_numpy())
            bounds = tuple(shapely.total_bounds(shapes[~shapely.is_missing(shapes)]).tolist())
        found[name] = (table.num_rows, bounds)
    return found


def tile_of(caller: Caller, layer: str) -> list[int]:
    answer = caller.get(f"layers/{layer}/tiles/0/0/0.mvt")
    if answer.status_code == 204:
        return []
    return [feature["id"] for feature in mapbox_vector_tile.decode(answer.content)[layer]["features"]]


def test_what_is_added_outside_is_in_the_next_answer(server: Server, user: Caller) -> None:
    found, _ = new_map(user), new_table(user)
    layer = new_layer(user, found["id"], "places")["id"]
    first = new_feature(user, layer, name="inside")
    assert (feature_ids(user, layer), tile_of(user, layer)) == ([first], [first])
    picture = f"layers/{layer}/render.png?bounds=-90,-45,90,45&width=64&height=32"
    before = user.get(picture).content

    append(geopackage(server, user), "places", (40.5, -20.25), name=["outside"], size=[7])

    answer = got(user.get(f"layers/{layer}/features?geometry=wkt"))
    assert answer["total"] == 2
    added = answer["data"][1]
    assert (added["data"], added["__geometry"]) == ({"name": "outside", "size": 7}, "POINT (40.5 -20.25)")
    assert (added["__owner"], added["__xmin"]) == (0, 40.5)
    assert tile_of(user, layer) == [first, added["__id"]]
    in_box = got(user.get(f"layers/{layer}/features?bounds=40,-21,41,-20&epsg=4326"))["data"]
    assert [one["__id"] for one in in_box] == [added["__id"]]
    assert user.get(picture).content != before
    assert got(user.get(f"layers/{layer}"))["x_max"] == "40.5"

    changed = user.put(f"layers/{layer}/features/{added['__id']}", json={"geometry": "POINT (1 1)"})
    assert changed.status_code == 200
    assert user.delete(f"layers/{layer}/features/{first}").status_code == 204
    assert told(geopackage(server, user)) == true(geopackage(server, user)) == {"places": (1, (1, 1, 1, 1))}


def test_added_inside_and_outside_at_once(server: Server, user: Caller) -> None:
    """Neither loses anything of the other's."""
    found, _ = new_map(user), new_table(user)
    layer = new_layer(user, found["id"], "places")["id"]
    path = geopackage(server, user)

    def outside() -> None:
        for number in range(15):
            append(path, "places", (number, 10), name=["outside"], size=[number])

    adding = threading.Thread(target=outside)
    adding.start()
    inside = [new_feature(user, layer, -number, 20, name="inside", size=number) for number in range(15)]
    adding.join()
    rows = got(user.get(f"layers/{layer}/features?perpage=100"))["data"]
    assert sorted((one["data"]["name"], one["data"]["size"]) for one in rows) == sorted(
        (name, number) for name in ("inside", "outside") for number in range(15)
    )
    assert set(inside) < {one["__id"] for one in rows}
    assert told(path) == true(path) == {"places": (30, (-14, 10, 14, 20))}


def test_counts_and_extents_are_true_while_the_server_runs(server: Server, user: Caller, data_dir: Path) -> None:
    """After imports, and after edits and deletes at the edge of the extent."""
    found, _ = new_map(user), new_table(user)
    assert user.post("tables", json={"name": "plain", "columns": {"n": {"type": "integer"}}}).status_code == 201
    layer = new_layer(user, found["id"], "places")["id"]
    for name in ("countries.zip", "lakes.zip", "cities.geojson"):
        with (data_dir / name).open("rb") as file:
            user.post("storage/fs/data", files={"file": (name, file)})
    for file in ("ne_110m_admin_0_countries.shp", "ne_10m_lakes.shp", "cities.geojson"):
        new_file_layer(user, found["id"], f"/data/{file}")
    path = geopackage(server, user)
    rnd, alive = random.Random(4), []
    for step in range(40):
        if step % 4 < 2:
            alive.append(new_feature(user, layer, rnd.uniform(-170, 170), rnd.uniform(-80, 80)))
        elif step % 4 == 2:
            moved = {"geometry": f"POINT ({rnd.uniform(-170, 170)} {rnd.uniform(-80, 80)})"}
            got(user.put(f"layers/{layer}/features/{rnd.choice(alive)}", json=moved))
        else:
            # The westernmost, so that the extent shrinks.
            west = min(got(user.get(f"layers/{layer}/features"))["data"], key=lambda one: one["__xmin"])["__id"]
            assert user.delete(f"layers/{layer}/features/{west}").status_code == 204
            alive.remove(west)
        if step % 10 == 0:
            assert told(path)["places"] == true(path)["places"]
    said = told(path)
    assert said == true(path)
    assert sorted(count for count, _ in said.values()) == sorted([len(alive), 0, 177, 1355, 1000])
    assert user.post("tables/places/reset").status_code == 204
    assert told(path)["places"][0] == 0


def test_a_table_that_another_program_adds_is_left_alone(server: Server, user: Caller) -> None:
    new_table(user)
    path = geopackage(server, user)
    append(path, "theirs", (1, 2), n=[1])
    assert tables_of(user, user) == ["places"]
    refused = user.post("tables", json={"name": "Theirs"})
    assert (refused.status_code, refused.json()["code"]) == (409, "CONFLICT")
    assert user.delete("tables/places").status_code == 204
    assert told(path) == {"theirs": (1, (1, 2, 1, 2))}


@pytest.mark.parametrize("edited", [False, True])
def test_what_is_removed_outside(server: Server, user: Caller, edited: bool) -> None:
    """By SQL, through the triggers of the file."""
    found, _ = new_map(user), new_table(user)
    layer = new_layer(user, found["id"], "places")["id"]
    features = [new_feature(user, layer, number, number) for number in range(5)]
    with closing(sqlite3.connect(geopackage(server, user))) as connection, connection:
        connection.create_function("ST_IsEmpty", 1, lambda blob: 0)
        connection.execute("DELETE FROM places WHERE ogc_fid = ?", (features[4],))
    if edited:
        got(user.put(f"layers/{layer}/features/{features[0]}", json={"data": {"size": 1}}))
    assert feature_ids(user, layer) == features[:4]
    assert tile_of(user, layer) == features[:4]
    assert got(user.get(f"layers/{layer}"))["x_max"] == "3.0"
    assert user.get(f"layers/{layer}/features/{features[4]}").status_code == 404
