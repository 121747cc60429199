"""Calls that schemathesis invents from the description: none breaks the server, every answer is one that is told.

``GRATICULE_TEST_EXAMPLES`` is how many calls are invented for each operation.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import requests
import schemathesis
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.contract.page import BELOW, document
from tests.contract.world import Here, World
from tests.server import Server

EXAMPLES = int(os.environ.get("GRATICULE_TEST_EXAMPLES", "6"))
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
DOCUMENT = document()
# Those below a map are the same functions once more.
OPERATIONS = [
    (method, path) for path, methods in DOCUMENT["paths"].items() if not BELOW.match(path) for method in methods
]
# What the parameters of a path are filled with, beside nonsense.
THINGS = {
    "map_id": "map", "layer_id": "layer", "feature_id": "feature", "row_id": "row", "name": "table", "path": "file",
    "resource_id": "given_resource", "share_id": "share", "key_id": "key", "role_id": "role", "user_id": "other",
    "client_id": "client", "approval_id": "approval", "datasource_id": "datasource", "form_id": "form",
    "option_id": "option",
}  # fmt: skip
WORDS = {"fmt": "geojson", "init": "2", "z": "1", "x": "1", "y": "0", "attribute": "name", "file": "seen.png"}
NONSENSE = ["999999999", "0", "ä%20b"]


@pytest.fixture(scope="module")
def invented(server: Server, data_dir: Path) -> Iterator[World]:
    """A world that invented calls may leave in any state."""
    with (
        server.new_user() as owner,
        server.new_user() as other,
        server.anonymous() as anonymous,
        server.new_user(administrator=True) as admin,
    ):
        yield World(server, data_dir, owner, other, anonymous, admin)


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session


@pytest.mark.parametrize(("method", "path"), OPERATIONS, ids=[f"{method} {path}" for method, path in OPERATIONS])
def test_invented_calls(invented: World, session: requests.Session, method: str, path: str) -> None:
    config = schemathesis.Config.from_dict({"generation": {"with-security-parameters": False}})
    schema = schemathesis.openapi.from_dict(filled(invented, method, path), config=config)
    strategy = schema[path][method].as_strategy()

    @hypothesis.settings(
        max_examples=EXAMPLES, derandomize=True, database=None, deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck), phases=[hypothesis.Phase.generate],
    )  # fmt: skip
    @hypothesis.given(strategy)
    def call(case: schemathesis.Case) -> None:
        case.call_and_validate(
            base_url=invented.server.url,
            session=session,
            headers={"API-Key": str(invented.owner.key)},
            checks=CHECKS,
        )

    call()


def filled(world: World, method: str, path: str) -> dict[str, Any]:
    """The description of one operation alone, its path filled with things that are there, and with nonsense."""
    operation = copy.deepcopy(DOCUMENT["paths"][path][method])
    for one in operation["parameters"]:
        if one["in"] == "path":
            one["schema"] = {"type": "string", "enum": [thing(world, method, one["name"]), *NONSENSE]}
    return DOCUMENT | {"paths": {path: {method: operation}}, "security": []}


def thing(world: World, method: str, name: str) -> str:
    """The name of a thing that is there; for a DELETE a new one."""
    if name not in THINGS:
        return WORDS.get(name, "1")
    made = f"new_{THINGS[name]}" if method == "delete" and THINGS[name] in FRESH else THINGS[name]
    return Here(world).thing(made)


FRESH = {"map", "layer", "table", "file", "key", "role", "client", "approval", "datasource", "form"}
