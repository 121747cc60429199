"""The description of the API is whole, fresh, and says of parameters and answers what the table sends and gets."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from fastapi.routing import APIRoute

from graticule.api.description.complete import key_of
from graticule.api.description.table import TABLE
from graticule.app import ROUTERS
from tests.contract.case import Case
from tests.contract.page import DOCS, document, openapi_text, page
from tests.contract.routes import has_route, routes
from tests.contract.table import CASES

# Parameters that every call takes.
EVERYWHERE = {"callback", "_method", "api_key", "api_sessid", "oauth_token", "_", "app_instance_id"}


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    return document()


@pytest.fixture(scope="module")
def operations(described: dict[str, Any]) -> dict[str, Any]:
    """The operations by the names that the table of the description has for them."""
    return {
        key_of(method, path): one for path, methods in described["paths"].items() for method, one in methods.items()
    }


def test_the_committed_description_is_current() -> None:
    """To write it anew: python -m tests.contract.page"""
    assert (DOCS / "openapi.json").read_text() == openapi_text()


def test_the_page_of_the_api_is_current() -> None:
    """To write it anew: python -m tests.contract.page"""
    assert (DOCS / "api.md").read_text() == page()


def test_every_route_is_described() -> None:
    found = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]
    assert {key_of(method, route.path) for route in found for method in route.methods} - TABLE.keys() == set()


def test_every_route_has_a_case() -> None:
    """A route below a map may be tried as the one that it stands for."""
    tried = {case.section for case in CASES} | {key_of(*case.section.split(" ")) for case in CASES}
    untried = {name for name in routes() if name not in tried and key_of(*name.split(" ")) not in tried}
    assert untried == set()


def test_operations_have_names_of_their_own(described: dict[str, Any]) -> None:
    names = [one["operationId"] for methods in described["paths"].values() for one in methods.values()]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z][a-z_]+", name) for name in names)


def test_every_part_of_a_path_is_explained(described: dict[str, Any]) -> None:
    for path, methods in described["paths"].items():
        for one in methods.values():
            for parameter in one["parameters"]:
                assert parameter["description"], (path, parameter["name"])


SENT = [case for case in CASES if has_route(case) and case.section in routes() and case.status < 400]


@pytest.mark.parametrize("case", SENT, ids=[case.name for case in SENT])
def test_what_is_sent_and_answered_is_described(operations: dict[str, Any], case: Case) -> None:
    operation = operations[key_of(*case.section.split(" "))]
    if "_method" in case.path:
        return
    asked = {name for name, _ in parse_qsl(urlsplit(case.path).query, keep_blank_values=True)}
    assert asked - EVERYWHERE <= {one["name"] for one in operation["parameters"]}
    assert str(case.status) in operation["responses"]
