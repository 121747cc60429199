"""What the parameters of the embedded map that select, zoom, decorate and take away do to what there is to see."""

from __future__ import annotations

import hashlib
import io
import math
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from tests.browser.looking import rendered, show, view, wait_until_drawn
from tests.browser.world import World, sent
from tests.server import Server

EUROPE = "bounds=-12,34,40,66"
HIGHLIGHT = "graticule-selected-line"


def names_of(page: Page, layer: int) -> set[str]:
    """The countries that are drawn of a layer."""
    script = """layer => window.graticuleMap.queryRenderedFeatures()
        .filter(one => one.layer.metadata?.layer_id === layer).map(one => one.properties.NAME)"""
    return set(page.evaluate(script, layer))


def outlined(page: Page) -> list[Any]:
    """The filter of the outline around what is selected; empty where nothing is."""
    script = f"window.graticuleMap.getStyle().layers.find(one => one.id === '{HIGHLIGHT}')?.filter ?? []"
    found: list[Any] = page.evaluate(script)
    return found


def zoom(page: Page) -> float:
    level: float = page.evaluate("window.graticuleMap.getZoom()")
    return level


def id_of(world: World, where: str) -> int:
    found = sent(world.owner.get(f"layers/{world.layers['Countries']}/features.json", params={"where": where}))
    return int(found["data"][0]["__id"])


def alone(world: World, name: str, query: str) -> str:
    """The path of the embedded map of one layer."""
    return f"/1/layers/{world.layers[name]}/render.iframe?api_key={world.owner.key}&{query}"


# ---------------------------------------------------------------- what is drawn


def test_expressions_leave_the_other_features_out(page: Page, world: World) -> None:
    countries, lakes = world.layers["Countries"], world.layers["Lakes"]
    only = quote(f"{countries}~NAME IN ('Spain', 'a;b');{lakes}~FID < 0;{countries}~POP_EST > 1")
    show(page, world.iframe(f"{EUROPE}&visibility={countries},{lakes}&expressions={only}"))
    assert names_of(page, countries) == {"Spain"}
    assert str(lakes) not in rendered(page)
    expect(page.locator(".notice")).to_have_count(0)


def test_expressions_of_a_layer_alone(page: Page, world: World) -> None:
    countries = world.layers["Countries"]
    only = quote(f"{countries}~NAME LIKE 'S%'")
    show(page, alone(world, "Countries", f"{EUROPE}&expressions={only}"))
    assert {"Spain", "Sweden"} <= names_of(page, countries)
    assert {name[0] for name in names_of(page, countries)} == {"S"}


# ---------------------------------------------------------------- where the map begins


@pytest.mark.parametrize("of_layer", [False, True])
def test_a_feature_is_found_by_a_value(page: Page, world: World, of_layer: bool) -> None:
    query = "f=name&v=Spain"
    layer = world.layers["Countries"]
    show(page, alone(world, "Countries", query) if of_layer else world.iframe(f"{query}&layer_id={layer}"))
    west, south, east, north = view(page)
    assert -30 < west < -9 < 3 < east < 20
    assert 25 < south < 36.1 < 43.7 < north < 50
    page.wait_for_function(f"window.graticuleMap.getLayer('{HIGHLIGHT}')")
    assert id_of(world, "NAME = 'Spain'") in outlined(page)[1]


def test_several_features_are_found_by_a_value(page: Page, world: World) -> None:
    show(page, world.iframe(f"layer_id={world.layers['Countries']}&f=CONTINENT&v=South%20America"))
    west, south, east, north = view(page)
    assert -140 < west < -81 < -35 < east < 20
    assert south < -55 < 12 < north < 40
    assert outlined(page) == []


def test_a_feature_named_by_its_number_is_outlined(page: Page, world: World) -> None:
    spain = id_of(world, "NAME = 'Spain'")
    show(page, world.iframe(f"layer_id={world.layers['Countries']}&feature_id={spain}"))
    page.wait_for_function(f"window.graticuleMap.getLayer('{HIGHLIGHT}')")
    assert spain in outlined(page)[1]


def test_numscale_is_the_scale_that_pictures_have(page: Page, world: World) -> None:
    show(page, world.iframe("bounds=10,-5,20,5&numscale=2000000"))
    west, south, east, north = view(page)
    metres = 1000 * 0.00028 * 2_000_000
    assert math.radians(east - west) * 6378137 == pytest.approx(metres, rel=1e-3)
    assert ((west + east) / 2, (south + north) / 2) == pytest.approx((15, 0), abs=1e-3)


