"""/maps: maps, their pictures and their cached pictures."""

from __future__ import annotations

from tests.contract.case import Case
from tests.contract.checks import (
    array,
    begins,
    counts,
    excludes,
    fits,
    holds,
    includes,
    is_list,
    is_one,
    json_text,
    lacks,
    nothing,
    ordered,
    picture,
    says,
    text,
    wide,
)
from tests.contract.rows.conventions import WRONG
from tests.contract.shapes import LAYER, MAP, MAP_WITH_OWNER, OPTION

WHOLE = "-2000000,4000000,4000000,8000000"

LIST = (
    Case("GET /maps", "maps.json", needs="map", check=(is_list("maps", MAP, page=1), includes("data.*.id", "{map}"))),
    Case("GET /maps", "maps.json?type=private", "type", check=(excludes("data.*.owner", "{other}"),)),
    Case("GET /maps", "maps.json?type=shared", "type", by="other", needs="shared_map", check=(includes("data.*.id", "{shared_map}"),)),
    Case("GET /maps", "maps.json?type=private,shared", "type", by="other", needs="shared_map other_map", check=(includes("data.*.id", "{shared_map}", "{other_map}"),)),
    Case("GET /maps", "maps.json?type=public", "type", check=(is_list("maps", MAP, empty=True), excludes("data.*.id", "{map}"))),
    Case("GET /maps", "maps.json?perpage=1", "perpage", needs="map", check=(counts("data", 1),)),
    Case("GET /maps", "maps.json?perpage=1&page=2", "page", needs="map shared_map", check=(holds("page", 2), counts("data", 1))),
    Case("GET /maps", "maps.json?type=private&order_by=accessed:desc", "order_by", check=(ordered("data.*.accessed", falling=True),)),
    Case("GET /maps", "maps.json?type=private&order_by=created:asc", "order_by", check=(ordered("data.*.created"),)),
    Case("GET /maps", "maps.json?type=private&order_by=modified", "order_by", check=(ordered("data.*.modified"),)),
    Case("GET /maps", "maps.json?type=private&expand=owner, options,permissions", "expand", needs="map", check=(
        is_list("maps", MAP_WITH_OWNER), holds("data.0.owner", {"id": "{user}", "username": "{username}"}),
        fits("data.0.options", array), includes("data.0.permissions", "OWNER", "READ"),
    )),
    Case("GET /maps", "maps.json?nototal=true", "nototal", check=(lacks("", "total"), is_list("maps", MAP, nototal=True))),
    Case("GET /maps", "maps.json?query=OF THE TAB&query_on=name,description", "query query_on", needs="map", check=(includes("data.*.id", "{map}"),)),
    Case("GET /maps", "maps.json?query=no such map", "query", check=(is_list("maps", MAP, total=0, empty=True),)),
)  # fmt: skip

ONE = (
    Case("GET /maps/{}", "maps/{map}.json", "{MAP_ID}", check=(is_one(MAP), holds("id", "{map}"), holds("epsg", "900913")), headers={"ETag": '".+-.+"'}),
    Case("GET /maps/{}", "maps/{map}.json?expand=owner,options,permissions", "expand", check=(
        holds("owner", {"id": "{user}", "username": "{username}"}), fits("options", array), includes("permissions", "OWNER"),
    )),
    Case("GET /maps/{}", "maps/{other_map}.json", "{MAP_ID}", status=404),
    Case("GET /maps/{}", "maps/{map}.json", "{MAP_ID}", by="anonymous", status=404),
    Case("POST /maps", "maps.json", send={"name": "New map name"}, status=201, headers={"Location": r"1/maps/\d+"}, check=(
        is_one(MAP), holds("name", "New map name"), holds("owner", "{user}"),
    )),
    Case("POST /maps", "maps.json", send={"epsg": "3035", "bounds": {"xmin": 1, "ymin": 2, "xmax": 3, "ymax": 4}}, status=201, check=(
        holds("epsg", "3035"), fits("bounds", json_text), fits("proj4", text),
    )),
    Case("POST /maps", "maps.json", send={"epsg": "99999999"}, status=400, field="epsg"),
    Case("POST /maps", "maps.json", send={"name": "x"}, by="anonymous", status=403),
    Case("PUT /maps/{}", "maps/{new_map}.json", "{MAP_ID}", send={"name": "Updated map name"}, check=(is_one(MAP), holds("name", "Updated map name"))),
    Case("PUT /maps/{}", "maps/{new_map}.json?archived=true", send={}, check=(holds("archived", "t"),)),
    Case("PUT /maps/{}", "maps/{shared_map}.json", "{MAP_ID}", send={"name": "x"}, by="other", status=403),
    Case("PUT /maps/{}", "maps/{other_map}.json", "{MAP_ID}", send={"name": "x"}, status=404),
    Case("PUT /maps", "maps.json", send={"id": "{new_map}", "name": "named in the body"}, check=(holds("name", "named in the body"),)),
    Case("PUT /maps", "maps.json", send={"name": "Updated map name"}, status=400, field="id"),
    Case("DELETE /maps/{}", "maps/{new_map}.json", check=(holds("", {}),), then=("GET maps/{new_map} 404",)),
    Case("DELETE /maps/{}", "maps/{shared_map}.json", by="other", status=403, then=("GET maps/{shared_map} 200",)),
    Case("DELETE /maps/{}", "maps/{other_map}.json", status=404),
)  # fmt: skip

