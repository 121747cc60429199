"""/layers: layers, their columns, pictures, files, buffers."""

from __future__ import annotations

from tests.contract.case import Case
from tests.contract.checks import (
    any_of,
    array,
    begins,
    counts,
    fits,
    has_shape,
    holds,
    includes,
    is_array,
    is_list,
    is_one,
    json_text,
    lacks,
    nothing,
    null,
    num,
    obj,
    picture,
    says,
)
from tests.contract.shapes import COLUMN, FORM, JOB, LAYER, LAYER_COLUMN, OPTION

DATASOURCE = any_of(null, has_shape({"resource_id": num, "type": num, "owner_id": num, "permissions": array}))
HTML = {"Content-Type": "text/html.*"}

LIST = (
    Case("GET /layers", "layers.json", needs="layer", check=(is_list("layers", LAYER, page=1),)),
    Case("GET /layers", "layers.json?perpage=1", "perpage", needs="layer", check=(counts("data", 1),)),
    Case("GET /layers", "layers.json?perpage=1&page=2", "page", check=(holds("page", 2), counts("data", 1)), needs="osm layer"),
    Case("GET /layers", "layers.json?expand=form,options,columns,datasource&type=point", "expand", needs="layer", check=(
        fits("data.0.columns", obj), fits("data.0.options", array), fits("data.0.form", any_of(obj, null)),
        fits("data.0.datasource", any_of(obj, null)),
    )),
    Case("GET /layers", "layers.json?nototal=1", "nototal", needs="layer", check=(lacks("", "total"), is_list("layers", LAYER, nototal=True))),
    Case("GET /layers", "layers.json?query=street&query_on=name", "query query_on", check=(includes("data.*.id", "{osm}"),), needs="osm"),
    Case("GET /layers", "layers.json?query=STREET MAP", "query", check=(includes("data.*.id", "{osm}"),), needs="osm"),
    Case("GET /layers", "layers.json?query=no such layer", "query", check=(is_list("layers", LAYER, total=0, empty=True),)),
    Case("GET /layers", "layers.json?query=x&query_on=nothing", "query_on", status=400, field="query_on"),
    Case("GET /layers", "layers.json?type=tile", check=(includes("data.*.id", "{osm}"),), needs="osm"),
    Case("GET /layers", "layers.json?type=shared", by="other", check=(is_list("layers", LAYER, empty=True),)),
)  # fmt: skip

