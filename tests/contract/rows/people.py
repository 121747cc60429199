"""/users, /roles, /keys, and the programs of others that users let act for them."""

from __future__ import annotations

from tests.contract.case import Case
from tests.contract.checks import (
    array,
    counts,
    excludes,
    fits,
    has_shape,
    holds,
    includes,
    is_list,
    is_one,
    lacks,
    nothing,
    says,
    text,
)
from tests.contract.shapes import APPROVAL, CLIENT, KEY, ROLE, SUBSCRIPTION, USER, USER_OPTION

PERSON = {"username": "{new_name}", "email": "johnsmith@example.org", "firstname": "John", "lastname": "Smith"}

USERS = (
    Case("GET /users", "users.json", check=(is_list("users", USER), includes("data.*.id", "{user}#"), excludes("data.*.id", "{other}#"))),
    Case("GET /users", "users.json?perpage=1", "perpage", check=(counts("data", 1),)),
    Case("GET /users", "users.json?perpage=1&page=2", "page", by="admin", check=(holds("page", 2), counts("data", 1))),
    Case("GET /users", "users.json?expand=options", "expand", needs="user_option", check=(fits("data.0.options", array),)),
    Case("POST /users", "users", by="admin", send=PERSON, status=201, headers={"Location": r"1/users/\d+"}, check=(
        is_one(USER), holds("firstname", "John"), lacks("", "password"),
    )),
    Case("POST /users", "users", send=PERSON, status=403),
    Case("POST /users", "users", by="admin", send=PERSON | {"username": "{username}"}, status=409),
    Case("GET /users/{}", "users/{user}.json", "id", check=(is_one(USER), holds("username", "{username}"), holds("id", "{user}#"))),
    Case("GET /users/{}", "users/{user}.json?expand=options,roles", "expand", needs="user_option", check=(
        fits("options.0", has_shape(USER_OPTION)), includes("options.*.name", "META"), fits("roles", array),
    )),
    Case("GET /users/{}", "users/{other}.json", "id", status=403),
    Case("GET /users/{}", "users/999999999.json", "id", status=403),
    Case("GET /users/{}", "users/{user}/nothing.json", status=404),
    Case("GET /users/current", "users/current.json", check=(is_one(USER | {"id": text}), holds("id", "{user}"))),
    Case("GET /users/current", "users/current.json", by="anonymous", status=403),
    Case("GET /users/current", "users/current.json?expand=options,roles", check=(fits("options", array), fits("roles", array))),
    Case("PUT /users/{}", "users/{new_user}.json", "id", by="admin", send={"firstname": "Johanna", "email": "j@example.org"}, check=(is_one(USER), holds("firstname", "Johanna"))),
    Case("PUT /users/{}", "users/{user}.json", send={"web": "www.example.org"}, check=(holds("web", "www.example.org"),)),
    Case("PUT /users/{}", "users/{other}.json", "id", send={"web": "x"}, status=403),
    Case("PUT /users/{}", "users/999999999/nothing.json", send={}, status=404),
    Case("DELETE /users/{}", "users/{new_user}.json", "id", by="admin", status=204, check=(nothing,), then=("GET users/{new_user} 403",)),
    Case("DELETE /users/{}", "users/{other}.json", "id", status=403),
    Case("DELETE /users/{}", "users/999999999/nothing.json", status=404),
    Case("PUT /users", "users.json", send={"id": "{user}", "phone": "12"}, check=(holds("phone", "12"),)),
    Case("PUT /users", "users.json", send={"phone": "12"}, status=400, field="id"),
    Case("PUT /users/current", "users/current.json", send={"phone": "13"}, check=(holds("phone", "13"),)),
    Case("PUT /users/current/options", "users/current/options.json", send={"name": "{user_option}", "value": "x"}, status=204),
    Case("DELETE /users/current/options/{}", "users/current/options/999999999.json", status=404),
    Case("GET /users/current/subscriptions", "users/current/subscriptions.json", check=(is_list("subscriptions", SUBSCRIPTION), includes("data", {"app_instance_id": "100004", "type": 20, "active": "t", "ends": None}))),
    Case("GET /users/current/options", "users/current/options.json", needs="user_option", check=(is_list("options", USER_OPTION), includes("data.*.name", "META"))),
    Case("GET /users/current/options/{}", "users/current/options/{user_option}.json", check=(is_one(USER_OPTION), holds("value", "x"))),
    Case("POST /users/current/options", "users/current/options.json", send={"name": "{new_name}", "value": {"a": 1}}, status=201),
    Case("PUT /users/current/options/{}", "users/current/options/{user_option}.json", send={"value": "x"}, status=204, check=(nothing,)),
)  # fmt: skip

