"""The rules that hold for every call (the contract, section 1)."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from tests.answers import refused
from tests.server import Caller, Server
from tests.sharing import got, made, new_layer, new_map, new_table

BASES = ("/1/maps", "/rest/1/maps", "/1/maps.json", "/rest/1/maps.json", "/1/maps/", "//1//maps//", "/1/maps.json/")


@pytest.mark.parametrize("path", BASES)
def test_base_addresses_suffixes_and_slashes(server: Server, user: Caller, path: str) -> None:
    new_map(user)
    answer = got(httpx.get(server.url + path, params={"type": "private"}, headers={"API-Key": user.key or ""}))
    assert (answer["type"], answer["total"], answer["page"]) == ("maps", 1, 1)


@pytest.mark.parametrize(
    ("path", "version", "status"),
    [
        ("/maps", None, 400),
        ("/maps.json", None, 400),
        ("/rest/maps", None, 400),
        ("/map_cache/1/2", None, 400),
        ("/maps", "1", 200),
        ("/maps.json", "1", 200),
        ("/rest/maps", "1", 200),
        ("/maps", "2", 400),
        ("/maps", "one", 400),
        ("/2/maps", None, 400),
        ("/2/maps", "1", 400),
        ("/1/maps", "2", 200),
        ("/10/maps", None, 400),
    ],
)
def test_versions(server: Server, path: str, version: str | None, status: int) -> None:
    response = httpx.get(server.url + path, headers={"API-Version": version} if version else {})
    if status == 200:
        assert response.status_code == 200
    else:
        refused(response, 400, "version")


@pytest.mark.parametrize(
    "path", ["maps.xml", "maps.csv", "maps.html", "maps/{m}.xml", "maps/{m}.pdf", "layers/{l}/features.xml", "keys.XML"]
)
def test_other_formats_of_json_resources(user: Caller, path: str) -> None:
    map_id = new_map(user)["id"]
    new_table(user)
    layer_id = new_layer(user, map_id, "places")["id"]
    refused(user.get(path.format(m=map_id, l=layer_id)), 406, "format")


def test_unknown_parameters_and_expansions_are_ignored(user: Caller) -> None:
    map_id = new_map(user)["id"]
    plain = got(user.get(f"maps/{map_id}"))
    asked = {"_": "123", "app_instance_id": "7", "expand": " nonsense , owner ,,"}
    assert got(user.get(f"maps/{map_id}", params=asked)) == plain | {
        "owner": {"id": str(user.user_id), "username": user.username}
    }


@pytest.mark.parametrize("name", ["f", "$", "_cb", "a.b.c", "jQuery1_2", "f" + "x" * 99])
def test_jsonp(user: Caller, name: str) -> None:
    response = user.get("maps", params={"callback": name})
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/javascript"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.text.startswith(f"/**/{name}(")
    assert response.text.endswith(");")
    assert json.loads(response.text[len(name) + 5 : -2])["type"] == "maps"


@pytest.mark.parametrize("name", ["", "1a", "a b", "a;b", "alert(1)", "<x>", "ä", "f" + "x" * 100, "a\n"])
def test_names_that_are_no_function(user: Caller, name: str) -> None:
    refused(user.get("maps", params={"callback": name}), 400, "callback")


def test_jsonp_of_an_error_and_of_a_changing_request(user: Caller) -> None:
    response = user.get("maps/0", params={"callback": "f"})
    assert response.status_code == 404
    assert response.text.startswith("/**/f({")
    assert made(user.post("maps", params={"callback": "f"}, json={"name": "x"}))["name"] == "x"


def test_method_in_the_query(user: Caller) -> None:
    created = made(user.get("maps", params={"_method": "POST"}))
    path = f"maps/{created['id']}"
    assert got(user.post(path, params={"_method": "put"}, json={"name": "renamed"}))["name"] == "renamed"
    assert got(user.post(path, params={"_method": "GET"}))["name"] == "renamed"
    assert got(user.get(path, params={"_method": "DELETE"})) == {}
    refused(user.get(path), 404)
    refused(user.get("maps", params={"_method": "PATCH"}), 405, "_method")


def test_form_fields_of_an_override_to_get_are_parameters(user: Caller) -> None:
    for name in ("a", "b", "c"):
        new_map(user, name=name)
    answer = got(
        user.post("maps?_method=GET", data={"type": "private", "perpage": "1", "page": "2", "order_by": "name:desc"})
    )
    assert [one["name"] for one in answer["data"]] == ["b"]


def test_body_fields_of_a_delete_are_parameters(user: Caller) -> None:
    map_id = new_map(user)["id"]
    new_table(user)
    new_layer(user, map_id, "places")
    refused(user.delete("tables/places"), 409)
    refused(user.request("DELETE", "tables/places", json={"force": None, "other": [{"a": None}]}), 409)
    refused(user.request("DELETE", "tables/places", json={"force": [True]}), 400, "force")
    assert user.request("DELETE", "tables/places", json={"force": True}).status_code == 204


@pytest.mark.parametrize(
    ("method", "path", "field"),
    [
        ("POST", "maps", "name"),
        ("POST", "maps", "share"),
        ("POST", "maps", "epsg"),
        ("POST", "keys", "scope"),
        ("POST", "layers", "mid"),
        ("DELETE", "tables/none", "force"),
        ("POST", "resources/{r}/permissions", "permission"),
        ("POST", "resources/{r}/permissions", "user_id"),
        ("GET", "maps", "api_key"),
        ("POST", "/login", "next"),
    ],
)
def test_fields_nested_as_deeply_as_a_body_may_be(
    server: Server, user: Caller, method: str, path: str, field: str
) -> None:
    resource = new_map(user)["resource_id"]
    sent: dict[str, Any] = {"permission": "READ", field: 0}
    content = json.dumps(sent).replace(f'"{field}": 0', f'"{field}": ' + "[" * 199 + "]" * 199)
    address = server.url + path if path.startswith("/") else path.format(r=resource)
    headers = {"API-Key": "" if field == "api_key" else user.key or ""}
    assert user.request(method, address, content=content, headers=headers).status_code == 400


def test_a_body_of_many_brackets_that_is_not_deep(user: Caller) -> None:
    content = json.dumps({"name": "[" * 300 + '\\"', "other": [[]] * 300})
    assert len(made(user.post("maps", content=content))["name"]) == 302


XML = '<?xml version="1.0"?><map><name>Ü</name><share>true</share></map>'
BODIES: dict[str, tuple[bytes, str | None]] = {
    "json": ('{"name": "Ü", "share": true}'.encode(), "application/json"),
    "json without a type": ('{"name": "Ü", "share": true}'.encode(), None),
    "json of curl": (' \n{"name": "Ü", "share": 1}'.encode(), "application/x-www-form-urlencoded"),
    "json with a mark": (b"\xef\xbb\xbf" + '{"name": "Ü", "share": "t"}'.encode(), "text/plain"),
    "form": (b"name=%C3%9C&share=1", "application/x-www-form-urlencoded"),
    "form without a type": (b"name=%C3%9C&share=true", None),
    "xml": (XML.encode(), "application/xml"),
    "xml as text": (XML.encode(), "text/xml; charset=utf-8"),
    "xml without a type": (XML.encode(), None),
}


@pytest.mark.parametrize("name", BODIES)
def test_bodies(user: Caller, name: str) -> None:
    content, kind = BODIES[name]
    response = user.post("maps", content=content, headers={"Content-Type": kind} if kind else {})
    assert (made(response)["name"], made(response)["share"]) == ("Ü", "t")


BAD_BODIES: dict[str, tuple[bytes, str | None, str]] = {
    "half an object": (b'{"name": "x"', "application/json", "column 13"),
    "a trailing comma": (b'{\n"name": "x",}', None, "line 2"),
    "a bare word as json": (b"hello", "application/json", "line 1, column 1"),
    "NaN": (b'{"maxzoom": NaN}', None, "column 13"),
    "a lone surrogate": (b'{"name": "\\ud800"}', None, "column"),
    "not utf-8": (b'{"name": "\xff"}', None, "parsing stopped"),
    "deep texts": (b'{"a": "]]", "b": ' + b'["]", ' * 201 + b'"[\\""' + b"]" * 201 + b"}", None, "nested too deeply"),
    "deep": (b"[" * 5000 + b"]" * 5000, None, "parsing stopped"),
    "a bare word": (b"hello", None, "neither JSON nor form fields"),
    "bytes": (b"\xff\xfe\x00", None, "byte 1"),
    "half an element": (b"<map><name>x</map>", None, "not XML"),
    "a document type": (b"<!DOCTYPE m [<!ENTITY e 'x'>]><m><name>&e;</name></m>", None, "document type"),
    "deep xml": (b"<a>" * 300 + b"</a>" * 300, "application/xml", "body"),
    "multipart": (b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\ny\r\n--x--\r\n',
                  "multipart/form-data; boundary=x", "multipart"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_BODIES)
def test_bodies_that_cannot_be_read(user: Caller, name: str) -> None:
    content, kind, said = BAD_BODIES[name]
    response = user.post("maps", content=content, headers={"Content-Type": kind} if kind else {})
    assert said in refused(response, 400, "body")["msg"]
    assert got(user.get("maps?type=private"))["total"] == 0


def test_no_body_is_no_fields(user: Caller) -> None:
    assert made(user.post("maps"))["name"] is None
    assert made(user.post("maps", content=b" \n", headers={"Content-Type": "application/json"}))["name"] is None


def test_xml_lists_and_nesting(user: Caller) -> None:
    new_table(user, "shops")
    layer = new_layer(user, new_map(user)["id"], "shops")["id"]
    body = "<feature><data><name>A &amp; B</name><size>7</size></data><geometry>POINT (3 4)</geometry></feature>"
    feature = made(user.post(f"layers/{layer}/features", content=body))
    assert feature["data"] == {"name": "A & B", "size": 7}
    assert (feature["__xmin"], feature["__ymax"]) == (3, 4)
    form = {"data": '{"name": "form", "size": "8"}', "geometry": "POINT (5 6)"}
    assert made(user.post(f"layers/{layer}/features", data=form))["data"] == {"name": "form", "size": 8}


def test_key_in_every_place(server: Server, user: Caller) -> None:
    key, me = user.key or "", "users/current"
    with server.anonymous() as stranger:
        for asked in (
            stranger.get(me, params={"api_key": key}),
            stranger.get(me, headers={"api-KEY": key}),
            stranger.request("GET", me, json={"api_key": key}),
            stranger.post(f"{me}?_method=GET", data={"api_key": key}),
            stranger.get(me, params={"api_key": key}, headers={"API-Key": "wrong"}),
            stranger.request("GET", me, json={"api_key": "wrong"}, headers={"API-Key": key}),
            stranger.get(me, params={"api_key": "None"}, headers={"API-Key": key}),
        ):
            assert got(asked)["username"] == user.username
        for absent in ({"API-Key": "None"}, {"API-Key": ""}):
            assert stranger.get("maps", headers=absent).status_code == 200
            refused(stranger.get(me, headers=absent), 403)


def test_keys_in_their_order(server: Server, user: Caller) -> None:
    """A key in a body comes after one in a header, also where the fields of the body count as parameters."""
    key = user.key or ""
    new_table(user)
    with server.anonymous() as stranger:
        refused(stranger.request("DELETE", "tables/places", json={"api_key": key}, headers={"API-Key": "wrong"}), 403)
        asked = stranger.post("users/current?_method=GET", data={"api_key": key}, headers={"API-Key": "wrong"})
        refused(asked, 403)
        asked = stranger.post("users/current?_method=GET", data={"api_key": "wrong"}, headers={"API-Key": key})
        assert got(asked)["username"] == user.username
        sent = stranger.request("DELETE", "tables/places", json={"api_key": "wrong"}, headers={"API-Key": key})
        assert sent.status_code == 204


@pytest.mark.parametrize("value", [["x"], {"a": 1}, True, "a\0"])
def test_a_key_in_a_body_that_is_no_text(user: Caller, anonymous: Caller, value: Any) -> None:
    refused(anonymous.request("GET", "maps", json={"api_key": value}), 400, "api_key")
    assert anonymous.request("GET", "maps", json={"api_key": None}).status_code == 200
    refused(anonymous.request("GET", "maps", json={"api_key": 12345}), 403)
    assert user.request("GET", "maps", json={"api_key": value}).status_code == 200


@pytest.mark.parametrize(
    "sent",
    [
        {"params": {"api_key": "0" * 32}},
        {"headers": {"API-Key": "wrong"}},
        {"headers": {"API-Key": b"\xff\xfe"}},
        {"headers": {"api-sessid": "wrong"}},
        {"params": {"api_sessid": "wrong"}},
    ],
)
def test_wrong_keys_and_sessions_are_forbidden(anonymous: Caller, sent: dict[str, Any]) -> None:
    refused(anonymous.get("maps", **sent), 403)


def test_a_stale_cookie_is_nobody(anonymous: Caller) -> None:
    cookie = {"Cookie": "graticule_session=stale"}
    assert anonymous.get("maps", headers=cookie).status_code == 200
    refused(anonymous.get("users/current", headers=cookie), 403)


def test_preflight(anonymous: Caller) -> None:
    wanted = "api-key, api-sessid, content-type, authorization, x-gis-cloud-app, api-version, if-match, if-none-match"
    headers = {"Origin": "https://elsewhere.example", "Access-Control-Request-Headers": wanted + ", range"}
    for method in ("GET", "POST", "PUT", "DELETE"):
        response = anonymous.options("layers/1/features/2", headers=headers | {"Access-Control-Request-Method": method})
        assert response.status_code == 200
        assert response.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in response.headers
        allowed = {word.strip().lower() for word in response.headers["access-control-allow-headers"].split(",")}
        assert {"api-key", "idempotency-key", "api-username", "api-password", "range"} <= allowed
        assert method in response.headers["access-control-allow-methods"]


@pytest.mark.parametrize("path", ["1/maps", "1/maps/0", "maps", "1/maps?callback=1", "1/nothing", "health"])
def test_any_origin_may_read_every_answer(server: Server, path: str) -> None:
    response = httpx.get(f"{server.url}/{path}", headers={"Origin": "https://elsewhere.example"})
    assert response.headers["access-control-allow-origin"] == "*"
    exposed = {word.strip() for word in response.headers["access-control-expose-headers"].split(",")}
    assert {"Location", "Content-Disposition", "ETag", "Link", "Retry-After", "Content-Range"} <= exposed
    assert response.headers["x-content-type-options"] == "nosniff"


def test_headers_of_what_depends_on_the_caller(user: Caller) -> None:
    home, cookie = str(user.base_url.copy_with(path="/")), {"Cookie": "graticule_session=stale", "API-Key": ""}
    pages = [user.get(home + path) for path in ("", "login", f"map/{new_map(user)['id']}", "map/999999")]
    pages += [user.get(home, headers=cookie), user.post(f"{home}login"), user.post(f"{home}logout")]
    for response in [user.get("maps"), user.get("maps/0"), user.get("users/current"), *pages]:
        assert "private" in response.headers["cache-control"], response.url
        varies = {word.strip() for word in response.headers["vary"].split(",")}
        assert {"API-Key", "API-sessid", "Authorization", "Cookie"} <= varies


def test_pages_of_a_list(user: Caller) -> None:
    ids = [new_map(user, name=f"map {number % 2}")["id"] for number in range(5)]
    listed = [got(user.get("maps", params={"type": "private", "perpage": 2, "page": page})) for page in (1, 2, 3, 4)]
    assert [[one["id"] for one in page["data"]] for page in listed] == [ids[:2], ids[2:4], ids[4:], []]
    assert [(page["total"], page["page"]) for page in listed] == [(5, 1), (5, 2), (5, 3), (5, 4)]
    by_name = got(user.get("maps", params={"type": "private", "order_by": "name:desc"}))["data"]
    assert [one["id"] for one in by_name] == [ids[1], ids[3], ids[0], ids[2], ids[4]]
    assert len(got(user.get("maps", params={"type": "private", "perpage": 5000}))["data"]) == 5


@pytest.mark.parametrize("query", ["nototal", "nototal=", "nototal=1", "nototal=true"])
def test_lists_without_a_total(user: Caller, query: str) -> None:
    assert set(got(user.get(f"maps?{query}"))) == {"type", "page", "data"}
    assert "total" in got(user.get("maps?nototal=0"))


@pytest.mark.parametrize("name", ["page", "perpage"])
@pytest.mark.parametrize("value", ["0", "-1", "x", "1.5", "NaN", "1e3", "99999999999999999999", "１x", "５", "1_0"])
def test_pages_that_are_none(user: Caller, name: str, value: str) -> None:
    for path in ("maps", "layers", "keys", "tables"):
        refused(user.get(path, params={name: value}), 400, name)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"query": "ALPHA"}, ["Alpha", "alphabet"]),
        ({"query": "o%"}, []),
        ({"query": "0%"}, ["50% off"]),
        ({"query": "_"}, ["a_b"]),
        ({"query": "ÉTÉ"}, ["été"]),
        ({"query": "rare"}, []),
        ({"query": "rare", "query_on": "name,description"}, ["Alpha"]),
        ({"query": "RARE", "query_on": "description"}, ["Alpha"]),
        ({"query": "4326", "query_on": "epsg"}, ["50% off", "Alpha", "a_b", "alphabet", "été"]),
        ({"query": "zzz", "query_on": "id,archived,created"}, []),
        ({"query": ""}, ["50% off", "Alpha", "a_b", "alphabet", "été"]),
    ],
)
def test_searching_lists(user: Caller, query: dict[str, str], names: list[str]) -> None:
    for name in ("Alpha", "alphabet", "50% off", "a_b", "été"):
        new_map(user, name=name, description="a rare one" if name == "Alpha" else None)
    assert sorted(one["name"] for one in got(user.get("maps", params={"type": "private"} | query))["data"]) == names


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"order_by": "nothing"}, "order_by"),
        ({"order_by": "name:up"}, "order_by"),
        ({"order_by": "name,owner_hash:asc"}, "order_by"),
        ({"query": "x", "query_on": "password"}, "query_on"),
        ({"type": "secret"}, "type"),
        ({"nototal": "maybe"}, "nototal"),
    ],
)
def test_lists_that_cannot_be_made(user: Caller, query: dict[str, str], field: str) -> None:
    nested = refused(user.get("maps", params=query), 400, field)
    if field in ("order_by", "query_on") and ":" not in query.get("order_by", ""):
        assert "description" in nested["expected"]


def test_where_new_things_are(user: Caller) -> None:
    response = user.post("maps.json", json={"name": "x"})
    map_id = made(response)["id"]
    assert response.headers["location"] == f"1/maps/{map_id}"
    new_table(user, "straße")
    response = user.post("layers.json", json={"mid": map_id, "source": {"type": "pg", "src": "straße"}})
    layer = made(response)["id"]
    assert response.headers["location"] == f"1/layers/{layer}"
    response = user.post(f"layers/{layer}/features", json={"geometry": "POINT (1 2)"})
    assert response.headers["location"] == f"1/layers/{layer}/features/{made(response)['__id']}"
    response = user.post("tables/straße/rows", json={"geometry": "POINT (1 2)"})
    assert response.headers["location"] == f"1/tables/stra%C3%9Fe/rows/{made(response)['ogc_fid']}"


def test_the_program_that_wants_no_body(user: Caller) -> None:
    path = f"maps/{new_map(user)['id']}"
    response = user.put(path, json={"name": "y"}, headers={"X-GIS-CLOUD-APP": "QGISPublisher 1.2"})
    assert (response.status_code, response.content) == (204, b"")
    assert got(user.put(path, json={"name": "z"}, headers={"X-GIS-CLOUD-APP": "other"}))["name"] == "z"


def test_head(user: Caller) -> None:
    map_id = new_map(user)["id"]
    for path in (f"maps/{map_id}", "maps", f"maps/{map_id}/render.png", "maps/0", "/health", "/docs"):
        seen, head = user.get(path), user.head(path)
        assert (head.status_code, head.content) == (seen.status_code, b""), path
        for name in ("content-type", "content-length", "etag"):
            assert head.headers.get(name) == seen.headers.get(name), (path, name)


def test_versions_of_one_resource(user: Caller) -> None:
    path = f"maps/{new_map(user)['id']}"
    first = user.get(path)
    tag = first.headers["etag"]
    unchanged = user.get(path, headers={"If-None-Match": f'"x", W/{tag}'})
    assert (unchanged.status_code, unchanged.content, unchanged.headers["etag"]) == (304, b"", tag)
    assert user.get(path, headers={"If-None-Match": "*"}).status_code == 304
    assert user.get(path, params={"expand": "owner"}).headers["etag"] != tag
    changed = user.put(path, json={"name": "new"}, headers={"If-Match": tag})
    assert changed.status_code == 200
    assert changed.headers["etag"] == user.get(path).headers["etag"] != tag
    refused(user.put(path, json={"name": "newer"}, headers={"If-Match": tag}), 412)
    refused(user.delete(path, headers={"If-Match": tag}), 412)
    refused(user.put(path, json={"name": "newer"}, headers={"If-Match": '"nonsense"'}), 412)
    assert user.get(path, headers={"If-None-Match": tag}).status_code == 200
    assert user.put(path, json={"name": "newest"}, headers={"If-Match": "*"}).status_code == 200
    tag = user.get(path, params={"expand": "owner"}).headers["etag"]
    assert user.delete(path, headers={"If-Match": tag}).status_code == 200


def test_versions_of_what_never_changes(server: Server, user: Caller, other: Caller) -> None:
    resource = new_map(user)["resource_id"]
    given = made(
        user.post(f"resources/{resource}/permissions", json={"username": other.username, "permission": "READ"})
    )
    key = made(user.post("keys"))
    share_path, key_path = f"resources/{resource}/permissions/{given['id']}", f"keys/{key['id']}"
    for path in (f"resources/{resource}", share_path, key_path, "users/current"):
        first = user.get(path)
        again = user.get(path, headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.headers["etag"]) == (304, first.headers["etag"]), path
    tag = user.get(key_path).headers["etag"]
    with Caller(server.url, key["value"]) as caller:
        assert caller.get(key_path).headers["etag"] == tag
    for path in (share_path, key_path):
        refused(user.delete(path, headers={"If-Match": '"0-stale"'}), 412)
        tag = user.get(path).headers["etag"]
        refused(
            other.delete(path.replace(key["id"], "0"), headers={"If-Match": '"0-x"'}), 404 if "keys" in path else 412
        )
        assert user.delete(path, headers={"If-Match": tag}).status_code == 204


def test_a_visit_is_no_change(user: Caller) -> None:
    path = f"maps/{new_map(user)['id']}"
    tag = user.get(path).headers["etag"]
    assert user.get(f"{path}/render.iframe").status_code == 200
    again = user.get(path)
    assert (got(again)["visited"], again.headers["etag"]) == ("1", tag)
    assert got(user.get(path))["visited"] == "1"
    assert user.get(path, headers={"If-None-Match": tag}).status_code == 304


@pytest.mark.parametrize("path", ["maps/0", "maps/99999999999999999", "maps/abc", "nothing", "maps/1/2/3", ""])
def test_what_is_not_there(user: Caller, path: str) -> None:
    refused(user.get(path), 404)


@pytest.mark.parametrize("path", ["layers/0", "layers/99999999999999999", "layers/999999999999999999999999"])
def test_layers_that_are_not_there_or_not_to_be_seen(user: Caller, path: str) -> None:
    refused(user.get(path), 403)
    refused(user.get(path + "/features"), 404)
    refused(user.get(path + "/columns"), 404)
    refused(user.put(path, json={}), 404)


def test_verbs_that_are_not_taken(user: Caller) -> None:
    refused(user.post(f"maps/{new_map(user)['id']}"), 405)
    refused(user.request("PATCH", "maps"), 405)
    refused(user.request("OPTIONS", "maps"), 405)


def test_the_methods_that_are_taken_are_told(user: Caller) -> None:
    for path, methods in (
        ("maps", "GET, POST, PUT"),
        ("keys/1", "GET, DELETE"),
        ("tables/x/rows", "GET, POST, DELETE"),
    ):
        assert user.request("PATCH", path).headers["allow"] == methods


def test_every_single_thing_has_a_tag(user: Caller) -> None:
    map_id = new_map(user)["id"]
    new_table(user)
    layer = new_layer(user, map_id, "places")["id"]
    new = user.post(f"layers/{layer}/features", json={"data": {"name": "a"}})
    row = user.post("tables/places/rows", json={"data": {"name": "a"}})
    assert new.headers["etag"] == user.get(f"layers/{layer}/features/1").headers["etag"]
    assert row.headers["etag"] == user.get("tables/places/rows/2").headers["etag"]
    for path in (f"maps/{map_id}", f"layers/{layer}", f"layers/{layer}/features/1", "tables/places/rows/2",
                 "tables/places", "tables/places?expand=count"):  # fmt: skip
        tag = user.get(path).headers["etag"]
        assert user.get(path, headers={"If-None-Match": tag}).status_code == 304, path
        assert user.get(path, headers={"If-None-Match": '"0-0"'}).status_code == 200
    tag = user.get("tables/places").headers["etag"]
    refused(user.delete("tables/places?force=1", headers={"If-Match": '"0-0"'}), 412)
    assert user.delete("tables/places?force=1", headers={"If-Match": tag}).status_code == 204
    new_table(user)
    refused(user.delete("tables/places", headers={"If-Match": tag}), 412)


@pytest.mark.parametrize("parent", [None, "root", 0, "0", ""])
def test_the_root_of_the_layers(user: Caller, parent: Any) -> None:
    map_id = new_map(user)["id"]
    folder = made(user.post("layers", json={"mid": map_id, "type": "folder"}))["id"]
    layer = made(user.post("layers", json={"mid": map_id, "type": "folder", "parent": folder}))["id"]
    assert got(user.put(f"layers/{layer}", json={"parent": parent}))["parent"] is None


LISTS = (
    "maps", "layers", "tables", "keys", "users", "roles", "oauth2_clients", "userapprovedapps", "storage/fs",
    "maps/{m}/layers",
    "maps/{m}/options", "resources/{r}/permissions", "resources/{r}/options", "users/current/options",
    "users/current/subscriptions", "roles/{o}/users",
)  # fmt: skip


def test_every_list_takes_the_same_parameters(user: Caller) -> None:
    found = new_map(user)
    role = made(user.post("roles", json={"name": "r"}))["id"]
    for path in LISTS:
        asked = path.format(m=found["id"], r=found["resource_id"], o=role)
        plain = got(user.get(asked))
        assert set(plain) == {"type", "total", "page", "data"}, path
        assert got(user.get(f"{asked}?nototal&perpage=5000")).keys() == {"type", "page", "data"}, path
        beyond = got(user.get(f"{asked}?page=9999&perpage=1"))
        assert (beyond["data"], beyond["page"], beyond["total"]) == ([], 9999, plain["total"]), path
        assert len(got(user.get(f"{asked}?perpage=1"))["data"]) == min(1, len(plain["data"])), path
        if path != "userapprovedapps":  # they have no name
            assert got(user.get(f"{asked}?query=nobody+is+called+so"))["data"] == [], path
        for query in ("page=0", "page=x", "perpage=0", "perpage=-1", "order_by=nothing", "query=x&query_on=nothing"):
            nested = refused(user.get(f"{asked}?{query}"), 400, query.rpartition("&")[2].partition("=")[0])
            assert "nothing" not in query or nested["expected"].startswith("one of "), path


def test_order_of_small_lists(user: Caller) -> None:
    found = new_map(user)
    for name in ("b", "c", "a"):
        made(user.post("keys", json={"key_desc": name}))
        made(user.post(f"maps/{found['id']}/options", json={"option_name": name, "option_value": name}))
    keys = got(user.get("keys?order_by=key_desc:desc&perpage=3"))["data"]
    assert [key["key_desc"] for key in keys] == ["c", "b", "a"]
    options = got(user.get(f"maps/{found['id']}/options?order_by=option_name&perpage=2"))
    assert ([one["option_name"] for one in options["data"]], options["total"]) == (["a", "b"], 3)
    assert [one["option_name"] for one in got(user.get(f"maps/{found['id']}/options?query=C"))["data"]] == ["c"]
