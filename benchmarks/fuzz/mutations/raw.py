"""Bytes that are broken without knowing what they mean."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable

__all__ = ["broken", "shortened"]

Bytes = Callable[[random.Random, bytearray], bytes]


def broken(rng: random.Random, content: bytes) -> tuple[bytes, str]:
    """The content after one to three of the ways below, and which those were."""
    ways = rng.choices(tuple(_WAYS), k=rng.choice((1, 1, 2, 3)))
    for way in ways:
        content = bytes(_WAYS[way](rng, bytearray(content)))
    return content, " and ".join(ways)


def shortened(rng: random.Random, content: bytes) -> bytes:
    """Its beginning, often short by a few bytes or cut near a round place."""
    ends = (rng.randrange(len(content) + 1), len(content) - rng.randint(1, 16), rng.randint(0, 64),
            len(content) // 2, len(content) // 4096 * 4096)  # fmt: skip
    return content[: max(0, rng.choice(ends))]


def _flipped(rng: random.Random, content: bytearray) -> bytes:
    for _ in range(rng.choice((1, 1, 2, 8, 64)) if content else 0):
        content[_place(rng, content)] ^= 1 << rng.randrange(8)
    return bytes(content)


def _overwritten(rng: random.Random, content: bytearray) -> bytes:
    start = _place(rng, content)
    content[start : start + rng.randint(1, 64)] = rng.randbytes(rng.randint(1, 64))
    return bytes(content)


def _numbered(rng: random.Random, content: bytearray) -> bytes:
    """An integer of some width becomes one at the end of its range."""
    start, width = _place(rng, content), rng.choice((1, 2, 4, 8))
    top = 256**width
    value = rng.choice((0, 1, top - 1, top // 2, top // 2 - 1, rng.randrange(top)))
    order = rng.choice("<>")
    code = {1: "B", 2: "H", 4: "I", 8: "Q"}[width]
    content[start : start + width] = struct.pack(f"{order}{code}", value)
    return bytes(content)


def _doubled(rng: random.Random, content: bytearray) -> bytes:
    start = _place(rng, content)
    piece = content[start : start + rng.choice((1, 16, 256, 4096))]
    return bytes(content[:start] + piece * rng.choice((2, 2, 9)) + content[start:])


def _cut_out(rng: random.Random, content: bytearray) -> bytes:
    start = _place(rng, content)
    return bytes(content[:start] + content[start + rng.choice((1, 4, 64, 1024)) :])


def _blank(rng: random.Random, content: bytearray) -> bytes:
    """A stretch of zeros or ones, as a lost block of a disk is."""
    start, length = _place(rng, content), rng.choice((8, 64, 512, 4096))
    piece = content[start : start + length]
    return bytes(
        content[:start] + rng.choice((b"\0", b"\xff")) * len(piece) + content[start + length :]
    )


def _mixed(rng: random.Random, content: bytearray) -> bytes:
    left, right = sorted((_place(rng, content), _place(rng, content)))
    return bytes(content[right:] + content[left:right] + content[:left])


def _place(rng: random.Random, content: bytearray) -> int:
    """Anywhere; the head, which says what the rest is, half of the time."""
    if not content:
        return 0
    return rng.randrange(min(len(content), rng.choice((64, 1024, len(content), len(content)))))


_WAYS: dict[str, Bytes] = {
    "bits flipped": _flipped,
    "overwritten": _overwritten,
    "numbers at their ends": _numbered,
    "a piece doubled": _doubled,
    "a piece cut out": _cut_out,
    "a stretch blanked": _blank,
    "pieces mixed": _mixed,
    "shortened": lambda rng, content: shortened(rng, bytes(content)),
    "followed by something": lambda rng, content: (
        bytes(content) + rng.randbytes(rng.randint(1, 999))
    ),
}
