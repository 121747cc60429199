"""The calls of the API, in the order of its description, with what each has there; then those beyond it."""

from __future__ import annotations

from dataclasses import dataclass

from tests.contract.seed import Curl, Seed


@dataclass(frozen=True)
class Section:
    """A call by its method and path. ``tables`` and ``curls`` are how many of them the description has for it."""

    name: str
    tables: int = 0
    curls: int = 0


SECTIONS = (
    Section("every call", 0, 4),
    Section("GET /maps", 2, 1),
    Section("GET /maps/{}", 3, 1),
    Section("POST /maps", 1, 1),
    Section("PUT /maps/{}", 2, 1),
    Section("DELETE /maps/{}", 1, 1),
    Section("GET /maps/{}/render.png", 2),
    Section("GET /maps/{}/render.iframe", 1),
    Section("GET /maps/{}/layers", 2, 1),
    Section("DELETE /map_cache/{}/{}", 3, 1),
    Section("GET /layers", 2, 1),
    Section("GET /layers/{}", 3, 1),
    Section("POST /layers", 1, 1),
    Section("PUT /layers/{}", 2, 1),
    Section("DELETE /layers/{}", 1, 1),
    Section("GET /layers/{}/render.iframe", 2),
    Section("GET /layers/{}/export.{}", 3),
    Section("GET /layers/{}/columns", 2, 1),
    Section("GET /layers/{}/features", 3, 1),
    Section("GET /layers/{}/features/{}", 3, 1),
    Section("POST /layers/{}/features", 1, 1),
    Section("PUT /layers/{}/features/{}", 2, 1),
    Section("DELETE /layers/{}/features/{}", 2, 1),
    Section("GET /layers/{}/features/{}/{}/{}", 3, 1),
    Section("GET /tables", 2, 1),
    Section("GET /tables/{}", 2, 1),
    Section("POST /tables", 1, 1),
    Section("DELETE /tables/{}", 1, 1),
    Section("GET /tables/{}/export.csv", 2),
    Section("GET /tables/{}/rows", 3, 1),
    Section("POST /tables/{}/rows", 2, 2),
    Section("PUT /tables/{}/rows/{}", 2, 1),
    Section("DELETE /tables/{}/rows/{}", 2, 1),
    Section("DELETE /tables/{}/rows", 2, 1),
    Section("GET /search", 2, 1),
    Section("GET /users", 2, 1),
    Section("POST /users", 1, 1),
    Section("GET /users/{}", 3, 1),
    Section("PUT /users/{}", 2, 1),
    Section("DELETE /users/{}", 2, 1),
    Section("GET /roles", 2, 1),
    Section("POST /roles", 1, 1),
    Section("GET /roles/{}", 3, 1),
    Section("PUT /roles/{}", 2, 1),
    Section("DELETE /roles/{}", 2, 1),
    Section("GET /storage/fs/{}", 1, 1),
    Section("POST /storage/fs/{}", 1, 1),
    Section("DELETE /storage/fs/{}", 2, 1),
    Section("GET /geo_utils/features_at_point", 2, 1),
    Section("POST /layers/{}/buffer", 2, 1),
    Section("GET /resources/{}/permissions", 2, 1),
    Section("GET /resources/{}/permissions/{}", 2, 1),
    Section("POST /resources/{}/permissions", 2, 1),
    Section("DELETE /resources/{}/permissions/{}", 2, 1),
    Section("GET /keys", 1, 1),
    Section("GET /keys/{}", 2, 1),
    Section("POST /keys", 1, 1),
    Section("DELETE /keys/rows/{}", 2, 1),
    Section("GET /oauth2_clients", 1, 1),
    Section("GET /oauth2_clients/{}", 2, 1),
    Section("POST /oauth2_clients", 1, 1),
    Section("DELETE /oauth2_clients/{}", 2, 1),
    Section("GET /userapprovedapps", 2, 1),
    Section("GET /userapprovedapps/{}", 2, 1),
    Section("POST /userapprovedapps", 1, 1),
    Section("DELETE /userapprovedapps/{}", 2, 1),
)

# Statuses of the description that the contract takes as misprints, and what they are.
MISPRINTS = {("GET /layers/{}/columns", 204): 200, ("GET /resources/{}/permissions/{}", 201): 200}


@dataclass(frozen=True)
class Told:
    """What the description has of one call: names of parameters, statuses, curl lines."""

    parameters: frozenset[str]
    statuses: frozenset[int]
    curls: tuple[Curl, ...]


def told_by(seed: Seed) -> dict[str, Told]:
    """The description by section. Fails when the sections do not use up all of its tables and curl lines."""
    tables, curls = list(seed.tables), list(seed.curls)
    told = {}
    for section in SECTIONS:
        own, tables = tables[: section.tables], tables[section.tables :]
        lines, curls = curls[: section.curls], curls[section.curls :]
        names = [name for table in own for name in table.rows]
        statuses = {int(name) for name in names if name.isdigit()}
        corrected = frozenset(MISPRINTS.get((section.name, status), status) for status in statuses)
        parameters = frozenset(name for name in names if not name.isdigit())
        told[section.name] = Told(parameters, corrected, tuple(lines))
    assert not tables, tables
    assert not curls, curls
    return told
