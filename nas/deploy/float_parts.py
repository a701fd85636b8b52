"""Which parts of an int8 graph compute in float32: layers that shall, and what is beside them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

__all__ = ["Part", "float_parts"]


class Part(NamedTuple):
    """One operator of a graph: its own name, and those of what it takes and makes."""

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def float_parts(
    parts: Sequence[Part], floats: Collection[str], layers: Collection[str]
) -> set[str]:
    """Names of ``floats`` and of what stands between them, or between them and the output.

    Args:
        parts: in the order in which they are computed.
        floats: that compute in float32 in any case.
        layers: that are in float32 where they are among ``floats`` alone.
    """
    makers = {out: part for part in parts for out in part.outputs}
    readers: dict[str, list[Part]] = {}
    for part in parts:
        for name in part.inputs:
            readers.setdefault(name, []).append(part)
    found = set(floats)
    # Backwards: whatever only float parts read, or nobody does.
    for part in reversed(parts):
        if part.name not in layers:
            users = [user for out in part.outputs for user in readers.get(out, [])]
            if all(user.name in found for user in users):
                found.add(part.name)
    # Forwards: whatever reads float parts only.
    for part in parts:
        if part.name not in layers:
            sources = [makers[name] for name in part.inputs if name in makers]
            if sources and all(source.name in found for source in sources):
                found.add(part.name)
    return found
