"""What has to be replaced in the curl lines of the description, so that they work here: ids and names, by section.

The lines themselves are read from the description when the tests run. In all of them the host is replaced, and a key
is added where there is none.
"""

from __future__ import annotations

from dataclasses import dataclass

HOST = "https://api.giscloud.com"
KEYS = ("{USER_API_KEY}", "d41d8cd98f00b204e9800998ecf8427e")


@dataclass(frozen=True)
class Line:
    """The curl line of a section with that number; each text of ``swaps`` must be there, and is replaced.

    ``says`` is a pattern that is in the answer. ``by`` is whose key is used.
    """

    section: str
    status: int
    swaps: tuple[tuple[str, str], ...] = ()
    says: str = ""
    number: int = 0
    by: str = "owner"


MAP = ("/maps/123", "/maps/{map}")
LAYER = ("/layers/123", "/layers/{layer}")
OWN_LAYER = ("/layers/123", "/layers/{new_layer}")
COUNTIES = ("/counties", "/{new_counties}")
# One line lacks a quotation mark, another has a blank in its address: mended as the reader of the text would.
QUOTE = ('"New layer,"', '"New layer","')
BLANK = ("New York", "New%20York")

LINES = (
    Line("every call", 200, says='"maps"', number=0),
    Line("every call", 200, says='"maps"', number=1),
    Line("every call", 200, says='"maps"', number=2),
    Line("every call", 200, says='"maps"', number=3),
    Line("GET /maps", 200, says='"maps"'),
    Line("GET /maps/{}", 200, (MAP,), says='"id":"{map}"'),
    Line("POST /maps", 201, says="New map name"),
    Line("PUT /maps/{}", 400, says='"field":"id"'),
    Line("PUT /maps/{}", 200, (('{"name"', '{"id": "{new_map}", "name"'),), says="Updated map name"),
    Line("DELETE /maps/{}", 200, (("/maps/123", "/maps/{new_map}"),), says=r"^\{\}$"),
    Line("GET /maps/{}/layers", 200, (MAP,), says='"layers"'),
    Line("DELETE /map_cache/{}/{}", 204, (("/123/", "/{map}/"), ("100,200", "{layer},{osm}"))),
    Line("GET /layers", 200, says='"layers"'),
    Line("GET /layers/{}", 200, (LAYER,), says='"columns":\\{'),
    Line("POST /layers", 201, (QUOTE, ("<MAP_ID>", "{new_map}"), ("<TABLE_NAME>", "{table}")), says="New layer"),
    Line("PUT /layers/{}", 400, says='"field":"id"'),
    Line("PUT /layers/{}", 200, (('{"name"', '{"id": "{new_layer}", "name"'),), says="Updated layer name"),
    Line("DELETE /layers/{}", 204, (OWN_LAYER,)),
    Line("GET /layers/{}/columns", 200, (LAYER,), says='"type":"number"'),
    Line("GET /layers/{}/features", 200, (LAYER,), says='"Split"'),
    Line("GET /layers/{}/features/{}", 200, (LAYER,), says='"__id":2'),
    Line("POST /layers/{}/features", 201, (OWN_LAYER,), says="995"),
    Line("PUT /layers/{}/features/{}", 200, (OWN_LAYER,), says="999"),
    Line("DELETE /layers/{}/features/{}", 204, (OWN_LAYER,)),
    Line("GET /layers/{}/features/{}/{}/{}", 200, (LAYER,), says='"data"'),
    Line("GET /tables", 200, says='"tables"'),
    Line("GET /tables/{}", 200, (COUNTIES,), says='"ogc_fid"'),
    Line("POST /tables", 201, says="counties7"),
    Line("DELETE /tables/{}", 204, (COUNTIES,)),
    Line("GET /tables/{}/rows", 200, (COUNTIES,), says='"rows"'),
    Line("POST /tables/{}/rows", 201, (COUNTIES,), says='"3.14"', number=0),
    Line("POST /tables/{}/rows", 201, (COUNTIES,), says='"Split"', number=1),
    Line("PUT /tables/{}/rows/{}", 204, (COUNTIES,)),
    Line("DELETE /tables/{}/rows/{}", 204, (COUNTIES,)),
    Line("DELETE /tables/{}/rows", 204, (COUNTIES,)),
    Line("GET /search", 200, (BLANK, ("19~", "{new_counties_layer}~")), says='"New York"'),
    Line("GET /users", 200, says='"users"'),
    Line("POST /users", 201, (('"johnsmith"', '"{new_name}"'),), says='"John"', by="admin"),
    Line("GET /users/{}", 200, (("{id}", "{user}"),), says='"username"'),
    Line("PUT /users/{}", 200, (("{id}", "{new_user}"), ('"johnsmith"', '"{new_name}"')), says='"Smith"', by="admin"),
    Line("DELETE /users/{}", 204, (("{id}", "{new_user}"),), by="admin"),
    Line("GET /roles", 200, says='"roles"'),
    Line("POST /roles", 201, says='"EDIT"'),
    Line("GET /roles/{}", 200, (("{id}", "{role}"),), says='"owner_name"'),
    Line("PUT /roles/{}", 200, (("{id}", "{new_role}"), ("1001", "{role}")), says='"parent_id":'),
    Line("DELETE /roles/{}", 204, (("{id}", "{new_role}"),)),
    Line("GET /storage/fs/{}", 200, (("my_folder/world.shp", "{new_file}"),), says="some text"),
    Line("POST /storage/fs/{}", 201, says="test.csv"),
    Line("DELETE /storage/fs/{}", 204, (("my_folder/world.shp", "{new_file}"),)),
    Line("GET /geo_utils/features_at_point", 200, (("5429", "{layer}"),), says=r"^\["),
    Line("POST /layers/{}/buffer", 201, (OWN_LAYER,), says="buffer_layer_name"),
    Line("GET /resources/{}/permissions", 200, (("/123/", "/{map_resource}/"),), says='"OWNER"'),
    Line("GET /resources/{}/permissions/{}", 200, (("/123/", "/{given_resource}/"), ("657", "{share}")), says='"READ"'),
    Line("POST /resources/{}/permissions", 201, (("618", "{new_map_resource}"), ("gc_user", "{other_name}"))),
    Line("DELETE /resources/{}/permissions/{}", 204, (("618", "{new_map_resource}"), ("/1.json", "/{new_share}.json"))),
    Line("GET /keys", 200, says='"keys"'),
    Line("GET /keys/{}", 200, (("/12.", "/{key}."),), says='"key_trunc"'),
    Line("POST /keys", 201, says='"value"'),
    Line("DELETE /keys/rows/{}", 204, (("rows/12", "rows/{new_key}"),)),
    Line("GET /oauth2_clients", 200, says='"oauth2_clients"'),
    Line("GET /oauth2_clients/{}", 200, (("/2.json", "/{client}.json"),), says='"client_secret"'),
    Line("POST /oauth2_clients", 201, says="New app"),
    Line("DELETE /oauth2_clients/{}", 204, (("clients/2", "clients/{new_client}"),)),
    Line("GET /userapprovedapps", 200, says='"userapprovedapps"'),
    Line("GET /userapprovedapps/{}", 200, (("/2.json", "/{approval}.json"),), says='"uid"'),
    Line("POST /userapprovedapps", 201, (('"client_id": 2', '"client_id": {new_client}'),)),
    Line("DELETE /userapprovedapps/{}", 204, (("apps/2", "apps/{new_approval}"),)),
)
