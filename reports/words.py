"""An architecture in a few lines that a person reads at a glance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["architecture_words", "spaced"]

_UNTOLD = ("schema_version", "scale", "channels", "blocks", "colors", "mean", "value_range")


def architecture_words(architecture: Mapping[str, Any]) -> tuple[str, ...]:
    """The plain data of an ``Architecture`` in words, a line for its body and one for the rest.

    Works on parts of any name, also on a user's own; an empty mapping gives no lines.
    """
    if not architecture:
        return ()
    channels = architecture.get("channels")
    blocks = architecture.get("blocks", ())
    width = "" if channels is None else f", {channels} channels"
    lines = [_block(block, width) for block in _listed(blocks)]
    if not lines and "blocks" in architecture:
        lines.append(f"no blocks{width}")
    others = [
        f"{spaced(name)} {_value(value)}"
        for name, value in architecture.items()
        if name not in _UNTOLD
    ]
    if architecture.get("colors", 3) == 1:
        others.append("on luma alone")
    if others:
        lines.append(", ".join(others))
    return tuple(lines)


def _block(block: Any, width: str) -> str:
    """``4 × distillation, 48 channels: 3 stages, fdc distillation, ...``."""
    options = dict(block) if isinstance(block, Mapping) else {"kind": block}
    repeat, kind = options.pop("repeat", 1), options.pop("kind", "block")
    head = f"{repeat} × {spaced(str(kind))}{width}"
    told = ", ".join(_option(name, value) for name, value in options.items())
    return f"{head}: {told}" if told else head


def _option(name: str, value: Any) -> str:
    if value is True:
        return spaced(name)
    if value is False:
        return f"no {spaced(name)}"
    return f"{spaced(name)} {_value(value)}"


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        options = dict(value)
        kind = options.pop("kind", "")
        told = ", ".join(_option(name, one) for name, one in options.items())
        return " ".join(part for part in (spaced(str(kind)), f"({told})" if told else "") if part)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "/".join(_value(one) for one in value)
    return "none" if value is None else spaced(str(value))


def _listed(blocks: Any) -> Sequence[Any]:
    single = isinstance(blocks, (str, Mapping)) or not isinstance(blocks, Sequence)
    return (blocks,) if single else blocks


def spaced(name: str) -> str:
    """A name of a part or an option as people write it."""
    return name.replace("_", " ")
