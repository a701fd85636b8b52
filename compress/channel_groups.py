"""Which channels of a graph's maps can be made larger together, so that all computes as before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import onnx

__all__ = ["SIGMOIDS", "ChannelGroups", "channel_groups", "maps_of"]

Group = npt.NDArray[np.int64]

SIGMOIDS = {"Sigmoid", "Tanh"}
"""What reads a map as it was: factors have to be taken back before."""

_PASSING = {"LeakyRelu", "Relu", "PRelu", "MaxPool", "AveragePool", "GlobalAveragePool", "Resize"}
_MOVING = ("Add", "Sub", "Mul")
# Below it what comes out of x * sigmoid(x) is next to nothing.
_SILU_END = -8.0


@dataclass(frozen=True, slots=True)
class ChannelGroups:
    """Channels by the group that has one factor; group 0 has none.

    Attributes:
        of: by the name of a map, the group of each of its channels.
        floors: by the name of a map that sigmoids read, or a ReLU alone, the value below which
            next to nothing comes through.
        gated: by the name of a product that has factors of its own, its gate: a map that is
            multiplied by them before, as the product is where it is added to others.
        count: of groups.
    """

    of: Mapping[str, Group]
    floors: Mapping[str, float]
    gated: Mapping[str, str]
    count: int


def channel_groups(
    model: onnx.ModelProto, channels: Mapping[str, int], uneven: frozenset[str]
) -> ChannelGroups:
    """The groups of a graph.

    Args:
        model: prepared, in float32.
        channels: number of every map's, by name; others are left as they are.
        uneven: products of a map and a gate that get factors of their own.
    """
    ties = _Ties(model, channels, uneven)
    for node in model.graph.node:
        ties.tie(node)
    for one in model.graph.output:
        ties.fix(one.name)
    of = {
        name: np.array([ties.find(ties.first[name] + k) for k in range(count)])
        for name, count in channels.items()
    }
    return ChannelGroups(of, ties.floors, ties.gated, len(ties.leader))


def maps_of(node: Any, constants: Mapping[str, Any]) -> list[str]:
    """The names of the maps that a node reads."""
    return [name for name in node.input if name and name not in constants]


class _Ties:
    def __init__(
        self, model: onnx.ModelProto, channels: Mapping[str, int], uneven: frozenset[str]
    ) -> None:
        self.constants = {one.name: one for one in model.graph.initializer}
        self.makers = {node.output[0]: node for node in model.graph.node}
        self.channels, self.uneven = channels, uneven
        self.readers = Counter(name for node in model.graph.node for name in node.input)
        self.floors: dict[str, float] = {}
        self.gated: dict[str, str] = {}
        self.first: dict[str, int] = {}
        total = 1
        for name, count in channels.items():
            self.first[name] = total
            total += count
        self.leader = list(range(total))

    def find(self, k: int) -> int:
        while self.leader[k] != k:
            k = self.leader[k]
        return k

    def fix(self, name: str) -> None:
        for k in range(self.channels.get(name, 0)):
            self._join(0, self.first[name] + k)

    def tie(self, node: Any) -> None:
        maps, out = maps_of(node, self.constants), node.output[0]
        if node.op_type == "Conv":
            return
        if node.op_type in SIGMOIDS:
            self.floors.update(dict.fromkeys(maps, _SILU_END))
            self.fix(out)
            return
        if node.op_type == "Relu" and self.readers[maps[0]] == 1:
            self.floors[maps[0]] = 0.0
        if node.op_type in _PASSING or (node.op_type == "Mul" and len(maps) == 1):
            self._same(maps[0], out)
        elif node.op_type == "Concat":
            start = 0
            for name in maps:
                self._same(name, out, start)
                start += self.channels.get(name, 0)
        elif node.op_type in ("Add", "Sub") and self._alike(maps):
            for name in maps:
                if name not in self.gated:
                    self._same(name, out)
        elif node.op_type == "Mul" and self._alike(maps):
            self._gate(maps, out)
        else:
            for name in (*maps, *node.output):
                self.fix(name)

    def _gate(self, maps: list[str], out: str) -> None:
        gates = [name for name in maps if self._is_gate(name)] or maps[1:]
        gate = gates[-1]
        self.fix(gate)
        signal = next((name for name in maps if name != gate), gate)
        if out in self.uneven:
            self.gated[out] = gate
        else:
            self._same(signal, out)

    def _is_gate(self, name: str) -> bool:
        maker = self.makers.get(name)
        if maker is None or maker.op_type in SIGMOIDS:
            return maker is not None
        maps = maps_of(maker, self.constants)
        return maker.op_type in _MOVING and len(maps) == 1 and self._is_gate(maps[0])

    def _alike(self, maps: list[str]) -> bool:
        return len(maps) == 2 and len({self.channels.get(name, name) for name in maps}) == 1

    def _same(self, one: str, other: str, start: int = 0) -> None:
        """Channels of a map and, from ``start``, those of another."""
        if one not in self.channels or other not in self.channels:
            self.fix(one)
            self.fix(other)
            return
        for k in range(self.channels[one]):
            self._join(self.first[one] + k, self.first[other] + start + k)

    def _join(self, one: int, other: int) -> None:
        least, most = sorted((self.find(one), self.find(other)))
        self.leader[most] = least
