"""What routes are given: the call, with its caller, parameters and fields, read once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

from fastapi import Depends, Request

from graticule.actions import fields
from graticule.actions.auth import Credentials, identify
from graticule.actions.listing import LARGEST_PAGE, Listing, Page
from graticule.api.body import Body, read_body
from graticule.catalogue.access import Actor
from graticule.errors import Forbidden

if TYPE_CHECKING:
    from collections.abc import Mapping

    from graticule.backend import Backend
    from graticule.geometry.crs import Crs

COOKIE = "graticule_session"
SAFE = ("GET", "HEAD", "OPTIONS")
# What a key of the scope "features" may change: features of layers, rows of tables.
OF_FEATURES = re.compile(r"/1/(?:maps/\d+/)?layers/\d+/features(?:/|$)|/1/tables/[^/]+/rows(?:/|$)")
# Words that mean "absent" where a client writes out a missing key.
NO_KEY = ("", "None")


@dataclass(frozen=True, slots=True)
class Call:
    """One request: who calls, with which parameters, and what the body said."""

    request: Request
    backend: Backend
    actor: Actor
    query: Mapping[str, str]
    body: Body

    @property
    def fields(self) -> Mapping[str, Any]:
        return self.body.fields

    def text(self, *names: str) -> str | None:
        """The first of the parameters that was sent and is not empty."""
        return next((self.query[name] for name in names if self.query.get(name, "") != ""), None)

    def flag(self, *names: str, default: bool = False) -> bool:
        """A parameter that is true when sent bare."""
        for name in names:
            if name in self.query:
                return True if self.query[name] == "" else fields.boolean(name, self.query[name])
        return default

    def number(self, name: str, low: float, high: float) -> float | None:
        value = self.text(name)
        return None if value is None else fields.number(name, value, low, high)

    def integer(self, name: str, default: int, low: int, high: int) -> int:
        value = self.text(name)
        return default if value is None else fields.integer(name, value, low, high)

    def words(self, name: str) -> list[str]:
        """A comma list."""
        return [word.strip() for word in self.query.get(name, "").split(",") if word.strip()]

    def page(self, default: int | None = 100) -> Page:
        """``page``, ``perpage``, ``nototal``. Raises ``BadRequest``."""
        number = self.integer("page", 1, 1, 2**53)
        size = default
        if self.text("perpage") is not None:
            size = min(LARGEST_PAGE, self.integer("perpage", LARGEST_PAGE, 1, 2**53))
        return Page(number if size is not None else 1, size, total=not self.flag("nototal"))

    def listing(self, default: int | None = 100) -> Listing:
        """A page with its order and search."""
        return Listing(self.page(default), self.text("order_by"), self.text("query"), self.text("query_on"))

    def crs(self) -> Crs | None:
        """``epsg``, ``srid`` or ``proj4``; None when none was sent. Raises ``BadRequest``."""
        from graticule.geometry.crs import Crs

        for name in ("epsg", "srid"):
            value = self.text(name)
            if value is not None:
                return Crs.from_epsg(value, field=name)
        proj4 = self.text("proj4")
        return None if proj4 is None else Crs.from_proj4(proj4)

    def credential(self, name: str) -> str | None:
        """A user name or password: the header ``api-…``, else the parameter ``api_…``."""
        header = self.request.headers.get(f"api-{name}")
        if not header:
            return self.text(f"api_{name}")
        try:
            # Programs send UTF-8, which the framework has read as Latin-1.
            return header.encode("latin-1").decode()
        except UnicodeDecodeError:
            return header

    def if_match_version(self) -> int | None:
        """The version in ``If-Match``; None when any will do, -1 when it is no tag of ours."""
        word = self.if_match()
        if word is None:
            return None
        return int(word) if word.isascii() and word.isdigit() and len(word) < 19 else -1

    def if_match(self) -> str | None:
        """The version part of ``If-Match``; None when it is missing or ``*``."""
        header = self.request.headers.get("if-match")
        if header is None or header.strip() == "*":
            return None
        return header.strip().removeprefix("W/").strip('"').partition("-")[0]


def make_call(request: Request, body: Annotated[Body, Depends(read_body)]) -> Call:
    """The call of a request with a body of fields."""
    return call_of(request, body)


def call_of(request: Request, body: Body) -> Call:
    """Find out who calls, and whether their key's scope covers it. Raises ``Forbidden``."""
    backend: Backend = request.app.state.backend
    query: dict[str, str] = dict(request.query_params)
    key = _key(request, query, body)  # before the fields of the body are among the parameters
    if isinstance(body.value, dict) and _body_is_query(request, body):
        query = _parameters(body.value) | query
    actor = identify(backend, credentials(request, query, key))
    if not _in_scope(request, query, actor):
        raise Forbidden(f"This key is limited to: {', '.join(sorted(actor.scopes))}.")
    return Call(request, backend, actor, query, body)