ONE = (
    Case("GET /layers/{}", "layers/{osm}.json", "{LAYER_ID}", headers={"ETag": '".+-.+"'}, check=(
        is_one(LAYER), holds("source", '{"type":"tile","src":"osm"}'), holds("type", "tile"), holds("map_id", "{map}"),
    )),
    Case("GET /layers/{}", "layers/{layer}.json?expand=columns,form", "expand", check=(
        fits("columns.name", has_shape(COLUMN)), holds("columns.name.datatype", "text"), holds("form", None),
    )),
    Case("GET /layers/{}", "layers/{layer}.json?expand=options,datasource", "expand", check=(fits("options", array), fits("datasource", DATASOURCE))),
    Case("GET /layers/{}", "layers/{folder}.json?expand=columns", check=(holds("columns", {}), fits("source", json_text), says("qgis"))),
    Case("GET /layers/{}", "layers/{layer}.json", "{LAYER_ID}", by="other", status=403),
    Case("GET /layers/{}", "layers/999999999.json", "{LAYER_ID}", status=403),
    Case("GET /maps/{}/layers/{}", "maps/{map}/layers/{layer}.json", check=(is_one(LAYER),)),
    Case("GET /maps/{}/layers/{}", "maps/{shared_map}/layers/{layer}.json", status=404),
    Case("GET /layers/{}", "layers/999999999/columns.json", status=404),
    Case("POST /layers", "layers.json", status=201, headers={"Location": r"1/layers/\d+"}, check=(is_one(LAYER), holds("type", "point")), send={
        "mid": "{new_map}#", "name": "New layer", "type": "point", "source": '{"type":"pg","src":"{table}"}',
    }),
    Case("POST /layers", "layers.json", status=201, check=(holds("alpha", "40"), holds("visible", "f"), fits("styles", json_text)), send={
        "map_id": "{new_map}", "type": "tile", "source": {"type": "tile", "src": "osm"}, "alpha": 40, "visible": False,
        "styles": [{"color": "1,2,3"}],
    }),
    Case("POST /layers", "layers.json", status=400, field="source", send={"mid": "{map}", "source": {"type": "pg", "src": "no_such_table"}}),
    Case("POST /layers", "layers.json", status=201, check=(is_one(LAYER), holds("type", "wms")), send={
        "mid": "{new_map}", "type": "wms", "name": "Pictures of others",
        "source": {"type": "wms", "url": "https://maps.example.org/wms", "layer": "roads", "srs": "EPSG:4326"},
    }),
    Case("POST /layers", "layers.json", send={"mid": "{map}", "type": "tile", "source": {"type": "tile", "src": "osm"}}, by="other", status=404),
    Case("POST /layers", "layers.json", send={"mid": "{map}", "type": "folder"}, by="anonymous", status=403),
    Case("PUT /layers/{}", "layers/{new_layer}.json", "{LAYER_ID}", send={"name": "Updated layer name"}, check=(is_one(LAYER), holds("name", "Updated layer name"))),
    Case("PUT /layers/{}", "layers/999999999.json", "{LAYER_ID}", send={"name": "x"}, status=404),
    Case("PUT /layers/{}", "layers/{new_layer}.json", send={"alpha": 101}, status=400, field="alpha"),
    Case("PUT /layers/{}", "layers/{shared_layer}.json", send={"name": "x"}, by="other", status=403),
    Case("PUT /layers", "layers.json", send={"id": "{new_layer}", "name": "in the body"}, check=(holds("name", "in the body"),)),
    Case("PUT /layers", "layers.json", send={"name": "Updated layer name"}, status=400, field="id"),
    Case("PUT /maps/{}/layers/{}", "maps/{new_map}/layers/{new_layer}.json", send={"order": 7}, check=(holds("order", "7"),)),
    Case("DELETE /layers/{}", "layers/{new_layer}.json", status=204, check=(nothing,), then=("GET layers/{new_layer} 403", "GET tables/{new_table} 200")),
    Case("DELETE /layers/{}", "layers/999999999.json", status=404),
    Case("DELETE /maps/{}/layers/{}", "maps/{new_map}/layers/{new_layer}.json", status=204, check=(nothing,)),
)  # fmt: skip

RENDER = "GET /layers/{}/render.iframe"

SHOWN = (
    Case(RENDER, "layers/{layer}/render.iframe", "{LAYER_ID} {FORMAT}", headers=HTML, check=(begins(b"<!"),)),
    Case(RENDER, "layers/{layer}/render.iframe?width=300&height=200", "width height", headers=HTML, check=(says("300px"), says("200px"))),
    Case("GET /layers/{}/render.png", "layers/{layer}/render.png?width=300&height=200&invalidate=true", check=(picture("PNG", 300, 200),)),
    Case(RENDER, "layers/{layer}/render.iframe?invalidate=true", "invalidate", headers=HTML, check=(begins(b"<!"),)),
    Case(RENDER, "layers/{layer}/render.iframe?width=wide", "width", status=400, field="width"),
    Case("GET /layers/{}/render.jpg", "layers/{layer}/render.jpg", check=(picture("JPEG", 256, 256),)),
    Case("GET /layers/{}/render.png", "layers/{layer}/render.png", by="other", status=404),
    Case("GET /maps/{}/layers/{}/render.png", "maps/{map}/layers/{layer}/render.png", check=(picture("PNG", 256, 256),)),
    Case("GET /layers/{}/style.json", "layers/{layer}/style.json", check=(holds("version", 8),)),
    Case("GET /layers/{}/tiles/{}/{}/{}.png", "layers/{layer}/tiles/2/2/1.png", check=(picture("PNG", 256, 256),)),
    Case("GET /layers/{}/tiles/{}/{}/{}.jpg", "layers/{layer}/tiles/2/2/1.jpg", check=(picture("JPEG", 256, 256),)),
    Case("GET /layers/{}/tiles/{}/{}/{}.mvt", "layers/{countries}/tiles/0/0/0.mvt", headers={"Content-Type": "application/vnd.mapbox-vector-tile"}),
    Case("GET /layers/{}/tiles/{}/{}/{}.mvt", "layers/{layer}/tiles/2/0/0.mvt", status=204, check=(nothing,)),
    Case("GET /maps/{}/layers/{}/tiles/{}/{}/{}.png", "../r/9/map{map}/layer{layer}/2/2/1.png", check=(picture("PNG", 256, 256),)),
    Case("GET /maps/{}/layers/{}/tiles/{}/{}/{}.png", "../t/9/map{map}/layer{layer}/2/2/1.png", check=(picture("PNG", 256, 256),)),
)  # fmt: skip

