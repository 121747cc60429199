"""One line of the table: a call, and what its answer has to be. Data only; ``test_table.py`` makes the calls."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import httpx

from tests.contract.world import Here

Check = Callable[[httpx.Response, Here], None]


@dataclasses.dataclass(frozen=True)
class Case:
    """One call. Words in braces, in ``path``, ``send`` and ``form``, are names of things of the world.

    ``section`` is the call by method and path. ``covers`` are the description's names for what the case tries, with
    blanks between. ``send`` is a JSON body, or text or bytes as they are; ``form`` are fields of a form; ``files`` are
    parts of an upload. ``by`` is who calls. ``field`` is the field that an error names. ``headers`` are patterns that
    headers of the answer match whole. ``then`` are calls afterwards with their statuses:
    ``GET maps/{new_map} 404``. ``needs`` are things that have to be there and are not named elsewhere.
    ``owed`` is what is known to be missing of it: the case must fail as long as it says so.
    """

    section: str
    path: str
    covers: str = ""
    send: Any = None
    status: int = 200
    check: tuple[Check, ...] = ()
    by: str = "owner"
    field: str | None = None
    form: Mapping[str, str] | None = None
    files: Mapping[str, tuple[str, bytes]] | None = None
    sent_headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    then: tuple[str, ...] = ()
    needs: str = ""
    owed: str = ""

    @property
    def method(self) -> str:
        return self.section.split(" ")[0]

    @property
    def name(self) -> str:
        """What tells the case from the others when it fails."""
        who = "" if self.by == "owner" else f" by {self.by}"
        return f"{self.method} {self.path}{who}: {self.status}"
