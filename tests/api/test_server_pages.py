"""What the server says of itself, and how it speaks to browsers."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser

import httpx
import pytest
from tests.answers import refused
from tests.server import Server

from graticule import __version__

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


class Addresses(HTMLParser):
    """Collects what a page loads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = ("src", "href") if tag != "a" else ()
        self.found += [value for name, value in attrs if name in names and value]


def test_health(server: Server) -> None:
    response = httpx.get(f"{server.url}/health")
    assert (response.status_code, response.json()) == (200, {"status": "ok", "version": __version__})


def test_the_description(server: Server) -> None:
    described = httpx.get(f"{server.url}/openapi.json").json()
    assert described["openapi"].startswith("3.")
    expected = {"title": "Graticule", "summary": "A self-hosted cloud GIS", "version": __version__}
    assert {name: described["info"][name] for name in expected} == expected
    assert "API-Version" in described["info"]["description"]
    for path, method in (
        ("/1/maps", "post"),
        ("/1/layers/{layer_id}", "put"),
        ("/1/layers/{layer_id}/features/{feature_id}", "delete"),
        ("/1/map_cache/{map_id}/{init}", "delete"),
    ):
        assert described["paths"][path][method]["description"]
    assert not [path for path in described["paths"] if path.startswith(("/login", "/static", "/docs"))]


def test_the_documentation_needs_nobody_else(server: Server) -> None:
    response = httpx.get(f"{server.url}/docs")
    assert (response.status_code, response.headers["content-type"]) == (200, "text/html; charset=utf-8")
    loaded = Addresses(response.text).found
    assert loaded
    assert all(address.startswith("/") and not address.startswith("//") for address in loaded)
    assert {httpx.get(server.url + address).status_code for address in loaded} == {200}
    assert "default-src 'none'" in response.headers["content-security-policy"]
    described = httpx.get(f"{server.url}/openapi.json").json()["paths"]
    for path, methods in described.items():
        assert f"<code>{path}</code>" in response.text
        for method in methods.values():
            told = re.sub(r"\s+", " ", method["description"])[:30]
            assert told in html.unescape(response.text)


@pytest.mark.parametrize(
    "path", ["/nothing", "/map/0", "/map/x", "/static/nothing.js", "/static/../cli.py", "/login/x"]
)
def test_browsers_get_pages(server: Server, path: str) -> None:
    response = httpx.get(server.url + path, headers=BROWSER)
    assert (response.status_code, response.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert response.text.startswith("<!doctype html>")
    assert "default-src 'none'" in response.headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/nothing", "/static/nothing.js"])
def test_programs_get_json(server: Server, path: str) -> None:
    refused(httpx.get(server.url + path), 404)


@pytest.mark.parametrize("path", ["/1/nothing", "/1/maps/0", "/1", "/1/", "/rest/1/nothing", "/1/maps.json/x"])
def test_the_api_answers_browsers_too_with_json(server: Server, path: str) -> None:
    refused(httpx.get(server.url + path, headers=BROWSER), 404)


def test_what_was_asked_is_told_harmlessly(server: Server) -> None:
    for path in ("/<script>alert(1)</script>", "/map/0?next=<script>", "/x%22%3E%3Cscript%3E"):
        text = httpx.get(server.url + path, headers=BROWSER).text
        assert "<script>alert" not in text
        assert '"><script' not in text


def test_verbs_of_pages(server: Server) -> None:
    response = httpx.delete(f"{server.url}/login", headers=BROWSER)
    assert (response.status_code, response.headers["content-type"]) == (405, "text/html; charset=utf-8")
    refused(httpx.delete(f"{server.url}/login"), 405)
    refused(httpx.delete(f"{server.url}/health"), 405)


def test_wrong_parameters_of_a_page(server: Server) -> None:
    page = httpx.get(f"{server.url}/map/1?toolbar=perhaps", headers=BROWSER)
    assert (page.status_code, page.headers["content-type"]) == (400, "text/html; charset=utf-8")
    assert "toolbar" in page.text


def test_signing_in_leads_on_to_own_pages_only(server: Server) -> None:
    for path in ("//elsewhere.example", "https://elsewhere.example", "/\\elsewhere.example", "/a\nb", ""):
        text = httpx.get(f"{server.url}/login", params={"next": path}).text
        assert 'name="next" value="/"' in text
    assert httpx.get(f"{server.url}/").headers["location"] == "/login"
