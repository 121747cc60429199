"""Forms, and the forms of layers."""

from __future__ import annotations

from typing import Any

import pytest
from tests.answers import refused
from tests.server import Caller
from tests.sharing import got, made, new_layer, new_map, new_table, share

DEFINITION = '{"fields": [{"name": "size",  "min": 1.0}]}'


def new(caller: Caller, **fields: Any) -> dict[str, Any]:
    return dict(made(caller.post("forms", json={"name": "a form", "definition": DEFINITION, **fields})))


def test_a_form(user: Caller) -> None:
    answer = user.post("forms", content=f'{{"name": "Trees", "definition": {DEFINITION}, "mappings": [1.0]}}')
    one = made(answer)
    assert answer.headers["location"] == f"1/forms/{one['id']}"
    assert (one["name"], one["definition"]) == ("Trees", DEFINITION)
    assert '"mappings":[1.0]' in user.get(f"forms/{one['id']}").text
    assert got(user.get(f"forms/{one['id']}")) == one
    tag = user.get(f"forms/{one['id']}").headers["etag"]
    assert user.put(f"forms/{one['id']}", content=user.get(f"forms/{one['id']}").content).status_code == 200
    assert user.get(f"forms/{one['id']}", headers={"If-None-Match": tag}).status_code == 304
    refused(user.put(f"forms/{one['id']}", json={"name": "x"}, headers={"If-Match": '"9-x"'}), 412)
    changed = got(user.put("forms", json={"id": one["id"], "name": None, "mappings": "text"}))
    assert (changed["name"], changed["definition"], changed["mappings"]) == (None, DEFINITION, "text")
    assert user.get(f"forms/{one['id']}").headers["etag"] != tag
    assert user.delete(f"forms/{one['id']}").status_code == 204
    refused(user.get(f"forms/{one['id']}"), 404)


@pytest.mark.parametrize(
    ("sent", "field"),
    [({"name": []}, "name"), ({"definition": "{"}, "definition"), ({"definition": True}, "definition")],
)
def test_what_is_refused(user: Caller, sent: dict[str, Any], field: str) -> None:
    refused(user.post("forms", json=sent), 400, field)
    assert got(user.get("forms"))["data"] == []


def test_lists_and_sharing(user: Caller, other: Caller, anonymous: Caller) -> None:
    first, second = new(user, name="b"), new(user, name="a")
    listed = got(user.get("forms?order_by=name"))
    assert (listed["type"], listed["total"]) == ("forms", 2)
    assert [one["id"] for one in listed["data"]] == [second["id"], first["id"]]
    url = f"forms/{first['id']}"
    for caller in (other, anonymous):
        refused(caller.get(url), 404)
        refused(caller.put(url, json={}), 404)
        refused(caller.delete(url), 404)
    refused(anonymous.post("forms", json={"name": "x"}), 403)
    share(user, first["resource_id"], other.username, "READ")
    assert got(other.get("forms"))["data"] == [first]
    refused(other.put(url, json={"name": "x"}), 403)
    share(user, first["resource_id"], other.username, "EDIT")
    assert got(other.put(url, json={"name": "x"}))["name"] == "x"
    refused(other.delete(url), 403)
    assert got(user.get(f"resources/{first['resource_id']}"))["form_id"] == first["id"]


def test_the_form_of_a_layer(user: Caller, other: Caller, anonymous: Caller) -> None:
    new_table(user)
    a_map = new_map(user)
    layer = new_layer(user, a_map["id"], "places")["id"]
    form, another, theirs = new(user), new(user), new(other)
    url = f"layers/{layer}/forms/{form['id']}"
    assert got(user.get(f"layers/{layer}?expand=form"))["form"] is None
    refused(user.get(url), 404)
    refused(user.delete(url), 404)
    refused(user.put(f"layers/{layer}/forms/{theirs['id']}"), 404)
    tag = user.get(f"layers/{layer}").headers["etag"]
    assert got(user.put(url))["id"] == form["id"]
    assert user.get(f"layers/{layer}").headers["etag"] != tag
    expanded = got(user.get(f"layers/{layer}?expand=form"))["form"]
    assert expanded == {"id": form["id"], "name": "a form", "definition": DEFINITION, "mappings": None}
    assert got(user.get(f"maps/{a_map['id']}/layers?expand=form"))["data"][0]["form"] == expanded
    assert got(user.get(f"maps/{a_map['id']}/{url}"))["definition"] == DEFINITION
    answer = user.post(f"layers/{layer}/forms/{another['id']}")
    assert made(answer)["id"] == another["id"]
    assert answer.headers["location"] == f"1/layers/{layer}/forms/{another['id']}"
    refused(user.get(url), 404)
    # Whoever may read the layer may read its form; changing it needs EDIT on the map.
    share(user, a_map["resource_id"], "anonymous", "READ")
    assert got(anonymous.get(f"layers/{layer}/forms/{another['id']}"))["name"] == "a form"
    assert got(anonymous.get(f"layers/{layer}?expand=form"))["form"]["id"] == another["id"]
    for caller in (other, anonymous):
        refused(caller.delete(f"layers/{layer}/forms/{another['id']}"), 403)
        refused(caller.put(url), 403)
    assert user.delete(f"layers/{layer}/forms/{another['id']}").status_code == 204
    assert got(user.get(f"layers/{layer}?expand=form"))["form"] is None
    assert got(user.get(f"forms/{another['id']}"))
    got(user.put(url))
    assert user.delete(f"forms/{form['id']}").status_code == 204
    assert got(user.get(f"layers/{layer}?expand=form"))["form"] is None
