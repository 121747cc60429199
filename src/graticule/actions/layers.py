"""Layers: listing, making, changing, deleting."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, or_, select, update

from graticule.actions import fields, listing, need
from graticule.actions.datasets import suit
from graticule.actions.datasources import DatasourceView, datasources_of
from graticule.actions.maps import touch
from graticule.actions.reading import refresh_changed
from graticule.actions.sources import Resolved, readable_datasource, resolve
from graticule.actions.styling import look_of
from graticule.actions.users import new_resource
from graticule.actions.versions import check_version
from graticule.actions.wfs import PATIENCE, freshen
from graticule.catalogue import access
from graticule.catalogue.orm import Form, Layer, Map, Resource
from graticule.errors import BadRequest, Conflict, Forbidden, NotFound, Unavailable
from graticule.style.parse import parse_styles

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

    from graticule.actions.listing import Listing
    from graticule.backend import Backend
    from graticule.catalogue.access import Actor
    from graticule.model.features import Column, Table

TYPES = ("point", "line", "polygon", "raster", "tile", "wms", "wfs", "folder")
VECTOR = ("point", "line", "polygon")
# The types whose extent is told, not found in data.
TOLD_EXTENT = ("tile", "wms", "wfs", "folder")
LIST_TYPES = ("private", "shared", "public")
MAX_FOLDER_DEPTH = 50

ATTRIBUTES = {
    name: getattr(Layer, name)
    for name in (
        "id", "name", "type", "map_id", "epsg", "label", "created", "modified", "alpha", "visible", "lock",
        "exportable", "parent", "order", "status", "owner_id",
    )
} | {"owner": Layer.owner_id}  # fmt: skip


def _alpha(name: str, value: Any) -> str:
    fields.number(name, value, 0, 100)
    return str(value)


def _styles(name: str, value: Any) -> str:
    text = fields.json_text(name, [value] if isinstance(value, dict) else value)
    parse_styles(text, "polygon")
    return text


# How each settable field is read, and what it is when null is sent.
SETTERS: dict[str, tuple[Callable[[str, Any], Any], Any]] = {
    **dict.fromkeys(("name", "label", "textfield", "tooltip", "encoding", "opened"), (fields.text, None)),
    **dict.fromkeys(("raster", "grp", "merged", "geometry_offset"), (fields.text, None)),
    **dict.fromkeys(("onscale", "offscale", "margin"), (fields.number_text, None)),
    **dict.fromkeys(("lock", "exportable", "hidegeometry"), (fields.flag, "f")),
    **dict.fromkeys(("visible", "use_info_window"), (fields.flag, "t")),
    "styles": (_styles, None),
    "label_placement": (fields.json_text, None),
    "alpha": (_alpha, "100"),
}
EXTENT = ("x_min", "y_min", "x_max", "y_max")


@dataclass(frozen=True, slots=True)
class LayerView:
    """A layer with its extent (as text, xmin, ymin, xmax, ymax), and its table.

    ``problems`` are sentences on what of its styles cannot be used.
    """

    layer: Layer
    extent: tuple[str | None, ...]
    table: Table | None = None
    problems: tuple[str, ...] = ()
    datasource: DatasourceView | None = None
    form: Form | None = None


def list_layers(
    backend: Backend, actor: Actor, wanted: Listing, types: str | None = None, map_id: int | None = None
) -> tuple[int | None, list[LayerView]]:
    """The layers that the caller may read: all, or those of a map from top to bottom. Raises ``NotFound``."""
    with backend.catalogue.read() as session:
        statement = select(Layer).join(Map).where(access.visible_layers(actor.user_id), _of_types(types, actor))
        if map_id is not None:
            _need_map_or_layer_of(session, actor, map_id)
            statement = statement.where(Layer.map_id == map_id)
            statement = statement if wanted.order_by else statement.order_by(Layer.order.desc())
        total, layers = listing.run(session, statement, wanted, ATTRIBUTES)
        views = [(layer, need.data_permissions(session, actor, layer)) for layer in layers]
        attached = _attached(session, actor, layers)
    return total, [_with(view(backend, layer, held), attached) for layer, held in views]


@dataclass(frozen=True, slots=True)
class _Attached:
    """The datasources and forms of some layers, by id."""

    datasources: Mapping[int, DatasourceView]
    forms: Mapping[int, Form]


def _attached(session: Session, actor: Actor, layers: Sequence[Layer]) -> _Attached:
    ids = {layer.form_id for layer in layers if layer.form_id is not None}
    forms = session.scalars(select(Form).where(Form.id.in_(ids))).all() if ids else ()
    sources = {layer.datasource_id for layer in layers if layer.datasource_id is not None}
    return _Attached(datasources_of(session, actor, sources), {form.id: form for form in forms})


def _with(found: LayerView, attached: _Attached) -> LayerView:
    layer = found.layer
    source, form = attached.datasources.get(layer.datasource_id or 0), attached.forms.get(layer.form_id or 0)
    return replace(found, datasource=source, form=form)


def _need_map_or_layer_of(session: Session, actor: Actor, map_id: int) -> None:
    seen = select(Layer.id).join(Map).where(Layer.map_id == map_id, access.visible_layers(actor.user_id)).limit(1)
    if session.scalar(seen) is None:
        need.find_map(session, actor, map_id)


def _of_types(types: str | None, actor: Actor) -> ColumnElement[bool]:
    words = dict.fromkeys(word.strip() for word in (types or "").split(",") if word.strip())
    meaning = {
        "private": Layer.owner_id == actor.user_id,
        "shared": access.shared_map(actor.user_id),
        "public": access.public_map(),
        "archived": Map.archived,
        **{name: Layer.type == name for name in TYPES},
    }
    for word in words:
        if word not in meaning:
            raise BadRequest(f"Unknown type {word}.", field="type", value=word, expected=", ".join(meaning))
    return or_(*(meaning[word] for word in words)) if words else Layer.id.is_not(None)


def get_layer(backend: Backend, actor: Actor, layer_id: int, map_id: int | None = None) -> LayerView:
    """One layer. Raises ``NotFound``, also for a layer of another map than the one that is named."""
    with backend.catalogue.read() as session:
        layer = need.find_layer(session, actor, layer_id)
        of_map(layer, map_id)
        held = need.data_permissions(session, actor, layer)
        attached = _attached(session, actor, [layer])
    return _with(view(backend, layer, held), attached)


def check_of_map(backend: Backend, actor: Actor, map_id: int, layer_ids: Sequence[str]) -> None:
    """Raises ``NotFound`` or ``Forbidden`` unless the caller may edit the map and all these layers are of it."""
    with backend.catalogue.read() as session:
        need.find_map(session, actor, map_id, "EDIT")
        for layer_id in layer_ids:
            of_map(need.find_layer(session, actor, fields.integer("layers", layer_id, 0)), map_id)


def of_map(layer: Layer, map_id: int | None) -> None:
    """Raises ``NotFound`` when the layer is not one of that map."""
    if map_id is not None and layer.map_id != map_id:
        raise NotFound(f"Map {map_id} has no layer {layer.id}.")


def view(backend: Backend, layer: Layer, held: frozenset[str]) -> LayerView:
    """The layer with what its data says of it, for a caller who holds this on the data.

    Of data that the caller may not read, that is still being read in, or that is gone, nothing is said.
    """
    if "READ" not in held:
        return LayerView(layer, (None,) * 4)
    if layer.dataset is None:
        return LayerView(layer, tuple(getattr(layer, name) for name in EXTENT))
    freshen(backend, layer.dataset)
    if layer.dataset.status == "busy":
        return LayerView(layer, (None,) * 4)
    try:
        table = backend.store.table(layer.dataset.account_id, layer.dataset.store_table)
        box = backend.store.extent(layer.dataset.account_id, table.name) if table.geometry_type else None
    except NotFound:
        return LayerView(layer, (None,) * 4)
    except (Unavailable, BadRequest) as error:  # a database of others
        return LayerView(layer, (None,) * 4, problems=(error.message,))
    told = tuple(getattr(layer, name) for name in EXTENT)
    extent = told if any(told) else tuple(str(side) for side in box) if box else (None,) * 4
    problems = look_of(layer, table).parsed.problems if layer.styles else ()
    return LayerView(layer, extent, table, problems)


def state_of(layer: Layer) -> tuple[str, str | None]:
    """How the data stands: the layer's own word, or that of the file behind it; and a sentence on what is amiss."""
    dataset = layer.dataset
    if dataset is None and layer.type in (*VECTOR, "wfs"):
        return "error", "The data behind this layer is gone."
    texts = [layer.status_text, dataset.status_text if dataset else None]
    text = " ".join(part for part in texts if part) or None
    return dataset.status if dataset is not None and dataset.status != "ready" else layer.status, text


