"""Protocol Buffers' variable-length integers, written for whole arrays at once.

Source: https://protobuf.dev/programming-guides/encoding/ : seven bits a byte, lowest first, the top bit set on all
bytes of a number but its last. Field tags below 16 are single bytes under 128, hence varints of themselves: a message
made of integers is one array of numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Tokens = NDArray[np.uint64]
    Ints = NDArray[np.int64]
    Bytes = NDArray[np.uint8]


def sizes(numbers: Tokens) -> Bytes:
    """How many bytes each number takes, 1 to 10."""
    result = np.ones(len(numbers), np.uint8)
    for shift in range(7, 64, 7):
        longer = numbers >= np.uint64(1 << shift)
        if not longer.any():
            break
        result += longer.view(np.uint8)
    return result


def encode(numbers: Tokens, lengths: Bytes) -> bytes:
    """The numbers as bytes, one after the other; ``lengths`` is what ``sizes`` says of them."""
    ends = np.cumsum(lengths, dtype=np.int64)
    at = ends - lengths
    out = np.empty(int(ends[-1]) if len(ends) else 0, np.uint8)
    longer = lengths > 1
    out[at] = _low_bits(numbers, longer)
    while longer.any():
        # take and compress, here and elsewhere: several times as fast as indexing with square brackets.
        numbers, lengths = numbers.compress(longer) >> np.uint64(7), lengths.compress(longer) - np.uint8(1)
        at = at.compress(longer) + 1
        longer = lengths > 1
        out[at] = _low_bits(numbers, longer)
    return out.tobytes()


def _low_bits(numbers: Tokens, longer: NDArray[np.bool_]) -> Bytes:
    low = (numbers & np.uint64(0x7F)).astype(np.uint8)
    low |= longer.view(np.uint8) << np.uint8(7)
    return low


def zigzag(numbers: NDArray[np.int64]) -> Tokens:
    """Signed numbers folded so that small ones of either sign stay small: 0, -1, 1, -2 become 0, 1, 2, 3."""
    return ((numbers << 1) ^ (numbers >> 63)).view(np.uint64)


def one(number: int) -> bytes:
    """A single number of 0 or more."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def delimited(field: int, content: bytes) -> bytes:
    """A length-delimited field: tag, length, content."""
    return one(field << 3 | 2) + one(len(content)) + content


def spread(starts: Ints, counts: Ints) -> Ints:
    """Indices of runs laid end to end: from ``starts[i]`` upwards, ``counts[i]`` of them, for each i."""
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    return np.arange(total) + np.repeat(starts - ends + counts, counts)
