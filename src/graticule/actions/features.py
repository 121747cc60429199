"""Features of a layer: reading and writing, with the caller's rights on the layer and on the data behind it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from graticule.actions import fields, media_grants, need
from graticule.actions.attributes import check_values
from graticule.actions.geometry_input import Projections, Taken, take_geometry
from graticule.actions.layers import of_map
from graticule.actions.wfs import freshen
from graticule.catalogue import access
from graticule.catalogue.orm import Dataset, Layer
from graticule.errors import BadRequest, Conflict, Forbidden, NotFound, Unavailable
from graticule.geometry.crs import Crs
from graticule.geometry.reproject import reproject
from graticule.model.features import Query
from graticule.stores.base import Change

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from graticule.backend import Backend
    from graticule.catalogue.access import Actor
    from graticule.model.features import Batch, Table

VECTOR = ("point", "line", "polygon")
# Why features of some kinds of data cannot be changed.
READ_ONLY = {
    "file": "The features of a file cannot be edited; make a table of it first.",
    "wfs": "The features of a WFS cannot be edited: they are a copy of what the service has.",
    "external": "The features of an external database cannot be edited: it is only read.",
}
MOST_AT_ONCE = 100_000
# How far off, as a part of itself, a coordinate may be that went through a formula twice.
ROUNDING = 1e-14


@dataclass(frozen=True, slots=True)
class LayerData:
    """A layer whose features the caller may work with: where they are, and what may be done.

    ``owner`` is set where the caller may see only features of their own.
    """

    layer: Layer
    account: int
    table: Table
    held: frozenset[str]
    owner: int | None

    @property
    def dataset(self) -> Dataset:
        """What the catalogue knows of the table."""
        assert self.layer.dataset is not None
        return self.layer.dataset

    @property
    def crs(self) -> Crs:
        """The projection of the data; that of the globe for a table without geometry, which never needs it."""
        return Crs.from_text(self.table.crs) if self.table.crs else Crs.wgs84()


def open_layer(backend: Backend, actor: Actor, layer_id: int, *, map_id: int | None = None) -> LayerData:
    """The data behind a layer, for a caller who may read it, or at least features of their own.

    Raises ``NotFound``, ``Forbidden``, ``BadRequest`` for a layer without features, ``Unavailable`` while its file is
    being read in, ``Conflict`` when that failed.
    """
    with backend.catalogue.read() as session:
        layer = session.get(Layer, layer_id)
        of_layer = need.layer_permissions(session, actor.user_id, layer) if layer else access.NOTHING
        if layer is None or not of_layer:
            raise NotFound(f"There is no layer {layer_id}, or it is not shared with you.")
        of_map(layer, map_id)
        held = need.data_permissions(session, actor, layer)
    return _opened(backend, actor, layer, held)


def _opened(backend: Backend, actor: Actor, layer: Layer, held: frozenset[str]) -> LayerData:
    if not held:
        raise Forbidden(f"The data behind layer {layer.id} is not shared by the user who put it there.")
    dataset = layer.dataset
    if dataset is not None:
        freshen(backend, dataset)
    if layer.type not in (*VECTOR, "wfs") and dataset is None:
        raise BadRequest(f"A layer of type {layer.type} has no features.", field="layer", value=layer.id)
    if dataset is None:
        raise Conflict(f"The data behind layer {layer.id} is gone.")
    if dataset.status == "busy":
        raise Unavailable(f"The data behind layer {layer.id} is still being read in.")
    if dataset.status == "error":
        raise Conflict(f"The data behind layer {layer.id} could not be read: {dataset.status_text}")
    try:
        table = backend.store.table(dataset.account_id, dataset.store_table)
    except NotFound as error:
        if dataset.kind == "external":
            raise Conflict(f"The data behind layer {layer.id} cannot be had: {error.message}") from None
        sentence = f"The data behind layer {layer.id} is being replaced by newer data; try again."
        raise Unavailable(sentence, retry_after=1) from None
    owner = access.sees_features_of(actor.user_id, held)
    return LayerData(layer, dataset.account_id, table, held, owner)


def readable(data: LayerData) -> LayerData:
    """The same, for a caller who may read. Raises ``Forbidden``."""
    if not data.held & {"READ", "INSERT_MDC", "UPDATE_MDC", "DELETE_MDC"}:
        raise Forbidden("This needs the permission READ.")
    return data


def read_batches(backend: Backend, data: LayerData, query: Query) -> Iterator[Batch]:
    """The features that the query hits and the caller may see."""
    return backend.store.read(data.account, data.table, replace(query, owner=data.owner))


def count(backend: Backend, data: LayerData, query: Query) -> int:
    """How many there are, limit and offset aside."""
    return backend.store.count(data.account, data.table, replace(query, owner=data.owner))


def read_one(backend: Backend, data: LayerData, feature: int, query: Query) -> Batch:
    """One feature as a batch of one. Raises ``NotFound``."""
    for batch in read_batches(backend, data, replace(query, ids=(feature,))):
        return batch
    raise NotFound(f"Layer {data.layer.id} has no feature {feature}.")


def version(backend: Backend, data: LayerData, feature: int) -> str:
    """A word that changes with the feature. Raises ``NotFound``."""
    word = backend.store.version(data.account, data.table, feature)
    if word is None:
        raise NotFound(f"Layer {data.layer.id} has no feature {feature}.")
    return word


def may_insert(data: LayerData) -> None:
    """Raises ``Forbidden`` when the caller may not add features."""
    _writable(data, "INSERT", own=True)


def insert(
    backend: Backend, actor: Actor, data: LayerData, sent: Sequence[Mapping[str, Any]], projections: Projections
) -> list[int]:
    """Add features, all or none; answers their ids in order. Raises ``Forbidden``, ``BadRequest``."""
    may_insert(data)
    if len(sent) > MOST_AT_ONCE:
        raise BadRequest(f"More than {MOST_AT_ONCE} features in one request.", expected="several requests")
    changes = [_numbered(len(sent), index, _insertion, data, one, projections) for index, one in enumerate(sent)]
    ids = backend.store.insert(data.account, data.table, changes, actor.user_id)
    media_grants.note_inserted(backend, actor, data.dataset, data.table, ids, changes)
    return ids


def _numbered(many: int, index: int, make: Any, *arguments: Any) -> Change:
    try:
        change: Change = make(*arguments)
    except BadRequest as error:
        if many > 1:
            error.message = f"Feature {index + 1}: {error.message}"
        raise
    return change


def _insertion(data: LayerData, sent: Mapping[str, Any], projections: Projections) -> Change:
    values = check_values(data.table, attributes(sent), whole=True)
    taken = take_geometry(data.table, sent, projections)
    return Change(values, taken.geometry, set_geometry=data.table.geometry_type is not None)


def update(
    backend: Backend,
    actor: Actor,
    data: LayerData,
    feature: int,
    sent: Mapping[str, Any],
    projections: Projections,
    expected: str | None = None,
) -> None:
    """Change the attributes that are given and keep the others. Raises ``NotFound``, ``Forbidden``, ``BadRequest``."""
    _changeable(backend, actor, data, "UPDATE", feature)
    values = check_values(data.table, attributes(sent), whole=False)
    taken = take_geometry(data.table, sent, projections)
    moved = taken.given and not _stands(backend, data, feature, taken)
    change = Change(values, taken.geometry, set_geometry=moved, id=feature)
    with media_grants.kept_with(backend, actor, data.dataset, data.table, change):
        if not backend.store.update(data.account, data.table, change, expected):
            raise NotFound(f"Layer {data.layer.id} has no feature {feature}.")


def _stands(backend: Backend, data: LayerData, feature: int, taken: Taken) -> bool:
    """Whether the geometry that was sent is the one that is stored, as an answer in its projection gave it.

    The way to another projection and back would else move it by the last digits.
    """
    found = read_one(backend, data, feature, Query(columns=()))
    assert found.geometry is not None
    stored = found.geometry[0]
    if taken.geometry is None or stored is None:
        return taken.geometry is stored
    if stored.is_empty or taken.geometry.is_empty:
        return bool(taken.geometry == stored)
    shown = reproject(found.geometry, data.crs, taken.source or data.crs)[0]
    tolerance = ROUNDING * max(map(abs, taken.sent.bounds))
    return shown is not None and bool(taken.sent.equals_exact(shown, tolerance)) and taken.sent.has_z == shown.has_z


def delete(backend: Backend, actor: Actor, data: LayerData, feature: int, expected: str | None = None) -> None:
    """Remove a feature. Raises ``NotFound``, ``Forbidden``, ``PreconditionFailed``."""
    _changeable(backend, actor, data, "DELETE", feature)
    if not backend.store.delete(data.account, data.table, feature, expected):
        raise NotFound(f"Layer {data.layer.id} has no feature {feature}.")
    media_grants.forget(backend, data.dataset.id, feature)


def attributes(sent: Mapping[str, Any]) -> Mapping[str, Any]:
    """The attributes of a feature that was sent: its ``data``, or the ``properties`` of GeoJSON."""
    values = sent.get("data", sent.get("properties" if sent.get("type") == "Feature" else "data"))
    if values is None or values == "":
        return {}
    # In form fields it comes as its JSON text.
    values = fields.parse_json("data", values) if isinstance(values, str) else values
    if not isinstance(values, dict):
        raise BadRequest("data is not an object.", field="data", value=values, expected='{"column": value}')
    return values


def may_update(backend: Backend, actor: Actor, data: LayerData, feature: int) -> None:
    """Raises ``Forbidden`` when the caller may not change the feature; ``NotFound``."""
    _changeable(backend, actor, data, "UPDATE", feature)


def _changeable(backend: Backend, actor: Actor, data: LayerData, permission: str, feature: int) -> None:
    """Raises ``Forbidden``, also for a feature of others where only one's own may be changed; ``NotFound``."""
    _writable(data, permission, own=True)
    if permission not in data.held:
        _writable(data, permission, own=_is_own(backend, actor, data, feature))


def _is_own(backend: Backend, actor: Actor, data: LayerData, feature: int) -> bool:
    """Whether the caller made the feature. Raises ``NotFound`` where the caller may not know of it."""
    found = read_one(backend, data, feature, Query(columns=(), geometry=False))
    assert found.owner is not None
    return actor.signed_in and found.owner[0] == actor.user_id


def _writable(data: LayerData, permission: str, *, own: bool) -> None:
    dataset = data.layer.dataset
    if dataset is not None and dataset.kind in READ_ONLY:
        raise Forbidden(READ_ONLY[dataset.kind])
    verdict = access.may(data.held, permission, own=own)
    if not verdict.allowed:
        raise Forbidden(verdict.because)
