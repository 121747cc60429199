"""/layers/{l}/features: reading and changing features, and the media files that their attributes name."""

from __future__ import annotations

from tests.contract.case import Case
from tests.contract.checks import (
    begins,
    counts,
    fits,
    holds,
    includes,
    is_array,
    is_list,
    is_one,
    near,
    nothing,
    num,
    obj,
    ordered,
    says,
    text,
)
from tests.contract.shapes import FEATURE
from tests.contract.world import PICTURE

LIST = "GET /layers/{}/features"
SPLIT = 16.44
LONGLAT = "%2Bproj%3Dlonglat %2Bdatum%3DWGS84 %2Bno_defs"

LISTED = (
    Case(LIST, "layers/{layer}/features.json", "{LAYER_ID}", check=(is_list("features", FEATURE, page=1), holds("data.0.data.name", "Split"), holds("data.0.__owner", "{user}#"))),
    Case(LIST, "layers/{countries}/features.json?perpage=10", "perpage", check=(is_list("features", FEATURE, total=177), counts("data", 10))),
    Case(LIST, "layers/{countries}/features.json?perpage=10&page=18", "page", check=(counts("data", 7), holds("page", 18))),
    Case(LIST, "layers/{layer}/features.json?geometry=geojson&epsg=4326", "geometry epsg", check=(
        holds("data.0.__geometry", {"type": "Point", "coordinates": [SPLIT, 43.51]}), holds("data.0.__epsg", 4326),
    )),
    Case(LIST, "layers/{layer}/features.json?geometry=geojson", "geometry", check=(holds("data.0.__epsg", 900913), fits("data.0.__geometry.crs", obj))),
    Case(LIST, "layers/{layer}/features.json?geometry=wkt&epsg=4326", "geometry", check=(fits("data.0.__geometry", text), says(r"POINT ?\(16\.44 43\.51\)"))),
    Case(LIST, "layers/{layer}/features.json?geometry=kml", "geometry", check=(says("<Point>"), says("16.44"))),
    Case(LIST, "layers/{layer}/features.json?geometry=gml&epsg=3857", "geometry", check=(says("EPSG:3857"),)),
    Case(LIST, "layers/{layer}/features.json?geometry=shape", "geometry", status=400, field="geometry"),
    Case(LIST, "layers/{layer}/features.json?srid=4326", check=(near("data.0.__xmin", SPLIT, 1e-9),)),
    Case(LIST, "layers/{layer}/features.json?epsg=900913", "epsg", check=(near("data.0.__xmin", 1830092.4, 1),)),
    Case(LIST, "layers/{layer}/features.json?epsg=1", "epsg", status=400, field="epsg"),
    Case(LIST, f"layers/{{layer}}/features.json?geometry=wkt&proj4={LONGLAT}", "proj4", check=(near("data.0.__xmin", SPLIT, 1e-6),)),
    Case(LIST, "layers/{layer}/features.json?proj4=nonsense", "proj4", status=400, field="proj4"),
    Case(LIST, "layers/{layer}/features.json?epsg=4326&bounds=16, 43, 17, 44", "bounds", check=(holds("total", 1), holds("data.0.data.name", "Split"))),
    Case(LIST, "layers/{layer}/features.json?bounds=1,2", "bounds", status=400, field="bounds"),
    Case(LIST, "layers/{layer}/features.json?where=value > 60 AND name ILIKE 's%25'", "where", check=(holds("total", 1),)),
    Case(LIST, "layers/{layer}/features.json?where=value >", "where", status=400, field="where"),
    Case(LIST, "layers/{layer}/features.json?where=nothing=1", "where", status=400, field="where"),
    Case(LIST, "layers/{layer}/features.json?noattrib=true", "noattrib", check=(holds("data.0.data", {}),)),
    Case(LIST, "layers/{layer}/features.json?order_by=value:desc&fields=value", check=(ordered("data.*.data.value", falling=True), holds("data.0.data", {"value": 178}))),
    Case(LIST, "layers/999999999/features.json", "{LAYER_ID}", status=404),
    Case(LIST, "layers/{layer}/features.json", by="other", status=404),
    Case("GET /maps/{}/layers/{}/features", "maps/{map}/layers/{layer}/features.json?perpage=1", check=(is_list("features", FEATURE),)),
    Case("GET /layers/{}/features.csv", "layers/{layer}/features.csv?epsg=4326", headers={"Content-Type": "text/csv.*"}, check=(says("Split"), says(r"POINT ?\(16\.44"))),
)  # fmt: skip

