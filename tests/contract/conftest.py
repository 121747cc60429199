"""The world of the cases, and the description that they are counted against."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.answers import Answers
from tests.contract.page import document
from tests.contract.sections import Told, told_by
from tests.contract.seed import read_seed, seed_path
from tests.contract.world import World
from tests.server import Server


@pytest.fixture(scope="session")
def told() -> dict[str, Told]:
    """What the description of the API has of each call."""
    return told_by(read_seed(seed_path()))


@pytest.fixture(scope="session")
def answers() -> Answers:
    """What the description of the server says of each call's answers."""
    return Answers(document())


@pytest.fixture(scope="session")
def contract(server: Server, data_dir: Path) -> Iterator[World]:
    """Callers and things to try the cases on; nothing but the cases may change them."""
    with (
        server.new_user() as owner,
        server.new_user() as other,
        server.anonymous() as anonymous,
        server.new_user(administrator=True) as admin,
    ):
        yield World(server, data_dir, owner, other, anonymous, admin)
