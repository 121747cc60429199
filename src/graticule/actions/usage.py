"""How much the accounts hold: features in files and in tables, bytes in storage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from graticule.catalogue.orm import Dataset
from graticule.transfer.drivers import FORMATS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graticule.backend import Backend

RASTER_SUFFIXES = frozenset(suffix for known in FORMATS if known.kind == "raster" for suffix in known.extensions)


@dataclass(frozen=True, slots=True)
class Usage:
    """Of one account: features read in from files and services, features in tables; bytes of rasters and of all files.

    What is read in from a file is not counted a second time among the bytes.
    """

    file_features: int = 0
    table_features: int = 0
    raster_bytes: int = 0
    total_bytes: int = 0


def usage_of(backend: Backend, accounts: Sequence[int]) -> dict[int, Usage]:
    """The usage of each of the accounts."""
    with backend.catalogue.read() as session:
        statement = select(Dataset.account_id, Dataset.kind, Dataset.store_table)
        rows = session.execute(statement.where(Dataset.account_id.in_(accounts), Dataset.kind != "external")).all()
    kinds: dict[int, dict[str, str]] = {}
    for account, kind, name in rows:
        kinds.setdefault(account, {})[name] = kind
    return {account: _usage(backend, account, kinds.get(account, {})) for account in accounts}


def _usage(backend: Backend, account: int, kinds: dict[str, str]) -> Usage:
    features = {True: 0, False: 0}
    for name, number in backend.store.counts(account).items() if kinds else ():
        if name in kinds:
            features[kinds[name] == "table"] += number
    sizes = backend.files.usage(account)
    rasters = sum(size for suffix, size in sizes.items() if suffix in RASTER_SUFFIXES)
    return Usage(features[False], features[True], rasters, sum(sizes.values()))
