"""The things of the API, with the JSON types that the contract gives their fields."""

from __future__ import annotations

from tests.contract.checks import (
    Shape,
    any_of,
    array,
    digits,
    flag,
    json_text,
    null,
    num,
    obj,
    only,
    t_or_f,
    text,
)

TEXT = any_of(text, null)
NUMBER = any_of(num, null)
LETTER = any_of(t_or_f, null)

MAP: Shape = {
    **dict.fromkeys(("id", "owner", "resource_id", "visited"), digits),
    **dict.fromkeys(("name", "description", "copyright", "proj4", "bgcolor", "epsg", "maxzoom"), TEXT),
    **dict.fromkeys(("mobileacess", "wmsaccess", "share"), LETTER),
    **dict.fromkeys(("created", "modified", "accessed"), num),
    "active": only("1"),
    "archived": only("f"),
    "visible": only("t"),
    "units": any_of(only("meter", "foot", "foot_us", "degree"), null),
    "bounds": any_of(json_text, null),
}
MAP_WITH_OWNER = MAP | {"owner": obj}

LAYER: Shape = {
    **dict.fromkeys(("id", "owner", "map_id", "resource_id", "order"), digits),
    **dict.fromkeys(
        (
            "name", "datasource_id", "epsg", "onscale", "offscale", "label", "x_min", "x_max", "y_min", "y_max",
            "textfield", "encoding", "margin", "opened", "parent", "tooltip", "label_placement", "geometry_offset",
            "raster", "grp", "merged", "status_text", "job_id",
        ),
        TEXT,
    ),
    **dict.fromkeys(("visible", "lock", "exportable", "hidegeometry", "use_info_window"), t_or_f),
    **dict.fromkeys(("created", "modified"), num),
    "type": only("point", "line", "polygon", "raster", "tile", "wms", "wfs", "folder"),
    "source": any_of(json_text, null),
    "styles": any_of(json_text, null),
    "alpha": digits,
    "status": only("ready", "busy", "error"),
}  # fmt: skip

COLUMN: Shape = {"id": num, "column": text, "datatype": text, "alias": TEXT, "order": num, "enabled": flag}
LAYER_COLUMN: Shape = {
    "name": text, "type": only("text", "integer", "real", "number", "boolean", "date", "datetime")
}  # fmt: skip

FEATURE: Shape = {
    **dict.fromkeys(("__id", "__owner", "__created", "__modified"), num),
    **dict.fromkeys(("__xmin", "__ymin", "__xmax", "__ymax"), NUMBER),
    "data": obj,
}

TABLE: Shape = {
    "name": text,
    "geometry": TEXT,
    "srid": NUMBER,
    "is_view": flag,
    "primary_key": only("ogc_fid"),
    "schema": text,
    "columns": obj,
    "resource_id": digits,
    "owner_id": num,
}
ROW: Shape = {"ogc_fid": digits, "__created": TEXT, "__modified": TEXT, "__owner": TEXT}

USER: Shape = {
    **dict.fromkeys(("id", "created", "modified", "owner_id", "resource_id"), num),
    **dict.fromkeys(
        ("file_feature_count", "db_feature_count", "storage_raster", "storage_total"), num
    ),
    **dict.fromkeys(("lastlog", "feature_count_limit", "storage_raster_limit"), NUMBER),
    **dict.fromkeys(("email", "firstname", "lastname", "mobile", "web", "phone"), TEXT),
    "username": text,
    "active": flag,
    "oidc": flag,
}  # fmt: skip
USER_OPTION: Shape = {"name": text, "type": any_of(num, text, null), "value": TEXT}
SUBSCRIPTION: Shape = {"app_instance_id": text, "type": num, "active": only("t"), "ends": null}
ROLE: Shape = {
    "id": num, "name": text, "app_role": flag, "parent_id": NUMBER, "owner_id": num, "owner_name": text
}  # fmt: skip

KEY: Shape = {
    "id": digits,
    "key": text,
    "key_desc": TEXT,
    "created": text,
    "accessed": TEXT,
    "key_trunc": text,
    "active": t_or_f,
}
CLIENT: Shape = {
    "id": num, "client_id": text, "client_secret": text, "redirect_uri": text, "owner": num, "name": text,
    "description": TEXT,
}  # fmt: skip
APPROVAL: Shape = {"id": num, "uid": num, "client_id": num}

GROUP: Shape = {"permissions": array}
SHARE: Shape = {
    "id": digits, "resource_id": digits, "user_id": any_of(digits, null), "dependency_option_id": null,
    "permission": text,
}  # fmt: skip
OPTION: Shape = {
    "id": any_of(digits, num),
    "option_name": text,
    "option_value": TEXT,
    "option_type": any_of(text, num, null),
}

ENTRY: Shape = {
    **dict.fromkeys(("id", "resource_id", "name", "filename", "extension", "path", "pathname"), text),
    "size": any_of(num, null),
    "is_dir": t_or_f,
    "created": num,
    "modified": num,
}
DATASOURCE: Shape = {
    "id": digits, "resource_id": digits, "name": TEXT, "owner_id": num, "type": num, "params": any_of(json_text, null),
    "description": TEXT, "copyright": TEXT,
}  # fmt: skip
FORM: Shape = {"id": any_of(digits, num), "name": TEXT, "definition": any_of(json_text, null)}
HIT: Shape = {
    "layerId": any_of(digits, num), "__id": num, "result": TEXT, "__match": TEXT, "data": obj, "__xmin": NUMBER
}  # fmt: skip
NEAR: Shape = FEATURE | {"__layerId": any_of(digits, num)}
JOB: Shape = {
    "id": digits, "kind": text, "state": only("queued", "running", "done", "failed", "cancelled"), "percentage": num,
    "rows": num, "error": any_of(null, obj), "result": any_of(null, obj), "created": num,
}  # fmt: skip
