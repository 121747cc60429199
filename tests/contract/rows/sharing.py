"""/resources: permissions and options; datasources, forms, storage, jobs."""

from __future__ import annotations

from tests.contract.case import Case
from tests.contract.checks import (
    any_of,
    begins,
    excludes,
    fits,
    has_shape,
    holds,
    includes,
    is_list,
    is_one,
    json_text,
    lacks,
    nothing,
    says,
    text,
)
from tests.contract.shapes import DATASOURCE, ENTRY, FORM, GROUP, JOB, OPTION, SHARE

PERMISSIONS = "/resources/{}/permissions"
ENTRIES = has_shape({"type": text, "share_id": text})

SHARES = (
    Case(f"GET {PERMISSIONS}", "resources/{given_resource}/permissions.json", "{RESOURCE_ID}", needs="share", check=(
        is_list("permissions", GROUP, page=1), includes("data.*.username", "{username}", "{other_name}"), fits("data.0.permissions.0", ENTRIES),
    )),
    Case(f"GET {PERMISSIONS}", "resources/999999999/permissions.json", "{RESOURCE_ID}", status=404),
    Case(f"GET {PERMISSIONS}", "resources/{shared_map_resource}/permissions.json", by="other", check=(
        includes("data.*.username", "{other_name}"), excludes("data.*.username", "{username}"),
    )),
    Case(f"GET {PERMISSIONS}", "resources/{public_resource}/permissions.json", by="anonymous", status=403),
    Case("GET /resources/{}/permission", "resources/{map_resource}/permission.json", check=(is_list("permissions", GROUP),)),
    Case(f"GET {PERMISSIONS}/{{}}", "resources/{given_resource}/permissions/{share}.json", "{RESOURCE_ID} {SHARE_ID}", check=(
        is_one(SHARE), holds("permission", "READ"), holds("username", "{other_name}"), holds("user_id", "{other}"),
    )),
    Case(f"GET {PERMISSIONS}/{{}}", "resources/{map_resource}/permissions/999999999.json", "{SHARE_ID}", status=404),
    Case(f"GET {PERMISSIONS}/{{}}", "resources/{layer_resource}/permissions/{share}.json", "{RESOURCE_ID}", status=404),
    Case(f"POST {PERMISSIONS}", "resources/{new_map_resource}/permissions.json", "{RESOURCE_ID}", send={"username": "{other_name}", "permission": "READ"}, status=201,
        headers={"Location": r"1/resources/\d+/permissions/\d+"}, check=(is_one(SHARE), holds("permission", "READ"))),
    Case(f"POST {PERMISSIONS}", "resources/{new_map_resource}/permissions.json", send={"username": "anonymous", "permission": "READ"}, status=201, then=("GET maps/{new_map} 200 anonymous",)),
    Case(f"POST {PERMISSIONS}", "resources/{new_map_resource}/permissions.json", send={"role_id": "{role}#", "permission": "EDIT"}, status=201, check=(holds("permission", "EDIT"),)),
    Case(f"POST {PERMISSIONS}", "resources/{map_resource}/permissions.json", send={"username": "nobody at all", "permission": "READ"}, status=400, field="username"),
    Case(f"POST {PERMISSIONS}", "resources/{map_resource}/permissions.json", send={"username": "{other_name}", "permission": "LOOK"}, status=400, field="permission"),
    Case(f"POST {PERMISSIONS}", "resources/{shared_map_resource}/permissions.json", by="other", send={"username": "anonymous", "permission": "READ"}, status=403),
    Case(f"POST {PERMISSIONS}", "resources/999999999/permissions.json", "{RESOURCE_ID}", send={"username": "{other_name}", "permission": "READ"}, status=404),
    Case(f"DELETE {PERMISSIONS}/{{}}", "resources/{new_map_resource}/permissions/{new_share}.json", "{RESOURCE_ID} {SHARE_ID}", status=204, check=(nothing,), then=("GET maps/{new_map} 404 other",)),
    Case(f"DELETE {PERMISSIONS}/{{}}", "resources/{new_map_resource}/permissions/999999999.json", "{SHARE_ID}", status=404),
    Case(f"DELETE {PERMISSIONS}/{{}}", "resources/999999999/permissions/1.json", "{RESOURCE_ID}", status=404),
    Case("GET /resources/{}/permission/{}", "resources/{given_resource}/permission/{share}.json", check=(is_one(SHARE),)),
    Case("POST /resources/{}/permission", "resources/{new_map_resource}/permission.json", send={"username": "{other_name}", "permission": "EDIT"}, status=201),
    Case("DELETE /resources/{}/permission/{}", "resources/{new_map_resource}/permission/{new_share}.json", status=204),
    Case("GET /resources/{}", "resources/{map_resource}.json", check=(holds("type", "map"), says('"{map}"'))),
    Case("GET /resources/{}", "resources/{map_resource}.json", by="anonymous", status=404),
    Case("GET /resources/{}/options", "resources/{map_resource}/options.json", needs="option", check=(is_list("options", OPTION), includes("data.*.option_value", "red"))),
    Case("GET /resources/{}/options/{}", "resources/{map_resource}/options/{option}.json", check=(is_one(OPTION),)),
    Case("PUT /resources/{}/options", "resources/{map_resource}/options.json", send={"id": "{option}", "option_value": "red"}, status=204),
    Case("PUT /resources/{}/options/{}", "resources/{map_resource}/options/{option}.json", send={"option_value": "red"}, status=204),
    Case("DELETE /resources/{}/options/{}", "resources/{map_resource}/options/999999999.json", status=404),
    Case("POST /resources/{}/options", "resources/{new_map_resource}/options.json", send={"option_name": "a", "option_value": "b"}, status=201),
)  # fmt: skip

