"""Files of this machine into an account: stored, read in, and made layers of."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from graticule.actions import datasets, layers, maps, storage
from graticule.actions.datasets import Part
from graticule.actions.listing import Listing, Page
from graticule.actions.rasters import ensure_raster
from graticule.errors import BadRequest, GraticuleError
from graticule.model.features import Query
from graticule.storage.multipart import StagedFile
from graticule.transfer.drivers import format_of, group
from graticule.transfer.reading import list_sublayers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from graticule.actions.storage import Place
    from graticule.backend import Backend
    from graticule.catalogue.access import Actor

    # Told the number of rows that are done, and of how many, None when that is not known.
    Report = Callable[[int, int | None], None]


# What may be a table, but is more often a note that comes with the data.
NOTES = ".txt"
# Layers that GDAL makes of other layers of the same file.
DERIVED = {"gpx": ("route_points", "track_points")}
MOST_REASONS = 3


@dataclass(frozen=True, slots=True)
class Content:
    """What one layer can show: a raster, or one layer of a vector file and in it the features of one family.

    ``part`` is None for a raster. ``source`` and ``type`` are those of the layer that shows it; ``rows`` is how many
    the file seems to have.
    """

    name: str
    part: Part | None
    source: str
    type: str | None
    rows: int


def map_named(backend: Backend, actor: Actor, name: str) -> int:
    """The id of the caller's map of that name, made if there is none; of several, the oldest one's."""
    wanted = Listing(Page(size=None, total=False), query=name)
    _, found = maps.list_maps(backend, actor, wanted, "private")
    same = (view.map.id for view in found if view.map.name == name)
    first = next(same, None)
    return maps.create_map(backend, actor, {"name": name}).map.id if first is None else first


def import_file(
    backend: Backend, actor: Actor, file: Path, folder: str, map_id: int | None, report: Report
) -> list[str]:
    """Store a file with those that belong to it and read in what it holds, for a map also as layers.

    A zip gets a folder of its own name in ``folder``. Answers sentences that say what was made. Raises
    ``BadRequest`` when nothing in it can be read: then what was stored anew is removed again.
    """
    zipped = file.suffix.lower() == ".zip"
    at = storage.place(backend, actor, f"{folder}/{file.stem}" if zipped else folder, "OWNER")
    before = _versions(backend, at)
    _store(backend, at, file)
    stored = [path for path, version in _versions(backend, at).items() if before.get(path) != version]
    try:
        return _read_all(backend, actor, file.name, at.account, stored, map_id, report)
    except GraticuleError:
        for path in stored:
            if path not in before:
                storage.remove(backend, storage.Place(at.account, path))
        raise


def _versions(backend: Backend, at: Place) -> dict[str, str]:
    """The files in a directory and below, with a word for what each holds."""
    if backend.files.mkdir(at.account, at.path):
        return {}
    return {info.path: info.version for info in backend.files.walk(at.account, at.path) if not info.is_dir}


def _store(backend: Backend, at: Place, file: Path) -> None:
    with backend.files.staging(at.account) as staging:
        staged = []
        for found in [file] if file.suffix.lower() == ".zip" else group(file):
            copy = staging / found.name
            shutil.copyfile(found, copy)
            staged.append(StagedFile("file", found.name, copy, copy.stat().st_size))
        storage.store_upload(backend, at, staged, staging)


def _read_all(
    backend: Backend,
    actor: Actor,
    name: str,
    account: int,
    stored: Sequence[str],
    map_id: int | None,
    report: Report,
) -> list[str]:
    said, problems = [], []
    mains = _main_files(backend, account, stored)
    for path in mains:
        try:
            for content in _contents(backend, account, path):
                said.append(_take(backend, actor, account, path, content, map_id, report))
        except GraticuleError as error:
            problems.append(error)
    if not said and len(problems) == 1:
        raise problems[0]
    if not said:
        reasons = " ".join(error.message for error in problems[:MOST_REASONS])
        raise BadRequest(f"Nothing in “{name}” can be read. {reasons}", field="file", value=name)
    return [*said, *(f"Left as a file: {error.message}" for error in problems)]


def _main_files(backend: Backend, account: int, stored: Iterable[str]) -> list[str]:
    """Those of the files that are data by themselves: neither a part of another one, nor a note beside it.

    Where none is, all of them: reading them tells what is wrong.
    """
    known = [path for path in stored if format_of(Path(path)) is not None]
    local = {path: backend.files.local_path(account, path) for path in known}
    parts = {part for path in known for part in group(local[path])[1:]}
    mains = [path for path in known if local[path] not in parts]
    return [path for path in mains if not path.lower().endswith(NOTES)] or mains or list(stored)


def _contents(backend: Backend, account: int, path: str) -> list[Content]:
    """What there is in a file to make layers of. Raises ``BadRequest``."""
    row, stem = format_of(Path(path)), Path(path).stem
    source = {"type": "file", "src": f"/{path}"}
    if row is not None and row.kind == "raster":
        return [Content(stem, None, json.dumps(source), None, 0)]
    found = list_sublayers(backend.files.local_path(account, path))
    own = [sublayer for sublayer in found if row is None or sublayer.name not in DERIVED.get(row.name, ())]
    filled = [sublayer for sublayer in own if sublayer.feature_count] or found[:1]
    pairs = [(sublayer, family) for sublayer in filled for family in sublayer.families or (None,)]
    if len(pairs) == 1:
        return [Content(stem, Part(), json.dumps(source), None, filled[0].feature_count)]
    return [
        Content(
            f"{stem}: {sublayer.name}" if len(filled) > 1 else stem,
            Part(sublayer.name, family),
            json.dumps(source | {"layer": sublayer.name}),
            family,
            sublayer.feature_count,
        )
        for sublayer, family in pairs
    ]


def _take(
    backend: Backend, actor: Actor, account: int, path: str, content: Content, map_id: int | None, report: Report
) -> str:
    """Read one content in; with a map, make a layer of it."""
    said = _read(backend, account, path, content, report)
    if map_id is None:
        return said
    sent = {"name": content.name, "source": content.source, "type": content.type}
    made = layers.create_layer(backend, actor, sent, map_id)
    return f"{said} Layer {made.layer.id} of map {map_id} shows it."


def _read(backend: Backend, account: int, path: str, content: Content, report: Report) -> str:
    if content.part is None:
        ensure_raster(backend, account, path)
        report(1, 1)
        return f"/{path}: a raster."
    part, total = content.part, content.rows
    dataset = datasets.ensure_file_dataset(backend, account, path, part, report)
    table = backend.store.table(account, dataset.store_table)
    count = backend.store.count(account, table, Query())
    report(total, total)
    of = f" of “{part.sublayer}”" if part.sublayer else ""
    return f"/{path}: {count} {table.family or 'row'}{'' if count == 1 else 's'}{of}."
