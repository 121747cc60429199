"""The pages for people: small HTML shells that the browser front end fills.

Pure functions from what a page shows to its text. The scripts and styles that a page needs are read, once, from the
manifest that Vite writes beside them (https://vite.dev/guide/backend-integration).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WEB_DIST = Path(__file__).parents[1] / "web_dist"
STATIC_URL = "/static/"

_PLAIN = "src/styles/plain.css"
_MAPS = "src/pages/maps.ts"
_MAP = "src/pages/map.ts"
_IFRAME = "src/pages/iframe.ts"


@dataclass(frozen=True, slots=True)
class Assets:
    """Addresses of what a page loads: its script (None for pages without), its styles, and modules the script needs."""

    script: str | None = None
    styles: tuple[str, ...] = ()
    preloads: tuple[str, ...] = ()


def login_page(*, next_path: str, error: str | None) -> str:
    """The sign-in form. It posts ``username``, ``password`` and ``next`` to ``/login``."""
    return _render("login.html", _PLAIN, title="Sign in · Graticule", next_path=next_path, error=error)


def maps_page(*, user: dict[str, Any]) -> str:
    """The list of the maps of ``user``, who has ``id`` and ``username``."""
    config = {"user": {"id": user["id"], "username": user["username"]}}
    return _render("maps.html", _MAPS, title="My maps · Graticule", user=user, config=config, next_path=None)


def map_page(*, config: dict[str, Any], user: dict[str, Any] | None) -> str:
    """A map with the site around it; ``config`` is the ``MapConfig`` of ``web/src/config.ts``."""
    title = f"{config['map']['name']} · Graticule"
    next_path = f"/map/{config['map']['id']}"
    return _render("map.html", _MAP, title=title, config=config, user=user, next_path=next_path)


def iframe_page(*, config: dict[str, Any], css: str | None = None) -> str:
    """The same map with nothing around it, for other people's pages.

    ``css`` is the text of a style sheet in which nothing ends a ``<style>``.
    """
    classes = ["map-body", *(name for name in ("noattrib", "noctrl") if config["options"][name])]
    title = config["map"]["name"]
    return _render("iframe.html", _IFRAME, title=title, config=config, css=css, classes=" ".join(classes))


def message_page(
    *,
    status: int,
    title: str,
    text: str,
    user: dict[str, Any] | None,
    next_path: str | None,
    embedded: bool = False,
) -> str:
    """A page that says what is wrong, and where to go from there.

    A stranger is led to signing in and back to ``next_path``; without one, to the first page. An embedded page opens
    its links in a new tab: no page of ours but maps is shown within other people's.
    """
    link = {"user": user, "next_path": next_path, "embedded": embedded}
    return _render("message.html", _PLAIN, status=status, title=title, text=text, **link)


def docs_page(*, version: str, groups: Mapping[str, Sequence[object]]) -> str:
    """The routes of the API: under the name of each group its operations, with ``method``, ``path``, ``summary``."""
    return _render("docs.html", _PLAIN, title="The API · Graticule", version=version, groups=groups)


def _render(template: str, entry: str, **values: Any) -> str:
    return _environment().get_template(template).render(assets=assets(entry), **values)


@cache
def _environment() -> Environment:
    loader = FileSystemLoader(Path(__file__).parent / "templates")
    environment = Environment(
        loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined
    )
    # Jinja's tojson escapes < > & and ', so that no text can end the script element that holds it.
    environment.policies["json.dumps_kwargs"] = {"sort_keys": False, "ensure_ascii": False}
    return environment


@cache
def assets(entry: str) -> Assets:
    """What the page whose source is ``entry`` loads; nothing where the front end has not been built."""
    manifest = _manifest()
    if entry not in manifest:
        return Assets()
    chunks = _with_imports(manifest, entry)
    url = {key: STATIC_URL + manifest[key]["file"] for key in chunks}
    styles = [STATIC_URL + css for key in chunks for css in manifest[key].get("css", [])]
    if entry.endswith(".css"):
        return Assets(styles=(url[entry], *styles))
    return Assets(url[entry], tuple(dict.fromkeys(styles)), tuple(url[key] for key in chunks if key != entry))


def _with_imports(manifest: dict[str, Any], entry: str) -> list[str]:
    """``entry`` and all that it imports, what is imported first: later styles overrule earlier ones."""
    found: list[str] = []
    for imported in manifest[entry].get("imports", []):
        found += [key for key in _with_imports(manifest, imported) if key not in found]
    return [*found, entry]


@cache
def _manifest() -> dict[str, Any]:
    path = WEB_DIST / "manifest.json"
    if not path.exists():
        return {}
    manifest: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return manifest
