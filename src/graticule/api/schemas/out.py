"""Resources as the API answers them (the contract, sections 2, 3, 5, 7 and 8)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from graticule.actions.layers import job_of, state_of
from graticule.api.schemas.sources import datasource_of_layer_out, form_of_layer_out
from graticule.catalogue.access import PERMISSIONS
from graticule.stores.base import KEY

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from graticule.actions.keys import Key
    from graticule.actions.layers import LayerView
    from graticule.actions.maps import MapView
    from graticule.actions.permissions import Grant
    from graticule.actions.storage import Entry
    from graticule.actions.tables import TableView
    from graticule.catalogue.orm import Job, Option
    from graticule.model.features import Table

MAP_TEXTS = ("name", "description", "copyright", "proj4", "units", "bgcolor", "mobileacess", "wmsaccess", "share")
LAYER_TEXTS = (
    "name", "type", "source", "epsg", "onscale", "offscale", "label", "textfield", "styles", "alpha", "encoding",
    "margin", "opened", "visible", "lock", "exportable", "tooltip", "label_placement", "hidegeometry",
    "geometry_offset", "use_info_window", "raster", "grp", "merged",
)  # fmt: skip


def text_or_none(value: Any) -> str | None:
    return None if value is None else str(value)


def names_of(held: frozenset[str]) -> list[str]:
    """Permissions in the contract's order."""
    return [name for name in PERMISSIONS if name in held]