SOURCES = (
    Case("GET /datasources", "datasources.json", needs="datasource", check=(is_list("datasources", DATASOURCE), includes("data.*.id", "{datasource}"))),
    Case("GET /datasources", "datasources.json?type=40", needs="datasource", check=(includes("data.*.id", "{datasource}"),)),
    Case("GET /datasources", "datasources.json?type=70", needs="datasource", check=(excludes("data.*.id", "{datasource}"),)),
    Case("GET /datasources/{}", "datasources/{datasource}.json", check=(is_one(DATASOURCE), holds("type", 40), fits("params", json_text))),
    Case("GET /datasources/{}", "datasources/{datasource}.json", by="other", status=404),
    Case("POST /datasources", "datasources.json", status=201, headers={"Location": r"1/datasources/\d+"}, check=(is_one(DATASOURCE), holds("params", '{"url":"https://x.example.org", "a": 1.0}'), says('"x_min": ?1.0')), send='{"name": "x", "type": 60, "params": "{\\"url\\":\\"https://x.example.org\\", \\"a\\": 1.0}", "x_min": 1.0, "y_min": 2, "x_max": 3.50, "y_max": 4}'),
    Case("POST /datasources", "datasources.json", send={"name": "x", "type": 10, "params": {"host": "192.0.2.1", "port": 5432, "dbname": "d", "user": "u", "password": "hidden word"}}, status=201, check=(excludes("params", "hidden word"),)),
    Case("POST /datasources", "datasources.json", send={"type": "many"}, status=400, field="type"),
    Case("PUT /datasources/{}", "datasources/{new_datasource}.json", send={"name": "Renamed"}, check=(holds("name", "Renamed"),)),
    Case("DELETE /datasources/{}", "datasources/{new_datasource}.json", status=204, check=(nothing,), then=("GET datasources/{new_datasource} 404",)),
    Case("PUT /datasources", "datasources.json", send={"id": "{new_datasource}", "name": "in the body"}, check=(holds("name", "in the body"),)),
    Case("PUT /datasources", "datasources.json", send={"name": "x"}, status=400, field="id"),
    Case("PUT /forms", "forms.json", send={"id": "{new_form}", "name": "in the body"}, check=(holds("name", "in the body"),)),
    Case("PUT /forms", "forms.json", send={"name": "x"}, status=400, field="id"),
    Case("GET /forms", "forms.json", needs="form", check=(is_list("forms", FORM),)),
    Case("GET /forms/{}", "forms/{form}.json", check=(is_one(FORM), holds("definition", '[{"type":"text","field":"name"}]'))),
    Case("POST /forms", "forms.json", send={"name": "x", "definition": [{"a": 1}], "mappings": {}}, status=201, headers={"Location": r"1/forms/\d+"}, check=(is_one(FORM), fits("definition", json_text))),
    Case("PUT /forms/{}", "forms/{new_form}.json", send={"name": "Renamed"}, check=(holds("name", "Renamed"),)),
    Case("DELETE /forms/{}", "forms/{new_form}.json", status=204, check=(nothing,), then=("GET forms/{new_form} 404",)),
    Case("GET /jobs", "jobs.json", needs="job", check=(is_list("jobs", JOB),)),
    Case("PUT /jobs/{}", "jobs/{job}.json", send={"state": "done again"}, status=400, field="state"),
    Case("PUT /jobs/{}", "jobs/{job}.json", send={}, check=(is_one(JOB),)),
    Case("DELETE /jobs/{}", "jobs/999999999.json", status=404),
    Case("GET /jobs/{}", "jobs/999999999.json", status=404),
    Case("GET /jobs/{}", "jobs/{job}.json", check=(is_one(JOB),)),
)  # fmt: skip

