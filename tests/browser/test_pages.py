"""The pages for people in headless Chromium: signing in, one's maps, making and sharing one, and what is not there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from graticule.actions.jobs import enter
from graticule.backend import open_backend
from graticule.catalogue.orm import Dataset, Job, Layer
from tests.browser.looking import IDLE, count_of, decoded, pixels, rendered, show, wait_until_drawn
from tests.browser.world import COLOURS, World, sent
from tests.server import PASSWORD, Caller, Server
from tests.sharing import new_file_layer, new_map, upload

HOSTILE = "<img src=x onerror=alert(1)>"


def sign_in(context: BrowserContext, server: Server, caller: Caller) -> None:
    """Give a browser the session of a user."""
    form = {"username": caller.username, "password": PASSWORD, "next": "/login"}
    answer = context.request.post(f"{server.url}/login", form=form, headers={"Origin": server.url})
    assert answer.status == 200


def fill_in(page: Page, username: str, password: str) -> None:
    page.get_by_label("User name").fill(username)
    page.get_by_label("Password").fill(password)
    page.keyboard.press("Enter")


# ---------------------------------------------------------------- signing in and out


def test_signing_in_and_out(page: Page, user: Caller, troubles: list[str]) -> None:
    page.goto("/")
    expect(page).to_have_url("/login")
    fill_in(page, user.username, "wrong")
    expect(page.get_by_role("alert")).to_contain_text("wrong")
    assert [trouble for trouble in troubles if "403" not in trouble] == []
    troubles.clear()
    fill_in(page, user.username, PASSWORD)
    expect(page).to_have_url("/")
    expect(page.locator("#status")).to_contain_text("You have no maps yet")
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url("/login")
    page.goto("/")
    expect(page).to_have_url("/login")


def test_a_stranger_signs_in_and_comes_back(page: Page, world: World, troubles: list[str]) -> None:
    answer = page.goto(f"/map/{world.map_id}")
    assert answer is not None
    assert answer.status == 404
    assert "Six layers" not in page.content()
    troubles.clear()
    page.get_by_role("link", name="Sign in").click()
    fill_in(page, world.owner.username, PASSWORD)
    expect(page).to_have_url(f"/map/{world.map_id}")
    expect(page.get_by_role("heading", name="Six layers")).to_be_visible()


def test_signing_in_leads_to_no_other_site(page: Page, user: Caller) -> None:
    page.goto("/login?next=//example.org/")
    fill_in(page, user.username, PASSWORD)
    expect(page).to_have_url("/")


@pytest.mark.parametrize(("path", "title"), [("/map/999999", "This map cannot be shown"), ("/nowhere", "no such page")])
def test_what_is_not_there(
    page: Page, server: Server, user: Caller, troubles: list[str], path: str, title: str
) -> None:
    sign_in(page.context, server, user)
    answer = page.goto(path)
    assert answer is not None
    assert answer.status == 404
    expect(page.get_by_role("heading")).to_contain_text(title)
    troubles.clear()
    page.get_by_role("link", name="My maps").click()
    expect(page).to_have_url("/")


# ---------------------------------------------------------------- one's maps


def test_my_maps_have_thumbnails(page: Page, server: Server, world: World) -> None:
    sign_in(page.context, server, world.owner)
    page.goto("/")
    thumbnail = page.locator(f'a[href="/map/{world.map_id}"] img')
    expect(thumbnail).to_have_js_property("naturalWidth", 320)
    picture = decoded(page.request.get(str(thumbnail.get_attribute("src"))).body())
    assert count_of(picture, COLOURS["Europe"]) > 100
    page.get_by_text("Six layers").click()
    expect(page).to_have_url(f"/map/{world.map_id}")


def test_maps_are_searched_and_deleted(page: Page, server: Server, user: Caller) -> None:
    for name in ("Rivers", "Railways"):
        sent(user.post("maps.json", json={"name": name}))
    sign_in(page.context, server, user)
    page.goto("/")
    expect(page.locator(".map-card")).to_have_count(2)
    page.get_by_label("Search maps").fill("rail")
    expect(page.locator(".map-card")).to_have_count(1)
    page.get_by_role("button", name="Delete Railways").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.locator("#status")).to_contain_text("No map is named like")
    page.get_by_label("Search maps").fill("")
    expect(page.locator(".map-card")).to_have_count(1)
    assert [found["name"] for found in sent(user.get("maps.json?type=private"))["data"]] == ["Rivers"]


def test_from_no_map_to_a_map_with_a_layer(page: Page, server: Server, user: Caller, data_dir: Path) -> None:
    sign_in(page.context, server, user)
    page.goto("/")
    page.get_by_role("button", name="New map").click()
    page.get_by_label("Name").fill("My first map")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="My first map")).to_be_visible()
    expect(page.locator("#welcome")).to_contain_text("ready for its first layer")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose files").click()
    with page.expect_navigation():
        chooser.value.set_files(data_dir / "countries.zip")
    wait_until_drawn(page)
    expect(page.locator("#welcome")).to_have_count(0)
    expect(page.get_by_role("checkbox", name="ne_110m_admin_0_countries")).to_be_checked()
    assert sum(rendered(page).values()) > 100
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Add a layer from a file").click()
    chooser.value.set_files(data_dir / "borders.gpx")
    expect(page.get_by_role("checkbox", name="borders")).to_be_checked()
    wait_until_drawn(page)
    assert len(rendered(page)) == 2


def test_a_file_that_is_being_read(page: Page, server: Server, user: Caller) -> None:
    upload(user, "", a__csv=b"lon,lat\n1,2\n")
    map_id = new_map(user)["id"]
    layer = new_file_layer(user, map_id, "a.csv")["id"]
    sign_in(page.context, server, user)
    with being_read(server, user, layer) as tell:
        page.goto(f"/map/{map_id}")
        state = page.locator(".layerlist-body .state")
        expect(state).to_have_text("being read… 0 %")
        box = page.get_by_role("checkbox")
        box.focus()
        tell(40)
        expect(state).to_have_text("being read… 40 %")
        expect(box).to_be_focused()
    expect(state).to_have_count(0)
    wait_until_drawn(page)
    assert sum(rendered(page).values()) == 1


@contextmanager
def being_read(server: Server, user: Caller, layer_id: str) -> Iterator[Callable[[int], None]]:
    """The layer stands as if a worker of another machine were reading its file; to be told how far that is."""
    backend = open_backend(server.settings)
    with backend.catalogue.write() as session:
        job = enter(session, user.user_id, "import", {})
        job.state, job.worker, job.claimed = "running", "another machine-1-alive", 2**40
        dataset = session.get_one(Layer, int(layer_id)).dataset
        assert dataset is not None
        dataset.status, dataset.job_id = "busy", job.id

    def tell(percentage: int) -> None:
        with backend.catalogue.write() as session:
            session.get_one(Job, job.id).percentage = percentage

    yield tell
    with backend.catalogue.write() as session:
        session.get_one(Job, job.id).state = "done"
        session.get_one(Dataset, dataset.id).status = "ready"
    backend.close()


def test_a_file_that_cannot_be_read_is_named(
    page: Page, server: Server, user: Caller, tmp_path: Path, troubles: list[str]
) -> None:
    made = sent(user.post("maps.json", json={"name": "Empty"}))
    sign_in(page.context, server, user)
    (tmp_path / "roads.geojson").write_text("no JSON")
    page.goto(f"/map/{made['id']}")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose files").click()
    chooser.value.set_files(tmp_path / "roads.geojson")
    expect(page.get_by_role("alert")).to_contain_text("roads.geojson")
    expect(page.locator("#welcome")).to_be_visible()
    assert sent(user.get("storage/fs/uploads/info.json"))["data"] == []
    assert all("400" in trouble for trouble in troubles), troubles
    troubles.clear()


# ---------------------------------------------------------------- sharing


@pytest.fixture
def own_map(user: Caller) -> dict[str, str]:
    found: dict[str, str] = sent(user.post("maps.json", json={"name": "To share"}))
    return found


def test_the_switch_shares_with_everyone(
    page: Page, server: Server, user: Caller, anonymous: Caller, own_map: dict[str, str]
) -> None:
    sign_in(page.context, server, user)
    page.goto(f"/map/{own_map['id']}")
    page.get_by_role("button", name="Share").click()
    switch = page.get_by_role("switch")
    expect(switch).not_to_be_checked()
    for wanted, status in ((True, 200), (False, 404)):
        switch.set_checked(wanted)
        expect(switch).to_be_enabled()
        assert anonymous.get(f"maps/{own_map['id']}.json").status_code == status
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


class Site:
    """Somebody else's web site, of one page."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.url = folder, f"http://localhost:{port}/page.html"

    def write(self, body: str) -> None:
        (self.folder / "page.html").write_text(f'<!doctype html><link rel="icon" href="data:,"><body>{body}</body>')


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path))) as running:
        thread = Thread(target=running.serve_forever)
        thread.start()
        yield Site(tmp_path, running.server_address[1])
        running.shutdown()
        thread.join()


