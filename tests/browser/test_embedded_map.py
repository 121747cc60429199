"""The embedded map in headless Chromium: what is drawn, what its parameters do, and what a stranger gets."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.browser.looking import count_of, on_screen, pixels, rendered, show, view, wait_until_drawn
from tests.browser.world import COLOURS, FOLDER, LAYERS, World, sent
from tests.server import Server

EUROPE = "bounds=-12,34,40,66"
SPAIN = "bounds=-10,36,4,44"
MADRID = (-3.7, 40.0)
VECTOR = tuple(name for name, _, _ in LAYERS if name != "Earth")
LIST = "layerlist=true&layerlist_expanded=true"


def is_a_picture(part: np.ndarray) -> bool:
    """Whether it is the sea of the satellite picture: dark blue, and not of one colour."""
    flat = part.reshape(-1, 3)
    return flat[:, 2].mean() > flat[:, 0].mean() + 10 and len(np.unique(flat, axis=0)) > 20


# ---------------------------------------------------------------- what is drawn


def test_all_layers_are_drawn(page: Page, world: World) -> None:
    show(page, world.iframe(EUROPE))
    drawn = rendered(page)
    for name in VECTOR:
        assert drawn.get(str(world.layers[name]), 0) > 0, name
    picture = pixels(page)
    for name, colour in COLOURS.items():
        assert count_of(picture, colour) > 30, name
    assert is_a_picture(picture[200:400, 60:160])


def test_labels_stand_above_all_geometry(page: Page, world: World) -> None:
    show(page, world.iframe(SPAIN))
    kinds = page.evaluate("window.graticuleMap.getStyle().layers.map(layer => layer.type)")
    assert kinds.index("symbol") > max(at for at, kind in enumerate(kinds) if kind != "symbol")
    labels = "window.graticuleMap.queryRenderedFeatures().filter(one => one.layer.type === 'symbol')"
    assert "Spain" in page.evaluate(f"{labels}.map(one => one.properties.Name)")


def test_a_layer_alone(page: Page, world: World) -> None:
    lakes = world.layers["Lakes"]
    show(page, f"/1/layers/{lakes}/render.iframe?api_key={world.owner.key}&layerlist=1&layerlist_expanded=1")
    assert set(rendered(page)) == {str(lakes)}
    expect(page.locator(".layerlist li")).to_have_count(1)
    expect(page).to_have_title("Lakes")


def test_a_layer_alone_is_drawn_though_its_map_hides_it(page: Page, world: World, hidden_cities: str) -> None:
    show(page, world.iframe(EUROPE))
    assert hidden_cities not in rendered(page)
    show(page, f"/1/layers/{hidden_cities}/render.iframe?api_key={world.owner.key}")
    assert hidden_cities in rendered(page)


@pytest.fixture
def hidden_cities(world: World) -> Iterator[str]:
    layer = f"layers/{world.layers['Cities']}.json"
    sent(world.owner.put(layer, json={"visible": "f"}))
    yield str(world.layers["Cities"])
    sent(world.owner.put(layer, json={"visible": "t"}))


def test_an_unreachable_basemap_breaks_nothing(page: Page, world: World, troubles: list[str]) -> None:
    source = json.dumps({"type": "tile", "src": "http://tiles.invalid/{z}/{x}/{y}.png"})
    body = {"mid": world.map_id, "name": "Nowhere", "type": "tile", "source": source, "order": -5}
    layer = sent(world.owner.post("layers.json", json=body))["id"]
    try:
        show(page, world.iframe(EUROPE))
        expect(page.locator(".notice")).to_contain_text("Nowhere")
        assert set(rendered(page)) == {str(world.layers[name]) for name in VECTOR}
        picture = pixels(page)
        assert count_of(picture, COLOURS["Europe"]) > 1000
        assert is_a_picture(picture[200:400, 60:160])
        page.get_by_role("button", name="Dismiss").click()
        expect(page.locator(".notice")).to_have_count(0)
    finally:
        world.owner.delete(f"layers/{layer}")
    assert troubles
    assert all("ERR_" in trouble for trouble in troubles), troubles
    troubles.clear()


# ---------------------------------------------------------------- parameters


@pytest.mark.parametrize(
    ("query", "selector"),
    [
        ("toolbar=true", "[data-tool=extent]"),
        ("layerlist=1", ".layerlist-head"),
        (LIST, ".layerlist-body"),
        ("scalebar", ".maplibregl-ctrl-scale"),
    ],
)
def test_controls_are_there_when_asked_for(page: Page, world: World, query: str, selector: str) -> None:
    page.goto(world.iframe("layerlist=1&layerlist_expanded=0" if "expanded" in query else ""))
    expect(page.locator("canvas")).to_be_visible()
    expect(page.locator(selector)).to_be_hidden()
    page.goto(world.iframe(query))
    expect(page.locator(selector)).to_be_visible()


def test_the_tools_zoom(page: Page, world: World) -> None:
    show(page, world.iframe(f"toolbar=1&{SPAIN}"))
    start = view(page)
    widths = []
    for name in ("Zoom in", "Zoom out", "Zoom out", "Full extent"):
        page.get_by_role("button", name=name).click()
        wait_until_drawn(page)
        west, _, east, _ = view(page)
        widths.append((east - west) / (start[2] - start[0]))
    assert widths == pytest.approx([0.5, 1, 2, 1], rel=0.1)


@pytest.mark.parametrize("query", ["bounds=10,45,20,50", "bound=1113195,5621521,2226390,6446276&srid=3857"])
def test_bounds_say_what_is_shown(page: Page, world: World, query: str) -> None:
    show(page, world.iframe(query))
    west, south, east, north = view(page)
    assert west <= 10.1
    assert east >= 19.9
    assert south <= 45.1
    assert north >= 49.9
    assert east - west < 20 or north - south < 10


def test_only_the_layers_named_by_visibility_are_shown(page: Page, world: World) -> None:
    countries = world.layers["Countries"]
    show(page, world.iframe(f"{EUROPE}&visibility={countries}"))
    assert set(rendered(page)) == {str(countries)}
    assert not is_a_picture(pixels(page)[200:400, 60:160])


@pytest.mark.parametrize(
    ("query", "size"), [("", (1000, 700)), ("width=400&height=300px", (400, 300)), ("width=50%", (500, 700))]
)
def test_width_and_height(page: Page, world: World, query: str, size: tuple[int, int]) -> None:
    page.goto(world.iframe(query))
    box = page.locator("canvas").bounding_box()
    assert box is not None
    assert (box["width"], box["height"]) == size


def test_a_feature_named_in_the_address_is_shown(page: Page, world: World) -> None:
    countries = world.layers["Countries"]
    found = sent(world.owner.get(f"layers/{countries}/features.json", params={"where": "NAME = 'Spain'"}))
    feature = found["data"][0]["__id"]
    show(page, world.iframe(f"popups=1&layer_id={countries}&feature_id={feature}"))
    expect(page.locator(".popup")).to_contain_text("Spain")
    west, south, east, north = view(page)
    assert -30 < west < -9
    assert 3 < east < 20
    assert south < 36 < 44 < north


@pytest.mark.parametrize("query", ["width=calc(1px)", "bounds=1,2,3", "visibility=a", "toolbar=maybe", "layer_id=x"])
def test_parameters_that_make_no_sense_are_named(world: World, query: str) -> None:
    answer = world.owner.get(f"maps/{world.map_id}/render.iframe?{query}")
    assert answer.status_code == 400
    assert answer.json()["nested"]["field"] == query.partition("=")[0]


# ---------------------------------------------------------------- pop-ups, tooltips, the layer list


@pytest.mark.parametrize("name", ["popups", "popupus"])
def test_a_pop_up_tells_of_what_was_clicked(page: Page, world: World, name: str) -> None:
    show(page, world.iframe(f"{name}=true&{SPAIN}"))
    page.mouse.click(*on_screen(page, *MADRID))
    popup = page.locator(".popup")
    expect(popup.get_by_role("row", name="Name Spain")).to_be_visible()
    expect(popup).to_contain_text("1 of 2")
    popup.get_by_role("button", name="Next feature").click()
    expect(popup.get_by_role("row", name="ADM0_A3 ESP")).to_be_visible()
    page.keyboard.press("Escape")
    expect(popup).to_have_count(0)


def test_without_popups_nothing_opens(page: Page, world: World) -> None:
    show(page, world.iframe(SPAIN))
    with page.expect_event("console", predicate=lambda message: message.text == "clicked"):
        page.evaluate("window.graticuleMap.once('click', () => console.log('clicked'))")
        page.mouse.click(*on_screen(page, *MADRID))
    expect(page.locator(".popup")).to_have_count(0)


def test_the_tooltip_follows_the_pointer(page: Page, world: World) -> None:
    show(page, world.iframe(SPAIN))
    page.mouse.move(*on_screen(page, *MADRID))
    expect(page.locator(".tooltip")).to_have_text("Spain")
    page.mouse.move(*on_screen(page, -8, 39.5))
    expect(page.locator(".tooltip")).to_have_text("Portugal")
    page.mouse.move(*on_screen(page, 2.5, 38.5))
    expect(page.locator(".tooltip")).to_be_hidden()


def test_the_layer_list_switches_layers(page: Page, world: World) -> None:
    show(page, world.iframe(f"{LIST}&{EUROPE}"))
    lakes, europe, earth = (world.layers[name] for name in ("Lakes", "Europe", "Earth"))
    before = count_of(pixels(page), COLOURS["Europe"])
    assert before > 1000
    for layer in (europe, earth):
        page.locator(f'input[data-layer="{layer}"]').uncheck()
    wait_until_drawn(page)
    assert str(europe) not in rendered(page)
    picture = pixels(page)
    assert count_of(picture, COLOURS["Europe"]) < before / 10
    assert not is_a_picture(picture[400:600, 20:120])
    page.locator(f'input[data-layer="{europe}"]').check()
    wait_until_drawn(page)
    assert str(europe) in rendered(page)
    assert str(lakes) in rendered(page)


def test_a_folder_switches_and_folds_what_is_in_it(page: Page, world: World) -> None:
    show(page, world.iframe(f"{LIST}&{EUROPE}"))
    inside = {str(world.layers[name]) for name in ("Lakes", "Borders")}
    assert inside <= set(rendered(page))
    page.get_by_role("checkbox", name=FOLDER).uncheck()
    wait_until_drawn(page)
    assert not inside & set(rendered(page))
    expect(page.locator(".dimmed")).to_have_count(2)
    page.get_by_role("checkbox", name=FOLDER).check()
    wait_until_drawn(page)
    assert inside <= set(rendered(page))
    lakes = page.get_by_role("checkbox", name="Lakes")
    page.get_by_role("button", name=f"Fold {FOLDER}").click()
    expect(lakes).to_be_hidden()
    page.get_by_role("button", name=f"Fold {FOLDER}").click()
    expect(lakes).to_be_visible()


def test_a_layer_is_switched_by_keyboard(page: Page, world: World) -> None:
    show(page, world.iframe(f"{LIST}&{EUROPE}"))
    cities = page.locator(f'input[data-layer="{world.layers["Cities"]}"]')
    for _ in range(10):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.dataset.layer ?? ''") == str(world.layers["Cities"]):
            break
    expect(cities).to_be_focused()
    page.keyboard.press("Space")
    expect(cities).not_to_be_checked()
    wait_until_drawn(page)
    assert str(world.layers["Cities"]) not in rendered(page)


def test_the_legend_shows_the_layers_own_looks(page: Page, world: World) -> None:
    page.goto(world.iframe(LIST))
    row = {name: page.locator("li", has=page.locator(f'> .row [data-layer="{world.layers[name]}"]')) for name in VECTOR}
    cities, borders, lakes = (row[name].locator(".swatch > *") for name in ("Cities", "Borders", "Lakes"))
    expect(cities).to_have_attribute("fill", "#dc0000")
    expect(cities).to_have_attribute("stroke", "#ffffff")
    expect(row["Cities"]).to_contain_text("A million people and more")
    expect(borders.first).to_have_attribute("stroke", "#50003c")
    expect(borders.last).to_have_attribute("stroke", "#ff00c8")
    expect(borders.last).to_have_attribute("stroke-dasharray", "12 6")
    expect(lakes).to_have_attribute("fill", "#0078ff")


# ---------------------------------------------------------------- who may see it


def test_a_stranger_gets_nothing(page: Page, world: World, troubles: list[str]) -> None:
    answer = page.goto(f"/1/maps/{world.map_id}/render.iframe")
    assert answer is not None
    assert answer.status == 404
    assert "Six layers" not in page.content()
    assert page.locator("#config").count() == 0
    expect(page.get_by_role("link", name="Sign in")).to_have_attribute("href", f"/login?next=/map/{world.map_id}")
    for path in paths_of(world):
        assert page.request.get(f"/1/{path}").status == 404, path
        assert page.request.get(f"/1/{path}?api_key={world.owner.key}").status == 200, path
    troubles.clear()


def paths_of(world: World) -> list[str]:
    """What an embedded map is made of."""
    vector, raster = (f"layers/{world.layers[name]}/tiles/0/0/0" for name in ("Europe", "Earth"))
    return [f"maps/{world.map_id}/style.json", f"{vector}.mvt", f"{raster}.png", f"maps/{world.map_id}/render.iframe"]


def test_shared_with_everyone_it_needs_no_key_and_only_then(
    page: Page, server: Server, world: World, troubles: list[str]
) -> None:
    shares = f"resources/{world.resource_id}/permissions"
    share = sent(world.owner.post(shares, json={"username": "anonymous", "permission": "READ"}))
    try:
        show(page, f"/1/maps/{world.map_id}/render.iframe?{EUROPE}")
        assert str(world.layers["Countries"]) in rendered(page)
        assert troubles == []
    finally:
        world.owner.delete(f"{shares}/{share['id']}")
    with server.anonymous() as stranger:
        for path in paths_of(world):
            assert stranger.get(path).status_code == 404, path