ONE = "GET /layers/{}/features/{}"

SINGLE = (
    Case(ONE, "layers/{layer}/features/{feature}.json", "{LAYER_ID} {FEATURE_ID}", headers={"ETag": '".+-.+"'}, check=(
        is_one(FEATURE | {"__xmin": num}), holds("__id", 1), holds("data.name", "Split"), holds("data.value", 178),
    )),
    Case(ONE, "layers/{layer}/features/{feature}.json?geometry=geojson&epsg=4326", "geometry epsg", check=(holds("__geometry", {"type": "Point", "coordinates": [SPLIT, 43.51]}),)),
    Case(ONE, "layers/{layer}/features/{feature}.json?geometry=wkt", "geometry", check=(fits("__geometry", text), holds("__epsg", 900913))),
    Case(ONE, "layers/{layer}/features/{feature}.json?geometry=kml", "geometry", check=(says("<Point>"), holds("__epsg", 4326))),
    Case(ONE, "layers/{layer}/features/{feature}.json?geometry=gml&epsg=4326", "geometry", check=(says("EPSG:4326"),)),
    Case(ONE, f"layers/{{layer}}/features/{{feature}}.json?proj4={LONGLAT}", "proj4", check=(near("__xmin", SPLIT, 1e-6),)),
    Case(ONE, "layers/{layer}/features/{feature}.json?epsg=x", "epsg", status=400, field="epsg"),
    Case(ONE, "layers/{layer}/features/999999.json", "{FEATURE_ID}", status=404),
    Case(ONE, "layers/999999999/features/1.json", "{LAYER_ID}", status=404),
    Case("GET /maps/{}/layers/{}/features/{}", "maps/{map}/layers/{layer}/features/{feature}.json", check=(is_one(FEATURE),)),
)  # fmt: skip

POST = "POST /layers/{}/features"
PUT = "PUT /layers/{}/features/{}"
DELETE = "DELETE /layers/{}/features/{}"
SENT = {"data": {"name": "myname", "value": 995}, "geometry": "POINT(15 45)"}

