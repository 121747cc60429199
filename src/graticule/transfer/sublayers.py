"""The layers of a file, and what a caller wants of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from graticule.model.features import Family


@dataclass(frozen=True, slots=True)
class Sublayer:
    """One layer of a file. ``families`` lists those it has features of, the first feature's first."""

    name: str
    families: tuple[Family, ...]
    geometry_type: str | None
    feature_count: int

    @property
    def family(self) -> Family | None:
        """The family of the first feature with a geometry."""
        return self.families[0] if self.families else None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the caller says of the file: the family to take, and what the file itself may not say."""

    family: Family | None = None
    encoding: str | None = None
    crs: str | None = None
    x_column: str | None = None
    y_column: str | None = None
    wkt_column: str | None = None
