"""Writes docs/openapi.json and docs/api.md from the application and the table: ``python -m tests.contract.page``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from graticule.api.description.complete import key_of
from graticule.app import create_app
from graticule.settings import Settings
from tests.contract.case import Case
from tests.contract.routes import PARAMETER
from tests.contract.table import CASES

DOCS = Path(__file__).parents[2] / "docs"
HEAD = """# The API

Every call of the API, made from the table that the tests try it by and from the description that a running server
answers at `/openapi.json` (also [openapi.json](openapi.json)). The first ten minutes are in the [README](../README.md).

`$URL` is the address of the server, `$KEY` an API key. What stands in braces in an address is to be put in; `{map}` is
the id of a map, and so on. Every address also works with `.json` at its end, and below `/rest`. A call below
`/1/maps/{map_id}/layers/{layer_id}` takes and answers what the one below `/1/layers/{layer_id}` does.

An error is always a JSON object `{"code", "msg", "nested": {"msg"}}`. `nested.msg` says what went wrong, and
`nested.field`, `nested.value` and `nested.expected` which field was at fault. 400 is a call that cannot be understood,
401 a token that does not hold, 403 what the caller may not do, 404 what is not there or is not shared with the caller.
"""
# What examples have in place of things of the tests.
EXAMPLES = {
    "username": "johanna", "other_name": "gc_user", "schema": "usrsch5", "user_option": "META",
    "account": "e4da3b7fbbce2345d7772b0674a318d5", "table": "sights", "new_table": "sights", "plain_table": "codes",
    "new_name": "places", "file": "my_folder/notes.txt", "new_file": "my_folder/notes.txt", "css": "my_folder/page.css",
    "media_file": "seen.png", "map": "12", "new_map": "12", "layer": "34", "new_layer": "34", "media_layer": "34",
    "countries": "35", "osm": "36",
}  # fmt: skip
BELOW = re.compile(r"^/1/maps/\{[^}]*\}(?=/layers/\{)")
USUAL = ("400", "401", "403", "404")


def document() -> dict[str, Any]:
    """The description of the application."""
    return create_app(Settings(data=Path("none"))).openapi()


def openapi_text() -> str:
    """The description as JSON, a line for each path and model."""
    return lines(document(), 3 * " ", 2) + "\n"


def lines(value: Any, indent: str, depth: int) -> str:
    """JSON whose objects stand on lines of their own down to that depth."""
    if not isinstance(value, dict) or depth < 0 or not value:
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    held = [f"{indent[:-2]}{json.dumps(name)}: {lines(one, indent + ' ', depth - 1)}" for name, one in value.items()]
    return "{\n" + ",\n".join(held) + "\n" + indent[:-3] + "}"


def page() -> str:
    """The page as it should be."""
    described = document()
    parts = [HEAD]
    for tag, operations in by_tag(described).items():
        parts.append(f"## {tag.capitalize()}\n")
        parts += [section(method, path, operation, described) for method, path, operation in operations]
    parts.append("## Things\n\nFields whose type says null may be null; answers may hold more than is told here.\n")
    models = described["components"]["schemas"].items()
    parts += [thing(name, schema) for name, schema in models if not name.endswith("List")]
    return "\n".join(parts)


def by_tag(described: dict[str, Any]) -> dict[str, list[tuple[str, str, dict[str, Any]]]]:
    """The operations by their tag, without those that stand for another below a map."""
    found: dict[str, list[tuple[str, str, dict[str, Any]]]] = {}
    for path, methods in described["paths"].items():
        if BELOW.match(path) and BELOW.sub("/1", path) in described["paths"]:
            continue
        for method, operation in methods.items():
            found.setdefault(operation["tags"][0], []).append((method.upper(), path, operation))
    return found


def section(method: str, path: str, operation: dict[str, Any], described: dict[str, Any]) -> str:
    """One call."""
    parts = [f"### `{method} {path}`\n", operation["description"].replace("``", "`") + "\n"]
    if operation["parameters"]:
        parts.append("| parameter | | what it is |\n|---|---|---|")
        parts += [parameter(one) for one in operation["parameters"]]
        parts.append("")
    if "requestBody" in operation:
        parts.append("Body: " + ", or ".join(bodies(operation["requestBody"])) + ".\n")
    parts.append("Answers: " + "; ".join(answers(operation["responses"])) + ".\n")
    example = curl(method, path)
    if example:
        parts.append(f"```sh\n{example}\n```\n")
    return "\n".join(parts)


def parameter(one: dict[str, Any]) -> str:
    where = "in the path" if one["in"] == "path" else kind(one["schema"])
    meaning = one["description"].replace("|", "\\|")
    return f"| `{one['name']}` | {where} | {meaning} |"


def kind(schema: dict[str, Any]) -> str:
    """A JSON schema in a word or two."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        one = name.removesuffix("List")
        return f"[{one}](#{one.lower()})" + ("" if one == name else " in a list")
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(kind(one) for one in schema["anyOf"]))
    if "enum" in schema:
        return " ".join(str(one) for one in schema["enum"])
    if "const" in schema:
        return str(schema["const"])
    if schema.get("type") == "array":
        return f"array of {kind(schema.get('items', {}))}"
    return str(schema.get("type", "anything"))