GET, POST, DELETE = (f"{method} /storage/fs/{{}}" for method in ("GET", "POST", "DELETE"))
MADE = {"Location": "1/storage/fs/.+"}

FILES = (
    Case(GET, "storage/fs/{file}", "{PATH_TO_A_FILE}", check=(begins(b"some notes"),), headers={"Content-Security-Policy": "sandbox.*", "ETag": ".+", "Content-Type": "text/plain.*"}),
    Case(GET, "storage/fs/{file}", sent_headers={"Range": "bytes=5-8"}, status=206, check=(begins(b"note"),), headers={"Content-Range": "bytes 5-8/10"}),
    Case(GET, "storage/fs/contract/info.json", needs="file", check=(includes("data.*.filename", "notes.txt"), fits("data.0", has_shape(ENTRY)))),
    Case(GET, "storage/fs/contract", needs="file", check=(includes("data.*.pathname", "/contract/notes.txt"),)),
    Case("GET /storage/fs", "storage/fs.json", needs="file", check=(includes("data.*.filename", "contract"),)),
    Case(GET, "storage/fs/contract/no such file.txt", "{PATH_TO_A_FILE}", status=404),
    Case(GET, "storage/fs/{account}/{file}", by="other", status=404),
    Case(GET, "storage/fs/../up", status=404),
    Case(GET, "storage/fs/%2E%2E/up", status=400),
    Case(POST, "storage/fs/my_folder", "{PATH_TO_A_DIRECTORY}", files={"filedata": ("test.csv", b"a,b\n1,2\n")}, status=201, headers=MADE, check=(holds("pathname", "/my_folder/test.csv"), is_one(ENTRY))),
    Case(POST, "storage/fs/my_folder", "{PATH_TO_A_DIRECTORY}", form={"filename": "form.txt", "content": "by form"}, status=201, headers=MADE, then=("GET storage/fs/my_folder/form.txt 200",)),
    Case(POST, "storage/fs/my_folder/below/mkdir", send={}, status=201, then=("GET storage/fs/my_folder/below/info 200",)),
    Case(POST, "storage/fs/my_folder", by="anonymous", files={"file": ("x.txt", b"x")}, status=403),
    Case("POST /storage/fs", "storage/fs?destination_map={map}", files={"file": ("for_the_map.txt", b"x")}, status=201, headers=MADE),
    Case("POST /storage/fs", "storage/fs?destination_map={map}", by="other", needs="map", files={"file": ("x.txt", b"x")}, status=404),
    Case("PUT /storage/fs/{}", "storage/fs/{new_file}", send={"content": "other text"}, then=("GET storage/fs/{new_file} 200",)),
    Case(DELETE, "storage/fs/{new_file}", "{PATH_TO_A_FILE}", status=204, check=(nothing,), then=("GET storage/fs/{new_file} 404",)),
    Case(DELETE, "storage/fs/contract/no such file.txt", "{PATH_TO_A_FILE}", status=404),
    Case("GET /health", "../health", check=(holds("status", "ok"),)),
    Case("GET /openapi.json", "../openapi.json", check=(lacks("", "detail"), fits("paths", any_of(lambda paths: "/1/maps" in paths)))),
)  # fmt: skip

CASES = (*SHARES, *SOURCES, *FILES)
