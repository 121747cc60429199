"""Pages for people: signing in, the list of maps, a map, and the map for other people's pages."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from graticule.actions import auth, embed, fields, maps
from graticule.actions.embed import Asked, Page
from graticule.actions.page_css import style_path
from graticule.api import pages_html
from graticule.api.deps import COOKIE, ApiCall, Call, same_origin
from graticule.api.render import numscale
from graticule.api.tiles import expressions_of
from graticule.catalogue.access import Actor
from graticule.errors import BadRequest, Forbidden, GraticuleError, NotFound, TooManyRequests
from graticule.geometry.bounds import boxes_in, parse_bounds
from graticule.geometry.crs import Crs

router = APIRouter(include_in_schema=False)
embedding = APIRouter(tags=["pictures"])

CSP = (
    "default-src 'none'; script-src 'self'; worker-src 'self' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob: https: http:; connect-src 'self' https: http:; font-src 'self'; "
    "form-action 'self'; base-uri 'none'"
)
UNCACHED = {"Cache-Control": "private, no-store"}
OWN_PAGE = {"Content-Security-Policy": CSP + "; frame-ancestors 'self'"} | UNCACHED
EMBEDDED = {"Content-Security-Policy": CSP, "Cache-Control": "private, no-cache"}
# Style sheets of others: nothing is fetched for one but what our own script fetches.
STYLED = {"Content-Security-Policy": CSP.replace("img-src 'self' data: blob: https: http:", "img-src data: blob:")}
WHOLE_PAGE = dict.fromkeys(("toolbar", "layerlist", "layerlist_expanded", "popups", "scalebar", "no3d"), True)
WHOLE_PAGE |= dict.fromkeys(("noattrib", "noctrl", "lockzoom"), False)
CSS_LENGTH = re.compile(r"\d{1,5}(\.\d{1,3})?(px|%|em|rem|vh|vw)?")


@router.get("/")
def home(call: ApiCall) -> Response:
    """The caller's maps, or signing in."""
    if not call.actor.signed_in:
        return RedirectResponse("/login", 303, UNCACHED)
    return HTMLResponse(pages_html.maps_page(user=_user(call.actor) or {}), headers=OWN_PAGE)


@router.get("/login")
def login_form(call: ApiCall) -> Response:
    """The form to sign in with."""
    return HTMLResponse(pages_html.login_page(next_path=_own_path(call.text("next")), error=None), headers=OWN_PAGE)


@router.post("/login")
def log_in(call: ApiCall) -> Response:
    """Sign in and go where one wanted to."""
    sent = call.fields
    next_path = _own_path(fields.text("next", sent.get("next") or "/"))
    if not same_origin(call.request):
        return _login_again(next_path, "This form was sent from another site. Sign in here.", 403)
    try:
        name, password = (fields.text(field, sent.get(field) or "") for field in ("username", "password"))
        actor = auth.check_login(call.backend, name, password)
    except Forbidden as error:
        return _login_again(next_path, error.message, 403)
    except TooManyRequests as error:
        return _login_again(next_path, error.message, 429)
    response = RedirectResponse(next_path, 303, UNCACHED)
    secure = call.request.url.scheme == "https"
    age = call.backend.settings.session_days * 86400
    value = auth.begin_session(call.backend, actor)
    response.set_cookie(COOKIE, value, max_age=age, httponly=True, samesite="lax", secure=secure)
    return response


def _login_again(next_path: str, error: str, status: int) -> Response:
    return HTMLResponse(pages_html.login_page(next_path=next_path, error=error), status, headers=OWN_PAGE)


def _own_path(path: str | None) -> str:
    """Where to go after signing in: only ever a path of our own."""
    if path is None or not path.startswith("/") or path.startswith("//") or "\\" in path or not path.isprintable():
        return "/"
    return path


@router.post("/logout")
def log_out(call: ApiCall) -> Response:
    """Sign out."""
    response = RedirectResponse("/login", 303, UNCACHED)
    if same_origin(call.request):
        auth.end_session(call.backend, call.request.cookies.get(COOKIE, ""))
        response.delete_cookie(COOKIE)
    return response


@router.get("/map/{map_id:id}")
def map_page(call: ApiCall, map_id: int) -> Response:
    """A map with everything around it."""
    asked = _asked(call)
    try:
        page = embed.page_of_map(call.backend, call.actor, map_id, replace(asked, options=asked.options | WHOLE_PAGE))
    except NotFound:
        return _not_to_be_seen(call, f"/map/{map_id}")
    maps.note_visit(call.backend, map_id)
    return HTMLResponse(pages_html.map_page(config=page.config, user=_user(call.actor)), headers=OWN_PAGE)


@embedding.get("/maps/{map_id:id}/render.iframe")
def map_iframe(call: ApiCall, map_id: int) -> Response:
    """An interactive map for other people's pages."""
    asked = _asked(call)
    try:
        page = embed.page_of_map(call.backend, call.actor, map_id, asked)
    except NotFound:
        return _not_to_be_seen(call, f"/map/{map_id}", embedded=True)
    maps.note_visit(call.backend, map_id)
    return _embedded(page)


@embedding.get("/layers/{layer_id:id}/render.iframe")
def layer_iframe(call: ApiCall, layer_id: int) -> Response:
    """An interactive map of one layer."""
    return _layer_iframe(call, layer_id, None)