# ---------------------------------------------------------------- what is on the map


def test_noattrib_takes_the_attribution_away(page: Page, world: World) -> None:
    attribution = page.locator(".maplibregl-ctrl-attrib")
    show(page, world.iframe(EUROPE))
    expect(attribution).to_contain_text("Natural Earth & GeoNames")
    show(page, world.iframe(f"{EUROPE}&noattrib"))
    expect(attribution).to_have_count(0)
    expect(page.locator("body.noattrib")).to_have_count(1)


def test_noctrl_takes_all_controls_away(page: Page, world: World) -> None:
    asked = f"{EUROPE}&toolbar=1&layerlist=1&scalebar=1&search=1"
    controls = page.locator(".toolbar, .layerlist, .search, .maplibregl-ctrl-scale")
    show(page, world.iframe(asked))
    expect(controls).to_have_count(4)
    show(page, world.iframe(f"{asked}&noctrl=true"))
    expect(controls).to_have_count(0)
    expect(page.locator("body.noctrl")).to_have_count(1)
    expect(page.locator(".maplibregl-ctrl-attrib")).to_be_visible()


def test_layerlist_expanded_shows_the_list_opened(page: Page, world: World) -> None:
    page.goto(world.iframe("layerlist_expanded=true"))
    expect(page.locator(".layerlist-body")).to_be_visible()
    page.goto(world.iframe("layerlist_expanded=true&layerlist=false"))
    expect(page.locator("canvas")).to_be_visible()
    expect(page.locator(".layerlist")).to_have_count(0)


# ---------------------------------------------------------------- what can be done to it


@pytest.mark.parametrize(("query", "turned"), [("", True), ("&no3d=1", False)])
def test_no3d_keeps_the_map_flat_and_north_up(page: Page, world: World, query: str, turned: bool) -> None:
    show(page, world.iframe(f"{EUROPE}&visibility={world.layers['Countries']}{query}"))
    page.mouse.move(500, 350)
    page.mouse.down(button="right")
    page.mouse.move(650, 250, steps=4)
    page.mouse.up(button="right")
    page.locator("canvas").focus()
    for key in ("Shift+ArrowRight", "Shift+ArrowUp"):
        page.keyboard.press(key)
        wait_until_drawn(page)
    pan(page)
    bearing, pitch = page.evaluate("[window.graticuleMap.getBearing(), window.graticuleMap.getPitch()]")
    assert (abs(bearing) > 1, pitch > 1) == (turned, turned)


def pan(page: Page) -> None:
    """Move the map by a key, and wait until it is drawn there: what was asked for before has been done or refused."""
    page.locator("canvas").focus()
    page.evaluate("void (window.moved = new Promise(done => window.graticuleMap.once('moveend', () => done(true))))")
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("window.moved")
    wait_until_drawn(page)


def wheel(page: Page) -> None:
    page.mouse.move(500, 350)
    page.mouse.wheel(0, -400)


def double_click(page: Page) -> None:
    page.mouse.dblclick(500, 350)


def plus_key(page: Page) -> None:
    page.locator("canvas").focus()
    page.keyboard.press("+")


def drag_a_box(page: Page) -> None:
    page.keyboard.down("Shift")
    page.mouse.move(450, 300)
    page.mouse.down()
    page.mouse.move(550, 400, steps=3)
    page.mouse.up()
    page.keyboard.up("Shift")


def pinch(page: Page) -> None:
    """Two fingers that move apart."""
    session = page.context.new_cdp_session(page)
    for kind, apart in (("touchStart", 40), ("touchMove", 80), ("touchMove", 160), ("touchMove", 240), ("touchEnd", 0)):
        points = [{"x": 500 - apart, "y": 350, "id": 0}, {"x": 500 + apart, "y": 350, "id": 1}] if apart else []
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


@pytest.mark.parametrize("zooming", [wheel, double_click, plus_key, drag_a_box, pinch])
def test_lockzoom_refuses_every_way_of_zooming(page: Page, world: World, zooming: Any) -> None:
    seen = f"{EUROPE}&toolbar=1&visibility={world.layers['Countries']}"
    show(page, world.iframe(seen))
    start = zoom(page)
    zooming(page)
    page.wait_for_function("start => window.graticuleMap.getZoom() > start + 0.2", arg=start)
    show(page, world.iframe(f"{seen}&lockzoom=true"))
    start, west = zoom(page), view(page)[0]
    zooming(page)
    pan(page)
    assert zoom(page) == pytest.approx(start, abs=1e-9)
    assert view(page)[0] != pytest.approx(west)


