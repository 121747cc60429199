"""Errors to answers: one table of statuses, one JSON shape."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any

import orjson
from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException
from starlette.routing import Match

from graticule import errors
from graticule.storage.ranges import RangeNotSatisfiable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    ErrorPage = Callable[[Request, errors.GraticuleError, int], Response]

log = logging.getLogger("graticule.api")

# Which error is which status, the code for programs and the short name for people (the contract, section 1).
STATUSES: dict[type[errors.GraticuleError], tuple[int, str, str]] = {
    errors.BadRequest: (400, "BAD_REQUEST", "Bad request"),
    errors.Unauthorized: (401, "UNAUTHORIZED", "Unauthorized"),
    errors.Forbidden: (403, "FORBIDDEN", "Forbidden"),
    errors.NotFound: (404, "RESOURCE_NOT_FOUND", "Resource not found"),
    errors.MethodNotAllowed: (405, "METHOD_NOT_ALLOWED", "Method not allowed."),
    errors.NotAcceptable: (406, "NOT_ACCEPTABLE", "Not acceptable"),
    errors.Conflict: (409, "CONFLICT", "Conflict"),
    errors.PreconditionFailed: (412, "PRECONDITION_FAILED", "Precondition failed"),
    errors.PayloadTooLarge: (413, "PAYLOAD_TOO_LARGE", "Payload too large"),
    errors.UnsupportedMediaType: (415, "UNSUPPORTED_MEDIA_TYPE", "Unsupported media type"),
    RangeNotSatisfiable: (416, "BAD_REQUEST", "Range not satisfiable"),
    errors.TooManyRequests: (429, "TOO_MANY_REQUESTS", "Too many requests"),
    errors.Unavailable: (503, "SERVICE_UNAVAILABLE", "Service unavailable"),
}
BY_STATUS = {status: kind for kind, (status, _, _) in STATUSES.items()}
LONGEST_ECHO = 200
SUFFIXED = re.compile(r"(/1/.+)\.(\w{1,8})", re.DOTALL)


def answer(error: errors.GraticuleError) -> Response:
    """The answer to an error of ours."""
    status, code, short = STATUSES[type(error)]
    nested: dict[str, Any] = {"msg": error.message}
    if error.field is not None:
        nested["field"] = error.field
        nested["value"] = _echo(error.value)
    if error.expected is not None:
        nested["expected"] = error.expected
    headers = {}
    if isinstance(error, (errors.TooManyRequests, errors.Unavailable)):
        headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, errors.Unauthorized):
        headers["WWW-Authenticate"] = 'Bearer realm="graticule", error="invalid_token"'
    if isinstance(error, RangeNotSatisfiable):
        headers["Content-Range"] = f"bytes */{error.size}"
    return shaped(status, code, short, nested, headers)


def shaped(
    status: int, code: str, short: str, nested: Mapping[str, Any], headers: Mapping[str, str] | None = None
) -> Response:
    """An answer in the one shape of all errors."""
    body = orjson.dumps({"code": code, "msg": short, "nested": nested}, default=str)
    return Response(body, status, {"Content-Type": "application/json", **(headers or {})})


def _echo(value: Any) -> Any:
    """What was sent, shortened, as JSON can hold it."""
    if value is None or isinstance(value, (bool, float)):
        return value
    if isinstance(value, int):
        return value if abs(value) < 2**63 else str(value)
    try:
        text = str(value).encode("utf-8", "replace").decode()
    except RecursionError:  # lists in lists in lists
        return None
    return text if len(text) <= LONGEST_ECHO else text[:LONGEST_ECHO] + "…"


def install(app: FastAPI, page: ErrorPage) -> None:
    """Have the application answer every error in the one shape, or by a page where a browser asks for pages."""

    def answered(request: Request, error: errors.GraticuleError) -> Response:
        plain = answer(error)
        return page(request, error, plain.status_code) if wants_page(request) else plain

    def ours(request: Request, error: Exception) -> Response:
        assert isinstance(error, errors.GraticuleError)
        return answered(request, error)

    def too_deep(request: Request, error: Exception) -> Response:
        # Bodies may be nested nearly as deeply as the interpreter calls. Logged, as it could be a mistake of ours.
        log.warning("%s %s went too deep", request.method, request.url.path, exc_info=error)
        return answered(request, errors.BadRequest("What was sent is nested too deeply.", field="body"))

    def of_framework(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        response = answered(request, _of_ours(request, error))
        response.headers.update(error.headers or {})
        if error.status_code == 405:
            response.headers["Allow"] = ", ".join(_methods(request))
        return response

    def unforeseen(request: Request, error: Exception) -> Response:
        log.error("%s %s failed", request.method, request.url.path, exc_info=error)
        message = "Something went wrong in the server; its log says what."
        if wants_page(request):
            return page(request, errors.GraticuleError(message), 500)
        return shaped(500, "INTERNAL_ERROR", "Internal server error", {"msg": message})

    app.add_exception_handler(errors.GraticuleError, ours)
    app.add_exception_handler(RecursionError, too_deep)
    app.add_exception_handler(HTTPException, of_framework)
    app.add_exception_handler(Exception, unforeseen)


def wants_page(request: Request) -> bool:
    """Whether a person's browser asks for a page: the API itself never answers with one."""
    of_api = request.url.path == "/1" or request.url.path.startswith("/1/")
    return not of_api and "text/html" in request.headers.get("accept", "")


def _of_ours(request: Request, error: HTTPException) -> errors.GraticuleError:
    """The error of ours for one that the framework raises: no route, or none for this method."""
    path = request.url.path
    suffixed = SUFFIXED.fullmatch(path)
    if error.status_code == 404 and suffixed and _has_route(request, suffixed[1]):
        message = f"This is to be had as JSON, not as {suffixed[2]}."
        return errors.NotAcceptable(message, field="format", value=suffixed[2], expected="json")
    texts = {404: f"There is nothing at {path}.", 405: f"{request.method} {path} is not possible."}
    kind = BY_STATUS.get(error.status_code, errors.BadRequest)
    made = kind.__new__(kind)
    errors.GraticuleError.__init__(made, texts.get(error.status_code, str(error.detail)))
    return made


def _methods(request: Request) -> list[str]:
    """The methods that are taken at the path, by whichever routes."""
    return [method for method in ("GET", "POST", "PUT", "DELETE") if _is_taken(request, method)]


def _is_taken(request: Request, method: str) -> bool:
    scope = dict(request.scope) | {"method": method}
    return any(route.matches(scope)[0] is Match.FULL for route in request.app.router.routes)


def _has_route(request: Request, path: str) -> bool:
    scope = dict(request.scope) | {"path": path}
    return any(route.matches(scope)[0] is not Match.NONE for route in request.app.router.routes)