def test_the_code_to_embed_shows_the_map_in_another_page(page: Page, server: Server, public: World, site: Site) -> None:
    sign_in(page.context, server, public.owner)
    page.goto(f"/map/{public.map_id}")
    page.get_by_role("button", name="Share").click()
    site.write(page.get_by_label("Embed code").input_value())
    page.goto(site.url)
    frame = page.frame_locator("iframe")
    expect(frame.locator(IDLE)).to_be_attached(timeout=30_000)
    expect(frame.locator(".layerlist")).to_be_visible()


def test_who_may_only_read_is_offered_no_change(
    page: Page, server: Server, user: Caller, other: Caller, own_map: dict[str, str]
) -> None:
    grant = {"username": other.username, "permission": "READ"}
    sent(user.post(f"resources/{own_map['resource_id']}/permissions.json", json=grant))
    sign_in(page.context, server, other)
    page.goto("/")
    expect(page.locator(".map-card")).to_contain_text(f"shared by {user.username}")
    expect(page.get_by_role("button", name="Delete")).to_have_count(0)
    page.get_by_text("To share").click()
    expect(page.locator(".layerlist")).to_contain_text("This map has no layers yet")
    for name in ("Share", "Add a layer from a file", "Choose files"):
        expect(page.get_by_role("button", name=name)).to_have_count(0)