@embedding.get("/maps/{map_id:id}/layers/{layer_id:id}/render.iframe")
def layer_of_map_iframe(call: ApiCall, map_id: int, layer_id: int) -> Response:
    """The same, below a map."""
    return _layer_iframe(call, layer_id, map_id)


def _layer_iframe(call: Call, layer_id: int, map_id: int | None) -> Response:
    asked = _asked(call, layer_id)
    try:
        page = embed.page_of_layer(call.backend, call.actor, layer_id, asked, map_id)
    except (NotFound, Forbidden):
        return _not_to_be_seen(call, "/", embedded=True)
    return _embedded(page)


def _embedded(page: Page) -> Response:
    """A style sheet is another's: its page loads no pictures, which could tell others who looks at it."""
    html = pages_html.iframe_page(config=page.config, css=page.css)
    return HTMLResponse(html, headers=EMBEDDED if page.css is None else EMBEDDED | STYLED)


def _not_to_be_seen(call: Call, path: str, *, embedded: bool = False) -> Response:
    """One page for what is not there and what is not shared: a stranger must not learn which of the two it is."""
    text = "There is no such map, or it is not shared with you."
    if not call.actor.signed_in:
        text += " If it is yours, sign in."
    page = pages_html.message_page(
        status=404,
        title="This map cannot be shown",
        text=text,
        user=_user(call.actor),
        next_path=path,
        embedded=embedded,
    )
    return HTMLResponse(page, 404, headers=EMBEDDED if embedded else OWN_PAGE)


def _asked(call: Call, layer_id: int | None = None) -> Asked:
    """The parameters of an interactive map (the contract, section 2), of ``layer_id`` alone or of a whole map.

    Raises ``BadRequest``.
    """
    options = _options(call)
    if layer_id is not None:
        options["layer_id"] = layer_id
    layer, field, value = options["layer_id"], options["f"], options["v"]
    for name, missing in (("f", field is None and value is not None), ("v", field is not None and value is None)):
        if missing:
            raise BadRequest("f and v go together.", field=name, expected="an attribute in f and its value in v")
    if field is not None and layer is None:
        raise BadRequest("f and v are of a layer.", field="layer_id", expected="the layer whose attribute f is")
    style = call.text("style")
    return Asked(options, expressions_of(call), layer, field, value, None if style is None else style_path(style))


def _options(call: Call) -> dict[str, Any]:
    """What the browser has to know of the parameters. Raises ``BadRequest``."""
    expanded = call.flag("layerlist_expanded")
    return {
        "toolbar": call.flag("toolbar"),
        "layerlist": call.flag("layerlist", default=expanded),
        "layerlist_expanded": expanded,
        "popups": call.flag("popups", "popupus"),
        "scalebar": call.flag("scalebar"),
        "search": call.flag("search"),
        "noattrib": call.flag("noattrib"),
        "noctrl": call.flag("noctrl"),
        "no3d": call.flag("no3d"),
        "lockzoom": call.flag("lockzoom"),
        "numscale": numscale(call),
        "visibility": _visibility(call),
        "bounds": _bounds(call),
        "layer_id": _id(call, "layer_id"),
        "feature_id": _id(call, "feature_id"),
        "f": call.text("f"),
        "v": call.text("v"),
        "width": _length(call, "width"),
        "height": _length(call, "height"),
    }


def _id(call: Call, name: str) -> int | None:
    value = call.text(name)
    return None if value is None else fields.integer(name, value, 0)


def _visibility(call: Call) -> list[int] | None:
    if "visibility" not in call.query:
        return None
    return [fields.integer("visibility", word, 0) for word in call.words("visibility")]


def _bounds(call: Call) -> list[float] | None:
    """The bounds in longitude and latitude. Without ``srid`` or ``epsg`` they are in Web Mercator where the numbers
    are too large for degrees, as in the description of the API, and in degrees otherwise."""
    text = call.text("bounds", "bound")
    if text is None:
        return None
    crs = call.crs() or _guessed(text)
    boxes = boxes_in(parse_bounds(text, crs), crs, Crs.wgs84())
    west, south = boxes[0][:2]
    east, north = boxes[-1][2:]
    return [west, south, east if east >= west else east + 360, north]


def _guessed(text: str) -> Crs:
    numbers = [abs(float(word)) for word in re.findall(r"-?\d+(?:\.\d+)?", text)[:4]]
    return Crs.wgs84() if max(numbers, default=0) <= 360 else Crs.web_mercator()


def _length(call: Call, name: str) -> str | None:
    value = call.text(name)
    if value is None:
        return None
    if not CSS_LENGTH.fullmatch(value):
        raise BadRequest(f"{name} is no length.", field=name, value=value, expected="a CSS length as 100% or 600px")
    return value + "px" if value.replace(".", "").isdigit() else value


def _user(actor: Actor) -> dict[str, Any] | None:
    return {"id": actor.user_id, "username": actor.username} if actor.signed_in else None


def page_of_error(request: Request, error: GraticuleError, status: int) -> Response:
    """An error as a page, for a browser that asked for one."""
    titles = {404: "There is no such page", 403: "This is not yours to see"}
    title = titles.get(status, "That did not work")
    text = error.message if status != 404 else f"Nothing is at {quote(request.url.path)}."
    page = pages_html.message_page(status=status, title=title, text=text, user=None, next_path=None)
    return HTMLResponse(page, status, headers=OWN_PAGE)
