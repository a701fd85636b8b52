"""What a trained simulation comes to, by the names of the graph that its draft was made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from nas.deploy.int8_graph import Ranges
from nas.deploy.litert.convolved import origin
from nas.deploy.litert.grids import LEAST, MOST
from nas.deploy.litert.origins import Places, layers_of
from nas.deploy.litert.simulation import Simulation
from nas.deploy.parity import Array

__all__ = ["Learnt", "learnt"]


@dataclass(frozen=True, slots=True)
class Learnt:
    """Numbers to write the same file anew with.

    Attributes:
        constants: weights before they are rounded, and biases, by their names in the graph.
        rounded: by layer, weights on the grid of 8 bits.
        ranges: by the names of the graph.
    """

    constants: dict[str, Array]
    rounded: dict[str, Array]
    ranges: Ranges


@torch.no_grad()
def learnt(simulation: Simulation, ranges: Ranges) -> Learnt:
    """The simulation's weights and biases, where it learns them, and its ranges.

    Args:
        simulation: trained.
        ranges: those that its draft was made with.
    """
    of, graph = simulation.rounding, simulation.graph
    nodes = layers_of(graph)
    constants: dict[str, Array] = {}
    rounded: dict[str, Array] = {}
    for k, (place, name) in of.layers.items():
        weight, *bias = nodes[name].inputs[1:]
        depthwise = of.draft.steps[k].operator == "DEPTHWISE_CONV_2D"
        kernels, on_grid, biases = simulation.layer(k)
        at_weights, at_biases = simulation.moved[place]
        if at_weights is not None:
            before = graph.constants[weight]
            constants[weight] = _back(before, at_weights, _last(kernels, depthwise))
            rounded[name] = _back(before, at_weights, _last(on_grid, depthwise))
        if at_biases is not None:
            constants[bias[0]] = _back(graph.constants[bias[0]], at_biases, biases)
    found = dict(ranges)
    for name, one in of.walk.maps.items():
        if origin(name) in ranges and one.number in of.grids:
            before_grid = of.grids[one.number]
            grid = simulation.grid(before_grid)
            if grid != before_grid:
                low, high = ((level - grid.zero) * grid.steps[0] for level in (LEAST, MOST))
                found[origin(name)] = (low, high)
    return Learnt(constants, rounded, found)


def _last(kernels: Tensor, depthwise: bool) -> Tensor:
    """Channels last, as the walk has them."""
    return (kernels.transpose(0, 1) if depthwise else kernels).permute(0, 2, 3, 1)


def _back(before: Array, places: Places, values: Tensor) -> Array:
    made = np.empty(before.size, np.float32)
    made[places.ravel()] = values.numpy().ravel()
    return made.reshape(before.shape)
