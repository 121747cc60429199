"""Features and rows as CSV, streamed in pieces."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from graticule.geometry import wkt
from graticule.geometry.reproject import reproject
from graticule.stores.base import GEOMETRY, KEY

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from graticule.api.schemas.features import FeatureFormat
    from graticule.model.features import Batch


def csv_pieces(batches: Iterator[Batch], names: Sequence[str], how: FeatureFormat | None) -> Iterator[bytes]:
    """A header line, then a line for each feature: its number, its attributes and, with ``how``, its geometry."""
    header = [KEY, *names, *([GEOMETRY] if how else [])]
    yield _lines([header])
    for batch in batches:
        columns = [batch.ids.tolist(), *(batch.columns[name] for name in names)]
        if how is not None:
            assert batch.geometry is not None
            columns.append(wkt.write(reproject(batch.geometry, how.source, how.target)))
        yield _lines(zip(*columns, strict=True))


def _lines(rows: object) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows(rows)  # type: ignore[arg-type]
    return out.getvalue().encode()