CHANGED = (
    Case(POST, "layers/{new_layer}/features.json", send=SENT, status=201, headers={"Location": r"1/layers/\d+/features/\d+"}, check=(
        is_one(FEATURE), fits("__id", num), holds("data.value", 995), near("__xmin", 1669792.36, 0.01),
    )),
    Case(POST, "layers/{new_layer}/features.json", send=[SENT, SENT], status=201, headers={"Location": r"1/layers/\d+/features"}, check=(is_array({"__id": num}), counts("", 2))),
    Case(POST, "layers/{new_layer}/features.json", send={"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {"name": "x"}, "geometry": {"type": "Point", "coordinates": [1, 2]}}]}, status=201, check=(counts("", 1),)),
    Case(POST, "layers/{new_layer}/features.json?epsg=3857", send={"geometry": "POINT(1669792 5621521)"}, status=201, check=(near("__xmin", 1669792, 0.01),)),
    Case(POST, "layers/{new_layer}/features.json", send={"data": {"nothing": 1}}, status=400, field="nothing"),
    Case(POST, "layers/{new_layer}/features.json", send={"data": {"value": "many"}}, status=400, field="value"),
    Case(POST, "layers/{new_layer}/features.json", send={"geometry": "LINESTRING(0 0,1 1)"}, status=400, field="geometry"),
    Case(POST, "layers/999999999/features.json", send=SENT, status=404),
    Case(POST, "layers/{countries}/features.json", send={"data": {}}, status=403),
    Case(PUT, "layers/{new_layer}/features/{new_feature}.json", "{LAYER_ID} {FEATURE_ID}", send={"data": {"name": "new name", "value": 999}, "geometry": "POINT(16 43)"}, check=(
        is_one(FEATURE), holds("data.name", "new name"), holds("data.value", 999),
    )),
    Case(PUT, "layers/{new_layer}/features/{new_feature}.json", send={"data": {"value": 2}, "geometry": None}, check=(holds("data.name", "new"), fits("__xmin", lambda value: value is None))),
    Case(PUT, "layers/{new_layer}/features/999999.json", "{FEATURE_ID}", send={"data": {}}, status=404),
    Case(PUT, "layers/999999999/features/1.json", "{LAYER_ID}", send={"data": {}}, status=404),
    Case("PUT /layers/{}/features", "layers/{new_layer}/features.json", send={"__id": "{new_feature}#", "data": {"value": 3}}, check=(holds("data.value", 3),)),
    Case("PUT /layers/{}/features", "layers/{new_layer}/features.json", send={"data": {"value": 3}}, status=400, field="id"),
    Case(DELETE, "layers/{new_layer}/features/{new_feature}.json", "{LAYER_ID} {FEATURE_ID}", status=204, check=(nothing,), then=("GET layers/{new_layer}/features/{new_feature} 404",)),
    Case(DELETE, "layers/{new_layer}/features/999999.json", "{FEATURE_ID}", status=404),
    Case(DELETE, "layers/999999999/features/1.json", "{LAYER_ID}", status=404),
    Case("POST /maps/{}/layers/{}/features", "maps/{new_map}/layers/{new_layer}/features.json", send=SENT, status=201),
    Case("PUT /maps/{}/layers/{}/features/{}", "maps/{new_map}/layers/{new_layer}/features/{new_feature}.json", send={"data": {"value": 2}}),
    Case("DELETE /maps/{}/layers/{}/features/{}", "maps/{new_map}/layers/{new_layer}/features/{new_feature}.json", status=204),
)  # fmt: skip

MEDIA = "GET /layers/{}/features/{}/{}/{}"
AT = "layers/{media_layer}/features/{media_feature}/photo"

FILES = (
    Case(MEDIA, f"{AT}/{{media_file}}", "{LAYER_ID} {FEATURE_ID} {ATTRIBUTE_NAME} {FILE_NAME}", check=(begins(PICTURE),), headers={"Content-Type": "image/png"}),
    Case(MEDIA, f"{AT}/{{media_file}}?download", "download", check=(begins(PICTURE),), headers={"Content-Disposition": "attachment.*"}),
    Case(MEDIA, f"{AT}/nothing.png", "{FILE_NAME}", status=404),
    Case(MEDIA, "layers/{media_layer}/features/{media_feature}/name/{media_file}", "{ATTRIBUTE_NAME}", status=404),
    Case(MEDIA, "layers/{media_layer}/features/999999/photo/{media_file}", "{FEATURE_ID}", status=404),
    Case(MEDIA, "layers/999999999/features/1/photo/{media_file}", "{LAYER_ID}", status=404),
    Case(MEDIA, f"{AT}/{{media_file}}", by="other", status=404),
    Case("POST /layers/{}/features/{}/{}", "layers/{new_layer}/features/{new_feature}/photo", files={"file": ("x.png", PICTURE)}, status=201, headers={"Location": "1/.+"}),
    Case("GET /layers/{}/features/{}", "layers/{media_layer}/features/{media_feature}.json", check=(fits("data.photo", text), includes("data.photo", ".png")), needs="media_file"),
)  # fmt: skip

CASES = (*LISTED, *SINGLE, *CHANGED, *FILES)
