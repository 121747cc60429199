"""Buffers: a new table of what lies within a distance of a layer's features, and a layer on it on the same map.

Of a small layer both are made at once. For a large one a layer is put on the map that is busy, and a job makes its
table, from its start again when a worker has died of it.
"""

from __future__ import annotations

import json
import re
import secrets
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import shapely
from sqlalchemy import select

from graticule.actions import features, fields, jobs, layers, need, tables
from graticule.actions.datasets import geometry_type_of
from graticule.actions.sources import Resolved
from graticule.actions.users import new_resource
from graticule.catalogue.orm import Dataset
from graticule.errors import BadRequest, Forbidden, NotFound
from graticule.geometry.buffering import (
    MOST_DEGREES,
    MOST_METRES,
    buffer_degrees,
    buffer_metres,
    buffer_metres_merged,
    straight_step,
    union,
)
from graticule.geometry.crs import Crs
from graticule.geometry.reproject import reproject
from graticule.model.features import Query
from graticule.transfer.attributes import ARROW
from graticule.transfer.reading import Source
from graticule.transfer.staging import staging_geopackage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from graticule.actions.features import LayerData
    from graticule.actions.jobs import Progress
    from graticule.actions.layers import LayerView
    from graticule.backend import Backend
    from graticule.catalogue.access import Actor
    from graticule.catalogue.orm import Job
    from graticule.model.features import Batch, Column, ColumnType, Family

    Geometries = NDArray[np.object_]

# Metres; degrees are no length.
UNITS: dict[str, float | None] = {"meter": 1.0, "kilometer": 1000.0, "mile": 1609.344, "degree": None}
LEAST_METRES, LEAST_DEGREES = 0.01, 1e-7
# What one geometry can hold, and a store can keep of it.
MOST_POSITIONS = 30_000_000
COLOUR = re.compile(r"\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*", re.ASCII)
# A table that a layer waits for: in no list, and not cleared away with what the dead have left.
PENDING = "pending"


@dataclass(frozen=True, slots=True)
class Plan:
    """A buffer that can be made. ``size`` is in metres, or with ``degrees`` in those; ``styles`` is JSON text.

    All of it can be kept as JSON.
    """

    layer_id: int
    map_id: int
    name: str
    table: str
    size: float
    degrees: bool
    merge: bool
    styles: str
    features: int

    @property
    def fields(self) -> dict[str, Any]:
        """The fields of the new layer."""
        return {"name": self.name, "type": "polygon", "source": self.source, "styles": self.styles}

    @property
    def source(self) -> str:
        return json.dumps({"type": "pg", "src": self.table})


def plan_buffer(
    backend: Backend, actor: Actor, layer_id: int, sent: Mapping[str, Any], map_id: int | None = None
) -> Plan:
    """What is wanted, checked. Raises ``NotFound``, ``Forbidden``, ``BadRequest`` on the field at fault."""
    data = _open(backend, actor, layer_id, map_id)
    need.signed_in(actor)
    with backend.catalogue.read() as session:
        need.find_map(session, actor, data.layer.map_id, "EDIT")
    if data.table.geometry_type is None:
        raise BadRequest("This layer has no geometry.", field="layer", value=layer_id)
    name = fields.text("name", fields.required(sent, "name"))
    size, degrees = _size(sent)
    merge = sent.get("merge_geom")
    return Plan(
        layer_id,
        data.layer.map_id,
        name,
        _table_name(name),
        size,
        degrees,
        merge is None or fields.boolean("merge_geom", merge),
        json.dumps([_style(sent)]),
        features.count(backend, data, Query()),
    )


def _open(backend: Backend, actor: Actor, layer_id: int, map_id: int | None = None) -> LayerData:
    data = features.open_layer(backend, actor, layer_id, map_id=map_id)
    if "READ" not in data.held:
        raise Forbidden("This needs the permission READ.")
    return data


def _size(sent: Mapping[str, Any]) -> tuple[float, bool]:
    """In metres, or in degrees and true."""
    unit = sent.get("units")
    word = "meter" if unit is None else str(unit).strip().lower()
    if word not in UNITS:
        raise BadRequest(f"Unknown units {unit}.", field="units", value=unit, expected="one of " + ", ".join(UNITS))
    metres = UNITS[word]
    least, most = (LEAST_DEGREES, MOST_DEGREES) if metres is None else (LEAST_METRES / metres, MOST_METRES / metres)
    return fields.number("size", fields.required(sent, "size"), least, most) * (metres or 1.0), metres is None