def test_what_people_write_stays_text(page: Page, server: Server, user: Caller) -> None:
    made = sent(user.post("maps.json", json={"name": HOSTILE, "copyright": HOSTILE}))
    sent(user.post("layers.json", json={"mid": made["id"], "name": HOSTILE, "type": "folder"}))
    sign_in(page.context, server, user)
    show(page, f"/map/{made['id']}")
    expect(page.get_by_role("heading")).to_have_text(HOSTILE)
    expect(page.locator(".maplibregl-ctrl-attrib")).to_contain_text(HOSTILE)
    expect(page.get_by_role("checkbox", name=HOSTILE)).to_be_visible()
    assert page.locator("img[src=x]").count() == 0


# ---------------------------------------------------------------- screens


@pytest.fixture
def phone(browser: Browser, server: Server, world: World) -> Iterator[Page]:
    """A small screen in the dark."""
    context = browser.new_context(
        base_url=server.url, viewport={"width": 360, "height": 740}, color_scheme="dark", has_touch=True
    )
    sign_in(context, server, world.owner)
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("path", ["/", "/login", "/map/999999", "/map/{map}", "/1/maps/{map}/render.iframe?layerlist"])
def test_phones_do_not_scroll_sideways(phone: Page, world: World, path: str) -> None:
    phone.goto(path.format(map=world.map_id))
    expect(phone.locator("body")).to_have_css("background-color", "rgb(18, 23, 22)")
    assert phone.evaluate("document.documentElement.scrollWidth") <= 360


def test_the_map_on_a_phone(phone: Page, world: World) -> None:
    show(phone, f"/map/{world.map_id}")
    assert count_of(pixels(phone), COLOURS["Countries"]) > 1000
    expect(phone.locator(".layerlist-body")).to_be_hidden()
    phone.get_by_role("button", name="Layers").tap()
    expect(phone.get_by_role("checkbox", name="Lakes")).to_be_visible()
    # The bar that says that tiles are on their way, where it is farthest to the right.
    phone.evaluate("document.getAnimations().forEach(one => one.currentTime = 1190)")
    assert phone.evaluate("document.documentElement.scrollWidth") <= 360
