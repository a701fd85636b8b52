"""What writers of other formats are given of an ONNX graph."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nas.deploy.onnx_file import INPUT, OUTPUT, exported_program
from nas.deploy.onnx_graph import CONTINUE, REPEAT, Graph, Side, read_graph
from nas.deploy.portable import portable
from search_spaces.attention.esa import LEAST_SIDE_PX
from tests.nas_tests.deploy_tests.conftest import lively
from tests.nas_tests.deploy_tests.test_graphs import ANCHORED

pytest.importorskip("onnxscript")


def graph_of(**fields: Any) -> Graph:
    network = lively(**fields)
    return read_graph(exported_program(portable(network), network.architecture).model_proto)


def test_all_that_is_left_computes_the_image() -> None:
    graph = graph_of(image_skip="linear")
    made = {INPUT, *graph.constants, *graph.numbers, ""}
    for node in graph.nodes:
        assert made.issuperset(node.inputs), node
        made.add(node.output)
    assert graph.nodes[-1].output == OUTPUT
    read = {name for node in graph.nodes for name in node.inputs}
    assert all(node.output in read for node in graph.nodes[:-1])
    assert {name for name in graph.readers() if name in made} == read


def test_sizes_that_depend_on_the_image_are_told_by_its_sides() -> None:
    graph = graph_of(image_skip="linear")
    continued = [dict(node.attributes) for node in graph.nodes if node.op == CONTINUE]
    assert continued == [{"axis": axis, "least": LEAST_SIDE_PX} for axis in (2, 3)]
    (resize,) = (node for node in graph.nodes if node.op == "Resize")
    assert graph.numbers[resize.inputs[3]] == (Side(0), 4, Side(2), Side(3))
    assert not {"Shape", "Squeeze", "Max", "Gather"} & {node.op for node in graph.nodes}


def test_channels_that_are_repeated_are_one_node() -> None:
    (repeat,) = (node for node in graph_of(**ANCHORED).nodes if node.op == REPEAT)
    assert (repeat.inputs, dict(repeat.attributes)) == ((INPUT,), {"times": 9})


def test_kernels_that_are_sums_are_added_up() -> None:
    fields = {"blocks": [{"kind": "plain", "convolutions": 1, "convolution": "asymmetric"}]}
    graph = graph_of(**fields)
    assert "Pad" not in {node.op for node in graph.nodes}
    kernels = [graph.constants[node.inputs[1]] for node in graph.nodes if node.op == "Conv"]
    assert {kernel.shape[2:] for kernel in kernels} == {(3, 3), (1, 1)}
    assert all(np.isfinite(kernel).all() for kernel in kernels)