ROLES = (
    Case("GET /roles", "roles.json", needs="role", check=(is_list("roles", ROLE), includes("data.*.id", "{role}#"))),
    Case("GET /roles", "roles.json?perpage=1", "perpage", needs="role", check=(counts("data", 1),)),
    Case("GET /roles", "roles.json?perpage=1&page=2", "page", needs="role new_role", check=(holds("page", 2), counts("data", 1))),
    Case("POST /roles", "roles.json", send={"name": "EDIT"}, status=201, headers={"Location": r"1/roles/\d+"}, check=(
        is_one(ROLE), holds("name", "EDIT"), holds("parent_id", None), holds("owner_name", "{username}"),
    )),
    Case("POST /roles", "roles.json", send={"name": "x"}, by="anonymous", status=403),
    Case("GET /roles/{}", "roles/{role}.json", "id", check=(is_one(ROLE), holds("id", "{role}#"), holds("owner_id", "{user}#"))),
    Case("GET /roles/{}", "roles/{role}.json?expand=owner,options,tags,permissions", "expand", check=(fits("permissions", array), fits("options", array), includes("permissions", "OWNER"))),
    Case("GET /roles/{}", "roles/{new_role}.json", "id", by="other", status=403),
    Case("GET /roles/{}", "roles/999999999.json", "id", status=403),
    Case("GET /roles/{}", "roles/{role}/nothing.json", status=404),
    Case("PUT /roles/{}", "roles/{new_role}.json", "id", send={"parent_id": "{role}#"}, check=(is_one(ROLE), holds("parent_id", "{role}#"))),
    Case("PUT /roles/{}", "roles/{new_role}.json", send={"parent_id": "{new_role}#"}, status=400, field="parent_id"),
    Case("PUT /roles/{}", "roles/{new_role}.json", "id", by="other", send={"name": "x"}, status=403),
    Case("PUT /roles/{}", "roles/999999999/nothing.json", send={}, status=404),
    Case("DELETE /roles/{}", "roles/{new_role}.json", "id", status=204, check=(nothing,), then=("GET roles/{new_role} 403",)),
    Case("DELETE /roles/{}", "roles/{role}.json", "id", by="anonymous", status=403),
    Case("DELETE /roles/{}", "roles/999999999/nothing.json", status=404),
    Case("GET /roles/{}/users", "roles/{role}/users.json", needs="role_member", check=(says('"{other_name}"'),)),
    Case("POST /roles/{}/users", "roles/{new_role}/users.json", send={"user_id": "{other}#"}, status=201),
    Case("POST /roles/{}/users", "roles/{new_role}/users.json", send={"username": "nobody at all"}, status=400, field="username"),
    Case("GET /roles/{}/users/{}", "roles/{role}/users/{role_member}.json", check=(says('"{other_name}"'),)),
    Case("PUT /roles", "roles.json", send={"id": "{new_role}", "name": "in the body"}, check=(holds("name", "in the body"),)),
    Case("PUT /roles", "roles.json", send={"name": "x"}, status=400, field="id"),
    Case("DELETE /roles/{}/users/{}", "roles/{new_role}/users/{other}.json", status=404),
    Case("DELETE /roles/{}/users/{}", "roles/{new_role}/users/{new_member}.json", status=204, check=(nothing,)),
)  # fmt: skip

KEY_TEXT = "[0-9a-f]{32}"