def _style(sent: Mapping[str, Any]) -> dict[str, Any]:
    width = sent.get("border_width")
    return {
        "color": _colour("fill_color", sent, "255,255,255"),
        "bordercolor": _colour("border_color", sent, "0,0,0"),
        "borderwidth": 1 if width is None else fields.integer("border_width", width, 1, 4),
    }


def _colour(name: str, sent: Mapping[str, Any], default: str) -> str:
    value = sent.get(name)
    if value is None:
        return default
    found = COLOUR.fullmatch(value) if isinstance(value, str) else None
    parts = [int(part) for part in found.groups()] if found else [256]
    if max(parts) > 255:
        raise BadRequest(f"{name} is no colour.", field=name, value=value, expected="r,g,b from 0 to 255")
    return ",".join(map(str, parts))


def _table_name(name: str) -> str:
    """A name for the table that no other has, and that tells what it is."""
    readable = re.sub(r"\W+", "_", name).strip("_")[:40]
    return f"buffer_{readable}_{secrets.token_hex(3)}"


def buffer(backend: Backend, actor: Actor, plan: Plan) -> LayerView:
    """The layer, ready or to be made ready by a job. Raises what ``open_layer`` raises, ``Forbidden``."""
    if plan.features > backend.settings.buffer_inline_features:
        return start_buffer(backend, actor, plan)
    return buffer_now(backend, actor, plan)


def buffer_now(backend: Backend, actor: Actor, plan: Plan) -> LayerView:
    """The layer, with its table; when anything goes wrong there is neither. Raises what ``open_layer`` raises."""
    data = _open(backend, actor, plan.layer_id)
    with backend.files.staging(actor.user_id) as staging, tables.entered(backend, actor, plan.table):
        path, rows = _stage(backend, actor, data, plan, staging)
        backend.store.adopt(actor.user_id, path, plan.table, rows)
    try:
        return layers.create_layer(backend, actor, plan.fields, plan.map_id)
    except BaseException:
        tables.delete_table(backend, actor, plan.table, force=True)
        raise


def start_buffer(backend: Backend, actor: Actor, plan: Plan) -> LayerView:
    """The layer, busy until a job has made its table. Raises ``NotFound``, ``Forbidden``."""
    with backend.catalogue.write() as session:
        dataset = Dataset(account_id=actor.user_id, kind=PENDING, store_table=plan.table, status="busy", skipped=0)
        dataset.created, dataset.resource_id = int(time.time()), new_resource(session, "table", actor.user_id)
        session.add(dataset)
        session.flush()
        resolved = Resolved(plan.source, "polygon", dataset, epsg="4326")
        layer = layers.add_layer(session, actor, plan.fields, plan.map_id, resolved)
        job = jobs.enter(session, actor.user_id, "buffer", asdict(plan) | {"made": layer.id})
        layer.job_id = dataset.job_id = job.id
        session.flush()
        held = need.data_permissions(session, actor, layer)
    jobs.send(backend, job.id)
    return layers.view(backend, layer, held)


