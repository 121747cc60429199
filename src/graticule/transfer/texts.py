"""The rows of a text table: CSV, TSV and the like, with coordinates, with WKT or without geometry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graticule.model.features import Column
from graticule.transfer import coordinates, delimited, inference, projections
from graticule.transfer.attributes import unique_names
from graticule.transfer.sublayers import Sublayer, Wanted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pyarrow as pa

    from graticule.model.features import Family
    from graticule.transfer.shapes import Shapes


def listed(path: Path) -> list[Sublayer]:
    """The one layer of a text table."""
    rows = TextRows(path, Wanted())
    return [Sublayer(path.stem, (rows.family,) if rows.family else (), None, rows.feature_count)]


class TextRows:
    """The rows of a text table. A first pass finds the types of the columns and looks at every geometry."""

    def __init__(self, path: Path, wanted: Wanted) -> None:
        self._path, self._wanted = path, wanted
        self._dialect = delimited.sniff(path, wanted.encoding)
        self.family: Family | None = None
        self.multi = self.has_z = False
        self.feature_count = 0
        stated = projections.stated(wanted.crs) if wanted.crs else None
        survey = self._survey(lonlat=stated in (None, projections.LONLAT))
        self._place = survey.place if survey is not None and self.family else None
        own = stated or (survey.srid if survey else None) or projections.LONLAT
        self.crs: str | None = own if self.family else None
        self._set_columns()

    def _survey(self, *, lonlat: bool) -> coordinates.Survey | None:
        place = coordinates.find(
            self._dialect.header, x=self._wanted.x_column, y=self._wanted.y_column, shape=self._wanted.wkt_column,
            decimal_comma=self._dialect.decimal_comma,
        )  # fmt: skip
        survey = coordinates.Survey(place, lonlat=lonlat) if place is not None else None
        kinds = [inference.Candidates(self._dialect.decimal_comma) for _ in self._dialect.header]
        for batch in delimited.read(self._path, self._dialect):
            self.feature_count += len(batch)
            for candidates, values in zip(kinds, batch.columns, strict=True):
                candidates.add(values)
            if survey is not None:
                survey.add(batch)
        self._found = [candidates.found for candidates in kinds]
        if survey is not None:
            survey.settle(self, self._path.name, self._wanted.family, self._line)
        return survey

    def _line(self, row: int) -> str:
        return f"line {delimited.line_of(self._path, self._dialect, row)}"

    def _set_columns(self) -> None:
        shape = self._place.shape if self._place is not None else None
        self._kept = [at for at in range(len(self._dialect.header)) if at != shape]
        names = unique_names(self._dialect.header[at] for at in self._kept)
        kinds = [inference.kind_of(self._found[at]) for at in self._kept]
        self.columns = tuple(Column(name, kind) for name, kind in zip(names, kinds, strict=True))

    def read(self) -> Iterator[tuple[list[pa.Array], Shapes | None]]:
        """Batch by batch."""
        for batch in delimited.read(self._path, self._dialect):
            values = [inference.convert(batch.column(at), self._found[at]) for at in self._kept]
            yield values, coordinates.build(batch, self._place)[0] if self._place is not None else None