PNG = {"Content-Type": "image/png"}
RENDER = "GET /maps/{}/render.png"

PICTURES = (
    Case(RENDER, "maps/{map}/render.png", "{MAP_ID} {FORMAT}", headers=PNG, check=(picture("PNG", 256, 256),)),
    Case("GET /maps/{}/render.jpg", "maps/{map}/render.jpg", headers={"Content-Type": "image/jpeg"}, check=(picture("JPEG", 256, 256),)),
    Case(RENDER, "maps/{map}/render.png?width=300&height=120", "width height", headers=PNG, check=(picture("PNG", 300, 120),)),
    Case(RENDER, "maps/{map}/render.png?width=5000", "width", status=400, field="width"),
    Case(RENDER, "maps/{map}/render.png?height=0", "height", status=400, field="height"),
    Case(RENDER, "maps/{map}/render.png?layerlist=true&height=300", "layerlist", needs="layer", check=(wide("PNG", 256),)),
    Case(RENDER, f"maps/{{map}}/render.png?bounds={WHOLE}", "bounds", check=(picture("PNG", 256, 256),)),
    Case(RENDER, "maps/{map}/render.png?bounds=1,2,3", "bounds", status=400, field="bounds"),
    Case(RENDER, "maps/{map}/render.png?bound=10,40,20,50&srid=4326&epsg=3035", check=(picture("PNG", 256, 256),)),
    Case(RENDER, "maps/{map}/render.png?proj4=%2Bproj%3Dlonglat", check=(picture("PNG", 256, 256),)),
    Case(RENDER, "maps/{map}/render.png?download=true", "download", headers=PNG | {"Content-Disposition": "attachment.*Contract.png"}),
    Case(RENDER, f"maps/{{map}}/render.png?numscale=20000&bounds={WHOLE}", "numscale", check=(picture("PNG", 256, 256),)),
    Case(RENDER, "maps/{map}/render.png?numscale=x", "numscale", status=400, field="numscale"),
    Case(RENDER, "maps/{map}/render.png?invalidate=true", "invalidate", check=(picture("PNG", 256, 256),)),
    Case(RENDER, "maps/{shared_map}/render.png?invalidate=true", "invalidate", by="other", status=403),
    Case(RENDER, "maps/{map}/render.png?justgenerate=true", "justgenerate", check=(picture("PNG", 256, 256),)),
    Case(RENDER, "maps/{map}/render.png?saveto=contract/saved.png", "saveto", then=("GET storage/fs/contract/saved.png 200",)),
    Case(RENDER, "maps/{map}/render.png?saveto=contract/saved.txt", "saveto", status=400, field="saveto"),
    Case(RENDER, "maps/{map}/render.png?timestamp=1600000000", "timestamp", headers=PNG | {"Cache-Control": r"private.*max-age=\d+.*"}),
    Case(RENDER, "maps/{map}/render.png?phender=true", "phender", check=(picture("PNG", 256, 256),)),
    Case(RENDER, "maps/{map}/render.png?width=257&phender=false", "phender", status=404),
    Case(RENDER, "maps/{other_map}/render.png", "{MAP_ID}", status=404),
    Case(RENDER, "maps/{map}/render.bmp", "{FORMAT}", status=404),
)  # fmt: skip

