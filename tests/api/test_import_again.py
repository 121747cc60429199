"""Files that change, go, and come again under the layers that show them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.server import Caller, Server
from tests.sharing import feature_ids, got, new_file_layer, new_map, share, upload


def points(*places: tuple[float, float]) -> bytes:
    return "\n".join(["name,lon,lat", *(f"p{number},{x},{y}" for number, (x, y) in enumerate(places))]).encode()


def test_a_changed_file_is_read_again(server: Server, user: Caller, anonymous: Caller) -> None:
    upload(user, "", a__csv=points((1, 1), (2, 2)))
    found = new_map(user)
    share(user, found["resource_id"], "anonymous", "READ")
    layers = [new_file_layer(user, found["id"], "a.csv")["id"] for _ in range(2)]
    picture = f"layers/{layers[0]}/render.png?bounds=0,0,10,10&width=64&height=64"
    before = anonymous.get(picture).content
    ways = (
        lambda: upload(user, "", a__csv=points((3, 3), (4, 4), (5, 5))),
        lambda: user.put("storage/fs/a.csv", json={"content": points((6, 6)).decode()}),
    )
    for change, count, x_max in zip(ways, (3, 1), ("5.0", "6.0"), strict=True):
        assert change().is_success
        for layer in layers:
            assert len(feature_ids(anonymous, layer)) == count
            assert got(anonymous.get(f"layers/{layer}"))["x_max"] == x_max
        after = anonymous.get(picture).content
        assert after != before
        before = after
    assert len(server.tables_in_store(user.user_id)) == 1


@pytest.mark.parametrize("by", ["file", "directory"])
def test_a_file_that_goes_and_comes_again(user: Caller, by: str) -> None:
    upload(user, "folder", a__csv=points((1, 1)))
    layer = new_file_layer(user, new_map(user)["id"], "/folder/a.csv")["id"]
    assert user.delete("storage/fs/folder" + ("/a.csv" if by == "file" else "")).status_code == 204
    for path in ("features", "features.csv", "features/1", "columns", "export.csv"):
        answer = user.get(f"layers/{layer}/{path}")
        assert (path, answer.status_code) == (path, 409)
        assert (answer.json()["code"], "a.csv" in answer.json()["nested"]["msg"]) == ("CONFLICT", True)
    described = got(user.get(f"layers/{layer}"))
    assert described["status"] == "error"
    assert "a.csv" in described["status_text"]
    assert user.get(f"layers/{layer}/tiles/0/0/0.mvt").status_code == 204
    assert user.get(f"layers/{layer}/render.png?width=16&height=16").status_code in (200, 409)
    upload(user, "folder", a__csv=points((1, 1), (2, 2)))
    assert len(feature_ids(user, layer)) == 2
    assert got(user.get(f"layers/{layer}"))["status"] == "ready"


def test_a_file_that_turns_bad(user: Caller) -> None:
    """The upload is kept, as it is the user's; the layer says what is wrong with it, and where."""
    upload(user, "", a__csv=points((1, 1)))
    layer = new_file_layer(user, new_map(user)["id"], "a.csv")["id"]
    assert upload(user, "", a__csv=b"name,lon,lat\nx,1,1\ny,here,there\n").status_code == 201
    answer = user.get(f"layers/{layer}/features")
    assert answer.status_code == 409
    assert "line 3" in answer.json()["nested"]["msg"]
    upload(user, "", a__csv=points((1, 1)))
    assert len(feature_ids(user, layer)) == 1


def test_a_part_of_a_shapefile_goes(user: Caller, data_dir: Path) -> None:
    with (data_dir / "lakes.zip").open("rb") as file:
        user.post("storage/fs/lakes", files={"file": ("lakes.zip", file)})
    layer = new_file_layer(user, new_map(user)["id"], "/lakes/ne_10m_lakes.shp")["id"]
    index = user.get("storage/fs/lakes/ne_10m_lakes.shx").content
    assert user.delete("storage/fs/lakes/ne_10m_lakes.shx").status_code == 204
    answer = user.get(f"layers/{layer}/features")
    assert (answer.status_code, "ne_10m_lakes.shx" in answer.text) == (409, True)
    upload(user, "lakes", ne_10m_lakes__shx=index)
    assert got(user.get(f"layers/{layer}/features?perpage=1"))["total"] == 1355


def test_many_layers_of_one_file_at_once(server: Server, user: Caller) -> None:
    """The file is kept once, however many ask for it at the same moment."""
    upload(user, "", a__csv=points(*((x / 100, x / 200) for x in range(3_000))))
    map_id = new_map(user)["id"]

    def add(_: int) -> str:
        with Caller(server.url, user.key) as caller:
            return str(new_file_layer(caller, map_id, "a.csv")["id"])

    with ThreadPoolExecutor(6) as pool:
        layers = list(pool.map(add, range(6)))
    assert len(set(layers)) == 6
    assert len(server.tables_in_store(user.user_id)) == 1
    upload(user, "", a__csv=points((1, 1)))
    assert [len(feature_ids(user, layer)) for layer in layers] == [1] * 6
    assert len(server.tables_in_store(user.user_id)) == 1


def test_a_file_changed_by_many_at_once(server: Server, user: Caller) -> None:
    """In the end the layer shows what the file is in the end, and no answer on the way was wrong."""
    upload(user, "", a__csv=points((0, 0)))
    layer = new_file_layer(user, new_map(user)["id"], "a.csv")["id"]

    def change(number: int) -> None:
        with Caller(server.url, user.key) as caller:
            for step in range(6):
                assert upload(caller, "", a__csv=points(*[(number, step)] * (number + 1))).status_code == 201
                answer = caller.get(f"layers/{layer}/features")
                assert answer.status_code in (200, 503), answer.text
                if answer.status_code == 200:
                    places = {(one["__xmin"], one["__ymin"]) for one in answer.json()["data"]}
                    assert len(places) == 1
                    assert answer.json()["total"] == places.pop()[0] + 1

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(change, range(4)))
    rows = user.get("storage/fs/a.csv").text.splitlines()[1:]
    assert [f"{one['data']['name']},{one['data']['lon']},{one['data']['lat']}" for one in shown(user, layer)] == rows
    assert len(server.tables_in_store(user.user_id)) == 1


def shown(caller: Caller, layer: str) -> list[dict[str, dict[str, object]]]:
    return list(got(caller.get(f"layers/{layer}/features"))["data"])
