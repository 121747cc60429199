"""What an answer must look like, whatever the call."""

from __future__ import annotations

from typing import Any

import httpx

CODES = {
    400: "BAD_REQUEST",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "RESOURCE_NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    406: "NOT_ACCEPTABLE",
    409: "CONFLICT",
    412: "PRECONDITION_FAILED",
    413: "PAYLOAD_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    429: "TOO_MANY_REQUESTS",
    503: "SERVICE_UNAVAILABLE",
}


def refused(response: httpx.Response, status: int, field: str | None = None) -> dict[str, Any]:
    """What is nested in an error of that status and shape, about that field where one is named."""
    assert response.status_code == status, response.text[:500]
    nested = shaped(response)
    if field is not None:
        assert nested.get("field") == field, nested
    return nested


def shaped(response: httpx.Response) -> dict[str, Any]:
    """What is nested in an error, which has the one shape of all errors."""
    assert response.headers["content-type"] == "application/json", response.headers
    body = response.json()
    assert set(body) == {"code", "msg", "nested"}, body
    assert body["code"] == CODES[response.status_code], body
    assert isinstance(body["msg"], str)
    assert set(body["nested"]) <= {"msg", "field", "value", "expected"}, body
    assert isinstance(body["nested"]["msg"], str)
    assert body["nested"]["msg"]
    return dict(body["nested"])
