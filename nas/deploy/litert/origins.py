"""Which numbers of a draft are which of the graph that it is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from nas.deploy.litert.convolved import convolved
from nas.deploy.litert.walk import Walk
from nas.deploy.onnx_graph import Graph, Node

__all__ = ["Places", "layers_of", "moved"]

Places = npt.NDArray[np.int64]
"""For every number of a constant of a draft, where it lies in that of the graph, laid flat."""


def layers_of(graph: Graph) -> dict[str, Node]:
    """Every convolution by the name that its weights have in the network."""
    return {
        node.inputs[1].removesuffix(".weight"): node
        for node in graph.nodes
        if node.op in ("Conv", "ConvTranspose")
    }


def moved(
    graph: Graph, layers: Mapping[int, str]
) -> dict[int, tuple[Places | None, Places | None]]:
    """By the place of a layer's step in a walk: of its weights and biases the places in the graph.

    None where some are there twice, or stand for nothing in the graph, as the zeros between groups.

    Args:
        graph: that is walked.
        layers: names by the places of their steps.
    """
    names = {name for node in layers_of(graph).values() for name in node.inputs[1:]}
    counted = {
        name: np.arange(1, 1 + values.size, dtype=np.float32).reshape(values.shape)
        for name, values in graph.constants.items()
        if name in names
    }
    draft = Walk(convolved(replace(graph, constants={**graph.constants, **counted}))).draft
    found = {}
    for place in layers:
        weights, biases = (draft.values[one.number] for one in draft.steps[place].inputs[1:])
        found[place] = (_places(weights), _places(biases))
    return found


def _places(counted: npt.NDArray[Any]) -> Places | None:
    places: Places = counted.astype(np.int64) - 1
    return places if places.min() >= 0 and np.unique(places).size == places.size else None
