"""Fixtures of the picture tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from studio import Studio, decode

if TYPE_CHECKING:
    from studio import Decoded


@pytest.fixture
def studio() -> Studio:
    return Studio()


@pytest.fixture
def decoded() -> Decoded:
    return decode
