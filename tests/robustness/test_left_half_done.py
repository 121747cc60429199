"""What a process leaves when it dies between two of its steps, set up by hand; the next one that starts mends it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyogrio
import pytest
from sqlalchemy import select
from tests.server import Caller, Server
from tests.sharing import (
    feature_ids,
    got,
    new_feature,
    new_file_layer,
    new_layer,
    new_map,
    new_table,
    tables_of,
    upload,
)

from graticule.actions.users import new_resource
from graticule.backend import Backend, open_backend
from graticule.catalogue.orm import Dataset
from graticule.model.features import Table


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path)
    server.new_user().close()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def user(server: Server) -> Iterator[Caller]:
    with server.new_user() as caller:
        yield caller


@contextmanager
def dead(server: Server, user: Caller) -> Iterator[Backend]:
    """What is done in here was done by a process that then died in the middle of its work."""
    server.stop()
    backend = open_backend(server.settings)
    yield backend
    backend.close()
    (server.data / "accounts" / str(user.user_id) / "staging" / "work-of-the-dead").mkdir()
    server.start()
    assert list((server.data / "accounts" / str(user.user_id) / "staging").iterdir()) == []


def in_store(server: Server, user: Caller) -> list[str]:
    return [name for name, _ in pyogrio.list_layers(server.data / "accounts" / str(user.user_id) / "data.gpkg")]


def test_a_table_was_dropped_but_not_forgotten(server: Server, user: Caller) -> None:
    new_table(user)
    new_table(user, "other")
    layer = new_layer(user, new_map(user)["id"], "places")["id"]
    with dead(server, user) as backend:
        backend.store.drop(user.user_id, "places")
    assert tables_of(user, user) == ["other"]
    assert user.get(f"layers/{layer}/features").status_code == 409
    assert got(user.get(f"layers/{layer}"))["status"] == "error"
    new_table(user)


@pytest.mark.parametrize("stored", [False, True])
def test_a_table_was_being_made(server: Server, user: Caller, stored: bool) -> None:
    new_table(user, "other")
    with dead(server, user) as backend:
        with backend.catalogue.write() as session:
            half = Dataset(account_id=user.user_id, kind="table", store_table="places", status="busy", created=0)
            half.resource_id = new_resource(session, "table", user.user_id)
            session.add(half)
        if stored:
            backend.store.create(user.user_id, Table("places", (), "POINT", crs="EPSG:4326"))
    assert tables_of(user, user) == ["other"]
    assert in_store(server, user) == ["other"]
    new_table(user)


def test_a_table_that_is_being_made_is_not_seen(server: Server, user: Caller) -> None:
    new_table(user)
    backend = open_backend(server.settings)
    with backend.catalogue.write() as session:
        half = select(Dataset).where(Dataset.account_id == user.user_id, Dataset.store_table == "places")
        session.scalars(half).one().status = "busy"
    backend.close()
    assert tables_of(user, user) == []
    assert user.get("tables/places").status_code == 404
    source = {"type": "pg", "src": "places"}
    assert user.post(f"maps/{new_map(user)['id']}/layers", json={"source": source}).status_code == 400


def test_what_was_read_in_was_not_yet_entered(server: Server, user: Caller) -> None:
    """Tables of dead imports go; those that another program has put there stay."""
    new_table(user)
    with dead(server, user) as backend:
        for name in ("file_of_the_dead", "theirs"):
            backend.store.create(user.user_id, Table(name, (), "POINT", crs="EPSG:4326"))
    assert sorted(in_store(server, user)) == ["places", "theirs"]
    new_feature(user, new_layer(user, new_map(user)["id"], "places")["id"])


def test_a_file_was_replaced_but_not_read_again(server: Server, user: Caller) -> None:
    upload(user, "", a__csv=b"lat,lon\n1,1\n", b__csv=b"lat,lon\n1,1\n")
    map_id = new_map(user)["id"]
    changed, gone = (new_file_layer(user, map_id, f"{name}.csv")["id"] for name in "ab")
    with dead(server, user) as backend:
        backend.files.local_path(user.user_id, "a.csv").write_text("lat,lon\n1,1\n2,2\n")
        backend.files.delete(user.user_id, "b.csv")
    assert len(feature_ids(user, changed)) == 2
    assert user.get(f"layers/{gone}/features").status_code == 409
    assert got(user.get(f"layers/{gone}"))["status"] == "error"