def run_buffer(backend: Backend, actor: Actor, arguments: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """The job that makes the table that a busy layer waits for. Raises what ``open_layer`` raises."""
    plan = Plan(**{name: arguments[name] for name in Plan.__dataclass_fields__})
    data = _open(backend, actor, plan.layer_id)
    with backend.files.staging(actor.user_id) as staging:
        path, rows = _stage(backend, actor, data, plan, staging, progress)
        # What a worker has left that died between the store and the catalogue.
        backend.store.drop(actor.user_id, plan.table)
        backend.store.adopt(actor.user_id, path, plan.table, rows)
        _ready(backend, actor, plan)
    return {"map_id": str(plan.map_id), "layer_id": str(arguments["made"]), "table": plan.table}


def _ready(backend: Backend, actor: Actor, plan: Plan) -> None:
    geometry_type = geometry_type_of(backend, actor.user_id, plan.table)
    with backend.catalogue.write() as session:
        dataset = _awaited(session, actor.user_id, plan.table)
        if dataset is None:
            raise NotFound(f"Nothing waits for the table {plan.table} any more.")
        dataset.kind, dataset.status, dataset.status_text = "table", "ready", None
        dataset.geometry_type = geometry_type


def buffer_not_done(session: Session, job: Job, why: str) -> None:
    """The table that a layer waits for will not come: it says why."""
    dataset = _awaited(session, job.owner_id, json.loads(job.arguments)["table"])
    if dataset is not None:
        dataset.status, dataset.status_text = "error", why


def _awaited(session: Session, account: int, table: str) -> Dataset | None:
    waiting = (Dataset.kind == PENDING, Dataset.account_id == account, Dataset.store_table == table)
    return session.scalar(select(Dataset).where(*waiting))


def _stage(
    backend: Backend, actor: Actor, data: LayerData, plan: Plan, staging: Path, progress: Progress | None = None
) -> tuple[Path, int]:
    """A GeoPackage of the buffers and how many there are, ready to be adopted."""
    rows = _Merged(backend, data, plan, progress) if plan.merge else _EachItsOwn(backend, data, plan, progress)
    path = staging / "table.gpkg"
    now = int(time.time())
    extra = {"__created": now, "__modified": now, "__owner": actor.user_id}
    return path, staging_geopackage(path, plan.table, Source(rows, plan.table), extra)


class _Buffers:
    """The buffers of a layer, as what is read from a file."""

    columns: tuple[Column, ...] = ()
    family: Family | None = "polygon"
    multi = True
    has_z = False
    crs: str | None = "EPSG:4326"

    def __init__(self, backend: Backend, data: LayerData, plan: Plan, progress: Progress | None) -> None:
        self.backend, self.data, self.plan, self.progress = backend, data, plan, progress
        self.feature_count = plan.features

    def batches(self) -> Iterator[Batch]:
        done = 0
        query = Query(columns=tuple(column.name for column in self.columns))
        for batch in features.read_batches(self.backend, self.data, query):
            yield batch
            done += len(batch)
            if self.progress is not None:
                self.progress.rows(done, self.plan.features)

    def lonlat(self, batch: Batch) -> Geometries:
        """The geometries in degrees, with positions on their edges where these bend by that."""
        assert batch.geometry is not None
        geoms, crs = batch.geometry, self.data.crs
        if not crs.is_geographic:
            metres = self.plan.size * 100_000 if self.plan.degrees else self.plan.size
            geoms = shapely.segmentize(geoms, straight_step(metres) / crs.metres_per_unit)
        return reproject(geoms, crs, Crs.wgs84())


class _EachItsOwn(_Buffers):
    """One buffer for each feature, with its attributes."""

    def __init__(self, backend: Backend, data: LayerData, plan: Plan, progress: Progress | None) -> None:
        super().__init__(backend, data, plan, progress)
        self.columns = data.table.columns

    def read(self) -> Iterator[tuple[list[pa.Array], Any]]:
        make = buffer_degrees if self.plan.degrees else buffer_metres
        for batch in self.batches():
            values = [_arrow(column.type, batch.columns[column.name]) for column in self.columns]
            yield values, make(self.lonlat(batch), self.plan.size)


class _Merged(_Buffers):
    """All buffers as one, without attributes; none of a layer without features."""

    def read(self) -> Iterator[tuple[list[pa.Array], Any]]:
        parts = [self._merged(self.lonlat(batch)) for batch in self.batches()]
        whole = union(np.array(parts, dtype=object))
        if shapely.get_num_coordinates(whole) > MOST_POSITIONS:
            raise BadRequest("All together they are too large.", field="merge_geom", expected="merge_geom false")
        if not whole.is_empty:
            yield [], np.array([whole], dtype=object)

    def _merged(self, lonlat: Geometries) -> shapely.Geometry:
        if self.plan.degrees:
            return union(buffer_degrees(lonlat, self.plan.size))
        return buffer_metres_merged(lonlat, self.plan.size)


def _arrow(kind: ColumnType, values: list[Any]) -> pa.Array:
    if kind == "datetime":
        values = [None if value is None else _moment(value) for value in values]
    if kind in ("date", "datetime"):
        return pa.array(values, pa.string()).cast(ARROW[kind])
    return pa.array(values, ARROW[kind])


def _moment(value: str) -> str:
    """Without its zone, which is UTC; before 1970 in whole seconds, for GDAL writes parts of them wrongly there."""
    return value.removesuffix("Z") if value >= "1970" else value[:19]