IFRAME = "GET /maps/{}/render.iframe"
HTML = {"Content-Type": "text/html.*"}


def _page(query: str, covers: str, *patterns: str) -> Case:
    """An interactive map whose configuration says what was asked for."""
    path, checks = f"maps/{{map}}/render.iframe?{query}", tuple(map(says, patterns))
    return Case(IFRAME, path, covers, headers=HTML, check=checks)


PAGES = (
    Case(IFRAME, "maps/{map}/render.iframe", headers=HTML, check=(begins(b"<!"), says("/1/maps/{map}"))),
    _page("toolbar=true&layerlist=1&scalebar&popupus=true", "toolbar layerlist scalebar popupus", '"toolbar":\\s*true', '"layerlist":\\s*true', '"scalebar":\\s*true', '"popups":\\s*true'),
    _page("layer_id={layer}&feature_id=1", "layer_id feature_id", '"layer_id":\\s*"?{layer}', '"feature_id":\\s*"?1'),
    _page(f"bounds={WHOLE}", "bounds", '"bounds":\\s*\\[-17.9'),
    _page("width=600&height=50%25", "width height", "600px", "50%"),
    _page("visibility={layer},{osm}", "visibility", "visibility"),
    _page("expressions={layer}~value>100", "expressions", "expressions"),
    _page("layer_id={layer}&f=name&v=Split", "f v", '"f":\\s*"name"|16.44, 43.51'),
    _page("numscale=20000", "numscale", "20000"),
    _page("layerlist_expanded=true", "layerlist_expanded", '"layerlist_expanded":\\s*true'),
    _page("noattrib=1&noctrl=1&no3d=1&lockzoom=true", "noattrib noctrl no3d lockzoom", '"noattrib":\\s*true', '"noctrl":\\s*true', '"no3d":\\s*true', '"lockzoom":\\s*true'),
    _page("style={css}", "style", "page.css|border: 1px solid red"),
    _page("search=true", "", '"search":\\s*true'),
    Case(IFRAME, "maps/{map}/render.iframe?toolbar=perhaps", "toolbar", status=400, field="toolbar"),
    Case(IFRAME, "maps/{map}/render.iframe?bounds=x", "bounds", status=400, field="bounds"),
    Case(IFRAME, "maps/{map}/render.iframe?expressions={layer}~value>", "expressions", status=400, field="expressions"),
    Case(IFRAME, "maps/{map}/render.iframe?layer_id={layer}&f=nothing&v=1", "f", status=400, field="f"),
    Case(IFRAME, "maps/{map}/render.iframe?layer_id={layer}&f=value&v=Split", "v", status=400, field="v"),
    Case(IFRAME, "maps/{map}/render.iframe?numscale=x", "numscale", status=400, field="numscale"),
    Case(IFRAME, "maps/{map}/render.iframe?style=page.txt", "style", status=400, field="style"),
)  # fmt: skip

LAYERS = "GET /maps/{}/layers"

