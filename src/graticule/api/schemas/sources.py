"""Datasources and forms as the API answers them (the contract, section 8)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from graticule.actions.datasources import numbers
from graticule.catalogue.access import PERMISSIONS

if TYPE_CHECKING:
    from collections.abc import Collection

    from graticule.actions.datasources import DatasourceView
    from graticule.actions.forms import FormView
    from graticule.catalogue.orm import Form


def as_written(text: str | None) -> Any:
    """JSON text as a part of an answer, to the last digit; null for None."""
    return None if text is None else orjson.Fragment(text)


def datasource_out(view: DatasourceView, expand: Collection[str] = ()) -> dict[str, Any]:
    """A datasource; ``expand`` may name permissions."""
    found = view.datasource
    out: dict[str, Any] = {
        "id": str(found.id),
        "resource_id": str(found.resource_id),
        "name": found.name,
        "owner_id": found.owner_id,
        "type": found.type,
        "proj4": found.proj4,
        "description": found.description,
        "copyright": found.copyright,
        "params": found.params,
        "created": found.created,
        "modified": found.modified,
        **{name: as_written(text) for name, text in numbers(found).items()},
    }
    if "permissions" in expand:
        out["permissions"] = [name for name in PERMISSIONS if name in view.permissions]
    return out


def datasource_of_layer_out(view: DatasourceView) -> dict[str, Any]:
    """A datasource as layers show theirs."""
    found = view.datasource
    return {
        "resource_id": found.resource_id,
        "type": found.type,
        "owner_id": found.owner_id,
        "permissions": [name for name in PERMISSIONS if name in view.permissions],
    }


def form_out(view: FormView, expand: Collection[str] = ()) -> dict[str, Any]:
    """A form; ``expand`` may name permissions."""
    found = view.form
    out = form_of_layer_out(found) | {
        "resource_id": str(found.resource_id),
        "owner_id": found.owner_id,
        "created": found.created,
        "modified": found.modified,
    }
    if "permissions" in expand:
        out["permissions"] = [name for name in PERMISSIONS if name in view.permissions]
    return out


def form_of_layer_out(found: Form) -> dict[str, Any]:
    """A form as layers show theirs."""
    return {
        "id": str(found.id),
        "name": found.name,
        "definition": found.definition,
        "mappings": as_written(found.mappings),
    }
