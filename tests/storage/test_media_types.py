"""Content types, and what browsers may show in place."""

from __future__ import annotations

import pytest

from graticule.storage.media import CONTENT_TYPES, serving


@pytest.mark.parametrize(
    ("name", "content_type", "inline"),
    [
        ("a.png", "image/png", True),
        ("photo.JPG", "image/jpeg", True),
        ("earth.tif", "image/tiff", True),
        ("a.pdf", "application/pdf", True),
        ("a.mp3", "audio/mpeg", True),
        ("a.mp4", "video/mp4", True),
        ("readme.txt", "text/plain; charset=utf-8", True),
        ("a.svg", "image/svg+xml", False),
        ("a.html", "text/html", False),
        ("a.png.html", "text/html", False),
        ("a.xhtml", "application/xhtml+xml", False),
        ("a.xml", "application/xml", False),
        ("a.css", "text/css; charset=utf-8", False),
        ("a.csv", "text/csv", False),
        ("a.geojson", "application/geo+json", False),
        ("a.js", "application/octet-stream", False),
        ("a.mjs", "application/octet-stream", False),
        ("a.shp", "application/vnd.shp", False),
        ("a.unknown", "application/octet-stream", False),
        ("png", "application/octet-stream", False),
        ("a.", "application/octet-stream", False),
        (".png", "image/png", True),
        ("", "application/octet-stream", False),
    ],
)
def test_a_name_tells_type_and_disposition(name: str, content_type: str, inline: bool) -> None:
    assert serving(name) == (content_type, inline)


def test_no_type_is_one_that_browsers_run_as_script() -> None:
    assert not [kind for kind in CONTENT_TYPES.values() if "javascript" in kind or "ecmascript" in kind]
