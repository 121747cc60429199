"""HTTP and nothing else.

Here: numbers in paths. ``{map_id:id}`` matches a whole number, and nothing else.
"""

from __future__ import annotations

from starlette.convertors import Convertor, register_url_convertor

# Nothing is ever numbered so; and the catalogue can still be asked for it.
NOBODY = 10**18


class IdConvertor(Convertor[int]):
    """A number; one of more than 18 digits is that of nothing."""

    regex = "[0-9]+"

    def convert(self, value: str) -> int:
        return int(value) if len(value) <= 18 else NOBODY

    def to_string(self, value: int) -> str:
        return str(value)


register_url_convertor("id", IdConvertor())
