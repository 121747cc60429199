"""What happens to every request before its route is found, and to every answer after it is made."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from graticule.api.errors import answer
from graticule.errors import BadRequest, GraticuleError, MethodNotAllowed, NotAcceptable

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

CALLBACK = re.compile(r"[A-Za-z_$][\w$.]{0,99}", re.ASCII)
VERSIONED = re.compile(r"/(\d+)(/.*|)", re.DOTALL)
SLASHES = re.compile(r"/{2,}")
SUFFIX = re.compile(r"(.+)\.(json|xml|html?|ya?ml|txt|rss|atom|php|aspx?|js)", re.DOTALL | re.IGNORECASE)
STAMPED_LAYER = re.compile(r"/[rt]/[^/]*/map(\d+)/layer(\d+)/(\d+/\d+/\d+\.png)", re.ASCII)
STAMPED_MAP = re.compile(r"/rt/[^/]*/(\d+)/(\d+/\d+/\d+\.png)", re.ASCII)
# Files of users, whose names end as they like.
MEDIA = re.compile(r"/1/(?:maps/\d+/)?layers/\d+/features/\d+/[^/]+/.+", re.DOTALL | re.ASCII)
METHODS = ("GET", "POST", "PUT", "DELETE")
# The resources of the API; a path that begins with one needs a version.
RESOURCES = frozenset(
    {
        "maps", "layers", "tables", "datasources", "forms", "users", "roles", "keys", "resources", "storage",
        "map_cache", "oauth2_clients", "userapprovedapps", "search", "geo_utils", "jobs",
    }
)  # fmt: skip
VARY = b"API-Key, API-sessid, Authorization, Cookie"


@dataclass(slots=True)
class Rewritten:
    """A path as the routes know it, and the method that is meant."""

    path: str
    method: str
    query: dict[str, str] = field(default_factory=dict)


class ApiConventions:
    """The conventions of the API that hold for every call (the contract, section 1).

    Base addresses, versions, suffixes, method overrides and slashes going in; JSONP and the headers of answers that
    depend on the caller going out.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        outgoing = Outgoing(send)
        # Whatever answers GET answers HEAD: with the same headers, and no body.
        outgoing.bare = scope["method"] == "HEAD"
        sent = "GET" if outgoing.bare else scope["method"]
        try:
            found = rewrite({**scope, "method": sent})
            outgoing.of_api = VERSIONED.fullmatch(found.path) is not None
            if found.method == "GET":
                outgoing.callback = callback_of(found.query) if outgoing.of_api else None
            state = {"jsonp": outgoing.callback is not None, "sent_method": sent}
            scope = {
                **scope,
                "path": found.path,
                "raw_path": found.path.encode("utf-8", "surrogateescape"),
                "method": found.method,
                "state": scope.get("state", {}) | state,
            }
        except GraticuleError as error:
            outgoing.of_api = True
            await answer(error)(scope, receive, outgoing)
            return
        await self.app(scope, receive, outgoing)


def rewrite(scope: Scope) -> Rewritten:
    """The path and method that are meant. Raises ``BadRequest``, ``NotAcceptable``, ``MethodNotAllowed``."""
    query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
    path = _versioned(SLASHES.sub("/", scope["path"]), scope)
    if VERSIONED.fullmatch(path):
        path = _without_suffix(path if path == "/" else path.rstrip("/"))
    return Rewritten(path, _meant_method(scope, query), query)


def _versioned(path: str, scope: Scope) -> str:
    if path == "/rest" or path.startswith("/rest/"):
        path = path[5:] or "/"
    path = _unstamped(path)
    found = VERSIONED.fullmatch(path)
    if found:
        _check_version(found[1])
        return "/1" + found[2]
    first = path.split("/", 2)[1].partition(".")[0]
    if first not in RESOURCES:
        return path
    version = dict(scope["headers"]).get(b"api-version", b"").decode("latin-1").strip()
    if not version:
        expected = f"/1{path}, or the header API-Version: 1"
        raise BadRequest("The version of the API is missing.", field="version", expected=expected)
    _check_version(version)
    return "/1" + path