def job_of(layer: Layer) -> int | None:
    """The job that makes the layer's data or reads it in, or was the last to do so."""
    return layer.job_id or (layer.dataset.job_id if layer.dataset else None)


def columns(found: LayerView) -> tuple[Column, ...]:
    """The attributes of a layer. Raises ``Unavailable`` while its data is read in, ``Conflict`` when that failed."""
    if found.layer.dataset is None and found.layer.type not in (*VECTOR, "wfs"):
        return ()  # the type of a file that is not read in yet may not be known
    status, text = state_of(found.layer)
    if status == "busy":
        raise Unavailable(f"The file behind layer {found.layer.id} is still being read in.")
    if status == "error":
        raise Conflict(f"The data behind layer {found.layer.id} cannot be had: {text}")
    return found.table.columns if found.table else ()


def create_layer(backend: Backend, actor: Actor, sent: Mapping[str, Any], map_id: int | None = None) -> LayerView:
    """A new layer on top of a map. Raises ``BadRequest``, ``Forbidden``, ``NotFound``; nothing is made then."""
    need.signed_in(actor)
    map_id = _map_of(sent) if map_id is None else map_id
    with backend.catalogue.read() as session:
        need.find_map(session, actor, map_id, "EDIT")
    made = _new_layer(actor)
    _apply(made, sent)
    wanted_type = _type(sent)
    resolved = _resolve(backend, actor, sent, wanted_type)
    _apply_source(made, actor, resolved)
    _apply_extent(made, sent)
    with backend.catalogue.write() as session:
        need.find_map(session, actor, map_id, "EDIT")
        _place(session, made, map_id, sent)
        _apply_datasource(session, actor, made, sent)
        made.resource_id = new_resource(session, "layer", actor.user_id)
        session.add(made)
        session.flush()
        session.refresh(made)
        _catch_up(backend, made, resolved)
        held = need.data_permissions(session, actor, made)
    return view(backend, made, held)