EXPORT = "GET /layers/{}/export.{}"


def _file(name: str, content: bytes, layer: str = "layer", query: str = "") -> Case:
    return Case(
        EXPORT,
        f"layers/{{{layer}}}/export.{name}{query}",
        "{FORMAT}",
        check=(begins(content),),
        headers={"Content-Disposition": "attachment.*"},
    )


FILES = (
    _file("shp", b"PK"),
    _file("mif", b"PK"),
    _file("kml", b"<?xml"),
    _file("gpx", b"<?xml"),
    _file("dxf", b"  0"),
    _file("gml", b"PK"),
    _file("csv", b""),
    _file("geojson", b"{"),
    _file("gpkg", b"SQLite format 3"),
    _file("fgb", b"fgb"),
    _file("xlsx", b"PK"),
    _file("csv.zip", b"PK"),
    _file("kml.zip", b"PK"),
    _file("shp", b"PK", "countries", "?epsg=3035"),
    Case(EXPORT, "layers/{layer}/export.geojson?zip", "zip {LAYER_ID}", check=(begins(b"PK"),)),
    Case(EXPORT, "layers/{layer}/export.csv?zip=true", "zip", check=(begins(b"PK"),)),
    Case(EXPORT, "layers/{layer}/export.csv", check=(says("Split"),)),
    Case(EXPORT, "layers/999999999/export.csv", "{LAYER_ID}", status=404),
    Case(EXPORT, "layers/{layer}/export.csv", by="other", status=404),
    Case(EXPORT, "layers/{layer}/export.exe", "{FORMAT}", status=400),
    Case("POST /layers/{}/export.{}", "layers/{layer}/export.csv", status=201, headers={"Location": r"1/jobs/\d+"}, check=(is_one(JOB),)),
    Case("GET /maps/{}/layers/{}/export.{}", "maps/{map}/layers/{layer}/export.csv", check=(says("Split"),)),
)  # fmt: skip

COLUMNS = "GET /layers/{}/columns"
BUFFER = "POST /layers/{}/buffer"
MADE = {"Location": r"1/maps/\d+/layers/\d+"}

