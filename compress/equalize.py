"""Channels of alike size, so that one step of 8 bits fits all channels of a map.

Where a channel is small beside the others of its map, hardly a level of 8 bits is left for it. The
convolution that makes it can make it larger, and those that read it undo that, by their weights
alone; what lies between them has to let factors pass. Sigmoids do not: before them the map is
multiplied by what takes the factors back.

Source: Nagel et al., ICCV 2019, "Data-free quantization through weight equalization and bias
correction", section 4.1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from compress.calibration import Array
from compress.channel_groups import SIGMOIDS, ChannelGroups, channel_groups
from nas.deploy.onnx_tensors import tensors_on

if TYPE_CHECKING:
    import onnx

__all__ = ["Scales", "equalize"]

Factors = Mapping[str, Array]
Ends = tuple[Array, Array]

# An eighth of the largest channel has 32 levels left, and weights that undo it 8 bits less 3.
_MOST = 8.0
# Those of products with gates are numbers that 255 levels have, and so have their reciprocals.
_EXACT = np.array([1, 3, 5])
# Means over channels of the square of the step that is left. Where channels are alike anyway, what
# is won is lost again by ranges that leave less out.
_WORTH, _WORTH_GATES = 0.6, 0.1


@dataclass(frozen=True, slots=True)
class Scales:
    """What a layer's weights are multiplied by: (out, in / groups) and (out,)."""

    inputs: Array
    outputs: Array


def equalize(model: onnx.ModelProto, images: Sequence[Array]) -> dict[str, Scales]:
    """Makes small channels of a graph larger, in place; it computes what it did.

    Args:
        model: a prepared float graph.
        images: LR crops, (1, colors, h, w) in 0..1, on which the sizes of channels are seen.

    Returns:
        By layer what its weights became; layers that stay as they were are left out.
    """
    seen = _seen(model, images)
    uneven = frozenset(
        name for name, (low, high) in seen.items()
        if (1 / _gate_factors(np.maximum(-low, high)) ** 2).mean() < _WORTH_GATES
    )  # fmt: skip
    groups = channel_groups(model, {name: low.size for name, (low, _) in seen.items()}, uneven)
    made = [node.output[0] for node in model.graph.node if node.op_type == "Conv"]
    return _Scaled(model, groups, _factors(groups, seen, made)).scales


def _seen(model: onnx.ModelProto, images: Sequence[Array]) -> dict[str, Ends]:
    """Least and largest values of every map's channels."""
    found: dict[str, Ends] = {}
    for tensors in tensors_on(model, images):
        for name, values in tensors.items():
            if values.ndim == 4:
                least, most = values.min((0, 2, 3)), values.max((0, 2, 3))
                low, high = found.get(name, (least, most))
                found[name] = np.minimum(low, least), np.maximum(high, most)
    return found


def _gate_factors(sizes: Array) -> npt.NDArray[np.int64]:
    allowed = sizes.max() / np.maximum(sizes, 1e-6)
    factors: npt.NDArray[np.int64] = _EXACT[np.searchsorted(_EXACT, allowed, "right") - 1]
    return factors


def _factors(groups: ChannelGroups, seen: Mapping[str, Ends], made: Sequence[str]) -> Factors:
    """As large as the largest channel of each map allows, by map; ``made`` are those of layers."""
    most = np.full(groups.count, _MOST)
    for name, (low, high) in seen.items():
        below = -np.maximum(low, groups.floors.get(name, -np.inf))
        sizes = np.maximum(np.maximum(high, below), 1e-6)
        np.minimum.at(most, groups.of[name], sizes.max() / sizes)
    # What undoes them is then one of 255 levels.
    most = 255 / np.round(255 / most)
    for name in groups.gated:
        found = groups.of[name]
        most[found] = _EXACT[np.searchsorted(_EXACT, most[found], "right") - 1]
    most[0] = 1
    for name in made:
        found = groups.of[name]
        if (1 / most[found] ** 2).mean() > _WORTH:
            most[found] = 1
    return {name: most[found].astype(np.float32) for name, found in groups.of.items()}


class _Scaled:
    """A graph in which factors are put, and the scales of its layers."""

    def __init__(self, model: onnx.ModelProto, groups: ChannelGroups, factors: Factors) -> None:
        self._graph, self._factors = model.graph, factors
        self._constants = {one.name: one for one in model.graph.initializer}
        self._one = np.ones(1, np.float32)
        self.scales: dict[str, Scales] = {}
        nodes = list(model.graph.node)
        del model.graph.node[:]
        for node in nodes:
            out = node.output[0]
            wanted = self._of(out)
            if node.op_type == "Conv":
                self._layer(node)
            elif node.op_type in SIGMOIDS:
                self._multiply(node, 0, self._one / self._of(node.input[0]))
            elif out in groups.gated:
                gate = groups.gated[out]
                signal = next((name for name in node.input if name != gate), gate)
                self._multiply(node, list(node.input).index(gate), wanted / self._of(signal))
            elif node.op_type in ("Add", "Sub"):
                for k, name in enumerate(node.input):
                    if name in groups.gated:
                        self._multiply(node, k, wanted / self._of(name))
            model.graph.node.append(node)

    def _of(self, name: str) -> Array:
        return self._factors.get(name, self._one)

    def _multiply(self, node: Any, k: int, factors: npt.NDArray[Any]) -> None:
        """Has the node read a map that is multiplied by factors."""
        from onnx import helper, numpy_helper

        if (factors == 1).all():
            return
        name = f"{node.input[k]}_for_{node.output[0]}"
        self._graph.initializer.append(
            numpy_helper.from_array(factors[None, :, None, None], f"{name}_by")
        )
        made = helper.make_node("Mul", [node.input[k], f"{name}_by"], [name], name)
        self._graph.node.append(made)
        node.input[k] = name

    def _layer(self, node: Any) -> None:
        inputs, outputs = self._one / self._of(node.input[0]), self._of(node.output[0])
        if (inputs == 1).all() and (outputs == 1).all():
            return
        weight = self._values(node.input[1])
        # Of each output the inputs of its group.
        shape = weight.shape[:2]
        read = max(inputs.size, shape[1])
        groups = read // shape[1]
        by_group = np.broadcast_to(inputs, read).reshape(groups, shape[1])
        along: Array = np.repeat(by_group, shape[0] // groups, axis=0)
        outputs = np.broadcast_to(outputs, shape[:1])
        self._put(node.input[1], weight * along[..., None, None] * outputs[:, None, None, None])
        if len(node.input) > 2:
            self._put(node.input[2], self._values(node.input[2]) * outputs)
        self.scales[node.input[1].removesuffix(".weight")] = Scales(along, outputs)

    def _values(self, name: str) -> Array:
        from onnx import numpy_helper

        return np.asarray(numpy_helper.to_array(self._constants[name]), np.float32)

    def _put(self, name: str, values: npt.NDArray[Any]) -> None:
        from onnx import numpy_helper

        self._constants[name].CopyFrom(numpy_helper.from_array(values, name))
