"""How to log in to the databases that are kept as datasources."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from cryptography.fernet import InvalidToken

from graticule.catalogue.orm import Datasource
from graticule.errors import BadRequest, NotFound
from graticule.model.databases import Login

if TYPE_CHECKING:
    from graticule.catalogue.database import Catalogue
    from graticule.catalogue.secrets import KeyBox

DATABASE = 10
PORT = 5432
# What says where a database is and who asks, by the names that programs know it by; the first one is ours.
PLACE = (("host", "hostname"), ("port",), ("database", "dbname", "db"), ("user", "username"))


def place_of(params: Any) -> dict[str, str | None]:
    """Where the params of a database say that it is, and who asks: host, port, database and user, as text."""
    held = params if isinstance(params, dict) else {}
    found = {}
    for names in PLACE:
        value = next((held[name] for name in names if held.get(name) is not None), None)
        found[names[0]] = None if value is None else str(value)
    return found


def login_of(catalogue: Catalogue, keys: KeyBox, datasource_id: int) -> Login:
    """Raises ``NotFound`` when there is no such database, ``BadRequest`` when its params do not say where it is."""
    with catalogue.read() as session:
        found = session.get(Datasource, datasource_id)
        if found is None or found.type != DATABASE:
            raise NotFound(f"There is no database {datasource_id}.")
        params, secret = found.params, found.secret
    place = place_of(json.loads(params or "{}"))
    port = place["port"] or str(PORT)
    if not (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65536):
        raise BadRequest("The datasource names no port.", field="connection_id", value=port[:20])
    missing = [name for name in ("host", "database", "user") if not place[name]]
    if missing:
        message = f"The params of datasource {datasource_id} lack: {', '.join(missing)}."
        raise BadRequest(message, field="connection_id", value=datasource_id)
    return Login(str(place["host"]), int(port), str(place["database"]), str(place["user"]), password_in(keys, secret))


def password_in(keys: KeyBox, secret: str | None) -> str | None:
    """The password that is locked away; None also where it was locked with another installation's secret."""
    try:
        return None if secret is None else keys.unlock(secret)
    except InvalidToken:
        return None
