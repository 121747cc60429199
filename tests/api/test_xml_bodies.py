"""Bodies in XML on every kind of thing that can be made or changed (the contract, section 1, Bodies)."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from tests.answers import refused
from tests.server import Caller
from tests.sharing import got, made, new_layer, new_map, new_table

XML = {"Content-Type": "application/xml"}
GML = '<g:Point xmlns:g="http://www.opengis.net/gml" srsName="EPSG:4326"><g:pos>5 6</g:pos></g:Point>'
KML = '<Point xmlns="http://www.opengis.net/kml/2.2"><coordinates>7,8</coordinates></Point>'


def send(caller: Caller, method: str, path: str, body: str) -> httpx.Response:
    return caller.request(method, path, content=body.encode(), headers=XML)


@pytest.fixture(scope="module")
def paths(shared: Caller) -> dict[str, str]:
    """Things of the caller that the cases write to."""
    found = new_map(shared)
    new_table(shared, "xml")
    layer = new_layer(shared, found["id"], "xml")["id"]
    made(shared.post(f"layers/{layer}/features", json={"data": {"name": "a"}, "geometry": "POINT (1 2)"}))
    return {"map": found["id"], "layer": layer, "resource": found["resource_id"]}


# Verb, path, body, and what the answer then says; {map} and the like stand for things that are there.
CASES: dict[str, tuple[str, str, str, dict[str, Any]]] = {
    "map": (
        "POST",
        "maps",
        "<map><name>Ü &amp; &lt;b&gt;</name><epsg>4326</epsg><share>true</share></map>",
        {"name": "Ü & <b>", "epsg": "4326", "share": "t"},
    ),
    "bounds of a map": (
        "PUT",
        "maps/{map}",
        "<m><bounds><xmin>1</xmin><ymin>2</ymin><xmax>3</xmax><ymax>4</ymax></bounds></m>",
        {"bounds": '{"xmin":"1","ymin":"2","xmax":"3","ymax":"4"}'},
    ),
    "a map named in the body": ("PUT", "maps", "<map><id>{map}</id><name>by id</name></map>", {"name": "by id"}),
    "null": (
        "PUT",
        "maps/{map}",
        '<m xmlns:x="http://www.w3.org/2001/XMLSchema-instance"><description x:nil="true"/></m>',
        {"description": None},
    ),
    "comments and CDATA": (
        "PUT",
        "maps/{map}",
        "<?xml version='1.0'?><!-- a --><m><?p i?><name>a<!-- b -->b<![CDATA[<c>&amp;]]></name></m>",
        {"name": "ab<c>&amp;"},
    ),
    "namespaces": ("PUT", "maps/{map}", '<m xmlns="urn:x"><name>n</name></m>', {"name": "n"}),
    "layer": (
        "POST",
        "layers",
        "<layer><mid>{map}</mid><name>l</name><source><type>pg</type><src>xml</src></source><alpha>50</alpha></layer>",
        {"name": "l", "source": '{"type":"pg","src":"xml"}', "alpha": "50", "type": "point"},
    ),
    "styles of a layer": (
        "PUT",
        "layers/{layer}",
        "<l><styles><color>255,0,0</color><width>3</width></styles><styles><expression>ELSE</expression></styles></l>",
        {"styles": '[{"color":"255,0,0","width":"3"},{"expression":"ELSE"}]', "status_text": None},
    ),
    "one style": ("PUT", "layers/{layer}", "<l><styles><width>3</width></styles></l>", {"styles": '[{"width":"3"}]'}),
    "styles as text": (
        "PUT",
        "layers/{layer}",
        '<l><styles>[{"width": 3.0}]</styles></l>',
        {"styles": '[{"width": 3.0}]'},
    ),
    "table": (
        "POST",
        "tables",
        "<table><name>nested</name><geometry>point</geometry><srid>3857</srid><columns>"
        "<town><type>text</type><not_null>true</not_null></town><size><type>integer</type></size></columns></table>",
        {
            "geometry": "POINT",
            "srid": 3857,
            "columns": {"town": {"type": "text", "not_null": True}, "size": {"type": "integer", "not_null": False}},
        },
    ),
    "a table without columns": ("POST", "tables", "<t><name>bare</name><columns/></t>", {"columns": {}}),
    "row": (
        "POST",
        "tables/xml/rows",
        "<row><data><name>A</name><size>7</size></data><geometry>POINT (3 4)</geometry></row>",
        {"name": "A", "size": "7"},
    ),
    "feature": (
        "POST",
        "layers/{layer}/features",
        "<f><data><name>A</name><size>7</size></data><geometry>POINT (3 4)</geometry></f>",
        {"data": {"name": "A", "size": 7}, "__xmin": 3.0, "__ymax": 4.0},
    ),
    "GML": (
        "POST",
        "layers/{layer}/features",
        f"<f><data/><geometry>{GML}</geometry></f>",
        {"data": {"name": None, "size": None}, "__xmin": 5.0, "__ymin": 6.0},
    ),
    "KML": ("PUT", "layers/{layer}/features/1", f"<f><geometry>{KML}</geometry></f>", {"__xmin": 7.0, "__ymin": 8.0}),
    "a feature named in the body": (
        "PUT",
        "layers/{layer}/features",
        "<f><__id>1</__id><data><name>B</name></data></f>",
        {"data": {"name": "B", "size": None}, "__id": 1},
    ),
    "permission": (
        "POST",
        "resources/{resource}/permissions",
        "<p><username>anonymous</username><permission>READ</permission></p>",
        {"username": "anonymous", "permission": "READ"},
    ),
    "key": ("POST", "keys", "<key><key_desc>d</key_desc><scope>read</scope></key>", {"key_desc": "d", "scope": "read"}),
    "file": (
        "POST",
        "storage/fs/x",
        "<f><filename>a.txt</filename><content>&#65;</content></f>",
        {"pathname": "/x/a.txt"},
    ),
    "content of a file": ("PUT", "storage/fs/x/b.txt", "<f><content>abc</content></f>", {"size": 3}),
    "no fields": ("PUT", "maps/{map}", "<map/>", {"epsg": "4326"}),
}


@pytest.mark.parametrize("name", CASES)
def test_fields_in_xml(shared: Caller, paths: dict[str, str], name: str) -> None:
    method, path, body, expected = CASES[name]
    for what, value in paths.items():
        path, body = path.replace(f"{{{what}}}", value), body.replace(f"{{{what}}}", value)
    answer = send(shared, method, path, body)
    told = made(answer) if method == "POST" else got(answer)
    assert {field: told[field] for field in expected} == expected


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-2"])
def test_encodings(shared: Caller, encoding: str) -> None:
    body = f'<?xml version="1.0" encoding="{encoding}"?><map><name>Čž</name></map>'
    response = shared.post("maps", content=body.encode(encoding), headers=XML)
    assert made(response)["name"] == "Čž"


BAD = {
    "not closed": ("<map><name>x</map>", "line 1"),
    "no end": ("<map>\n<name>x", "line 2"),
    "two roots": ("<a><name>x</name></a><b/>", "line 1"),
    "no fields": ("<map>hello</map>", "without fields"),
    "a type": ("<!DOCTYPE map><map><name>x</name></map>", "document type"),
    "an entity": ('<!DOCTYPE m [<!ENTITY e "x">]><m><name>&e;</name></m>', "document type"),
    "an entity of a file": (
        '<!DOCTYPE m [<!ENTITY e SYSTEM "file:///etc/passwd">]><m><name>&e;</name></m>',
        "document type",
    ),
    "an entity of nowhere": ("<m><name>&e;</name></m>", "line 1"),
    "a zero": ("<m><name>\0</name></m>", "line 1"),
    "a zero by number": ("<m><name>&#0;</name></m>", "line 1"),
}


@pytest.mark.parametrize("name", BAD)
def test_xml_that_is_refused(shared: Caller, name: str) -> None:
    body, said = BAD[name]
    nested = refused(send(shared, "POST", "maps", body), 400, "body")
    assert said in nested["msg"]
    assert "root:" not in json.dumps(nested)


def test_entities_in_entities(shared: Caller) -> None:
    inner = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    body = f'<!DOCTYPE m [<!ENTITY e0 "ha">{inner}]><m><name>&e11;</name></m>'
    refused(send(shared, "POST", "maps", body), 400, "body")
