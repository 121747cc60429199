"""The routes of the application as sections name them: with ``{}`` for whatever stands in the path."""

from __future__ import annotations

import re
from functools import cache

from fastapi.routing import APIRoute

from graticule.app import ROUTERS
from tests.contract.case import Case

PARAMETER = re.compile(r"\{[^}]*\}")


@cache
def routes() -> frozenset[str]:
    """All methods and paths of the API."""
    found = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]
    return frozenset(f"{method} {PARAMETER.sub('{}', route.path)}" for route in found for method in route.methods)


def has_route(case: Case) -> bool:
    """Whether there is a route for a case's section; what is not below a version needs none."""
    return case.path.startswith("../") or case.section in routes() or _of_kind(case.section)


def _of_kind(section: str) -> bool:
    """Whether a route with one word more to choose from stands for the section: ``attributeops/{}`` for ``…/min``."""
    head, _, last = section.rpartition("/")
    return bool(last) and f"{head}/{{}}" in routes()
