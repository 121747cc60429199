"""Which column a name means: the exact one, else the only one that fits regardless of case.

A column comes before a pseudo-column written the same way; ``OWNER`` means the pseudo-column where the table has only
``owner``, and ``owner`` the column.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from graticule.errors import BadRequest
from graticule.filters.nodes import PSEUDO_NAMES, ColumnRef, Pseudo

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graticule.model.features import Column


class Names:
    """The columns of a table by name, for one request; ``field`` is what an error is reported for."""

    def __init__(self, columns: Sequence[Column], field: str) -> None:
        self.field = field
        self.exact = {column.name: column for column in columns}
        self.folded: dict[str, list[Column]] = {}
        for column in columns:
            self.folded.setdefault(column.name.casefold(), []).append(column)

    def resolve(self, name: str, at: int = 0) -> ColumnRef | Pseudo:
        """The column or pseudo-column called ``name``. Raises BadRequest when there is none, or more than one."""
        if name in self.exact:
            return ColumnRef(name, self.exact[name].type, at=at)
        if name in PSEUDO_NAMES:
            return Pseudo(name, at=at)
        fitting = self.folded.get(name.casefold(), [])
        if len(fitting) == 1:
            return ColumnRef(fitting[0].name, fitting[0].type, at=at)
        if len(fitting) > 1:
            raise self.ambiguous(name, at, fitting)
        return self.pseudo(name, at)

    def pseudo(self, name: str, at: int) -> Pseudo:
        for known in PSEUDO_NAMES:
            if name.upper() == known:
                return Pseudo(known, at=at)
        known_names = ", ".join((*self.exact, *PSEUDO_NAMES))
        message = f"There is no column {name!r}{_place(at)}; the known ones are {known_names}."
        raise BadRequest(message, field=self.field, value=name, expected=f"one of {known_names}")

    def ambiguous(self, name: str, at: int, fitting: Sequence[Column]) -> BadRequest:
        fits = ", ".join(column.name for column in fitting)
        message = f"The column {name!r}{_place(at)} is ambiguous: {fits} fit."
        return BadRequest(message, field=self.field, value=name, expected=f"one of {fits}, written exactly so")


def _place(at: int) -> str:
    return f" (character {at})" if at else ""
