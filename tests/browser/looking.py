"""What there is to see on a map page."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Page

from tests.browser.world import Colour

IDLE = "html[data-map-state=idle]"


def show(page: Page, path: str) -> None:
    """Open a map and wait until it is drawn."""
    page.goto(path)
    wait_until_drawn(page)


def wait_until_drawn(page: Page) -> None:
    page.wait_for_selector(IDLE, state="attached")


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


def view(page: Page) -> list[float]:
    """West, south, east and north of what is shown, in degrees."""
    sides: list[float] = page.evaluate("window.graticuleMap.getBounds().toArray().flat()")
    return sides


def on_screen(page: Page, longitude: float, latitude: float) -> tuple[float, float]:
    """Where a place is on the page, in pixels."""
    at: dict[str, Any] = page.evaluate(
        """place => {
            const {x, y} = window.graticuleMap.project(place);
            const {left, top} = window.graticuleMap.getContainer().getBoundingClientRect();
            return {x: x + left, y: y + top};
        }""",
        [longitude, latitude],
    )
    return at["x"], at["y"]


def pixels(page: Page) -> NDArray[np.int64]:
    return decoded(page.screenshot())


def decoded(picture: bytes) -> NDArray[np.int64]:
    """A picture as (height, width, 3)."""
    with Image.open(io.BytesIO(picture)) as opened:
        return np.asarray(opened.convert("RGB")).astype(np.int64)


def count_of(picture: NDArray[np.int64], colour: Colour) -> int:
    """How many pixels have that colour, or nearly."""
    return int((np.abs(picture - colour) < 10).all(axis=-1).sum())
