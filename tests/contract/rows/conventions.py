"""What holds for every call: base addresses, versions, formats, keys, verbs, errors."""

from __future__ import annotations

from tests.contract.case import Case
from tests.contract.checks import begins, excludes, fits, holds, includes, is_list, is_one, lacks, nothing, says, text
from tests.contract.shapes import MAP

ANY = "every call"
WRONG = "0" * 32

CASES = (
    Case("GET /maps", "../rest/1/maps.json", needs="map", check=(is_list("maps", MAP),)),
    Case("GET /maps", "..//1//maps/", needs="map", check=(is_list("maps", MAP),)),
    Case("GET /maps", "../maps.json", needs="map", sent_headers={"API-Version": "1"}, check=(is_list("maps", MAP),)),
    Case("GET /maps", "../maps.json", status=400, field="version"),
    Case("GET /maps", "../2/maps.json", status=400, field="version"),
    Case("GET /maps", "maps", sent_headers={"API-Version": "2"}),
    Case("GET /maps", "maps.xml", status=406),
    Case("GET /maps", "maps", sent_headers={"Content-Type": "application/json"}, headers={"Content-Type": "application/json"}),
    Case(
        "GET /maps",
        "maps.json?callback=show.it&perpage=1",
        headers={"Content-Type": "application/javascript", "X-Content-Type-Options": "nosniff"},
        check=(begins(b"/**/show.it("),),
    ),
    Case("GET /maps", "maps.json?callback=1x", status=400, field="callback"),
    Case("GET /maps", "maps.json?api_key={key_value}", by="anonymous", needs="map", check=(includes("data.*.id", "{map}"),)),
    Case("GET /maps", "maps.json?api_key={key_value}", sent_headers={"API-Key": WRONG}),
    Case("GET /maps", "maps.json", sent_headers={"API-Key": WRONG}, status=403),
    Case("GET /maps", "maps.json", by="anonymous", sent_headers={"API-Key": "None"}),
    Case("GET /maps", "maps.json", by="anonymous", sent_headers={"api-sessid": "unknown"}, status=403),
    Case(
        "GET /maps",
        "maps.json",
        by="anonymous",
        sent_headers={"Authorization": "Bearer unknown"},
        status=401,
        headers={"WWW-Authenticate": "Bearer.*"},
    ),
    Case("GET /maps", "maps.json?oauth_token=unknown", by="anonymous", status=401, headers={"WWW-Authenticate": "Bearer.*"}),
    Case("GET /maps", "maps.json", sent_headers={"Authorization": "Bearer unknown"}),
    Case("GET /maps", "maps.json", by="anonymous", sent_headers={"Authorization": "Basic dTpw"}),
    Case("GET /maps", "maps.json", by="anonymous", sent_headers={"Cookie": "graticule_session=stale"}),
    Case(
        "GET /maps",
        "maps.json?_=123&app_instance_id=4&expand=nonsense,owner",
        headers={"Cache-Control": "private.*", "Vary": "API-Key, API-sessid, Authorization, Cookie.*"},
    ),
    Case("GET /maps", "maps.json", sent_headers={"Origin": "https://elsewhere.org"}, headers={
        "Access-Control-Allow-Origin": r"\*", "Access-Control-Expose-Headers": ".*Location.*",
    }),
    Case("POST /maps", "maps.json", send='{"name": "by text"}', status=201, check=(holds("name", "by text"),)),
    Case("POST /maps", "maps.json", form={"name": "by form"}, status=201, check=(holds("name", "by form"),)),
    Case(
        "POST /maps",
        "maps.json",
        send="<map><name>by XML</name></map>",
        sent_headers={"Content-Type": "text/xml"},
        status=201,
        check=(holds("name", "by XML"),),
    ),
    Case("POST /maps", "maps.json", send='{"name": ', status=400, field="body"),
    Case("POST /maps", "maps.json", send={"name": ["x"]}, status=400, field="name"),
    Case("POST /maps", "maps.json", send={"name": "by key", "api_key": "{key_value}"}, by="anonymous", status=201),
    Case("POST /maps", "maps.json", send={"id": 1, "owner": 2, "nonsense": []}, status=201, check=(is_one(MAP),)),
    Case("GET /maps/{}", "maps/{map}.json", sent_headers={"If-None-Match": "*"}, status=304, check=(nothing,)),
    Case(
        "PUT /maps/{}", "maps/{new_map}.json", send={"name": "x"}, sent_headers={"If-Match": '"999-0"'}, status=412,
        then=("GET maps/{new_map} 200",),
    ),
    Case(
        "PUT /maps/{}", "maps/{new_map}.json", send={"name": "x"},
        sent_headers={"X-GIS-CLOUD-APP": "QGISPublisher/1"}, status=204, check=(nothing,),
    ),
    Case("GET /maps/{}", "maps/999999999.json", status=404, check=(
        holds("code", "RESOURCE_NOT_FOUND"), holds("msg", "Resource not found"), fits("nested.msg", text),
    )),
    Case("GET /maps/{}", "maps/{map}/nothing.json", status=404),
    Case("POST /maps", "maps.json?_method=GET", form={"perpage": "1"}, needs="map", check=(is_list("maps", MAP),)),
    Case("POST /maps", "maps/{new_map}?_method=DELETE", check=(holds("", {}),), then=("GET maps/{new_map} 404",)),
    Case("GET /maps", "maps.json?perpage=0", status=400, field="perpage"),
    Case("GET /maps", "maps.json?page=x", status=400, field="page"),
    Case("GET /maps", "maps.json?page=1000000", check=(is_list("maps", MAP, page=1000000, empty=True),)),
    Case("GET /maps", "maps.json?perpage=100000", needs="map other_map", check=(excludes("data.*.id", "{other_map}"),)),
    Case("GET /maps", "maps.json?order_by=nothing", status=400, field="order_by", check=(says("created"),)),
    Case("GET /maps", "maps.json?nototal", check=(lacks("", "total"),)),
)  # fmt: skip
