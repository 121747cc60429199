"""Layers of a WFS: a copy of what the service has, in the store of who set the source, fetched anew when it is old.

Whoever asks gets the copy that is there; a new one is fetched beside it, by one thread of all processes.
"""

from __future__ import annotations

import fcntl
import json
import logging
import secrets
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from graticule.actions.datasets import FILE_PREFIX, Part, Stated, keeping, stage, suit
from graticule.catalogue.orm import Dataset, Layer
from graticule.errors import GraticuleError
from graticule.transfer.fetching import Unfetchable
from graticule.transfer.wfs import WfsServer, fetch_wfs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graticule.actions.datasets import Staged
    from graticule.backend import Backend
    from graticule.model.features import Family

# How long the first reading is waited for, in seconds; after that the layer is busy.
PATIENCE = 2.0
# After a failure a service is asked again when it is wanted and so many seconds have gone by.
RETRY = 60

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a source wants of a service; ``family`` None is that of the first feature."""

    url: str
    layer: str
    srs: str | None = None
    family: Family | None = None


def ensure_wfs_dataset(backend: Backend, account: int, datasource_id: int, asked: Asked) -> Dataset:
    """The copy of a service's layer, begun now if there was none; it may be busy still, or in error."""
    with backend.catalogue.write() as session:
        stated = json.dumps({"srs": asked.srs}) if asked.srs else None
        dataset = session.scalar(
            select(Dataset).where(
                Dataset.account_id == account,
                Dataset.kind == "wfs",
                Dataset.datasource_id == datasource_id,
                Dataset.path == asked.url,
                Dataset.sublayer == asked.layer,
                Dataset.family == asked.family,
                Dataset.stated == stated,
            )
        )
        if dataset is None:
            dataset = Dataset(account_id=account, kind="wfs", datasource_id=datasource_id, path=asked.url)
            dataset.sublayer, dataset.family, dataset.stated = asked.layer, asked.family, stated
            dataset.store_table, dataset.status, dataset.created = _new_name(), "busy", int(time.time())
            session.add(dataset)
    freshen(backend, dataset, PATIENCE)
    return dataset


def freshen(backend: Backend, dataset: Dataset, patience: float = 0.0, *, force: bool = False) -> None:
    """Begin to fetch the copy anew if it is older than it may be; ``patience`` is how many seconds to wait for it."""
    if dataset.kind != "wfs" or not (force or _is_due(backend, dataset)):
        return
    thread = threading.Thread(target=_refresh, args=(backend, dataset.id, dataset.refreshed), daemon=True)
    thread.start()
    if patience:
        thread.join(patience)


def _is_due(backend: Backend, dataset: Dataset) -> bool:
    if dataset.refreshed is None:
        return True
    age = backend.settings.wfs_refresh_seconds
    return time.time() >= dataset.refreshed + (age if dataset.status_text is None else min(age, RETRY))


def _refresh(backend: Backend, dataset_id: int, asked_for: int | None) -> None:
    """Fetch the copy anew, unless somebody is at it or has just done it. Failures are told in the catalogue."""
    try:
        with _alone(backend, dataset_id) as alone:
            if not alone:
                return
            with backend.catalogue.read() as session:
                dataset = session.get(Dataset, dataset_id)
            if dataset is not None and dataset.refreshed == asked_for:
                _fetch_anew(backend, dataset)
    except Exception:
        _log.exception("The copy of a WFS was not made")


@contextmanager
def _alone(backend: Backend, dataset_id: int) -> Iterator[bool]:
    """Whether no other thread of any process is at it; if so, it stays so until the end."""
    locks = backend.settings.data / "locks"
    locks.mkdir(exist_ok=True)
    with (locks / f"wfs-{dataset_id}").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def _fetch_anew(backend: Backend, dataset: Dataset) -> None:
    now = int(time.time())
    name = _new_name()
    try:
        with backend.files.staging(dataset.account_id) as folder:
            settings = backend.settings
            server = WfsServer(
                dataset.path or "",
                dataset.sublayer or "",
                json.loads(dataset.stated or "{}").get("srs"),
                settings.service_timeout,
                settings.max_upload_bytes,
                settings.fetch_private_addresses,
            )
            fetched = fetch_wfs(server, folder)
            part = Part(None, dataset.family, Stated(crs=fetched.crs))  # type: ignore[arg-type]
            staged = stage(fetched.path, part, folder, name, dataset.account_id, drawn=True)
            _take_over(backend, dataset, staged, name, now)
    except Unfetchable as error:
        _note_failure(backend, dataset, f"The feature service cannot be had: {error}.", now)
    except GraticuleError as error:
        _note_failure(backend, dataset, f"The feature service cannot be read: {error.message}", now)


def _take_over(backend: Backend, dataset: Dataset, staged: Staged, name: str, now: int) -> None:
    """Put what was read in the place of what was read before.

    That is dropped the next time only: requests may still be reading it. Its name is kept as the fingerprint.
    """
    with keeping(backend, dataset.account_id):
        backend.store.adopt(dataset.account_id, staged.path, name, staged.rows)
        with backend.catalogue.write() as session:
            found = session.get(Dataset, dataset.id)
            left_over = name if found is None else found.fingerprint
            if found is not None:
                found.fingerprint = found.store_table if found.status == "ready" else None
                found.store_table, found.skipped, found.refreshed = name, staged.skipped, now
                found.status, found.status_text = "ready", None
                table = backend.store.table(dataset.account_id, name)
                for layer in session.scalars(select(Layer).where(Layer.dataset_id == found.id)):
                    suit(layer, found, table)
        if left_over is not None:
            backend.store.drop(dataset.account_id, left_over)


def tables_of(dataset: Dataset) -> list[str]:
    """The names of the tables that hold copies: the one that counts, and the one before it."""
    return [name for name in (dataset.store_table, dataset.fingerprint) if name is not None]


def _note_failure(backend: Backend, dataset: Dataset, sentence: str, now: int) -> None:
    with backend.catalogue.write() as session:
        found = session.get(Dataset, dataset.id)
        if found is not None:
            found.refreshed, found.status_text = now, sentence
            if found.status != "ready":
                found.status = "error"


def _new_name() -> str:
    return f"{FILE_PREFIX}wfs_{secrets.token_hex(8)}"