def test_lockzoom_leaves_no_button_that_zooms(page: Page, world: World) -> None:
    layer = f"layer_id={world.layers['Countries']}&f=NAME&v=Spain"
    show(page, world.iframe(f"{EUROPE}&{layer}&toolbar=1&lockzoom=true"))
    start, west = zoom(page), view(page)[0]
    expect(page.locator(".tool")).to_have_count(1)
    page.get_by_role("button", name="Full extent").click()
    wait_until_drawn(page)
    assert zoom(page) == pytest.approx(start, abs=1e-9)
    assert view(page)[0] > west + 5


def test_the_search_box_finds_and_goes_there(page: Page, world: World) -> None:
    show(page, world.iframe(f"{EUROPE}&search=true&visibility={world.layers['Countries']}"))
    box = page.get_by_role("searchbox")
    box.fill("no such place")
    expect(page.locator(".results")).to_contain_text("Nothing was found")
    box.fill("portug")
    row = page.locator(".results button", has_text="Countries").first
    expect(row).to_contain_text("Portugal")
    row.click()
    page.wait_for_function(f"window.graticuleMap.getLayer('{HIGHLIGHT}')")
    assert id_of(world, "NAME = 'Portugal'") in outlined(page)[1]
    west, _, east, _ = view(page)
    assert east - west < 30
    expect(page.locator(".results")).to_be_hidden()


# ---------------------------------------------------------------- the owner's style sheet


def put_css(world: World, name: str, text: str) -> str:
    files = {"file": (name, io.BytesIO(text.encode()))}
    assert world.owner.post("storage/fs/looks/", files=files).status_code == 201
    return f"looks/{name}"


def test_the_owners_style_sheet_is_used_for_everybody(page: Page, public: World) -> None:
    path = put_css(public, "page.css", "#map { border: 7px solid rgb(1, 2, 3) } .noctrl #stage { opacity: 0.5 }")
    show(page, f"/1/maps/{public.map_id}/render.iframe?{EUROPE}&style={path}&noctrl=1")
    expect(page.locator("#map")).to_have_css("border-left", "7px solid rgb(1, 2, 3)")
    expect(page.locator("#stage")).to_have_css("opacity", "0.5")
    assert str(public.layers["Countries"]) in rendered(page)
    show(page, f"/1/layers/{public.layers['Lakes']}/render.iframe?style={path}")
    expect(page.locator("#map")).to_have_css("border-left", "7px solid rgb(1, 2, 3)")


def test_a_style_sheet_does_not_end_its_element(page: Page, world: World) -> None:
    text = (
        "#map { opacity: 0.5 } p::after { content: '</style><script>window.harm = 1</script><h6>' } #stage { top: 3px }"
    )
    show(page, world.iframe(f"{EUROPE}&style={put_css(world, 'harm.css', text)}"))
    expect(page.locator("h6")).to_have_count(0)
    assert page.evaluate("window.harm === undefined")
    expect(page.locator("#stage")).to_have_css("top", "3px")


@pytest.mark.parametrize(
    "css",
    [
        "@import '/1/storage/fs/looks/other.css';",
        "#map { background: URL(/1/maps/1/render.png?saveto=x.png) }",
        "#map { background: u\\72l(https://elsewhere.invalid/x.png) }",
        "#map { background: -webkit-image-set('https://elsewhere.invalid/x.png' 1x) }",
        "@\\69 mport '/x.css';",
    ],
)
def test_a_style_sheet_that_fetches_is_not_used(page: Page, world: World, css: str) -> None:
    path = put_css(world, "fetch.css", f"{css} #stage {{ opacity: 0.5 }}")
    page.goto(world.iframe(f"style={path}"))
    expect(page.locator(".notice")).to_contain_text("is not used")
    expect(page.locator("#stage")).to_have_css("opacity", "1")
    expect(page.locator("canvas")).to_be_visible()