def _body_is_query(request: Request, body: Body) -> bool:
    """Body fields of a DELETE, and form fields of an override to GET, count as parameters."""
    overridden = request.method != request.state.sent_method
    return request.method == "DELETE" or (request.method == "GET" and overridden and body.form)


def _parameters(sent: Mapping[str, Any]) -> dict[str, str]:
    """Fields of a body as parameters; a null is one that was not sent."""
    return {
        name: fields.json_text(name, value) if isinstance(value, (dict, list)) else str(value)
        for name, value in sent.items()
        if value is not None
    }


def credentials(request: Request, query: Mapping[str, str], key: str | None) -> Credentials:
    """What the request says of its caller, in the order of the contract, section 1."""
    session = request.headers.get("api-sessid") or query.get("api_sessid") or None
    cookie = request.cookies.get(COOKIE)
    token = _token(request, query)
    return Credentials(key, token, session, cookie if cookie and cookie_counts(request, query) else None)


def _token(request: Request, query: Mapping[str, str]) -> str | None:
    """The token of OAuth 2 in the header, else in the address."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else query.get("oauth_token") or None


def _key(request: Request, query: Mapping[str, str], body: Body) -> str | None:
    """The key in the address, else in the header, else in the body. Raises ``BadRequest`` when that is no text."""
    for value in (query.get("api_key"), request.headers.get("api-key")):
        if value is not None and value not in NO_KEY:
            return value
    in_body = body.value.get("api_key") if isinstance(body.value, dict) else None
    if in_body is None or in_body in NO_KEY:
        return None
    return fields.text("api_key", in_body)


def cookie_counts(request: Request, query: Mapping[str, str]) -> bool:
    """Whether the cookie says who calls: never for JSONP or a changed verb, else by where the request comes from."""
    state = request.state
    if state.jsonp or state.sent_method != request.method:
        return False
    return not changes_something(request, query) or same_origin(request)


def changes_something(request: Request, query: Mapping[str, str]) -> bool:
    """Whether a request asks for more than to be told something."""
    return request.method not in SAFE or any(name in query for name in ("saveto", "invalidate"))


def same_origin(request: Request) -> bool:
    """Whether one of our own pages sent the request: by ``Sec-Fetch-Site``, else ``Origin``, else ``Referer``."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    sent = _host(request.headers.get("origin") or request.headers.get("referer"))
    public = request.app.state.backend.settings.public_url
    return sent != "" and sent in (request.headers.get("host"), _host(public))


def _host(url: str | None) -> str:
    """Host and port of an address; empty when there is none."""
    try:
        return urlsplit(url or "").netloc
    except ValueError:
        return ""


def _in_scope(request: Request, query: Mapping[str, str], actor: Actor) -> bool:
    if not actor.scopes or not changes_something(request, query):
        return True
    # Not request.url, which is put together with what the caller says is the host.
    of_features = OF_FEATURES.match(request.scope["path"]) is not None
    return "write" in actor.scopes or ("features" in actor.scopes and of_features)


ApiCall = Annotated[Call, Depends(make_call)]
