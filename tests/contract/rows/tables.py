"""/tables and their rows."""

from __future__ import annotations

from tests.contract.case import Case
from tests.contract.checks import (
    counts,
    digits,
    excludes,
    fits,
    flag,
    has_shape,
    holds,
    includes,
    is_list,
    is_one,
    lacks,
    nothing,
    num,
    only,
    says,
)
from tests.contract.shapes import ROW, TABLE

COLUMN = has_shape({"type": only("number"), "not_null": flag})
CSV = {"Content-Type": "text/csv.*"}
NO_TABLE = "no_such_table"

TABLES = (
    Case("GET /tables", "tables.json", needs="table plain_table", check=(is_list("tables", TABLE), includes("data.*.name", "{table}", "plain"))),
    Case("GET /tables", "tables.json?expand=count", "expand", needs="table", check=(is_list("tables", TABLE | {"num_rows": num}),)),
    Case("GET /tables", "tables.json?only_spatial=true", "only_spatial", needs="plain_table", check=(includes("data.*.name", "{table}"), excludes("data.*.name", "plain"))),
    Case("GET /tables", "tables.json?only_non_spatial=true", "only_non_spatial", needs="table plain_table", check=(includes("data.*.name", "{plain_table}"), excludes("data.*.name", "{table}"))),
    Case("GET /tables", "tables.json?connection_id=999999999", "connection_id", status=404),
    Case("GET /tables", "tables.json?connection_id=x", "connection_id", status=400, field="connection_id"),
    Case("GET /tables", "tables.json?perpage=1&nototal", needs="table", check=(lacks("", "total"), counts("data", 1))),
    Case("GET /tables/{}", "tables/{table}.json", "{TABLE_NAME}", check=(
        is_one(TABLE), holds("name", "{table}"), holds("geometry", "POINT"), holds("srid", 4326), holds("schema", "{schema}"),
        fits("columns.value", COLUMN), holds("owner_id", "{user}#"),
    )),
    Case("GET /tables/{}", "tables/{schema}.{table}.json?expand=count", check=(holds("num_rows", 3),)),
    Case("GET /tables/{}", f"tables/{NO_TABLE}.json", "{TABLE_NAME}", status=404),
    Case("GET /tables/{}", "tables/{schema}.{table}.json", "{TABLE_NAME}", by="other", status=404),
    Case("POST /tables", "tables.json", status=201, headers={"Location": r"1/tables/named_\d+"}, check=(is_one(TABLE), fits("columns.num_of_houses", COLUMN)), send={
        "geometry": "POINT", "name": "{new_name}", "columns": {"name": {"type": "text"}, "num_of_houses": {"type": "number"}},
    }),
    Case("POST /tables", "tables.json", status=201, check=(holds("geometry", None), holds("columns.a.not_null", True)), send={
        "name": "{new_name}", "columns": {"a": {"type": "date", "not_null": True}},
    }),
    Case("POST /tables", "tables.json", send={"name": "{table}", "columns": {}}, status=409),
    Case("POST /tables", "tables.json", send={"name": "no blank", "columns": {}}, status=400, field="name"),
    Case("POST /tables", "tables.json", send={"name": "{new_name}", "columns": {"a": {"type": "colour"}}}, status=400),
    Case("POST /tables", "tables.json", send={"name": "{new_name}"}, by="anonymous", status=403),
    Case("PUT /tables/{}", "tables/{table}.json", send={"name": "x"}, status=405),
    Case("DELETE /tables/{}", "tables/{new_table}.json", status=204, check=(nothing,), then=("GET tables/{new_table} 404",)),
    Case("DELETE /tables/{}", f"tables/{NO_TABLE}", status=404),
    Case("DELETE /tables/{}", "tables/{new_table}", status=409, needs="new_layer", check=(says("Sights"),)),
    Case("DELETE /tables/{}", "tables/{new_table}?force=true", status=204, needs="new_layer"),
    Case("GET /tables/{}/export.csv", "tables/{table}/export.csv", "{TABLE_NAME}", headers=CSV, check=(says("Split"), says("POINT"))),
    Case("GET /tables/{}.csv", "tables/{table}.csv", headers=CSV, check=(says("Split"),)),
    Case("GET /tables/{}/rows.csv", "tables/{table}/rows.csv", headers=CSV, check=(says("Split"),)),
    Case("GET /tables/{}/export.csv", f"tables/{NO_TABLE}/export.csv", "{TABLE_NAME}", status=404),
)  # fmt: skip

