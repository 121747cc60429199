"""Answers held against the description that the server has of itself."""

from __future__ import annotations

from typing import Any

import httpx
import schemathesis

from graticule.api.description.complete import key_of
from tests.contract.case import Case

JSON = "application/json"


class Answers:
    """What each call answers, by its section."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.schema = schemathesis.openapi.from_dict(document)
        self.places = {
            key_of(method, path): (path, method) for path, methods in document["paths"].items() for method in methods
        }

    def check(self, case: Case, answer: httpx.Response) -> None:
        """Fails where a JSON answer is not as the description says."""
        place = self.places.get(key_of(*case.section.split(" ")))
        if place is not None and answer.headers.get("content-type") == JSON and "_method" not in case.path:
            path, method = place
            # Uploads cannot be read again, and are not asked for.
            asked = httpx.Request(case.method, answer.request.url)
            told = httpx.Response(answer.status_code, headers=answer.headers, content=answer.content, request=asked)
            told.elapsed = answer.elapsed
            self.schema[path][method].validate_response(told)
