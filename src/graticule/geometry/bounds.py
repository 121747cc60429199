"""The ``bounds`` of a request, and the boxes that they mean in the projection of a table."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from graticule.errors import BadRequest
from graticule.geometry.crs import WGS84_RADIUS, Crs
from graticule.geometry.reproject import reproject_boxes
from graticule.geometry.shown import shown

if TYPE_CHECKING:
    from graticule.model.features import Box

EDGES = ("xmin", "ymin", "xmax", "ymax")
EXPECTED = "xmin,ymin,xmax,ymax"
EXPECTED_OF_MAP = '{"xmin": number, "ymin": number, "xmax": number, "ymax": number}'

# Half of the way around the world in EPSG:3857.
MERCATOR_HALF = math.pi * WGS84_RADIUS

# A box that no feature is in; still a number where stores keep single precision.
NOWHERE: Box = (1e30, 1e30, 1e30, 1e30)

# No projection has numbers as large; beyond it they mean no more, and their sums would soon be infinite.
FARTHEST = 1e25


@dataclass(frozen=True, slots=True)
class Bounds:
    """The four numbers as they were sent, in any order of corners."""

    xmin: float
    ymin: float
    xmax: float
    ymax: float


def parse_bounds(text: str, crs: Crs, field: str = "bounds") -> Bounds:
    """The bounds in ``xmin,ymin,xmax,ymax``, or in the JSON text that maps carry. Raises BadRequest.

    Geographic bounds that lie beyond a pole altogether are refused: they are those of another projection.
    """
    if text.lstrip().startswith("{"):
        bounds = Bounds(**(parse_map_bounds(text, field) or {}))
    else:
        bounds = Bounds(*_four(text, field))
    if crs.is_geographic and min(abs(bounds.ymin), abs(bounds.ymax)) > crs.half_turn / 2:
        raise BadRequest("The bounds lie beyond the poles.", field=field, value=shown(text), expected="degrees")
    return bounds


def _four(text: str, field: str) -> list[float]:
    try:
        numbers = [float(word) for word in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != 4 or not all(map(math.isfinite, numbers)):
        raise BadRequest("The bounds are not four numbers.", field=field, value=shown(text), expected=EXPECTED)
    return [_within_reach(number) for number in numbers]


def _within_reach(number: float) -> float:
    return min(max(number, -FARTHEST), FARTHEST)


def parse_map_bounds(value: Any, field: str = "bounds") -> dict[str, float] | None:
    """The four edges out of JSON text or an object; None for None, an empty text or ``null``. Raises BadRequest."""
    loaded = _load(value, field) if isinstance(value, str) else value
    if loaded is None:
        return None
    edges = {edge: loaded.get(edge) for edge in EDGES} if isinstance(loaded, dict) else {}
    numbers = {edge: number for edge, given in edges.items() if (number := _number(given)) is not None}
    if len(numbers) != 4:
        raise BadRequest(
            "The bounds need four finite numbers.", field=field, value=shown(value), expected=EXPECTED_OF_MAP
        )
    return numbers


def _load(text: str, field: str) -> Any:
    try:
        return orjson.loads(text) if text.strip() else None
    except orjson.JSONDecodeError as error:
        raise BadRequest(
            f"The bounds are not JSON: {error}.", field=field, value=shown(text), expected=EXPECTED_OF_MAP
        ) from error


def _number(value: Any) -> float | None:
    """A finite number, or the text of one, as older programs send it."""
    try:
        number = math.nan if value is None or isinstance(value, bool | list | dict) else float(value)
    except (ValueError, TypeError, OverflowError):
        return None
    return _within_reach(number) if math.isfinite(number) else None


def boxes_in(bounds: Bounds, crs: Crs, table_crs: Crs) -> tuple[Box, ...]:
    """The boxes, in the table's projection, that bounds given in ``crs`` mean: one or two, never none.

    Projected bounds may name any two opposite corners; Web Mercator goes around the world. Geographic ones take y in
    any order; xmin > xmax crosses the antimeridian, values beyond ±180 wrap, 360° or more is everything.
    Bounds that the table's projection shows nothing of mean ``NOWHERE``. Raises BadRequest when there is no way from
    the one projection to the other.
    """
    if crs.is_geographic:
        boxes = _geographic(bounds, crs, crs.same_as(table_crs))
    elif crs.is_web_mercator and not (_within_mercator(bounds) and table_crs.is_web_mercator):
        return boxes_in(_unrolled(bounds), Crs.wgs84(), table_crs)
    else:
        boxes = (_sorted(bounds),)
    found = tuple(reached for box in boxes for reached in reproject_boxes(box, crs, table_crs))
    return found or (NOWHERE,)


def _sorted(bounds: Bounds) -> Box:
    xs, ys = sorted((bounds.xmin, bounds.xmax)), sorted((bounds.ymin, bounds.ymax))
    return xs[0], ys[0], xs[1], ys[1]


def _geographic(bounds: Bounds, crs: Crs, stay: bool) -> tuple[Box, ...]:
    half, (ymin, ymax) = crs.half_turn, sorted((bounds.ymin, bounds.ymax))
    if not stay:
        ymin, ymax = max(ymin, -half / 2), min(ymax, half / 2)
    if bounds.xmax - bounds.xmin >= 2 * half:
        # Data may reach beyond the antimeridian without a break; everything has them too.
        reach = 2 * half if stay else half
        return ((-reach, ymin, reach, ymax),)
    return tuple((xmin, ymin, xmax, ymax) for xmin, xmax in _spans(bounds.xmin, bounds.xmax, half))


def _spans(xmin: float, xmax: float, half: float) -> tuple[tuple[float, float], ...]:
    """The one or two spans of longitude, within ±half, from ``xmin`` eastward to ``xmax``."""
    if -half <= xmin <= xmax <= half:
        return ((xmin, xmax),)
    west, east = _wrapped(xmin, half), _wrapped(xmax, half)
    return ((west, east),) if west <= east else ((west, half), (-half, east))


def _wrapped(x: float, half: float) -> float:
    return x if -half <= x <= half else (x + half) % (2 * half) - half


def _within_mercator(bounds: Bounds) -> bool:
    return max(abs(bounds.xmin), abs(bounds.xmax)) <= MERCATOR_HALF * (1 + 1e-9)


def _unrolled(bounds: Bounds) -> Bounds:
    """Web Mercator's bounds in degrees, still beyond ±180 where they were beyond the world."""
    box = reproject_boxes(_sorted(bounds), Crs.web_mercator(), Crs.wgs84())[0]
    return Bounds(*box)
