"""Features of several layers in one list, each encoded with the members that say where it was found."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import orjson

from graticule.actions.found import CLASS
from graticule.api.schemas.features import FeatureFormat, encode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from graticule.actions.found import Found
    from graticule.geometry.crs import Crs
    from graticule.model.features import Batch


def encode_found(
    found: Sequence[Found],
    members: Sequence[Mapping[str, Any]],
    target: Crs,
    *,
    geometry: str | None = None,
    attributes: bool = True,
    jsonp: bool = False,
) -> list[bytes]:
    """The features in their order as JSON objects, each beginning with its own ``members``."""
    encoded: dict[int, list[bytes]] = {}
    for one in found:
        if id(one.batch) not in encoded:
            how = FeatureFormat(one.data.crs, target, geometry, attributes, jsonp)
            encoded[id(one.batch)] = encode(_shown(one.batch), how)
    return [
        orjson.dumps(dict(own))[:-1] + b"," + encoded[id(one.batch)][one.at][1:]
        for one, own in zip(found, members, strict=True)
    ]


def _shown(batch: Batch) -> Batch:
    """The batch without what was asked of it only to find out why it was hit."""
    return replace(batch, columns={name: held for name, held in batch.columns.items() if name != CLASS})
