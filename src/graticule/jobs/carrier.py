"""huey, set up: a file for the workers of one machine, or Redis. Loaded only by what sends jobs or works at them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from huey import RedisHuey, SqliteHuey
from huey.registry import Message
from huey.serializer import Serializer

if TYPE_CHECKING:
    from pathlib import Path

    from huey.api import Huey

NAME = "graticule"
# How long, in seconds, to wait for others that are writing to the file.
BUSY_SECONDS = 30


class JsonSerializer(Serializer):  # type: ignore[misc]
    """Messages as JSON: nothing that stands in a file or in Redis is ever executed, as a pickle would be."""

    def _serialize(self, data: Any) -> bytes:
        return json.dumps(data).encode()

    def _deserialize(self, data: bytes) -> Message:
        return Message(*json.loads(data))


def open_huey(path: Path, redis_url: str | None) -> Huey:
    """The queue in Redis, or in the file when there is none."""
    how = {"results": False, "serializer": JsonSerializer()}
    if redis_url is not None:
        return RedisHuey(NAME, url=redis_url, **how)
    return SqliteHuey(NAME, filename=str(path), timeout=BUSY_SECONDS, **how)