def _unstamped(path: str) -> str:
    """The address of a tile that older programs know it by, with a stamp of its state, as the one it has now."""
    if found := STAMPED_LAYER.fullmatch(path):
        return f"/1/maps/{found[1]}/layers/{found[2]}/tiles/{found[3]}"
    if found := STAMPED_MAP.fullmatch(path):
        return f"/1/maps/{found[1]}/tiles/{found[2]}"
    return path


def _check_version(version: str) -> None:
    if version != "1":
        raise BadRequest(
            f"There is no version {version[:20]} of the API.", field="version", value=version, expected="1"
        )


def _without_suffix(path: str) -> str:
    found = SUFFIX.fullmatch(path)
    if found is None:
        return path
    if path.startswith("/1/storage/fs/") or MEDIA.fullmatch(path):
        return path
    if found[2].lower() == "json":
        return path if path.endswith(("/tilejson.json", "/style.json")) else found[1]
    raise NotAcceptable(
        f"This is to be had as JSON, not as {found[2]}.", field="format", value=found[2], expected="json"
    )


def _meant_method(scope: Scope, query: dict[str, str]) -> str:
    method: str = scope["method"]
    wanted = query.get("_method", "").upper()
    if not wanted:
        return method
    if wanted not in METHODS:
        expected = ", ".join(METHODS)
        raise MethodNotAllowed(f"There is no method {wanted[:20]}.", field="_method", value=wanted, expected=expected)
    return wanted


def callback_of(query: dict[str, str]) -> str | None:
    """The name of a JSONP function, if one was asked for. Raises ``BadRequest``."""
    name = query.get("callback")
    if name is None:
        return None
    if not CALLBACK.fullmatch(name):
        expected = "a function's name of up to 100 characters"
        raise BadRequest("This is no name of a function.", field="callback", value=name, expected=expected)
    return name


class Outgoing:
    """Passes an answer on, with the headers it still lacks; a JSON body becomes JSONP where that was asked for.

    ``bare`` leaves the bodies out.
    """

    def __init__(self, send: Send) -> None:
        self.send = send
        self.of_api = False
        self.bare = False
        self.callback: str | None = None
        self._start: Message | None = None
        self._body: list[bytes] = []

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = self._headers(message["headers"])
            if self.callback is not None and _content_type(message) == b"application/json":
                self._start = message
                return
        elif self._start is not None:
            self._body.append(message.get("body", b""))
            if not message.get("more_body"):
                await self._send_jsonp(self._start)
            return
        await self._pass_on(message)

    async def _pass_on(self, message: Message) -> None:
        if self.bare and message["type"] == "http.response.body":
            message["body"] = b""
        await self.send(message)

    def _headers(self, headers: Any) -> list[tuple[bytes, bytes]]:
        kept = list(headers)
        caching = next((value for name, value in kept if name.lower() == b"cache-control"), None)
        kept.append((b"x-content-type-options", b"nosniff"))
        if self.of_api and caching is None:
            kept.append((b"cache-control", b"private, no-cache"))
        # The pages that depend on who looks say that they are private.
        if self.of_api or (caching or b"").startswith(b"private"):
            kept.append((b"vary", VARY))
        return kept

    async def _send_jsonp(self, start: Message) -> None:
        body = b"/**/" + (self.callback or "").encode() + b"(" + b"".join(self._body) + b");"
        replaced = {b"content-type", b"content-length"}
        start["headers"] = [pair for pair in start["headers"] if pair[0].lower() not in replaced] + [
            (b"content-type", b"application/javascript"),
            (b"content-length", str(len(body)).encode()),
        ]
        await self._pass_on(start)
        await self._pass_on({"type": "http.response.body", "body": body})


def _content_type(message: Message) -> bytes:
    return next((value for name, value in message["headers"] if name.lower() == b"content-type"), b"")
