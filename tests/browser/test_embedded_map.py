"""The embedded map in headless Chromium: what is drawn, what its controls do, and what a stranger gets."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.world import COLOURS, LAYERS, World, make_world
from tests.server import Server

ARGUMENTS = [
    "--no-sandbox",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
IDLE = "html[data-map-state=idle]"
EUROPE = "bounds=-12,34,40,66"
VECTOR = tuple(name for name, _, _ in LAYERS if name != "Earth")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        yield running
        running.close()


@pytest.fixture(scope="module")
def world(server: Server, data_dir: Path) -> Iterator[World]:
    with server.new_user() as owner:
        yield make_world(owner, data_dir)


@pytest.fixture
def page(browser: Browser, server: Server) -> Iterator[Page]:
    context = browser.new_context(base_url=server.url, viewport={"width": 1000, "height": 700})
    yield context.new_page()
    context.close()


def show(page: Page, path: str) -> list[str]:
    """Open a map and wait until it is drawn; answers what went wrong till then, as it comes."""
    troubles: list[str] = []
    page.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
    page.on("requestfailed", lambda request: troubles.append(f"failed: {request.url}"))
    page.on(
        "response", lambda answer: troubles.append(f"{answer.status}: {answer.url}") if answer.status >= 400 else None
    )
    page.goto(path)
    page.wait_for_selector(IDLE, state="attached")
    return troubles


def rendered(page: Page) -> dict[str, int]:
    """How many features are drawn of each layer, by its id."""
    count = """() => {
        const found = {};
        for (const one of window.graticuleMap.queryRenderedFeatures()) {
            const id = String(one.layer.metadata.layer_id);
            found[id] = (found[id] ?? 0) + 1;
        }
        return found;
    }"""
    counted: dict[str, int] = page.evaluate(count)
    return counted


def pixels(page: Page) -> np.ndarray:
    with Image.open(io.BytesIO(page.screenshot())) as picture:
        return np.asarray(picture.convert("RGB")).astype(int)


def share_of(picture: np.ndarray, colour: tuple[int, int, int]) -> int:
    """How many pixels have that colour, or nearly."""
    return int((np.abs(picture - colour) < 10).all(axis=-1).sum())


def test_all_layers_are_drawn(page: Page, world: World) -> None:
    troubles = show(page, world.iframe(EUROPE))
    drawn = rendered(page)
    for name in VECTOR:
        assert drawn.get(str(world.layers[name]), 0) > 0, name
    picture = pixels(page)
    for name, colour in COLOURS.items():
        assert share_of(picture, colour) > 30, name
    # The Atlantic is the satellite picture: dark blue, and not of one colour.
    atlantic = picture[200:400, 60:160].reshape(-1, 3)
    assert atlantic[:, 2].mean() > atlantic[:, 0].mean() + 10
    assert len(np.unique(atlantic, axis=0)) > 20
    assert troubles == []


def test_a_pop_up_tells_of_what_was_clicked(page: Page, world: World) -> None:
    show(page, world.iframe("popups=true&bounds=-10,36,4,44"))
    page.mouse.click(500, 350)
    expect(page.locator(".popup")).to_contain_text("Spain")
    page.keyboard.press("Escape")
    expect(page.locator(".popup")).to_have_count(0)


def test_without_popups_nothing_opens(page: Page, world: World) -> None:
    show(page, world.iframe("bounds=-10,36,4,44"))
    with page.expect_event("console", predicate=lambda message: message.text == "clicked"):
        page.evaluate("window.graticuleMap.once('click', () => console.log('clicked'))")
        page.mouse.click(500, 350)
    expect(page.locator(".popup")).to_have_count(0)


def test_the_layer_list_switches_layers(page: Page, world: World) -> None:
    show(page, world.iframe(f"layerlist=true&layerlist_expanded=true&{EUROPE}"))
    lakes, europe = (str(world.layers[name]) for name in ("Lakes", "Europe"))
    before = share_of(pixels(page), COLOURS["Europe"])
    assert before > 1000
    page.locator(f'input[data-layer="{europe}"]').uncheck()
    page.wait_for_selector(IDLE, state="attached")
    assert europe not in rendered(page)
    assert share_of(pixels(page), COLOURS["Europe"]) < before / 10
    # A folder switches what is in it.
    assert lakes in rendered(page)
    page.locator(f'input[data-layer="{world.layers["Reference"]}"]').uncheck()
    page.wait_for_selector(IDLE, state="attached")
    assert lakes not in rendered(page)
    page.locator(f'input[data-layer="{europe}"]').check()
    page.wait_for_selector(IDLE, state="attached")
    assert europe in rendered(page)


@pytest.mark.parametrize(
    ("query", "selector"),
    [
        ("toolbar=true", "[data-tool=extent]"),
        ("layerlist=1", ".layerlist-head"),
        ("scalebar", ".maplibregl-ctrl-scale"),
    ],
)
def test_controls_are_there_when_asked_for(page: Page, world: World, query: str, selector: str) -> None:
    show(page, world.iframe())
    expect(page.locator(selector)).to_have_count(0)
    show(page, world.iframe(query))
    expect(page.locator(selector)).to_be_visible()


def test_bounds_say_what_is_shown(page: Page, world: World) -> None:
    show(page, world.iframe("bounds=10,45,20,50"))
    west, south, east, north = page.evaluate("window.graticuleMap.getBounds().toArray().flat()")
    assert west <= 10.1
    assert east >= 19.9
    assert south <= 45.1
    assert north >= 49.9
    assert (east - west < 20) or (north - south < 10)


def test_only_the_layers_named_by_visibility_are_shown(page: Page, world: World) -> None:
    countries = world.layers["Countries"]
    show(page, world.iframe(f"{EUROPE}&visibility={countries}"))
    assert set(rendered(page)) == {str(countries)}


def test_a_stranger_gets_nothing(page: Page, server: Server, world: World) -> None:
    answer = page.goto(f"/1/maps/{world.map_id}/render.iframe")
    assert answer is not None
    assert answer.status == 404
    assert "Six layers" not in page.content()
    assert page.locator("#config").count() == 0
    for path in (f"maps/{world.map_id}/style.json", f"layers/{world.layers['Europe']}/tiles/0/0/0.mvt"):
        assert page.request.get(f"/1/{path}").status == 404


def test_shared_with_everyone_it_needs_no_key(page: Page, world: World) -> None:
    shares = f"resources/{world.resource_id}/permissions"
    share = world.owner.post(shares, json={"username": "anonymous", "permission": "READ"}).json()
    try:
        assert show(page, f"/1/maps/{world.map_id}/render.iframe?{EUROPE}") == []
        assert str(world.layers["Countries"]) in rendered(page)
    finally:
        world.owner.delete(f"{shares}/{share['id']}")
    answer = page.goto(f"/1/maps/{world.map_id}/render.iframe")
    assert answer is not None
    assert answer.status == 404


def test_an_unreachable_basemap_breaks_nothing(page: Page, world: World) -> None:
    source = '{"type": "tile", "src": "http://127.0.0.1:9/{z}/{x}/{y}.png"}'
    body = {"mid": world.map_id, "name": "Nowhere", "type": "tile", "source": source, "order": -5}
    layer = world.owner.post("layers.json", json=body).json()["id"]
    try:
        show(page, world.iframe(EUROPE))
        expect(page.locator(".notice")).to_be_visible()
        assert str(world.layers["Countries"]) in rendered(page)
    finally:
        world.owner.delete(f"layers/{layer}")


def test_signing_in_and_the_list_of_maps(page: Page, world: World) -> None:
    page.goto("/")
    page.fill("[name=username]", world.owner.username)
    page.fill("[name=password]", "wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_text("wrong", exact=False).first).to_be_visible()
    page.fill("[name=username]", world.owner.username)
    page.fill("[name=password]", "a long password")
    page.keyboard.press("Enter")
    thumbnail = page.locator(f'img[src*="/1/maps/{world.map_id}/render.png"]')
    expect(thumbnail).to_be_visible()
    page.get_by_text("Six layers").first.click()
    page.wait_for_selector(IDLE, state="attached")
    assert page.url.endswith(f"/map/{world.map_id}")


@pytest.mark.parametrize("path", ["/login", "/map/{map}?api_key={key}", "/1/maps/{map}/render.iframe?api_key={key}"])
def test_phones_do_not_scroll_sideways(browser: Browser, server: Server, world: World, path: str) -> None:
    context = browser.new_context(base_url=server.url, viewport={"width": 360, "height": 740})
    page = context.new_page()
    page.goto(path.format(map=world.map_id, key=world.owner.key))
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    context.close()
