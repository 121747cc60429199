"""The HTML shells: what people write stays text, and each page loads what the manifest says."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from graticule.api import pages_html

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOSTILE = "</script><script>alert('1')</script> & \"q\" <!--"
USER = {"id": 1, "username": HOSTILE}
CONFIG = {"map": {"id": 5, "name": HOSTILE, "can_share": True}, "layers": []}
MANIFEST = {
    "_shared.js": {"file": "assets/shared-1.js", "css": ["assets/shared-1.css"]},
    "src/pages/map.ts": {"file": "assets/map-1.js", "imports": ["_shared.js"], "css": ["assets/map-1.css"]},
    "src/pages/iframe.ts": {"file": "assets/iframe-1.js", "imports": ["_shared.js"]},
    "src/pages/maps.ts": {"file": "assets/maps-1.js"},
    "src/styles/plain.css": {"file": "assets/plain-1.css"},
}

PAGES = {
    "login": lambda: pages_html.login_page(next_path=HOSTILE, error=HOSTILE),
    "maps": lambda: pages_html.maps_page(user=USER),
    "map": lambda: pages_html.map_page(config=CONFIG, user=USER),
    "map of a stranger": lambda: pages_html.map_page(config=CONFIG, user=None),
    "iframe": lambda: pages_html.iframe_page(config=CONFIG),
    "message": lambda: pages_html.message_page(status=404, title=HOSTILE, text=HOSTILE, user=USER, next_path=None),
}


def forget() -> None:
    pages_html._manifest.cache_clear()
    pages_html.assets.cache_clear()


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "manifest.json").write_text(json.dumps(MANIFEST))
    monkeypatch.setattr(pages_html, "WEB_DIST", tmp_path)
    forget()
    yield tmp_path
    forget()


def embedded(html: str) -> Any:
    found = re.search(r'<script type="application/json" id="config">(.*?)</script>', html, re.DOTALL)
    assert found
    return json.loads(found[1])


@pytest.mark.parametrize("page", PAGES)
def test_what_people_write_stays_text(page: str, built: Path) -> None:
    html = PAGES[page]()
    assert "<script>" not in html
    assert "alert('1')" not in html
    assert "<!--" not in html


@pytest.mark.parametrize("page", PAGES)
def test_no_script_is_inline(page: str, built: Path) -> None:
    scripts = re.findall(r"<script ([^>]*)>", PAGES[page]())
    assert all('type="application/json"' in script or "src=" in script for script in scripts)


def test_the_configuration_arrives_unchanged(built: Path) -> None:
    assert embedded(PAGES["map"]()) == CONFIG
    assert embedded(PAGES["iframe"]()) == CONFIG
    assert embedded(PAGES["maps"]()) == {"user": USER}


def test_a_page_loads_its_script_with_all_that_it_imports(built: Path) -> None:
    assert pages_html.assets("src/pages/map.ts") == pages_html.Assets(
        script="/static/assets/map-1.js",
        styles=("/static/assets/shared-1.css", "/static/assets/map-1.css"),
        preloads=("/static/assets/shared-1.js",),
    )
    assert pages_html.assets("src/styles/plain.css") == pages_html.Assets(styles=("/static/assets/plain-1.css",))


def test_a_stranger_may_sign_in_and_come_back(built: Path) -> None:
    assert 'href="/login?next=/map/5"' in PAGES["map of a stranger"]()
    assert "/login" not in PAGES["map"]()


def test_without_a_built_front_end_the_page_says_so(built: Path) -> None:
    (built / "manifest.json").unlink()
    forget()
    assert "has not been built" in PAGES["login"]()
