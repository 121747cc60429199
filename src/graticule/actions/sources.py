"""What a layer shows: reading its ``source`` and finding the data, with the rights of the user who sets it."""

from __future__ import annotations

import codecs
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from sqlalchemy import select

from graticule.actions import datasets, external, fields, need, reading, wfs
from graticule.actions.datasources import WFS, enter, find_datasource
from graticule.actions.rasters import ensure_raster
from graticule.addresses import is_private
from graticule.catalogue.orm import Dataset, Datasource, User
from graticule.errors import BadRequest, Forbidden, NotFound
from graticule.geometry.crs import Crs
from graticule.storage.paths import clean_path, split_account
from graticule.transfer.drivers import format_of
from graticule.transfer.wms import VERSIONS, WmsServer, crs_of, trouble_with

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.orm import Session

    from graticule.backend import Backend
    from graticule.catalogue.access import Actor
    from graticule.model.features import Family

KINDS = ("file", "pg", "tile", "wms", "wfs", "folder")
SERVICES = ("wms", "wfs")
WHOLE_WORLD = ("-20037508.342789", "-20037508.342789", "20037508.342789", "20037508.342789")
# Seconds that making a layer waits for a service at most.
LONGEST_CHECK = 5.0
LONGEST_URL = 4000
QUALIFIED = re.compile(r"(?:usrsch(\d+)\.)?(.+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a source came to. ``source`` is the text to keep, ``trouble`` a sentence on why it cannot be had now."""

    source: str
    type: Literal["point", "line", "polygon", "raster", "tile", "wms", "wfs", "folder"] | None
    dataset: Dataset | None = None
    raster_account: int | None = None
    raster_path: str | None = None
    epsg: str | None = None
    extent: tuple[str, str, str, str] | None = None
    datasource_id: int | None = None
    trouble: str | None = None


def resolve(
    backend: Backend, actor: Actor, source: Any, wanted_type: str | None, said: Mapping[str, Any] | None = None
) -> Resolved:
    """Find what a source names; a file that was not read before is read now. Raises ``BadRequest``.

    ``said`` is what the layer itself says of the file, in its fields ``encoding`` and ``epsg``; the source counts more.
    """
    held = fields.parse_json("source", source)
    if not isinstance(held, dict):
        raise BadRequest("source is not a JSON object.", field="source", value=source, expected='{"type": …}')
    kind = held.get("type", wanted_type)
    if kind == "folder" or wanted_type == "folder":
        return _folder(source, held)
    if kind not in KINDS:
        raise BadRequest(f"Unknown source type {kind}.", field="source", value=kind, expected=", ".join(KINDS))
    text = fields.json_text("source", source)
    if kind == "wms":
        return _wms(backend, text, held)
    if kind == "wfs":
        return _wfs(backend, actor, text, held, wanted_type, said or {})
    src = fields.text("source", fields.required(held, "src"))
    if kind == "tile":
        return _tile(backend, text, src)
    if kind == "pg" and held.get("connection_id") not in (None, ""):
        dataset = external.external_dataset(backend, actor, held["connection_id"], src)
        return _of_dataset(backend, text, dataset, _family(wanted_type))
    if kind == "pg":
        return _table(backend, actor, text, src, _family(wanted_type))
    of_layer = {name: (said or {}).get(name) for name in ("encoding", "epsg")}
    return _file(backend, actor, text, of_layer | held, wanted_type)


def _folder(source: Any, held: dict[str, Any]) -> Resolved:
    if "qgis" in held:
        return Resolved(fields.json_text("source", source), "folder")
    return Resolved(fields.json_text("source", held | {"qgis": 0}), "folder")


def _tile(backend: Backend, text: str, src: str) -> Resolved:
    if src not in backend.settings.basemaps:
        check_template(src, backend.settings.basemaps)
        check_service(backend, src.replace("{s}", "a"), "source")
    return Resolved(text, "tile", epsg="900913", extent=WHOLE_WORLD)


def check_template(url: str, basemaps: dict[str, Any]) -> None:
    """Raises ``BadRequest`` when it is not the address of tiles in rows and columns."""
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    named = all(mark in url for mark in ("{z}", "{x}")) and ("{y}" in url or "{-y}" in url)
    if parts.scheme not in ("http", "https") or not parts.hostname or not named:
        expected = "one of " + ", ".join(basemaps) + ", or an http address with {z}, {x} and {y}"
        raise BadRequest("This names no tiles.", field="source", value=url, expected=expected)


def _wms(backend: Backend, text: str, held: Mapping[str, Any]) -> Resolved:
    server = wms_server(held)
    check_service(backend, server.url)
    patience = min(backend.settings.service_timeout, LONGEST_CHECK)
    trouble = trouble_with(server, timeout=patience, private=backend.settings.fetch_private_addresses)
    epsg = crs_of(server.srs).epsg if server.srs else None
    return Resolved(text, "wms", epsg=None if epsg is None else str(epsg), trouble=trouble)


def wms_server(held: Mapping[str, Any]) -> WmsServer:
    """The service and its layer that a source names. Raises ``BadRequest``."""
    named = {"layer": held.get("layer", held.get("layers"))}
    style = _said(held, "style") or ""
    version = _said(held, "version") or VERSIONS[0]
    if version not in VERSIONS:
        expected = "one of " + ", ".join(VERSIONS)
        raise BadRequest(f"Unknown version {version}.", field="source.version", value=version, expected=expected)
    layer = fields.text("source.layer", fields.required(named, "layer"))
    return WmsServer(_url(held), layer, srs_name(held), style, version)


def srs_name(held: Mapping[str, Any]) -> str | None:
    """The projection's name in ``srs``, checked; a bare number is one of EPSG's. Raises ``BadRequest``."""
    name = _said(held, "srs")
    if not name:
        return None
    name = f"EPSG:{name}" if name.isdigit() else name
    crs_of(name)
    return name


def _said(held: Mapping[str, Any], name: str) -> str | None:
    return None if held.get(name) is None else fields.text(f"source.{name}", held[name])


def _url(held: Mapping[str, Any]) -> str:
    url = fields.text("source.url", fields.required(held, "url"))
    try:
        parts = urlsplit(url)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fine = False
    if not fine or len(url) > LONGEST_URL:
        raise BadRequest(
            "This is no address of a service.", field="source.url", value=url[:200], expected="http(s)://…"
        )
    return url


def check_service(backend: Backend, url: str, field: str = "source.url") -> None:
    """Raises ``BadRequest`` for an address that the server may not ask."""
    if not backend.settings.fetch_private_addresses and is_private(urlsplit(url).hostname or ""):
        message = "This address is in a private network, which this server does not ask."
        raise BadRequest(message, field=field, value=url, expected="a public address")


def _wfs(
    backend: Backend,
    actor: Actor,
    text: str,
    held: Mapping[str, Any],
    wanted_type: str | None,
    said: Mapping[str, Any],
) -> Resolved:
    named = {"layer_id": held.get("layer_id", held.get("layer"))}
    layer = fields.text("source.layer_id", fields.required(named, "layer_id"))
    asked = wfs.Asked(_url(held), layer, srs_name(held), _family(wanted_type))
    check_service(backend, asked.url)
    datasource = _wfs_datasource(backend, actor, said.get("datasource_id"), text)
    dataset = wfs.ensure_wfs_dataset(backend, actor.user_id, datasource, asked)
    return Resolved(text, "wfs", dataset, epsg=_epsg_of_copy(backend, dataset), datasource_id=datasource)


def _epsg_of_copy(backend: Backend, dataset: Dataset) -> str | None:
    """The projection of a copy that is there; else it is told when it comes."""
    if dataset.status != "ready":
        return None
    with suppress(NotFound):
        return datasets.epsg_of(backend.store.table(dataset.account_id, dataset.store_table))
    return None


def _wfs_datasource(backend: Backend, actor: Actor, value: Any, text: str) -> int:
    """The datasource that is named, which must be of a WFS; without one the caller's own of this source, made for it.

    Raises ``BadRequest``.
    """
    with backend.catalogue.write() as session:
        if value not in (None, ""):
            return readable_datasource(session, actor, value, WFS).id
        own = select(Datasource).where(Datasource.owner_id == actor.user_id, Datasource.type == WFS)
        found = session.scalars(own.where(Datasource.params == text).order_by(Datasource.id)).first()
        name = str(fields.parse_json("source", text).get("layer_id"))
        return (found or enter(session, actor, Datasource(type=WFS, name=name, params=text))).id


def readable_datasource(session: Session, actor: Actor, value: Any, kind: int | None = None) -> Datasource:
    """The datasource that a layer names, which the caller must be able to read. Raises ``BadRequest``."""
    expected = "the id of a datasource you may read" + ("" if kind is None else f", of type {kind}")
    try:
        found = find_datasource(session, actor, fields.integer("datasource_id", value))
    except (NotFound, Forbidden) as error:
        raise BadRequest(error.message, field="datasource_id", value=value, expected=expected) from None
    if kind is not None and found.type != kind:
        message = f"Datasource {found.id} is of type {found.type}."
        raise BadRequest(message, field="datasource_id", value=value, expected=expected)
    return found


def _table(backend: Backend, actor: Actor, text: str, src: str, wanted: Family | None) -> Resolved:
    with backend.catalogue.read() as session:
        dataset = find_table(session, actor, src)
        held = need.dataset_permissions(session, actor.user_id, dataset) if dataset else frozenset()
    if dataset is None or "READ" not in held:
        raise BadRequest(f"There is no table {src}.", field="source", value=src, expected="a table you may read")
    return _of_dataset(backend, text, dataset, wanted)


def find_table(session: Session, actor: Actor, name: str) -> Dataset | None:
    """The table a name means: the caller's own, or ``usrsch{id}.{name}``. Access is not checked."""
    match = QUALIFIED.fullmatch(name)
    assert match is not None
    account = int(match[1][:18]) if match[1] else actor.user_id
    made = (Dataset.kind == "table", Dataset.status == "ready")
    return session.scalar(select(Dataset).where(*made, Dataset.account_id == account, Dataset.store_table == match[2]))


def _file(backend: Backend, actor: Actor, text: str, held: dict[str, Any], wanted_type: str | None) -> Resolved:
    src = fields.text("source", held["src"])
    account, path = locate(backend, actor, src, "source")
    kind = format_of(Path(path))
    if kind is not None and kind.kind == "raster":
        raster = ensure_raster(backend, account, path)
        return Resolved(text, "raster", None, account, path, raster.epsg, raster.extent)
    sublayer = fields.text("layer", held["layer"]) if held.get("layer") is not None else None
    family = _family(wanted_type)
    part = datasets.Part(sublayer, family, stated(held))
    dataset = reading.file_dataset(backend, actor, account, path, part)
    if dataset.status == "busy":  # what it is comes to light when it is read
        return Resolved(text, family, dataset)
    return _of_dataset(backend, text, dataset, family)


def stated(held: Mapping[str, Any]) -> datasets.Stated:
    """What a source says of its file: ``encoding``, ``epsg``, ``x`` and ``y``, ``wkt``. Raises ``BadRequest``."""
    texts = {
        name: None if held.get(name) is None else fields.text(f"source.{name}", held[name])
        for name in ("encoding", "x", "y", "wkt")
    }
    if texts["encoding"] is not None:
        _check_encoding(texts["encoding"])
    crs = None if held.get("epsg") is None else f"EPSG:{Crs.from_epsg(held['epsg'], field='source.epsg').epsg}"
    return datasets.Stated(texts["encoding"], crs, texts["x"], texts["y"], texts["wkt"])


def _check_encoding(name: str) -> None:
    try:
        codecs.lookup(name)
    except (LookupError, ValueError):
        expected = "an encoding's name, as utf-8 or cp1250"
        raise BadRequest(f"Unknown encoding {name}.", field="source.encoding", value=name, expected=expected) from None


def _family(wanted_type: str | None) -> Family | None:
    return wanted_type if wanted_type in ("point", "line", "polygon") else None  # type: ignore[return-value]


def _of_dataset(backend: Backend, text: str, dataset: Dataset, wanted: Family | None) -> Resolved:
    table = backend.store.table(dataset.account_id, dataset.store_table)
    if table.geometry_type is None:
        message = f"{dataset.path or table.name} has no geometry to draw."
        raise BadRequest(message, field="source", value=text, expected="a table with geometry")
    # A table of any geometry is drawn as what is asked for.
    family = table.family or dataset.family or wanted or "polygon"
    return Resolved(text, family, dataset, epsg=datasets.epsg_of(table))  # type: ignore[arg-type]


def locate(backend: Backend, actor: Actor, raw: str, field: str) -> tuple[int, str]:
    """The account and path that a path means to the caller, who may read it. Raises ``BadRequest``."""
    try:
        account_hash, path = split_account(clean_path(raw))
    except BadRequest as error:
        error.field = field
        raise
    with backend.catalogue.read() as session:
        account: int | None = actor.user_id
        if account_hash is not None:
            account = session.scalar(select(User.id).where(User.account_hash == account_hash))
        held = need.file_permissions(session, actor.user_id, account, path) if account is not None else frozenset()
    if account is None or "READ" not in held:
        raise BadRequest(f"There is no file {raw}.", field=field, value=raw, expected="a file you may read")
    return account, path