def add_layer(session: Session, actor: Actor, sent: Mapping[str, Any], map_id: int, resolved: Resolved) -> Layer:
    """A new layer on top of a map, on data that was found already. Raises ``NotFound``, ``Forbidden``."""
    need.find_map(session, actor, map_id, "EDIT")
    made = _new_layer(actor)
    _apply(made, sent)
    _apply_source(made, actor, resolved)
    _place(session, made, map_id, sent)
    made.resource_id = new_resource(session, "layer", actor.user_id)
    session.add(made)
    session.flush()
    session.refresh(made)
    return made


def update_layer(
    backend: Backend,
    actor: Actor,
    layer_id: int,
    sent: Mapping[str, Any],
    *,
    map_id: int | None = None,
    if_match: int | None = None,
) -> LayerView:
    """Change a layer. Raises ``NotFound``, ``Forbidden``, ``BadRequest``, ``PreconditionFailed``."""
    with backend.catalogue.read() as session:
        before = find_to_edit(session, actor, layer_id, map_id)
        held = need.data_permissions(session, actor, before)
    shown = view(backend, before, held).extent if before.type == "wfs" else ()
    wanted_type, resolved = _type(sent), None
    source = _source_to_set(before, sent)
    if source is not None:
        said = {"datasource_id": before.datasource_id if before.type == "wfs" else None, **sent}
        resolved = resolve(backend, actor, source, wanted_type or before.type, said)
    with backend.catalogue.write() as session:
        layer = find_to_edit(session, actor, layer_id, map_id)
        check_version(layer.version, if_match)
        state = _state(layer)
        _apply(layer, sent)
        if resolved is not None:
            _apply_source(layer, actor, resolved)
        _apply_extent(layer, _without_shown(sent, shown))
        _apply_datasource(session, actor, layer, sent)
        _move(session, actor, layer, sent)
        if _state(layer) != state:
            touch(layer)
            touch(layer.map)
        session.flush()
        session.refresh(layer)
        _catch_up(backend, layer, resolved)
        held = need.data_permissions(session, actor, layer)
    return view(backend, layer, held)


