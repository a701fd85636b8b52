"""The widths of an architecture that pruning may choose, each with its floor."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from compress.blocks import with_blocks
from search_spaces.architecture import Architecture
from search_spaces.part import Part

__all__ = ["FLOOR", "Place", "Width", "prunable_widths", "with_widths"]

Place = tuple[str | int, ...]
"""``("channels",)``, or ``("blocks", index, option)`` with an entry's index or a part's option."""

FLOOR = 0.25
"""The share of every width that stays at least, unless something else is said."""


@dataclass(frozen=True, slots=True)
class Width:
    """One number that pruning may lower.

    Attributes:
        place: where it stands in the architecture.
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

    The trunk's width is one number for all blocks, an attention's hidden width one for all
    its convolutions, and where shallow residuals could not be absorbed the stream has the
    trunk's. No width falls below the floor's share of it, rounded up to the multiple, at
    least one multiple.
    """
    frozen = any(_is_sliced(block) for block in arch.blocks)
    places: list[tuple[Place, int]] = [] if frozen else [(("channels",), 1)]
    for index, block in enumerate(arch.blocks):
        places += [(("blocks", index, *place), step) for place, step in _of_block(block)]
    widths = []
    for place, step in places:
        now, unit = _value(arch, place), math.lcm(step, multiple)
        least = max(1, math.ceil(now * floor / unit)) * unit
        widths.append(Width(place, now, min(now, least), unit))
    return tuple(width for width in widths if width.least < width.now)


def with_widths(arch: Architecture, chosen: Mapping[Place, int]) -> Architecture:
    """The architecture with the chosen widths, and with what follows from them.

    Raises:
        NotPossible: widths that do not fit together.
    """
    channels = chosen.get(("channels",), arch.channels)

    def edit(index: int, block: Part) -> Part:
        own = {place[2:]: n for place, n in chosen.items() if place[:2] == ("blocks", index)}
        return _edited(block, own, arch.channels, channels)

    return with_blocks(arch, edit, channels=channels)


def _is_sliced(block: Part) -> bool:
    """Whether the trunk's channels are those of several concatenated slices."""
    options = dict(block.options)
    return bool(
        block.kind == "distillation"
        and options["distilled"]
        and (not options["fuse"] or options["residual"] == "fuse")
    )


def _of_block(block: Part) -> Iterator[tuple[Place, int]]:
    options = dict(block.options)
    if block.kind == "spab":
        yield from ((("inner", k), 1) for k in range(2))
    elif block.kind == "distilling_group":
        for k in range(options["units"]):
            yield from (((name, k), 1) for name in ("inner", "distilled"))
    elif block.kind == "enhancement":
        yield ("distilled",), 1
        # What goes on after the split is the input of no grouped convolution.
        yield from ((("inner", k), 1 if k == 2 else options["groups"]) for k in range(5))
    elif block.kind == "distillation":
        stages = range(options["stages"] - 1)
        if not options["shallow_residual"]:
            yield from ((("refined", k), 1) for k in stages)
        if options["fuse"] and options["residual"] != "fuse":
            yield from ((("distilled", k), 1) for k in stages if options["distilled"])
            if not options["last_residual"]:
                yield ("last",), 1
        for name in ("attention", "distilled_attention"):
            if options[name] is not None and "width" in dict(options[name].options):
                yield (name, "width"), 1


def _spread(block: Part, channels: int) -> dict[str, Any]:
    """The block's options with every list of widths written out."""
    options = dict(block.options)
    if block.kind == "spab":
        options["inner"] = _list(options["inner"], 2, channels)
    elif block.kind == "distilling_group":
        options["inner"] = _list(options["inner"], options["units"], channels)
        options["distilled"] = _list(options["distilled"], options["units"], channels)
    elif block.kind == "enhancement" and options["inner"] is None:
        d = options["distilled"]
        options["inner"] = (channels - d, channels - 2 * d, channels - d, channels, channels - d)
    return options


def _list(widths: Any, count: int, default: int) -> tuple[int, ...]:
    if isinstance(widths, tuple):
        return widths
    return (default if widths is None else widths,) * count


def _value(arch: Architecture, place: Place) -> int:
    if place == ("channels",):
        return arch.channels
    index, name, *rest = place[1:]
    assert isinstance(index, int)
    value: Any = _spread(arch.blocks[index], arch.channels)[str(name)]
    for step in rest:
        value = value[step]
    return int(value)


def _edited(block: Part, own: Mapping[Place, int], before: int, channels: int) -> Part:
    options = _spread(block, before)
    for (name, *rest), width in own.items():
        assert isinstance(name, str)
        if not rest:
            options[name] = width
        elif isinstance(rest[0], int):
            listed = list(options[name])
            listed[rest[0]] = width
            options[name] = tuple(listed)
        else:
            part = options[name]
            inner = {**dict(part.options), rest[0]: width}
            options[name] = Part(part.kind, tuple(inner.items()))
    if block.kind == "distillation":
        if options["shallow_residual"]:
            options["refined"] = (channels,) * (options["stages"] - 1)
        if options["last_residual"]:
            options["last"] = options["refined"][-1] if options["refined"] else channels
        elif not options["distilled"] and (not options["fuse"] or options["residual"] == "fuse"):
            options["last"] = channels
    return Part(block.kind, tuple(options.items()))
