"""Puts the table into the description that the framework makes of the routes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pydantic.json_schema import models_json_schema

from graticule.api.description.table import HTML, TABLE, Answer, Described
from graticule.api.errors import STATUSES
from graticule.api.schemas import models

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import BaseModel

Json = dict[str, Any]

REF = "#/components/schemas/"
BELOW_A_MAP = re.compile(r"^/maps/\{\}(?=/layers/\{\})")
ABOUT = """Every address also works with `.json` at its end, and below `/rest`. The version stands in the address, or in
the header `API-Version`. Where a client knows only some verbs, `_method=` in the address names the one that is meant.
`callback=` on a GET answers JSONP. Bodies are JSON, form fields or XML. What a caller may not see is answered with 404.
"""
SCHEMES: Json = {
    "key": {"type": "apiKey", "in": "header", "name": "API-Key"},
    "key_in_address": {"type": "apiKey", "in": "query", "name": "api_key"},
    "session": {"type": "apiKey", "in": "header", "name": "api-sessid"},
    "session_in_address": {"type": "apiKey", "in": "query", "name": "api_sessid"},
    "bearer": {"type": "http", "scheme": "bearer"},
}
# What stands in paths.
PARTS = {
    "map_id": "A map.",
    "layer_id": "A layer.",
    "feature_id": "A feature, by its __id.",
    "row_id": "A row, by its ogc_fid.",
    "name": "The caller's table of that name, or usrsch{id}.{name} for one of another account.",
    "path": "A path in the caller's storage, or {md5 of a user's id}/… in that of another.",
    "resource_id": "A resource: a map, a layer, a table, a file has one.",
    "share_id": "One share of the resource.",
    "key_id": "A key.",
    "fmt": "The format: shp, mif, kml, gpx, dxf, gml, csv, geojson, gpkg, fgb or xlsx; .zip after it for a zip.",
    "init": "1 or 2.",
    "z": "Zoom level of the tile.",
    "x": "Column of the tile.",
    "y": "Row of the tile.",
    "role_id": "A role.",
    "user_id": "A user.",
    "client_id": "A program.",
    "approved_id": "An approval.",
    "approval_id": "An approval.",
    "datasource_id": "A datasource.",
    "form_id": "A form.",
    "option": "An option, by its id or its name.",
    "job_id": "A job.",
    "attribute": "The attribute that names the file.",
    "file": "The file's name.",
}
USUAL = (400, 401, 403, 404)
CHANGED = {"PUT": (409, 412, 413), "DELETE": (412,), "POST": (409, 413, 415)}


def key_of(method: str, path: str) -> str:
    """The name of a call in the table: without the version, whatever its parameters are called."""
    plain = re.sub(r"\{[^}]*\}", "{}", path.removeprefix("/1"))
    return f"{method.upper()} {BELOW_A_MAP.sub('', plain)}"


def complete(document: Json) -> Json:
    """The framework's description with parameters, bodies, answers, names and keys in it."""
    taken: set[str] = set()
    used: dict[str, type[BaseModel]] = {"Failure": models.Failure}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            described = TABLE.get(key_of(method, path), Described(Answer(types=("*/*",))))
            operation["operationId"] = _id(operation["operationId"], path, method, taken)
            operation["summary"] = operation.get("description", "").partition("\n")[0]
            operation["parameters"] = _parameters(operation.get("parameters", []), described)
            if described.body is not None:
                operation["requestBody"] = _body(described, used)
            operation["responses"] = _answers(method.upper(), operation["responses"], described, used)
    _, schemas = models_json_schema([(model, "serialization") for model in used.values()], ref_template=REF + "{model}")
    document["info"]["description"] = ABOUT
    document["components"] = {
        "schemas": schemas["$defs"] | {f"{name}List": _list(name) for name in _lists(document)},
        "responses": {str(status): _failure(short) for status, (_, short) in FAILURES.items()},
        "securitySchemes": SCHEMES,
    }
    document["security"] = [{}, *({name: []} for name in SCHEMES)]
    return document


FAILURES = {status: (code, short) for status, code, short in STATUSES.values()}


def _failure(short: str) -> Json:
    return {"description": short, "content": {"application/json": {"schema": {"$ref": f"{REF}Failure"}}}}


def _id(framework: str, path: str, method: str, taken: set[str]) -> str:
    """The name of the route's function; with the last word of the path, then the method, where that is taken."""
    tail = re.sub(r"\W", "_", path) + "_" + method
    name = framework.removesuffix(tail)
    last = [part for part in path.split("/") if part and not part.startswith("{")][-1]
    ends = ("", "_" + re.sub(r"\W+", "_", last).strip("_"), f"_{method}", tail)
    found = next(name + end for end in ends if name + end not in taken)
    taken.add(found)
    return found