LIST, POST, PUT, DELETE = (
    f"{method} /tables/{{}}/rows" for method in ("GET", "POST", "PUT", "DELETE")
)  # fmt: skip
PUT, DELETE_ONE = f"{PUT}/{{}}", f"{DELETE}/{{}}"
MADE = {"Location": r"1/tables/\w+/rows/\d+"}

ROWS = (
    Case(LIST, "tables/{table}/rows.json", "{TABLE_NAME}", check=(is_list("rows", ROW, total=3), holds("data.0.name", "Split"), holds("data.0.value", "178"), lacks("data.0", "wkb_geometry"))),
    Case(LIST, "tables/{table}/rows.json?perpage=2", "perpage", check=(counts("data", 2),)),
    Case(LIST, "tables/{table}/rows.json?perpage=2&page=2", "page", check=(counts("data", 1), holds("page", 2))),
    Case(LIST, "tables/{table}/rows.json?geometry=false", "geometry", check=(lacks("data.0", "wkb_geometry"),)),
    Case(LIST, "tables/{table}/rows.json?geometry=wkt", "geometry", check=(says(r"POINT ?\(16\.44 43\.51\)"),)),
    Case(LIST, "tables/{table}/rows.json?geometry=wkb", "geometry", check=(fits("data.0.wkb_geometry", lambda value: value.startswith("0101000020E6100000")),)),
    Case(LIST, "tables/{table}/rows.json?geometry=kml", "geometry", status=400, field="geometry"),
    Case(LIST, "tables/{table}/rows.json?fields=name", "fields", check=(holds("data.0.name", "Split"), lacks("data.0", "value"))),
    Case(LIST, "tables/{table}/rows.json?fields=nothing", "fields", status=400),
    Case(LIST, f"tables/{NO_TABLE}/rows.json", "{TABLE_NAME}", status=404),
    Case("GET /tables/{}/rows/{}", "tables/{table}/rows/{row}.json", check=(is_one(ROW), holds("name", "Split")), headers={"ETag": '".+-.+"'}),
    Case(POST, "tables/{new_table}/rows.json", "{TABLE_NAME}", status=201, headers=MADE, check=(is_one(ROW), fits("ogc_fid", digits), holds("value", "5.5")), send={"data": {"name": "some text", "value": 5.5}}),
    Case(POST, "tables/{new_table}/rows.json", status=201, headers=MADE, check=(holds("name", "Split"),), send={"data": {"name": "Split"}, "geometry": "POINT(16.446533203125 43.5127049046481)"}),
    Case(POST, "tables/{new_table}/rows.json", status=400, field="city", send={"data": {"city": "Split"}}),
    Case(POST, f"tables/{NO_TABLE}/rows.json", "{TABLE_NAME}", send={"data": {}}, status=404),
    Case(PUT, "tables/{new_table}/rows/{new_row}.json", "{TABLE_NAME} {ROW_ID}", send={"data": {"name": "New York"}}, status=204, check=(nothing,)),
    Case(PUT, "tables/{new_table}/rows/999999.json", "{ROW_ID}", send={"data": {}}, status=404),
    Case(PUT, f"tables/{NO_TABLE}/rows/1.json", "{TABLE_NAME}", send={"data": {}}, status=404),
    Case(DELETE_ONE, "tables/{new_table}/rows/{new_row}", "{TABLE_NAME} {ROW_ID}", status=204, check=(nothing,), then=("GET tables/{new_table}/rows/{new_row} 404",)),
    Case(DELETE_ONE, "tables/{new_table}/rows/999999", "{ROW_ID}", status=404),
    Case(DELETE_ONE, f"tables/{NO_TABLE}/rows/1", "{TABLE_NAME}", status=404),
    Case(DELETE, "tables/{new_table}/rows", "{TABLE_NAME}", status=204, check=(nothing,), then=("GET tables/{new_table} 200", "GET tables/{new_table}/rows/1 404")),
    Case(DELETE, f"tables/{NO_TABLE}/rows", "{TABLE_NAME}", status=404),
    Case("DELETE /tables/{}/reset", "tables/{new_table}/reset", status=204, then=("GET tables/{new_table}/rows/1 404",)),
    Case("POST /tables/{}/reset", "tables/{new_table}/reset", status=204, then=("GET tables/{new_table}/rows/1 404",)),
)  # fmt: skip

CASES = (*TABLES, *ROWS)
