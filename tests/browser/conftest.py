"""One headless Chromium for all tests of a process, and pages that report what goes wrong in them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Request, Response, sync_playwright

from tests.browser.world import World, make_world, sent
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


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        yield running
        running.close()


@pytest.fixture(scope="session")
def world(server: Server, data_dir: Path) -> Iterator[World]:
    """The map of six layers; tests put back what they change in it."""
    with server.new_user() as owner:
        yield make_world(owner, data_dir)


@pytest.fixture
def public(world: World) -> Iterator[World]:
    """The map of six layers while everyone may see it."""
    shares = f"resources/{world.resource_id}/permissions"
    share = sent(world.owner.post(shares, json={"username": "anonymous", "permission": "READ"}))
    yield world
    assert world.owner.delete(f"{shares}/{share['id']}").status_code == 204


@pytest.fixture
def troubles() -> list[str]:
    """What went wrong in the page so far. A test that expects trouble looks at it and clears it."""
    return []


@pytest.fixture
def page(browser: Browser, server: Server, troubles: list[str]) -> Iterator[Page]:
    """A page of a browser that knows nothing yet; it must show no error, and load all that it asks for."""
    context = browser.new_context(base_url=server.url, viewport={"width": 1000, "height": 700})
    made = context.new_page()
    watch(made, troubles)
    yield made
    context.close()
    assert troubles == []


def watch(page: Page, troubles: list[str]) -> None:
    """Note errors on the console (violations of the content security policy among them), and requests that fail."""

    def failed(request: Request) -> None:
        # Whoever leaves a view or a page does without what was still on its way.
        if request.failure != "net::ERR_ABORTED":
            troubles.append(f"{request.failure}: {request.url}")

    def answered(response: Response) -> None:
        if response.status >= 400:
            troubles.append(f"{response.status}: {response.url}")

    page.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("requestfailed", failed)
    page.on("response", answered)