REST = (
    Case(COLUMNS, "layers/{layer}/columns.json", "{LAYER_ID}", check=(is_array(LAYER_COLUMN), includes("", {"name": "name", "type": "text"}, {"name": "value", "type": "number"}))),
    Case(COLUMNS, "layers/{osm}/columns.json", "{LAYER_ID}", check=(holds("", []),)),
    Case(COLUMNS, "layers/999999999/columns.json", "{LAYER_ID}", status=404),
    Case("PUT /layers/{}/refresh_columns", "layers/{new_layer}/refresh_columns.json", send={}, check=(is_array(LAYER_COLUMN),)),
    Case("GET /layers/{}/attributeops/distinct", "layers/{layer}/attributeops/distinct.json?column=name", check=(says("Split"), says("Pula"))),
    Case("GET /layers/{}/attributeops/info", "layers/{layer}/attributeops/info.json?column=value", check=(says("178"), says("57"))),
    Case("GET /layers/{}/attributeops/min", "layers/{layer}/attributeops/min.json?column=value", check=(says("57"),)),
    Case("GET /layers/{}/attributeops/max", "layers/{layer}/attributeops/max.json?column=value", check=(says("178"),)),
    Case(BUFFER, "layers/{new_layer}/buffer.json", "name size units merge_geom border_width border_color fill_color", status=201, headers=MADE, send={
        "name": "buffer_layer_name", "size": "100", "merge_geom": True, "units": "meter", "fill_color": "198,45,240",
        "border_color": "0,32,96", "border_width": 1,
    }),
    Case(BUFFER, "layers/{new_layer}/buffer.json", "units merge_geom border_width", status=201, headers=MADE, send={"name": "wide", "size": 2.5, "units": "mile", "merge_geom": "false", "border_width": "4"}),
    Case(BUFFER, "layers/{new_layer}/buffer.json", "name size", status=201, headers=MADE, send={"name": "plain", "size": 1}),
    Case(BUFFER, "layers/{new_layer}/buffer.json", "name", send={"size": 1}, status=400, field="name"),
    Case(BUFFER, "layers/{new_layer}/buffer.json", "size", send={"name": "x"}, status=400, field="size"),
    Case(BUFFER, "layers/{new_layer}/buffer.json", "size", send={"name": "x", "size": "wide"}, status=400, field="size"),
    Case(BUFFER, "layers/{new_layer}/buffer.json", "units", send={"name": "x", "size": 1, "units": "foot"}, status=400, field="units"),
    Case(BUFFER, "layers/{new_layer}/buffer.json", "merge_geom", send={"name": "x", "size": 1, "merge_geom": "perhaps"}, status=400, field="merge_geom"),
    Case(BUFFER, "layers/{new_layer}/buffer.json", "border_width", send={"name": "x", "size": 1, "border_width": 5}, status=400, field="border_width"),
    Case(BUFFER, "layers/{new_layer}/buffer.json", "border_color", send={"name": "x", "size": 1, "border_color": "red"}, status=400, field="border_color"),
    Case(BUFFER, "layers/{new_layer}/buffer.json", "fill_color", send={"name": "x", "size": 1, "fill_color": "1,2"}, status=400, field="fill_color"),
    Case(BUFFER, "layers/999999999/buffer.json", send={"name": "x", "size": 1}, status=404),
    Case("POST /maps/{}/layers/{}/buffer", "maps/{new_map}/layers/{new_layer}/buffer.json", status=201, headers=MADE, send={"name": "x", "size": 1, "units": "kilometer"}),
    Case("GET /layers/{}/options", "layers/{layer}/options.json", check=(is_list("options", OPTION),), needs="layer_option"),
    Case("POST /layers/{}/options", "layers/{new_layer}/options.json", send={"option_name": "a", "option_value": "b"}, status=201),
    Case("PUT /layers/{}/options", "layers/{layer}/options.json", send={"id": "{layer_option}", "option_value": "blue"}, status=204),
    Case("PUT /layers/{}/options/{}", "layers/{layer}/options/{layer_option}.json", send={"option_value": "blue"}, status=204),
    Case("DELETE /layers/{}/options/{}", "layers/{layer}/options/999999999.json", status=404),
    Case("GET /layers/{}/options/{}", "layers/{layer}/options/{layer_option}.json", check=(is_one(OPTION), holds("option_value", "blue"))),
    Case("POST /layers/{}/forms/{}", "layers/{new_layer}/forms/{form}.json", send={}, status=201),
    Case("GET /layers/{}/forms/{}", "layers/{new_layer}/forms/{form}.json", status=404, check=()),
    Case("DELETE /layers/{}/forms/{}", "layers/{layer}/forms/999999999.json", status=404),
    Case("PUT /layers/{}/forms/{}", "layers/{new_layer}/forms/{form}.json", send={}, check=(is_one(FORM),), then=("GET layers/{new_layer}/forms/{form} 200", "DELETE layers/{new_layer}/forms/{form} 204")),
)  # fmt: skip

CASES = (*LIST, *ONE, *SHOWN, *FILES, *REST)
