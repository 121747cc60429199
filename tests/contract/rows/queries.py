"""/search and /geo_utils."""

from __future__ import annotations

from tests.contract.case import Case
from tests.contract.checks import (
    counts,
    fits,
    holds,
    includes,
    is_array,
    is_list,
    lacks,
    near,
    obj,
    ordered,
    says,
    text,
)
from tests.contract.shapes import HIT, NEAR

SEARCH = "GET /search"
FIELDS = "fields={layer}~name,photo~"
POINT = "GET /geo_utils/features_at_point"
HERE = "point_x=16.44&point_y=43.51"

SEARCHED = (
    Case(SEARCH, f"search.json?query=split&{FIELDS}", "query fields", check=(
        is_list("search", HIT, page=1), includes("data.*.result", "Split"), holds("data.0.__match", "name"),
    )),
    Case(SEARCH, "search.json?query=Split", "query", needs="layer", check=(includes("data.*.result", "Split"),)),
    Case(SEARCH, "search.json?query=nothing at all&fields={layer}~*", "query", check=(is_list("search", HIT, total=0, empty=True),)),
    Case(SEARCH, "search.json?query=a&fields={layer}~name~name:DESC", "fields", check=(ordered("data.*.result", falling=True),)),
    Case(SEARCH, "search.json?perpage=1000&query=a&fields={layer}~name~name:ASC;{countries}~NAME", "fields", check=(includes("data.*.result", "Pula", "Croatia"),)),
    Case(SEARCH, "search.json?query=a&fields={layer}~name~---&x=13.85&y=44.87", "fields x y", check=(holds("data.0.result", "Pula"),)),
    Case(SEARCH, "search.json?query=a&fields={layer}~nothing", "fields", status=400, field="fields"),
    Case(SEARCH, "search.json?query=a&fields=x~name", "fields", status=400, field="fields"),
    Case(SEARCH, "search.json?query=a&fields={shared_layer}~name", "fields", by="other", check=(is_list("search", HIT, empty=True),)),
    Case(SEARCH, "search.json?query=a&fields={layer}~name", "fields", by="other", check=(is_list("search", HIT, total=0, empty=True),)),
    Case(SEARCH, f"search.json?query=a&{FIELDS}&x=0&y=0", "x y", check=(is_list("search", HIT),)),
    Case(SEARCH, f"search.json?query=a&{FIELDS}&x=east&y=0", "x", status=400, field="x"),
    Case(SEARCH, f"search.json?query=a&{FIELDS}&x=1&y=north", "y", status=400, field="y"),
    Case(SEARCH, f"search.json?query=a&{FIELDS}&perpage=1", "perpage", check=(counts("data", 1),)),
    Case(SEARCH, f"search.json?query=a&{FIELDS}&perpage=1&page=2", "page", check=(counts("data", 1), holds("page", 2))),
    Case(SEARCH, f"search.json?query=splít&{FIELDS}&replace_special_chars=false", "replace_special_chars", check=(is_list("search", HIT, total=0, empty=True),)),
    Case(SEARCH, f"search.json?query=šplit&{FIELDS}&replace_special_chars=true", "replace_special_chars", check=(includes("data.*.result", "Split"),)),
    Case(SEARCH, "search.json?query=Split&address_layer={layer}", "address_layer", check=(includes("data.*.result", "Split"),)),
    Case(SEARCH, "search.json?query=Split&address_layer=x", "address_layer", status=400, field="address_layer"),
    Case(SEARCH, f"search.json?query=split&{FIELDS}&columns_meta=true", "columns_meta", check=(fits("meta.columns", obj),)),
    Case(SEARCH, f"search.json?query=split&{FIELDS}", "columns_meta", check=(lacks("", "meta"), fits("data.0.result", text))),
)  # fmt: skip

PLACES = (
    Case(POINT, f"geo_utils/features_at_point?layer_id={{layer}}&{HERE}&buffer=10m", "layer_id point_x point_y buffer", check=(
        is_array(NEAR), counts("", 1), holds("0.data.name", "Split"),
    )),
    Case(POINT, f"geo_utils/features_at_point.json?layer_id={{layer}}&{HERE}&buffer=200km", "buffer", check=(holds("0.data.name", "Split"), holds("1.data.name", "Zadar"))),
    Case(POINT, f"geo_utils/features_at_point?layer_id={{layer}},{{countries}}&{HERE}&buffer=1000.json", "layer_id buffer", check=(counts("", 2), includes("*.__id", 1))),
    Case(POINT, f"geo_utils/features_at_point?layer_id={{layer}}&{HERE}&buffer=200km&perpage=1", "perpage", check=(counts("", 1),)),
    Case(POINT, f"geo_utils/features_at_point?layer_id={{layer}}&{HERE}&buffer=200km&perpage=1&page=2", "page", check=(holds("0.data.name", "Zadar"),)),
    Case(POINT, "geo_utils/features_at_point?layer_id={layer}&point_x=1830092.4&point_y=5389924.0&srid=3857&buffer=1000", "srid", check=(near("0.__xmin", 1830092.4, 1),)),
    Case(POINT, f"geo_utils/features_at_point?layer_id={{layer}}&{HERE}&buffer=1m", "srid:2", check=(near("0.__xmin", 16.44, 1e-9),)),
    Case(POINT, f"geo_utils/features_at_point?layer_id={{layer}}&{HERE}&buffer=1m&srid=x", "srid", status=400, field="srid"),
    Case(POINT, f"geo_utils/features_at_point?layer_id={{layer}}&{HERE}&buffer=wide", "buffer", status=400, field="buffer"),
    Case(POINT, "geo_utils/features_at_point?layer_id={layer}&point_x=east&point_y=43", "point_x", status=400, field="point_x"),
    Case(POINT, "geo_utils/features_at_point?layer_id={layer}&point_x=16", "point_y", status=400, field="point_y"),
    Case(POINT, f"geo_utils/features_at_point?layer_id=999999999&{HERE}", "layer_id", status=404),
    Case(POINT, f"geo_utils/features_at_point?layer_id={{layer}}&{HERE}", "layer_id", by="other", status=404),
    Case(POINT, f"geo_utils/features_at_point?layer_id={{layer}}&{HERE}&geometry=wkt&noattrib=1&where=value>1", check=(holds("0.data", {}), says(r"POINT ?\(16\.44"))),
    Case("GET /geo_utils/nearest", f"geo_utils/nearest?layer_id={{layer}}&{HERE}", check=(says("Split"),)),
    Case("GET /geo_utils/spatial_filter", "geo_utils/spatial_filter?layer_id={layer}&shape=POLYGON((16 43,17 43,17 44,16 44,16 43))&srid=4326", check=(says("Split"),)),
    Case("GET /geo_utils/spatial_filter", "geo_utils/spatial_filter?layer_id={layer}", status=400, field="shape"),
    Case("GET /geo_utils/area", "geo_utils/area?layer_id={countries}&feature_id=1", check=(says(r"\d{6}"),)),
    Case("GET /geo_utils/feature_bounds", "geo_utils/feature_bounds?layer_id={layer}&feature_id=1&srid=4326", check=(says("16.44"),)),
)  # fmt: skip

CASES = (*SEARCHED, *PLACES)
