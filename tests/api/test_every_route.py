"""Every route of the application, walked by a stranger and with bad input: an error is an answer of one shape."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute
from tests.server import Caller, Server

from graticule.app import ROUTERS

PARAMETER = re.compile(r"\{(\w+)(?::\w+)?\}")
# Pages for people, answered as HTML whatever happens.
PAGES = ("render.iframe",)
# What a stranger may ask for without learning of anybody's things.
OPEN = {("GET", f"/{kind}") for kind in ("maps", "layers", "tables", "users", "roles", "datasources", "forms")}


@dataclass(frozen=True)
class Known:
    """Things of somebody that are there: what the parameters of a path are filled with."""

    owner: Caller
    values: dict[str, str]


def routes() -> list[tuple[str, str]]:
    """All methods and paths of the API."""
    found = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]
    return sorted((method, route.path) for route in found for method in route.methods)


ROUTES = routes()


@pytest.fixture(scope="module")
def known(server: Server) -> Iterator[Known]:
    with server.new_user() as owner:
        made = owner.post("maps.json", json={"name": "secret map"}).json()
        columns = {"name": {"type": "text"}}
        owner.post("tables.json", json={"name": "secret_table", "geometry": "point", "columns": columns})
        source = {"type": "pg", "src": "secret_table"}
        layer = owner.post("layers.json", json={"mid": made["id"], "name": "secret layer", "source": source}).json()
        sent = {"data": {"name": "secret feature"}, "geometry": "POINT(1 2)"}
        feature = owner.post(f"layers/{layer['id']}/features.json", json=sent).json()
        owner.post("storage/fs/secret", files={"file": ("secret.txt", b"secret content")})
        share = owner.get(f"resources/{made['resource_id']}/permissions.json").json()["data"][0]["permissions"][0]
        owner.post(f"maps/{made['id']}/options.json", json={"option_name": "kept", "option_value": "secret"})
        key = owner.get("keys.json").json()["data"][0]
        database = {"name": "secret source", "type": 10, "params": {"host": "localhost", "password": "secret"}}
        datasource = owner.post("datasources", json=database).json()
        form = owner.post("forms", json={"name": "secret form", "definition": {"secret": 1}}).json()
        owner.put(f"layers/{layer['id']}/forms/{form['id']}")
        role = owner.post("roles.json", json={"name": "secret role"}).json()
        client = {"name": "secret program", "redirect_uri": "https://secret.example.com"}
        client = owner.post("oauth2_clients.json", json=client).json()
        approval = owner.post("userapprovedapps.json", json={"client_id": client["id"]}).json()
        job = owner.post(f"layers/{layer['id']}/export.csv").json()
        yield Known(
            owner,
            {
                "map_id": made["id"],
                "layer_id": layer["id"],
                "feature_id": str(feature["__id"]),
                "row_id": str(feature["__id"]),
                "name": f"usrsch{owner.user_id}.secret_table",
                "path": f"{owner_hash(owner)}/secret/secret.txt",
                "resource_id": made["resource_id"],
                "share_id": share["share_id"],
                "key_id": key["id"],
                "datasource_id": datasource["id"],
                "form_id": form["id"],
                "user_id": str(owner.user_id),
                "role_id": str(role["id"]),
                "client_id": str(client["id"]),
                "approval_id": str(approval["id"]),
                "option": "kept",
                "attribute": "name",
                "file": "a.txt",
                "job_id": job["id"],
                "fmt": "geojson",
                "init": "1",
                "z": "0",
                "x": "0",
                "y": "0",
            },
        )


@pytest.fixture(scope="module")
def stranger(server: Server) -> Iterator[Caller]:
    with server.new_user() as caller:
        yield caller


def owner_hash(owner: Caller) -> str:
    from graticule.actions.users import account_hash

    return account_hash(owner.user_id)


def filled(path: str, values: dict[str, str]) -> str:
    return PARAMETER.sub(lambda found: values[found[1]], path).lstrip("/")


def is_error_shape(answer: httpx.Response) -> bool:
    if answer.headers["content-type"] != "application/json":
        return False
    body = answer.json()
    return {"code", "msg", "nested"} == set(body) and isinstance(body["nested"]["msg"], str)


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_stranger(known: Known, stranger: Caller, anonymous: Caller, method: str, path: str) -> None:
    for caller in (stranger, anonymous):
        sent: dict[str, Any] = (
            {"json": {"name": "x", "id": known.values["map_id"]}} if method in ("POST", "PUT") else {}
        )
        answer = caller.request(method, filled(path, known.values), **sent)
        assert "secret" not in answer.text.replace("secret_table", "").replace("/secret/secret.txt", "")
        if path.endswith(PAGES):
            assert answer.status_code == 404
        elif answer.status_code >= 400:
            assert answer.status_code < 500
            assert is_error_shape(answer)
        elif (method, path) in OPEN:
            listed = answer.json()["data"]
            assert known.values["map_id"] not in {one.get("map_id", one.get("id")) for one in listed}
        else:
            # What is left concerns the caller's own things only, or makes them.
            assert "{" not in path
            assert caller is stranger


BAD_NUMBERS = ("0", "999999999999999999", "9" * 30, "-1", "x", "%00", "%F0%9F%98%80", "a" * 300)


@pytest.mark.parametrize(("method", "path"), [one for one in ROUTES if "{" in one[1]])
def test_bad_numbers_in_paths(known: Known, method: str, path: str) -> None:
    for name, bad in itertools.product(PARAMETER.findall(path), BAD_NUMBERS):
        if name == "path" or (name in "zxy" and bad == "0"):
            continue
        answer = known.owner.request(method, filled(path, known.values | {name: bad}))
        assert 400 <= answer.status_code < 500, (name, bad, answer.text)
        assert path.endswith(PAGES) or is_error_shape(answer)


BODIES: tuple[tuple[bytes, str], ...] = (
    (b"{", "application/json"),
    (b"[1, 2", "application/json"),
    (b'{"name": "\\ud800"}', "application/json"),
    (
        b'{"name": {"a": [1]}, "source": 5, "geometry": 7, "columns": [1], "permission": [], "username": 5}',
        "application/json",
    ),
    (b'{"data": [1], "geometry": {"type": "Point", "coordinates": ["a"]}, "filename": {}}', "application/json"),
    (b"[" * 100_000, "application/json"),
    (b'{"a":' * 5_000 + b"1" + b"}" * 5_000, "application/json"),
    (b"[1, 2, 3]", "application/json"),
    (b"NaN", "application/json"),
    (b"\xff\xfe\x00", "application/octet-stream"),
    (b"<a><b></a>", "text/xml"),
    (b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a><name>&e;</name></a>', "application/xml"),
    (b"name=%zz&&&=", "application/x-www-form-urlencoded"),
    (b"--x\r\nbroken", "multipart/form-data; boundary=x"),
    (b"--x", "multipart/form-data"),
)


@pytest.mark.parametrize(("method", "path"), [one for one in ROUTES if one[0] in ("POST", "PUT")])
def test_bad_bodies(known: Known, server: Server, method: str, path: str) -> None:
    for content, kind in BODIES:
        answer = known.owner.request(
            method, filled(path, known.values), content=content, headers={"Content-Type": kind}
        )
        assert answer.status_code < 500, (content[:80], answer.text)
        if answer.status_code >= 400:
            assert is_error_shape(answer), content[:80]
    assert "Traceback" not in server.log()


QUERIES = (
    "perpage=0", "perpage=x", "page=0", "page=-1", "page=99999999999999999999", "order_by=nothing", "order_by=id:up",
    "query=%&query_on=nothing", "epsg=1", "epsg=x", "srid=0", "proj4=nonsense",
    "proj4=%2Bproj%3Dmerc+%2Bnadgrids%3D/etc/passwd",
    "bounds=1,2,3", "bounds=a,b,c,d", "bounds=nan,0,1,1", "bounds=1e400,0,1,1", "where=1;2", "where=((", "where=%00",
    "where=a=", "geometry=shape", "fields=nothing", "width=0", "width=99999", "height=x", "numscale=-1", "callback=1x",
    "callback=alert(1)", "_method=PATCH", "_method=GET", "expand=nothing", "type=nothing", "nototal=maybe", "zip=maybe",
    "timestamp=x", "saveto=../x.png", "saveto=x.exe", "visibility=x", "layer_id=x", "a[]=1&a[b]=2", "%ff=%fe",
)  # fmt: skip


@pytest.mark.parametrize(("method", "path"), [one for one in ROUTES if one[0] == "GET"])
def test_bad_parameters(known: Known, server: Server, method: str, path: str) -> None:
    for query in QUERIES:
        answer = known.owner.get(f"{filled(path, known.values)}?{query}")
        assert answer.status_code < 500, (query, answer.text)
        if answer.status_code >= 400 and not path.endswith(PAGES):
            assert is_error_shape(answer), query
    assert "Traceback" not in server.log()


def test_methods_that_a_route_does_not_take(known: Known) -> None:
    for path in {path for _, path in ROUTES}:
        for method in ("PATCH", "TRACE"):
            answer = known.owner.request(method, filled(path, known.values))
            assert answer.status_code == 405, (method, path)
            assert is_error_shape(answer)