def delete_layer(
    backend: Backend, actor: Actor, layer_id: int, *, map_id: int | None = None, if_match: int | None = None
) -> None:
    """Take a layer off its map, never the data it shows. Raises ``NotFound``, ``Forbidden``."""
    with backend.catalogue.write() as session:
        layer = find_to_edit(session, actor, layer_id, map_id)
        check_version(layer.version, if_match)
        for child in session.scalars(select(Layer).where(Layer.parent == layer_id)):
            child.parent = layer.parent
        touch(layer.map)
        session.flush()
        session.execute(delete(Layer).where(Layer.id == layer_id))
        session.execute(delete(Resource).where(Resource.id == layer.resource_id))


def refresh(backend: Backend, actor: Actor, layer_id: int, map_id: int | None = None) -> None:
    """Read the data of a layer anew where it is a copy that has become old: of a file that has changed, or a service.

    Raises ``NotFound``, ``Forbidden``.
    """
    with backend.catalogue.read() as session:
        dataset = find_to_edit(session, actor, layer_id, map_id).dataset
    if dataset is not None and dataset.kind == "file":
        refresh_changed(backend, dataset.account_id, [dataset.path or ""])
    elif dataset is not None:
        freshen(backend, dataset, PATIENCE, force=True)


def note_recovery(backend: Backend, layer_id: int) -> None:
    """A service that could not be had when the layer was made answers now."""
    with backend.catalogue.write() as session:
        session.execute(update(Layer).where(Layer.id == layer_id).values(status="ready", status_text=None))


def find_to_edit(session: Session, actor: Actor, layer_id: int, map_id: int | None) -> Layer:
    """The layer, for somebody who may change it. Raises ``NotFound``, ``Forbidden``."""
    layer = need.find_layer(session, actor, layer_id)
    of_map(layer, map_id)
    on_map = access.permissions_on(session, actor.user_id, layer.map.resource_id)
    if "EDIT" not in on_map:
        raise Forbidden(f"Changing layer {layer_id} needs the permission EDIT on its map.")
    return layer


def _new_layer(actor: Actor) -> Layer:
    now = int(time.time())
    made = Layer(owner_id=actor.user_id, created=now, modified=now, version=1, status="ready")
    for name, (_, default) in SETTERS.items():
        setattr(made, name, default)
    return made


def _map_of(sent: Mapping[str, Any]) -> int:
    value = sent.get("mid", sent.get("map_id"))
    return fields.integer("mid", fields.required({"mid": value}, "mid"))


def _type(sent: Mapping[str, Any]) -> str | None:
    wanted = sent.get("type")
    if wanted is not None and wanted not in TYPES:
        raise BadRequest(f"Unknown layer type {wanted}.", field="type", value=wanted, expected=", ".join(TYPES))
    return wanted


def _resolve(backend: Backend, actor: Actor, sent: Mapping[str, Any], wanted_type: str | None) -> Resolved:
    source = sent.get("source")
    if source is None and wanted_type == "folder":
        source = {}
    if source is None:
        fields.required(sent, "source")
    return resolve(backend, actor, source, wanted_type, sent)


def _source_to_set(layer: Layer, sent: Mapping[str, Any]) -> Any:
    """The source to find the data of anew: one that is sent and differs, or that of a WFS with another datasource."""
    if sent.get("source") is not None and not _same_source(layer, sent["source"]):
        return sent["source"]
    told = sent.get("datasource_id", layer.datasource_id)
    return layer.source if layer.type == "wfs" and str(told) != str(layer.datasource_id) else None


def _same_source(layer: Layer, sent: Any) -> bool:
    if isinstance(sent, str) and sent == layer.source:
        return True
    stored = fields.parse_json("source", layer.source) if layer.source else None
    return bool(stored == fields.parse_json("source", sent))


def _apply(layer: Layer, sent: Mapping[str, Any]) -> None:
    for name, (read, default) in SETTERS.items():
        if name in sent:
            setattr(layer, name, default if sent[name] is None else read(name, sent[name]))


def _apply_source(layer: Layer, actor: Actor, resolved: Resolved) -> None:
    layer.source, layer.source_user_id = resolved.source, actor.user_id
    layer.type, layer.epsg = resolved.type, resolved.epsg
    layer.dataset_id = resolved.dataset.id if resolved.dataset else None
    layer.status, layer.status_text = "error" if resolved.trouble else "ready", resolved.trouble
    if resolved.type == "wfs":
        layer.datasource_id = resolved.datasource_id
    layer.raster_account_id, layer.raster_path = resolved.raster_account, resolved.raster_path
    for name, side in zip(EXTENT, resolved.extent or (None,) * 4, strict=True):
        setattr(layer, name, side)


