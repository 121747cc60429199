"""What a hostile caller tries over HTTP: taking others' data along, words that break the server, requests of one's
own browser that somebody else sends."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest
from tests.server import PASSWORD, Caller, Server
from tests.sharing import (
    feature_ids,
    got,
    made,
    new_feature,
    new_layer,
    new_map,
    new_row,
    new_table,
    share,
    unshare,
    upload,
)

HALF = "\\ud800"


def test_whoever_may_edit_a_map_cannot_carry_its_data_off(user: Caller, other: Caller) -> None:
    shared, own = new_map(user), new_map(other)
    new_table(user)
    layer = new_layer(user, shared["id"], "places")["id"]
    new_feature(user, layer)
    granted = share(user, shared["resource_id"], other.username, "EDIT")
    for sent in ({"mid": own["id"]}, {"map_id": own["id"], "name": "mine"}):
        response = other.put(f"layers/{layer}", json=sent)
        assert (response.status_code, response.json()["nested"]["msg"][:27]) == (
            403,
            f"The data behind layer {layer} is not"[:27],
        )
    unshare(user, shared["resource_id"], granted)
    assert other.get(f"layers/{layer}/features").status_code == 404
    assert got(user.get(f"layers/{layer}"))["map_id"] == shared["id"]


def test_a_layer_that_is_moved_shows_its_data_with_the_rights_of_who_moved_it(
    user: Caller, other: Caller, anonymous: Caller
) -> None:
    shared, own = new_map(user), new_map(other)
    table = new_table(user)
    layer = new_layer(user, shared["id"], "places")["id"]
    feature = new_feature(user, layer)
    share(user, shared["resource_id"], other.username, "EDIT")
    reading = share(user, table["resource_id"], other.username, "READ")
    share(other, own["resource_id"], "anonymous", "READ")
    assert other.put(f"layers/{layer}", json={"mid": own["id"]}).status_code == 200
    assert feature_ids(other, layer) == [feature]
    assert other.delete(f"layers/{layer}/features/{feature}").status_code == 403
    assert anonymous.get(f"layers/{layer}/features").status_code == 403
    unshare(user, table["resource_id"], reading)
    assert other.get(f"layers/{layer}/features").status_code == 403


def test_the_extent_of_others_features_is_not_told_to_who_sees_only_own_ones(user: Caller, other: Caller) -> None:
    found = new_map(user)
    new_table(user)
    layer = new_layer(user, found["id"], "places")
    share(user, layer["resource_id"], other.username, "INSERT_MDC")
    empty = [other.get(f"layers/{layer['id']}/render.{kind}").content for kind in ("png", "iframe")]
    new_feature(user, layer["id"], 11, 22)
    assert [other.get(f"layers/{layer['id']}/render.{kind}").content for kind in ("png", "iframe")] == empty


@pytest.mark.parametrize(
    "sent",
    [
        {"source": f'{{"type": "folder", "a": "{HALF}"}}', "type": "folder"},
        {"source": f'{{"type": "{HALF}", "src": "x"}}'},
        {"source": f'{{"type": "file", "src": "/a.csv", "encoding": "{HALF}"}}'},
        {"source": {"deep": json.loads("[" * 400 + "]" * 400)}, "type": "folder"},
        {"source": '{"type": "tile", "src": "osm"}', "label_placement": f'"{HALF}"'},
        {"source": '{"type": "tile", "src": "osm"}', "styles": [{"color": "1,2,3"}] * 1001},
        {"source": '{"type": "tile", "src": "osm"}', "styles": [{"expression": "a in (" + "1," * 100_000 + "1)"}] * 2},
        {"source": '{"type": "tile", "src": "osm"}', "label_placement": ["x" * 1000] * 1001},
    ],
)
def test_fields_that_no_layer_can_have(user: Caller, sent: dict[str, object]) -> None:
    response = user.post(f"maps/{new_map(user)['id']}/layers", json=sent)
    assert (response.status_code, response.json()["code"]) == (400, "BAD_REQUEST"), response.text


@pytest.mark.parametrize("data", [f'{{"{HALF}": 1}}', f'{{"name": "{HALF}"}}', f'{{"name": {{"a": "{HALF}"}}}}'])
def test_text_that_is_none_is_refused_wherever_it_stands(user: Caller, data: str) -> None:
    new_table(user)
    response = user.post("tables/places/rows", data={"data": data})
    assert (response.status_code, response.json()["code"]) == (400, "BAD_REQUEST"), response.text


def test_a_body_of_many_elements_does_not_hold_the_server_up(user: Caller) -> None:
    sent = "<map><name>many</name>" + "<other>x</other>" * 1_000_000 + "</map>"
    assert made(user.post("maps", content=sent))["name"] == "many"


@pytest.mark.parametrize(
    ("parameter", "value", "status"),
    [
        ("query", "x" * 1001, 400),
        ("query", "%_\\" * 300, 200),
        ("order_by", "name:desc," * 5000, 200),
        ("type", "private," * 5000, 200),
    ],
)
def test_lists_take_whatever_they_are_asked(user: Caller, parameter: str, value: str, status: int) -> None:
    for path in ("maps", "layers"):
        assert user.post(f"{path}?_method=GET", data={parameter: value}).status_code == status
    assert user.post("maps?_method=GET", data={"query": "x", "query_on": "name," * 5000}).status_code == 200


@pytest.mark.parametrize("pattern", ["%" + "x" * 19_000 + "y%", "%" + "_x" * 9_000 + "y%", "%x" * 9_000 + "y"])
def test_a_pattern_does_not_hold_the_server_up(user: Caller, pattern: str) -> None:
    new_table(user)
    new_row(user, "places", name="x" * 900_000)
    found = got(user.post("tables/places/rows?_method=GET", data={"where": f"name LIKE '{pattern}'"}))
    assert found["total"] == 0


@pytest.mark.parametrize("bounds", ["1e308,-1e308,-1e308,1e308", "-1e308,-1e308,1e308,1e308", "0,0,1e-320,1e-320"])
@pytest.mark.parametrize("epsg", [4326, 3857, 3035])
def test_bounds_of_any_size(user: Caller, bounds: str, epsg: int) -> None:
    found = new_map(user)
    new_table(user)
    layer = new_layer(user, found["id"], "places")["id"]
    new_feature(user, layer)
    for path in (f"layers/{layer}/render.png", f"maps/{found['id']}/render.iframe", f"layers/{layer}/features"):
        assert user.get(path, params={"bounds": bounds, "epsg": epsg}).status_code in (200, 400)


@pytest.mark.parametrize("path", ["%00", "%ff", "a" * 300, "a/" * 3000, "../pages.py", "%2e%2e/app.py", "/etc/passwd"])
def test_static_has_only_its_own_files(server: Server, path: str) -> None:
    assert httpx.get(f"{server.url}/static/{path}").status_code == 404


def test_a_file_of_too_many_columns_says_so(user: Caller) -> None:
    header = ",".join(["lon", "lat", *(f"c{number}" for number in range(1995))])
    upload(user, "", wide__csv=f"{header}\n{'1,' * 1996}1\n".encode())
    source = {"type": "file", "src": "/wide.csv"}
    response = user.post(f"maps/{new_map(user)['id']}/layers", json={"source": source})
    assert (response.status_code, "1997 columns" in response.json()["nested"]["msg"]) == (400, True)


@pytest.fixture
def browser(server: Server, user: Caller) -> Iterator[httpx.Client]:
    """A browser in which the user has signed in."""
    sent = {"username": user.username, "password": PASSWORD}
    with httpx.Client(base_url=server.url) as client:
        assert client.post("/login", data=sent, headers={"Origin": server.url}).status_code == 303
        yield client


@pytest.mark.parametrize(
    "origin", [{}, {"Origin": "http://elsewhere"}, {"Origin": "null"}, {"Sec-Fetch-Site": "same-site"}]
)
def test_another_site_cannot_sign_one_in_or_out(browser: httpx.Client, user: Caller, origin: dict[str, str]) -> None:
    sent = {"username": user.username, "password": PASSWORD}
    signed_in = browser.post("/login", data=sent, headers=origin)
    assert (signed_in.status_code, "set-cookie" in signed_in.headers) == (403, False)
    signed_out = browser.post("/logout", headers=origin)
    assert "set-cookie" not in signed_out.headers
    assert browser.get("/1/users/current").status_code == 200


def test_signing_out_ends_the_session_for_good(browser: httpx.Client, server: Server) -> None:
    cookies = dict(browser.cookies)
    assert "Max-Age=0" in browser.post("/logout", headers={"Origin": server.url}).headers["set-cookie"]
    assert httpx.get(f"{server.url}/1/users/current", cookies=cookies).status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        "https://elsewhere.test",
        "//elsewhere.test",
        "/\\elsewhere.test",
        "/\t/elsewhere.test",
        "javascript:alert(1)",
        "/\r\nX: y",
    ],
)
def test_signing_in_leads_nowhere_else(server: Server, user: Caller, path: str) -> None:
    sent = {"username": user.username, "password": PASSWORD, "next": path}
    response = httpx.post(f"{server.url}/login", data=sent, headers={"Origin": server.url})
    assert (response.status_code, response.headers["location"]) == (303, "/")


def test_names_never_become_markup(server: Server, user: Caller) -> None:
    bad = "</script><script>alert(1)</script><img src=x onerror=alert(1)>"
    found = new_map(user, name=bad, description=bad, copyright=bad)
    new_table(user)
    layer = made(
        user.post(
            f"maps/{found['id']}/layers",
            json={"name": bad, "source": {"type": "pg", "src": "places"}, "type": "point", "label": bad},
        )
    )
    for path in (
        f"/map/{found['id']}",
        f"/1/maps/{found['id']}/render.iframe",
        f"/1/layers/{layer['id']}/render.iframe",
    ):
        page = httpx.get(server.url + path, headers={"API-Key": user.key or ""})
        assert page.status_code == 200
        assert "<script>alert" not in page.text
        assert "<img src=x" not in page.text
        assert "script-src 'self'" in page.headers["content-security-policy"]
