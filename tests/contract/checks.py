"""What an answer may be asked for: shapes with the exact JSON types of the contract, contents, kinds of files."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import httpx
from PIL import Image

from tests.contract.case import Check
from tests.contract.world import Here

Type = Callable[[Any], bool]
Shape = Mapping[str, Type]


def text(value: Any) -> bool:
    return isinstance(value, str)


def num(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def flag(value: Any) -> bool:
    return isinstance(value, bool)


def obj(value: Any) -> bool:
    return isinstance(value, dict)


def array(value: Any) -> bool:
    return isinstance(value, list)


def null(value: Any) -> bool:
    return value is None


def digits(value: Any) -> bool:
    """A number as text."""
    return isinstance(value, str) and value.isascii() and value.isdigit()


def t_or_f(value: Any) -> bool:
    return value in ("t", "f")


def json_text(value: Any) -> bool:
    """A text that holds JSON."""
    if not isinstance(value, str):
        return False
    json.loads(value)
    return True


def any_of(*types: Type) -> Type:
    return lambda value: any(kind(value) for kind in types)


def only(*values: Any) -> Type:
    """One of these values, of their very types."""
    return lambda value: any(type(value) is type(one) and value == one for one in values)


def has_shape(shape: Shape) -> Type:
    """An object that has at least these fields, each of its type. Fails saying which is not."""

    def check(value: Any) -> bool:
        assert isinstance(value, dict), value
        for name, kind in shape.items():
            assert name in value, f"{name} is missing: {sorted(value)}"
            assert kind(value[name]), f"{name} is {value[name]!r}"
        return True

    return check


def is_one(shape: Shape) -> Check:
    """The answer is one thing of that shape."""
    return lambda answer, here: _true(has_shape(shape)(answer.json()))


def is_list(kind: str, shape: Shape, **expected: Any) -> Check:
    """A page of a list, not empty unless ``total=0`` is expected."""

    def check(answer: httpx.Response, here: Here) -> None:
        body = answer.json()
        assert body["type"] == kind, body["type"]
        assert type(body["page"]) is int
        assert expected.get("nototal") or type(body["total"]) is int
        for name in ("page", "total"):
            assert name not in expected or body[name] == expected[name], body[name]
        assert body["data"] or expected.get("empty"), "the list is empty"
        for one in body["data"]:
            has_shape(shape)(one)

    return check


def is_array(shape: Shape) -> Check:
    """A bare array of such things, not empty."""

    def check(answer: httpx.Response, here: Here) -> None:
        body = answer.json()
        assert isinstance(body, list), body
        assert body
        for one in body:
            has_shape(shape)(one)

    return check


def at(body: Any, path: str) -> Any:
    """What is at ``data.0.name``; ``*`` collects from every item."""
    for index, step in enumerate(steps := path.split(".") if path else []):
        if step == "*":
            return [at(one, ".".join(steps[index + 1 :])) for one in body]
        body = body[int(step) if isinstance(body, list) else step]
    return body


def holds(path: str, value: Any) -> Check:
    """Exactly that value at the path, of that type."""

    def check(answer: httpx.Response, here: Here) -> None:
        expected, found = here.fill(value), at(answer.json(), path)
        assert (type(found), found) == (type(expected), expected), f"{path} is {found!r}"

    return check


def fits(path: str, kind: Type) -> Check:
    """A value of that type at the path."""
    return lambda answer, here: _true(kind(at(answer.json(), path)), f"{path} is {at(answer.json(), path)!r}")


def near(path: str, value: float, within: float) -> Check:
    return lambda answer, here: _true(abs(at(answer.json(), path) - value) <= within, at(answer.json(), path))


def lacks(path: str, *names: str) -> Check:
    return lambda answer, here: _true(not set(names) & set(at(answer.json(), path)), at(answer.json(), path))


def includes(path: str, *values: Any) -> Check:
    """A list, or object, at the path that has all of these."""

    def check(answer: httpx.Response, here: Here) -> None:
        found = at(answer.json(), path)
        missing = [one for one in here.fill(list(values)) if one not in found]
        assert not missing, f"{missing} not in {found!r:.500}"

    return check


def excludes(path: str, *values: Any) -> Check:
    def check(answer: httpx.Response, here: Here) -> None:
        found = at(answer.json(), path)
        there = [one for one in here.fill(list(values)) if one in found]
        assert not there, f"{there} in {found!r:.500}"

    return check


def counts(path: str, number: int) -> Check:
    return lambda answer, here: _true(len(at(answer.json(), path)) == number, len(at(answer.json(), path)))


def ordered(path: str, *, falling: bool = False) -> Check:
    """A list at the path that rises, or falls."""

    def check(answer: httpx.Response, here: Here) -> None:
        found = at(answer.json(), path)
        assert found == sorted(found, reverse=falling), found

    return check


def picture(kind: str, width: int, height: int) -> Check:
    """A picture of that size."""

    def check(answer: httpx.Response, here: Here) -> None:
        with Image.open(io.BytesIO(answer.content)) as opened:
            assert (opened.format, opened.size) == (kind, (width, height))

    return check


def wide(kind: str, width: int) -> Check:
    """A picture that is wider."""

    def check(answer: httpx.Response, here: Here) -> None:
        with Image.open(io.BytesIO(answer.content)) as opened:
            assert opened.format == kind
            assert opened.width > width, opened.size

    return check


def says(pattern: str) -> Check:
    """Text that the pattern is found in."""
    return lambda answer, here: _true(re.search(here.fill(pattern), answer.text), answer.text[:1000])


def begins(content: bytes) -> Check:
    return lambda answer, here: _true(answer.content.startswith(content), answer.content[:100])


def nothing(answer: httpx.Response, here: Here) -> None:
    """An empty body."""
    assert answer.content == b"", answer.content[:200]


def _true(value: object, told: object = "") -> None:
    assert value, told