REST = (
    Case(LAYERS, "maps/{map}/layers.json", "{MAP_ID}", check=(is_list("layers", LAYER), excludes("data.*.map_id", "{shared_map}"))),
    Case(LAYERS, "maps/{shared_map}/layers.json", by="other", check=(is_list("layers", LAYER, empty=True),)),
    Case(LAYERS, "maps/{map}/layers.json", sent_headers={"API-Key": WRONG}, status=403),
    Case(LAYERS, "maps/{other_map}/layers.json", "{MAP_ID}", status=404),
    Case(LAYERS, "maps/{map}/layers.json?type=point&expand=columns", needs="layer", check=(includes("data.*.id", "{layer}"), fits("data.0.columns.name", lambda value: value["datatype"] == "text"))),
    Case("POST /maps/{}/layers", "maps/{new_map}/layers.json", send={"name": "Streets", "type": "tile", "source": {"type": "tile", "src": "osm"}}, status=201, headers={"Location": r"1/layers/\d+"}, check=(is_one(LAYER), holds("map_id", "{new_map}"))),
    Case("PUT /maps/{}/layers", "maps/{new_map}/layers.json", send={"id": "{new_layer}", "name": "in the body"}, check=(holds("name", "in the body"),)),
    Case("DELETE /map_cache/{}/{}", "map_cache/{map}/2", "{MAP_ID} {INIT}", status=204, check=(nothing,)),
    Case("DELETE /map_cache/{}/{}", "map_cache/{map}/1.json", "{INIT}", status=204, check=(nothing,)),
    Case("DELETE /map_cache/{}/{}", "map_cache/{map}/3", "{INIT}", status=400, field="init"),
    Case("DELETE /map_cache/{}/{}", "map_cache/{map}/2?layers={layer},{osm}", "layers", status=204, check=(nothing,)),
    Case("DELETE /map_cache/{}/{}", "map_cache/{map}/2?layers={shared_layer}", "layers", status=404),
    Case("DELETE /map_cache/{}/{}", "map_cache/{other_map}/2", "{MAP_ID}", status=404),
    Case("DELETE /map_cache/{}/{}", "map_cache/{shared_map}/2", by="other", status=403),
    Case("GET /maps/{}/get_modified_timestamp", "maps/{map}/get_modified_timestamp.json", check=(says(r"\d{10}"),)),
    Case("GET /maps/{}/get_modified_timestamp", "maps/{other_map}/get_modified_timestamp.json", status=404),
    Case("GET /maps/{}/sharing", "maps/{map}/sharing.json", check=(says("{username}"),)),
    Case("GET /maps/{}/sharing", "maps/{other_map}/sharing.json", status=404),
    Case("POST /maps/{}/options", "maps/{new_map}/options.json", send={"option_name": "a", "option_value": {"b": 1}}, status=201, check=(says('\\{\\\\"b\\\\": ?1\\}'),)),
    Case("GET /maps/{}/options", "maps/{map}/options.json", check=(is_list("options", OPTION), includes("data.*.option_name", "colour")), needs="option"),
    Case("GET /maps/{}/options/{}", "maps/{map}/options/{option}.json", check=(is_one(OPTION), holds("option_value", "red"))),
    Case("PUT /maps/{}/options", "maps/{new_map}/options.json", send={"id": "{new_option}", "option_value": "green"}, status=204),
    Case("PUT /maps/{}/options/{}", "maps/{new_map}/options/{new_option}.json", send={"option_value": "green"}, status=204, check=(nothing,)),
    Case("DELETE /maps/{}/options/{}", "maps/{new_map}/options/{new_option}.json", status=204, check=(nothing,), then=("GET maps/{new_map}/options/{new_option} 404",)),
    Case("GET /maps/{}/tilejson.json", "maps/{map}/tilejson.json", check=(holds("tilejson", "3.0.0"), says("tiles/\\{z\\}"))),
    Case("GET /maps/{}/style.json", "maps/{map}/style.json", check=(holds("version", 8),)),
    Case("GET /maps/{}/tiles/{}/{}/{}.png", "maps/{map}/tiles/2/2/1.png", headers=PNG, check=(picture("PNG", 256, 256),)),
    Case("GET /maps/{}/tiles/{}/{}/{}.jpg", "maps/{map}/tiles/2/2/1.jpg", headers={"Content-Type": "image/jpeg"}, check=(picture("JPEG", 256, 256),)),
    Case("GET /maps/{}/tiles/{}/{}/{}.mvt", "maps/{map}/tiles/2/2/1.mvt", headers={"Content-Type": "application/vnd.mapbox-vector-tile"}, needs="countries"),
    Case("GET /maps/{}/tiles/{}/{}/{}.png", "../rt/123/{map}/2/2/1.png", headers=PNG, check=(picture("PNG", 256, 256),)),
)  # fmt: skip

CASES = (*LIST, *ONE, *PICTURES, *PAGES, *REST)