def _parameters(framework: list[Json], described: Described) -> list[Json]:
    """Those of the path, then those of the address."""
    in_path = [
        {
            "name": one["name"],
            "in": "path",
            "required": True,
            "description": PARTS.get(one["name"], ""),
            "schema": {"type": one["schema"].get("type", "string")},
        }
        for one in framework
        if one["in"] == "path"
    ]
    asked = [
        {
            "name": one.name,
            "in": "query",
            "description": one.meaning,
            "schema": one.schema,
            **({"required": True} if one.required else {}),
        }
        for one in described.query
    ]
    return in_path + asked


def _body(described: Described, used: dict[str, type[BaseModel]]) -> Json:
    if isinstance(described.body, str):
        schema: Json = {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}}
        return {"content": {described.body: {"schema": schema}}}
    bodies = described.body if isinstance(described.body, tuple) else (described.body,)
    refs = [_ref(model, used) for model in bodies if model is not None]
    if len(refs) > 1:
        refs.append({"type": "array", "items": refs[0]})
    return {"content": {"application/json": {"schema": refs[0] if len(refs) == 1 else {"anyOf": refs}}}}


def _ref(model: type[BaseModel], used: dict[str, type[BaseModel]]) -> Json:
    used[model.__name__] = model
    return {"$ref": REF + model.__name__}


def _answers(method: str, framework: Mapping[str, Any], described: Described, used: dict[str, type[BaseModel]]) -> Json:
    status = next(code for code in framework if code.startswith("2"))
    answers = {status: _success(status, described.answer, used)}
    if described.answer == Answer():
        answers["204"] = answers.pop(status) | {"description": "Done; nothing to tell."}
    if method == "GET" and described.answer.tagged:
        answers["304"] = {"description": "The caller has it already."}
    if method == "GET" and described.answer.types and "mapbox" in described.answer.types[0]:
        answers["204"] = {"description": "There is nothing in this tile."}
    if method == "PUT" and status == "200" and described.answer.tagged:
        answers["204"] = {"description": "Changed; for the one program that wants no body."}
    if 206 in described.errors:
        answers["206"] = answers[status] | {"description": "A part of the file."}
    if HTML in described.answer.types:
        # A page of a map answers what it cannot show with a page.
        both = {"text/html": {"schema": {}}} | _failure("")["content"]
        answers["404"] = {"description": "There is no such map, or it is not shared with the caller.", "content": both}
    for code in sorted({*USUAL, *CHANGED.get(method, ()), *described.errors} - {206}):
        answers.setdefault(str(code), {"$ref": f"#/components/responses/{code}"})
    return answers


def _success(status: str, answer: Answer, used: dict[str, type[BaseModel]]) -> Json:
    text = {"201": "Made; Location says where."}.get(status, "What was asked for.")
    made: Json = {"description": text}
    schema = _schema(answer, used)
    if schema is not None:
        made["content"] = {"application/json": {"schema": schema}}
    elif answer.types:
        made["content"] = {kind: {"schema": {}} for kind in answer.types}
    headers = {"ETag": answer.tagged, "Location": status == "201"}
    if any(headers.values()):
        made["headers"] = {name: {"schema": {"type": "string"}} for name, there in headers.items() if there}
    return made


def _schema(answer: Answer, used: dict[str, type[BaseModel]]) -> Json | None:
    if answer.list is not None:
        return {"$ref": _ref(answer.list, used)["$ref"] + "List"}
    if answer.array is not None:
        return {"type": "array", "items": _ref(answer.array, used)}
    if answer.one is None:
        return None
    if answer.several is not None:
        return {"anyOf": [_ref(answer.one, used), {"type": "array", "items": _ref(answer.several, used)}]}
    return _ref(answer.one, used)


def _lists(document: Json) -> list[str]:
    """The names of the models that lists are answered of."""
    found = re.findall(rf"{REF}(\w+)List\b", repr(document["paths"]))
    return sorted(set(found))


def _list(name: str) -> Json:
    """A page of a list."""
    return {
        "type": "object",
        "title": f"{name}List",
        "required": ["type", "page", "data"],
        "properties": {
            "type": {"type": "string"},
            "total": {"type": "integer"},
            "page": {"type": "integer"},
            "data": {"type": "array", "items": {"$ref": REF + name}},
        },
    }