def timestamp(seconds: int | None) -> str | None:
    """A time as text, as keys and rows have it."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S+00")


def map_out(view: MapView, expand: Collection[str] = (), options: Sequence[Option] = ()) -> dict[str, Any]:
    """A map; ``expand`` may name owner, options (those that are given), permissions."""
    found = view.map
    out: dict[str, Any] = {
        "id": str(found.id),
        "owner": str(found.owner_id),
        "resource_id": str(found.resource_id),
        **{name: getattr(found, name) for name in MAP_TEXTS},
        "epsg": found.epsg,
        "bounds": found.bounds,
        "active": found.active,
        "maxzoom": found.maxzoom,
        "visited": str(found.visited),
        "archived": "t" if found.archived else "f",
        "visible": found.visible,
        "created": found.created,
        "modified": found.modified,
        "accessed": found.accessed,
    }
    if "owner" in expand:
        out["owner"] = {"id": str(found.owner_id), "username": found.owner.username}
    if "options" in expand:
        out["options"] = [option_out(option) for option in options]
    if "permissions" in expand:
        out["permissions"] = names_of(view.permissions)
    return out


def layer_out(view: LayerView, expand: Collection[str] = (), options: Sequence[Option] = ()) -> dict[str, Any]:
    """A layer; ``expand`` may name options (those that are given), columns, datasource, form."""
    layer = view.layer
    xmin, ymin, xmax, ymax = view.extent
    status, status_text = layer_status(view)
    out: dict[str, Any] = {
        "id": str(layer.id),
        "owner": str(layer.owner_id),
        "map_id": str(layer.map_id),
        "datasource_id": text_or_none(layer.datasource_id),
        "resource_id": str(layer.resource_id),
        **{name: getattr(layer, name) for name in LAYER_TEXTS},
        "x_min": xmin,
        "x_max": xmax,
        "y_min": ymin,
        "y_max": ymax,
        "parent": text_or_none(layer.parent),
        "order": str(layer.order),
        "status": status,
        "status_text": status_text,
        "job_id": text_or_none(job_of(layer)),
        "created": layer.created,
        "modified": layer.modified,
    }
    if "options" in expand:
        out["options"] = [option_out(option) for option in options]
    if "columns" in expand:
        out["columns"] = columns_out(view)
    if "datasource" in expand:
        out["datasource"] = None if view.datasource is None else datasource_of_layer_out(view.datasource)
    if "form" in expand:
        out["form"] = None if view.form is None else form_of_layer_out(view.form)
    return out


def layer_status(view: LayerView) -> tuple[str, str | None]:
    """How the data stands, and all that is amiss with it or with the styles."""
    status, text = state_of(view.layer)
    return status, " ".join([*([text] if text else []), *view.problems]) or None


def columns_out(view: LayerView) -> dict[str, Any]:
    """The columns of a layer, by name."""
    return {} if view.table is None else columns_of_table(view.table)


def columns_of_table(table: Table) -> dict[str, Any]:
    """The columns of a table, by name."""
    return {
        column.name: {
            "id": number,
            "column": column.name,
            "datatype": column.type,
            "alias": None,
            "order": number,
            "enabled": True,
        }
        for number, column in enumerate(table.columns, 1)
    }


def table_out(view: TableView, rows: int | None = None) -> dict[str, Any]:
    """A table; with ``rows`` how many it has."""
    table, dataset = view.table, view.dataset
    out: dict[str, Any] = {
        "name": view.name,
        "geometry": table.geometry_type,
        "srid": _srid(table.crs),
        "is_view": False,
        "primary_key": KEY,
        "schema": f"usrsch{dataset.account_id}",
        "columns": {column.name: {"type": column.type, "not_null": column.not_null} for column in table.columns},
        "resource_id": str(dataset.resource_id),
        "owner_id": dataset.account_id,
    }
    if view.external is not None:
        found, source = view.external.found, view.external.datasource
        out |= {"is_view": found.is_view, "primary_key": found.key, "schema": found.schema}
        out |= {"resource_id": str(source.resource_id), "owner_id": source.owner_id}
    return out if rows is None else out | {"num_rows": rows}


def _srid(crs: str | None) -> int | None:
    return int(crs.removeprefix("EPSG:")) if crs and crs.startswith("EPSG:") else None


def key_out(key: Key) -> dict[str, Any]:
    """A key of the caller."""
    row = key.row
    return {
        "id": str(row.id),
        "key": key.value,
        "key_desc": row.key_desc,
        "created": timestamp(row.created),
        "accessed": timestamp(row.accessed),
        "key_trunc": row.key_trunc,
        "active": "t" if row.active else "f",
        "scope": row.scope,
    }


def share_out(grant: Grant) -> dict[str, Any]:
    """One share."""
    share = grant.share
    out: dict[str, Any] = {
        "id": str(share.id),
        "resource_id": str(share.resource_id),
        "user_id": text_or_none(share.user_id),
        "dependency_option_id": None,
        "username": grant.username,
        "permission": share.permission,
    }
    return out if share.role_id is None else out | {"role_id": str(share.role_id), "role": grant.role}


def grouped_shares(grants: list[Grant]) -> list[dict[str, Any]]:
    """Shares by grantee."""
    groups: dict[tuple[int | None, int | None], dict[str, Any]] = {}
    for grant in grants:
        share = grant.share
        group = groups.setdefault((share.user_id, share.role_id), {"permissions": []} | _grantee(grant))
        group["permissions"].append({"type": share.permission, "share_id": str(share.id)})
    return list(groups.values())


def _grantee(grant: Grant) -> dict[str, Any]:
    if grant.share.role_id is None:
        return {"username": grant.username}
    return {"role": grant.role, "role_id": str(grant.share.role_id)}


def option_out(option: Option) -> dict[str, Any]:
    """An option of anything but a user."""
    return {
        "id": str(option.id),
        "option_name": option.name,
        "option_value": option.value,
        "option_type": option.type,
    }


def job_out(job: Job) -> dict[str, Any]:
    """A job. ``error`` has the message, the file and the row that are at fault; ``result`` is the kind's own."""
    return {
        "id": str(job.id),
        "owner": str(job.owner_id),
        "kind": job.kind,
        "state": job.state,
        "percentage": job.percentage,
        "rows": job.rows,
        "error": None if job.error is None else json.loads(job.error),
        "result": None if job.result is None else json.loads(job.result),
        "created": job.created,
        "started": job.started,
        "finished": job.finished,
    }


def entry_out(entry: Entry) -> dict[str, Any]:
    """A file or directory."""
    info = entry.info
    stem, dot, extension = info.name.rpartition(".")
    folder = "/" + info.path.rpartition("/")[0]
    return {
        "id": str(entry.file_id),
        "resource_id": str(entry.resource_id),
        "name": stem if dot and not info.is_dir else info.name,
        "filename": info.name,
        "extension": extension if dot and not info.is_dir else "",
        "path": folder if folder.endswith("/") else folder + "/",
        "pathname": "/" + info.path,
        "size": info.size,
        "is_dir": "t" if info.is_dir else "f",
        "created": info.created,
        "modified": info.modified,
    }
