"""Drafts in int8 as torch modules: what their files give, and what they learn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from nas.deploy.int8_graph import Ranges
from nas.deploy.litert.interpreter import open_litert
from nas.deploy.onnx_file import INPUT, OUTPUT
from nas.deploy.onnx_graph import Graph, Node
from tests.nas_tests.deploy_tests.litert_tests.test_int8 import (
    IMAGE,
    PLAIN,
    image,
    joined,
    layer,
    two_layers,
)
from tests.nas_tests.deploy_tests.litert_tests.test_operators import graph_of, kernels
from tests.requirements import needs

needs("ai-edge-litert")

from nas.deploy.litert.int8 import rounding_of  # noqa: E402
from nas.deploy.litert.learnt import learnt  # noqa: E402
from nas.deploy.litert.simulation import Simulation  # noqa: E402


def shuffled() -> tuple[Graph, Ranges]:
    """Layers with groups, one that a shuffle reads, one that is transposed, and a gate."""
    nodes = (
        layer("a", INPUT, "x"),
        Node("Conv", ("x", "b.weight", "b.bias"), "y", {**PLAIN, "group": 12}),
        Node("Conv", ("y", "c.weight", "c.bias"), "z", {**PLAIN, "group": 3}),
        Node("Sigmoid", ("z",), "gate", {}),
        Node("Mul", ("gate", "z"), "w", {}),
        Node("DepthToSpace", ("w",), "large", {"mode": "CRD", "blocksize": 2}),
        Node("ConvTranspose", ("large", "d.weight", "d.bias"), OUTPUT,
             {**PLAIN, "strides": (2, 2), "pads": (0, 0, 0, 0)}),
    )  # fmt: skip
    weights = {
        "a.weight": kernels(12, 3, 3, 3) / 9, "b.weight": kernels(12, 1, 3, 3) / 2,
        "b.bias": kernels(12) / 9, "c.weight": kernels(12, 4, 3, 3) / 6, "c.bias": kernels(12) / 9,
        "d.weight": kernels(3, 3, 2, 2) / 2, "d.bias": kernels(3) / 9,
    }  # fmt: skip
    graph = graph_of(*nodes)
    channels = {**graph.channels, "w": 12, "large": 3}
    names = ("x", "y", "z", "w", "large", OUTPUT)
    graph = Graph(graph.nodes, weights, graph.numbers, channels)
    return graph, {**IMAGE, **dict.fromkeys(names, (-2.0, 2.0)), "gate": (0.0, 1.0)}


GRAPHS = {
    "two": two_layers, "relu": lambda: two_layers("Relu"), "joined": joined, "shuffled": shuffled,
}  # fmt: skip


def outputs(simulation: Simulation, path: Path) -> tuple[Any, Any]:
    given = image(2, 3, 9, 14)
    path.write_bytes(simulation.rounding.to_bytes({}))
    with torch.no_grad():
        return simulation(torch.from_numpy(given)).numpy(), open_litert(path)(given)


@pytest.mark.parametrize("made", GRAPHS)
def test_it_gives_what_the_file_gives(made: str, tmp_path: Path) -> None:
    graph, ranges = GRAPHS[made]()
    simulation = Simulation(rounding_of(graph, ranges), graph)
    found, expected = outputs(simulation, tmp_path / "net.tflite")
    # Where two roundings would be equally near, one step.
    assert np.abs(found - expected).max() < 3 * 4 / 255
    assert np.isclose(found, expected, atol=1e-5).mean() > 0.9


@pytest.mark.parametrize("made", GRAPHS)
def test_what_it_learns_is_written(made: str, tmp_path: Path) -> None:
    graph, ranges = GRAPHS[made]()
    if made == "relu":
        ranges = {**ranges, "y": (0, 2)}
    simulation = Simulation(rounding_of(graph, ranges), graph)
    before, _ = outputs(simulation, tmp_path / "before.tflite")
    rng = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in simulation.parameters():
            if parameter.requires_grad:
                parameter.add_(torch.rand(parameter.shape, generator=rng), alpha=2)
    after = learnt(simulation, ranges)
    assert after.ranges.keys() == ranges.keys()
    changed = Graph(
        graph.nodes, {**graph.constants, **after.constants}, graph.numbers, graph.channels
    )
    again = Simulation(rounding_of(changed, after.ranges, rounded=after.rounded), changed)
    found, expected = outputs(again, tmp_path / "after.tflite")
    with torch.no_grad():
        wanted = simulation(torch.from_numpy(image(2, 3, 9, 14))).numpy()
    assert np.isclose(found, wanted, atol=1e-4).mean() > 0.9
    assert np.isclose(expected, wanted, atol=1e-4).mean() > 0.8
    assert np.abs(wanted - before).mean() > 10 * np.abs(wanted - expected).mean()


def test_what_the_image_is_rounded_to_stays() -> None:
    graph, ranges = two_layers()
    simulation = Simulation(rounding_of(graph, ranges), graph)
    with torch.no_grad():
        simulation.ends.add_(1)
    after = learnt(simulation, ranges)
    assert after.ranges[INPUT] == (0, 1)
    assert after.ranges["x"] != ranges["x"]


def test_ends_of_grids_never_pass_0() -> None:
    graph, ranges = joined()
    simulation = Simulation(rounding_of(graph, ranges), graph)
    with torch.no_grad():
        # What is joined fits into less and less.
        simulation.ends.sub_(
            torch.linspace(0, 60, simulation.ends.numel()).view_as(simulation.ends)
        )
    out = simulation(torch.from_numpy(image(2, 3, 9, 14)))
    assert out.isfinite().all()
    out.square().sum().backward()
    assert simulation.ends.grad is not None
    assert simulation.ends.grad.isfinite().all()
    after = learnt(simulation, ranges)
    assert all(low < 0 < high for name, (low, high) in after.ranges.items() if name != INPUT)