def _catch_up(backend: Backend, layer: Layer, resolved: Resolved | None) -> None:
    """Tell a layer what its data is where that was still being read when its source was looked at, and no longer is."""
    waited = resolved is not None and resolved.dataset is not None and resolved.dataset.status == "busy"
    if waited and layer.dataset is not None and layer.dataset.status == "ready":
        table = backend.store.table(layer.dataset.account_id, layer.dataset.store_table)
        suit(layer, layer.dataset, table)


def _apply_extent(layer: Layer, sent: Mapping[str, Any]) -> None:
    if layer.type not in TOLD_EXTENT:
        return
    for name in EXTENT:
        if name in sent:
            setattr(layer, name, None if sent[name] is None else fields.number_text(name, sent[name]))


def _apply_datasource(session: Session, actor: Actor, layer: Layer, sent: Mapping[str, Any]) -> None:
    """Set the datasource that was sent, which the caller must be able to read. Raises ``BadRequest``."""
    if "datasource_id" not in sent or layer.type == "wfs":  # that of a WFS was found with its source
        return
    value = sent["datasource_id"]
    wanted = None if value in (None, "") else fields.integer("datasource_id", value)
    if wanted is not None and wanted != layer.datasource_id:
        readable_datasource(session, actor, wanted)
    layer.datasource_id = wanted


def _without_shown(sent: Mapping[str, Any], shown: Sequence[str | None]) -> Mapping[str, Any]:
    """What was sent, less the sides of the data's own extent as they were answered: these are nothing told."""
    answered = dict(zip(EXTENT, shown, strict=False))
    return {name: value for name, value in sent.items() if name not in answered or str(value) != str(answered[name])}


def _place(session: Session, layer: Layer, map_id: int, sent: Mapping[str, Any]) -> None:
    layer.map_id = map_id
    if sent.get("order") is not None:
        layer.order = fields.integer("order", sent["order"], -(2**31), 2**31)
    else:
        top = session.scalar(select(func.max(Layer.order)).where(Layer.map_id == map_id))
        layer.order = 0 if top is None else top + 1
    layer.parent = _parent(session, layer, sent.get("parent"))


def _move(session: Session, actor: Actor, layer: Layer, sent: Mapping[str, Any]) -> None:
    if sent.get("order") is not None:
        layer.order = fields.integer("order", sent["order"], -(2**31), 2**31)
    target = sent.get("mid", sent.get("map_id"))
    if target is not None and fields.integer("map_id", target) != layer.map_id:
        for child in session.scalars(select(Layer).where(Layer.parent == layer.id)):
            child.parent = layer.parent
        layer.map = need.find_map(session, actor, fields.integer("map_id", target), "EDIT")
        layer.map_id, layer.parent = layer.map.id, None
        _answer_for_data(session, actor, layer)
    if "parent" in sent:
        layer.parent = _parent(session, layer, sent["parent"])


def _answer_for_data(session: Session, actor: Actor, layer: Layer) -> None:
    """Who takes a layer to another map shows its data there with rights of their own, not of who set the source.

    Else whoever may edit a map could take what it shows to one of their own, and keep it. Raises ``Forbidden``.
    """
    if layer.source_user_id in (None, actor.user_id) or (layer.dataset_id is None and layer.raster_path is None):
        return
    if "READ" not in need.source_permissions(session, actor.user_id, layer):
        raise Forbidden(f"The data behind layer {layer.id} is not shared with you; it cannot go to another map.")
    layer.source_user_id = actor.user_id


def _parent(session: Session, layer: Layer, value: Any) -> int | None:
    """The folder layer that is meant. Raises ``BadRequest`` for anything else, and for a cycle."""
    if value in (None, "", 0, "0", "root"):
        return None
    wanted = parent = fields.integer("parent", value)
    for _ in range(MAX_FOLDER_DEPTH):
        folder = session.get(Layer, parent)
        if folder is None or folder.map_id != layer.map_id or folder.type != "folder" or folder.id == layer.id:
            break
        if folder.parent is None:
            return wanted
        parent = folder.parent
    expected = "the id of a folder layer of the same map that is not below this one"
    raise BadRequest("This layer cannot be the parent.", field="parent", value=value, expected=expected)


def _state(layer: Layer) -> tuple[Any, ...]:
    settable = (*SETTERS, *EXTENT, "source", "type", "epsg", "order", "parent", "map_id", "datasource_id")
    return tuple(getattr(layer, name) for name in settable)
