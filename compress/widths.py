"""The widths of an architecture that pruning may choose, each with its floor."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from compress.blocks import with_blocks
from search_spaces.architecture import Architecture
from search_spaces.blocks import BLOCKS
from search_spaces.inner import TRUNK, Place
from search_spaces.part import Part

__all__ = ["FLOOR", "Width", "prunable_widths", "with_widths"]

FLOOR = 0.25
"""The share of every width that stays at least, unless something else is said."""


@dataclass(frozen=True, slots=True)
class Width:
    """One number that pruning may lower.

    Attributes:
        place: where it stands in the architecture: `TRUNK`, or ``("blocks", index)`` and behind
            it where it stands in the block.
        now: its value.
        least: no pruning goes below.
        step: every value but ``now`` is a multiple of it.
    """

    place: Place
    now: int
    least: int
    step: int

    @property
    def name(self) -> str:
        """As a person reads it: ``block 2 distilled 3``, counted from 1."""
        words = [str(word + 1) if isinstance(word, int) else word for word in self.place]
        return " ".join(words).replace("blocks", "block")

    def at_most(self, width: int) -> int:
        """The largest value allowed that is not above ``width``, at least the floor."""
        return self.now if width >= self.now else max(self.least, width - width % self.step)

    def above(self, width: int) -> int | None:
        """The next value allowed above ``width``; None at the top."""
        return None if width >= self.now else min(self.now, width - width % self.step + self.step)


def prunable_widths(arch: Architecture, multiple: int, floor: float = FLOOR) -> tuple[Width, ...]:
    """Every width that pruning may choose by itself; the rest follows from these.

    Beside the trunk's width, which is one number for all blocks, these are the widths that the
    blocks name (``widths``); a block that names none stays whole inside. No width falls below
    the floor's share of it, rounded up to the multiple, at least one multiple.
    """
    found = {TRUNK: (arch.channels, multiple)}
    for index, block in enumerate(arch.blocks):
        for inside, now, step in BLOCKS.widths(block, arch.channels):
            if now is not None:
                place = inside if inside == TRUNK else ("blocks", index, *inside)
                _, unit = found.get(place, (now, multiple))
                found[place] = now, math.lcm(unit, step)
    widths = []
    for place, (now, unit) in found.items():
        least = max(1, math.ceil(now * floor / unit)) * unit
        widths.append(Width(place, now, min(now, least), unit))
    return tuple(width for width in widths if width.least < width.now)


def with_widths(arch: Architecture, chosen: Mapping[Place, int]) -> Architecture:
    """The architecture with the chosen widths, and with what follows from them.

    Raises:
        NotPossible: widths that do not fit together.
    """

    def edit(index: int, block: Part) -> Part:
        return _edited(
            block,
            [
                (place, chosen.get(("blocks", index, *place), now))
                for place, now, _ in BLOCKS.widths(block, arch.channels)
                if place != TRUNK
            ],
        )

    return with_blocks(arch, edit, channels=chosen.get(TRUNK, arch.channels))


def _edited(part: Part, widths: Iterable[tuple[Place, int | None]]) -> Part:
    """The part with these widths written out; what follows from them is left to ``canonical``."""
    options = dict(part.options)
    by_option: dict[str, list[tuple[Place, int | None]]] = {}
    for (name, *rest), width in widths:
        by_option.setdefault(str(name), []).append((tuple(rest), width))
    for name, inside in by_option.items():
        place, width = inside[0]
        if not place:
            options[name] = width
        elif isinstance(place[0], int):
            options[name] = tuple(width for _, width in inside)
        else:
            options[name] = _edited(options[name], inside)
    return Part(part.kind, tuple(options.items()))
