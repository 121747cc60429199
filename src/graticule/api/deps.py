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

    def if_match_version(self) -> int | None:
        """The version in ``If-Match``; None when any will do. Raises ``BadRequest`` when it is no tag of ours."""
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
    if isinstance(body.value, dict) and _body_is_query(request, body):
        query = {name: str(value) for name, value in body.value.items()} | query
    actor = identify(backend, credentials(request, query, body))
    if not _in_scope(request, query, actor):
        raise Forbidden(f"This key is limited to: {', '.join(sorted(actor.scopes))}.")
    return Call(request, backend, actor, query, body)


def _body_is_query(request: Request, body: Body) -> bool:
    """Body fields of a DELETE, and form fields of an override to GET, count as parameters."""
    overridden = request.method != request.state.sent_method
    return request.method == "DELETE" or (request.method == "GET" and overridden and body.form)


def credentials(request: Request, query: Mapping[str, str], body: Body) -> Credentials:
    """What the request says of its caller, in the order of the contract, section 1."""
    headers = request.headers
    key = next((value for value in _keys(request, query, body) if value not in NO_KEY), None)
    session = headers.get("api-sessid") or query.get("api_sessid") or None
    cookie = request.cookies.get(COOKIE)
    return Credentials(key, session, cookie if cookie and cookie_counts(request, query) else None)


def _keys(request: Request, query: Mapping[str, str], body: Body) -> list[str]:
    in_body = body.value.get("api_key") if isinstance(body.value, dict) else None
    candidates = (query.get("api_key"), request.headers.get("api-key"), in_body)
    return [value for value in candidates if isinstance(value, str)]


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
    sent = request.headers.get("origin") or request.headers.get("referer")
    if not sent:
        return False
    public = request.app.state.backend.settings.public_url
    own = {request.headers.get("host"), urlsplit(public).netloc if public else None}
    return urlsplit(sent).netloc in own


def _in_scope(request: Request, query: Mapping[str, str], actor: Actor) -> bool:
    if not actor.scopes or not changes_something(request, query):
        return True
    of_features = OF_FEATURES.match(request.url.path) is not None
    return "write" in actor.scopes or ("features" in actor.scopes and of_features)


ApiCall = Annotated[Call, Depends(make_call)]