KEYS = (
    Case("GET /keys", "keys.json", needs="key", check=(is_list("keys", KEY, page=1), includes("data.*.id", "{key}"), includes("data.*.key", "{key_value}"))),
    Case("GET /keys", "keys.json", by="anonymous", status=403),
    Case("GET /keys/{}", "keys/{key}.json", "{API_KEY_ID}", check=(is_one(KEY), holds("key_desc", "upload"), holds("active", "t"), says(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"))),
    Case("GET /keys/{}", "keys/{key}.json", "{API_KEY_ID}", by="other", status=404),
    Case("GET /keys/{}", "keys/999999999.json", "{API_KEY_ID}", status=404),
    Case("POST /keys", "keys.json", status=201, headers={"Location": r"1/keys/\d+"}, check=(is_one(KEY | {"value": text}), says(f'"value": ?"{KEY_TEXT}"'))),
    Case("POST /keys", "keys.json", send={"key_desc": "field", "scope": "features"}, status=201, check=(holds("key_desc", "field"),)),
    Case("POST /keys", "keys.json", by="anonymous", status=403),
    Case("POST /keys", "keys.json", by="anonymous", sent_headers={"api-username": "{username}", "api-password": "a long password"}, status=201),
    Case("POST /keys", "keys.json", by="anonymous", sent_headers={"api-username": "no such person", "api-password": "wrong"}, status=403, check=(holds("msg", "Forbidden"),)),
    Case("POST /keys", "keys/999999999/nothing.json", status=404),
    Case("DELETE /keys/rows/{}", "keys/rows/{new_key}", "{API_KEY_ID}", status=204, check=(nothing,), then=("GET keys/{new_key} 404",)),
    Case("DELETE /keys/rows/{}", "keys/rows/999999999", "{API_KEY_ID}", status=404),
    Case("DELETE /keys/rows/{}", "keys/rows/{key}", by="other", status=404),
    Case("DELETE /keys/{}", "keys/{new_key}.json", status=204, then=("GET keys/{new_key} 404",)),
)  # fmt: skip

APP = {"name": "New app", "redirect_uri": "https://my.redirecturi.com"}
OURS = "GET /oauth2_clients"
LET = "GET /userapprovedapps"

PROGRAMS = (
    Case(OURS, "oauth2_clients.json", needs="client", check=(is_list("oauth2_clients", CLIENT), includes("data.*.id", "{client}#"))),
    Case(f"{OURS}/{{}}", "oauth2_clients/{client}.json", "{CLIENT_ID}", check=(is_one(CLIENT), holds("name", "app"), holds("owner", "{user}#"))),
    Case(f"{OURS}/{{}}", "oauth2_clients/{client}.json", "{CLIENT_ID}", by="other", status=404),
    Case("POST /oauth2_clients", "oauth2_clients.json", send=APP, status=201, headers={"Location": r"1/oauth2_clients/\d+"}, check=(is_one(CLIENT), holds("redirect_uri", "https://my.redirecturi.com"))),
    Case("POST /oauth2_clients", "oauth2_clients.json", send=APP, by="anonymous", status=403),
    Case("POST /oauth2_clients", "oauth2_clients/999999999/nothing.json", send=APP, status=404),
    Case("DELETE /oauth2_clients/{}", "oauth2_clients/{new_client}", "{CLIENT_ID}", status=204, check=(nothing,), then=("GET oauth2_clients/{new_client} 404",)),
    Case("DELETE /oauth2_clients/{}", "oauth2_clients/999999999", "{CLIENT_ID}", status=404),
    Case(LET, "userapprovedapps.json", needs="approval", check=(is_list("userapprovedapps", APPROVAL), includes("data.*.id", "{approval}#"))),
    Case(LET, "userapprovedapps.json?perpage=1", "perpage", needs="approval", check=(counts("data", 1),)),
    Case(LET, "userapprovedapps.json?perpage=1&page=2", "page", needs="approval new_approval", check=(counts("data", 1), holds("page", 2))),
    Case(f"{LET}/{{}}", "userapprovedapps/{approval}.json", "{USER_APPROVED_APP_ID}", check=(is_one(APPROVAL), holds("uid", "{user}#"), holds("client_id", "{client}#"))),
    Case(f"{LET}/{{}}", "userapprovedapps/999999999.json", "{USER_APPROVED_APP_ID}", status=404),
    Case("POST /userapprovedapps", "userapprovedapps.json", send={"client_id": "{new_client}#"}, status=201, headers={"Location": r"1/userapprovedapps/\d+"}, check=(is_one(APPROVAL),)),
    Case("POST /userapprovedapps", "userapprovedapps.json", send={"client_id": 999999999}, status=404),
    Case("POST /userapprovedapps", "userapprovedapps.json", send={"client_id": "{client}#"}, needs="approval", status=409),
    Case("DELETE /userapprovedapps/{}", "userapprovedapps/{new_approval}", "{USER_APPROVED_APP_ID}", status=204, check=(nothing,)),
    Case("DELETE /userapprovedapps/{}", "userapprovedapps/999999999", "{USER_APPROVED_APP_ID}", status=404),
)  # fmt: skip

CASES = (*USERS, *ROLES, *KEYS, *PROGRAMS)