def test_only_style_sheets_of_the_maps_owner_are_used(page: Page, server: Server, world: World) -> None:
    with server.new_user() as stranger:
        files = {"file": ("mine.css", io.BytesIO(b"#stage { opacity: 0.5 }"))}
        where = sent(stranger.post("storage/fs/looks/", files=files))
        assert where is not None
        account = hashlib.md5(str(stranger.user_id).encode(), usedforsecurity=False).hexdigest()
        for path in ("looks/mine.css", f"{account}/looks/mine.css"):
            page.goto(world.iframe(f"style={path}"))
            expect(page.locator(".notice")).to_contain_text("is not used")
            expect(page.locator("#stage")).to_have_css("opacity", "1")


# ---------------------------------------------------------------- what makes no sense


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("expressions=999999999~NAME='x'", "no layer 999999999"),
        ("layer_id={Countries}&f=NAME&v=Atlantis", "NAME = Atlantis"),
        ("layer_id=999999999&f=NAME&v=Spain", "no layer 999999999"),
        ("layer_id={Earth}&f=NAME&v=Spain", "to find features of"),
        ("expressions={Earth}~a=1", "to select features of"),
        ("style=looks/missing.css", "looks/missing.css is not used"),
    ],
)
def test_what_is_not_there_is_said_and_the_map_is_drawn(page: Page, world: World, query: str, says: str) -> None:
    show(page, world.iframe(f"{EUROPE}&" + query.format(**world.layers)))
    expect(page.locator(".notice")).to_contain_text(says)
    assert str(world.layers["Countries"]) in rendered(page)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("expressions={Countries}", "expressions"),
        ("expressions=x~NAME='a'", "expressions"),
        ("expressions={Countries}~", "expressions"),
        ("expressions={Countries}~nothing=1", "expressions"),
        ("expressions={Countries}~NAME='a", "expressions"),
        ("expressions={Countries}~NAME='a'; DROP TABLE x", "expressions"),
        ("expressions=99999999999999999999~a=1", "expressions"),
        ("layer_id={Countries}&f=nothing&v=1", "f"),
        ("layer_id={Countries}&f=POP_EST&v=many", "v"),
        ("layer_id={Countries}&f=NAME", "v"),
        ("layer_id={Countries}&v=Spain", "f"),
        ("numscale=0.5", "numscale"),
        ("numscale=nan", "numscale"),
        ("noattrib=perhaps", "noattrib"),
        ("noctrl=perhaps", "noctrl"),
        ("no3d=perhaps", "no3d"),
        ("lockzoom=perhaps", "lockzoom"),
        ("search=perhaps", "search"),
        ("layerlist_expanded=perhaps", "layerlist_expanded"),
        ("style=page.txt", "style"),
        ("style=../page.css", "style"),
        ("style=%00.css", "style"),
        ("width=1px%3Bcolor:red", "width"),
        ("height=1px%7D", "height"),
    ],
)
def test_bad_values_are_named(world: World, query: str, field: str) -> None:
    for path in (f"maps/{world.map_id}", f"layers/{world.layers['Countries']}"):
        answer = world.owner.get(f"{path}/render.iframe?{query.format(**world.layers)}")
        assert answer.status_code == 400, path
        assert answer.json()["nested"]["field"] == field


def test_f_without_a_layer_is_named(world: World) -> None:
    answer = world.owner.get(f"maps/{world.map_id}/render.iframe?f=NAME&v=Spain")
    assert (answer.status_code, answer.json()["nested"]["field"]) == (400, "layer_id")


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("layers/{Countries}/tiles/0/0/0.mvt?where=nothing=1", "where"),
        ("layers/{Countries}/tiles/0/0/0.mvt?where=NAME=", "where"),
        ("maps/{map}/tiles/0/0/0.mvt?expressions={Countries}~NAME", "expressions"),
        ("maps/{map}/style.json?expressions={Countries}~NAME", "expressions"),
        ("layers/{Countries}/style.json?expressions={Countries}~x=1", "expressions"),
    ],
)
def test_bad_conditions_of_tiles_are_named(world: World, path: str, field: str) -> None:
    answer = world.owner.get(path.format(**world.layers, map=world.map_id))
    assert (answer.status_code, answer.json()["nested"]["field"]) == (400, field)


def test_tiles_of_a_map_hold_what_expressions_say(world: World) -> None:
    tile = f"maps/{world.map_id}/tiles/0/0/0.mvt"
    countries = world.layers["Countries"]
    one = world.owner.get(tile, params={"expressions": f"{countries}~NAME = 'Spain'"}).content
    assert b"Spain" in one
    assert b"Brazil" not in one
    assert b"Brazil" in world.owner.get(tile).content