def bodies(body: dict[str, Any]) -> Iterator[str]:
    for media_type, content in body["content"].items():
        yield "files as `multipart/form-data`" if "multipart" in media_type else kind(content["schema"])


def answers(responses: dict[str, Any]) -> Iterator[str]:
    """What each status comes with; the usual errors together."""
    for status, answer in responses.items():
        if "$ref" not in answer:
            content = answer.get("content", {})
            told = ", ".join(kind(one["schema"]) if one["schema"] else f"`{name}`" for name, one in content.items())
            yield f"{status} {told}".strip()
    yield "errors " + ", ".join(status for status, answer in responses.items() if "$ref" in answer)


def curl(method: str, path: str) -> str | None:
    """The first case of the call that succeeds, as a line to paste."""
    for wanted in (f"{method} {PARAMETER.sub('{}', path.removeprefix('/1'))}", key_of(method, path)):
        for case in CASES:
            if case.section == wanted and case.status < 300 and not case.path.startswith(".."):
                return command(case)
    return None


def command(case: Case) -> str:
    verb = {"GET": "", "POST": "-X POST "}.get(case.method, f"-X {case.method} ")
    sent = [f"-F '{name}=@{part[0]}'" for name, part in (case.files or {}).items()]
    sent += [f"--data-urlencode '{name}={value}'" for name, value in (case.form or {}).items()]
    if case.send is not None:
        body = case.send if isinstance(case.send, str) else json.dumps(case.send, ensure_ascii=False)
        sent.append("-d '" + filled(re.sub(r'"(\{[a-z]\w*\})#"', r"\1", body)) + "'")
    address, _, query = filled(case.path).partition("?")
    asked = "?" + quote(query, safe="=&,.;~*:/%{}-") if query else ""
    return " ".join([f'curl {verb}-H "API-Key: $KEY" "$URL/1/{address.replace(" ", "%20")}{asked}"', *sent])


def filled(text: str) -> str:
    return re.sub(r"\{([a-z]\w*)\}", lambda found: EXAMPLES.get(found[1], "7"), text)


def thing(name: str, schema: dict[str, Any]) -> str:
    """The fields of a model."""
    fields = schema.get("properties", {}).items()
    rows = [f"| `{field}` | {kind(held)} | {held.get('description', '')} |" for field, held in fields]
    table = "\n".join(["| field | type | |\n|---|---|---|", *rows, ""]) if rows else ""
    return "\n".join([f"### {name}\n", schema.get("description", "") + "\n", table])


if __name__ == "__main__":
    (DOCS / "openapi.json").write_text(openapi_text())
    (DOCS / "api.md").write_text(page())
