"""int8 .tflite files: on which grids what is rounded, and what is not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from nas.deploy.int8_graph import Ranges
from nas.deploy.litert.interpreter import number_format, open_litert, open_tflite
from nas.deploy.onnx_file import INPUT, OUTPUT
from nas.deploy.onnx_graph import Graph, Node
from nas.latency.command.int8 import export_int8
from tests.nas_tests.deploy_tests.conftest import lively
from tests.nas_tests.deploy_tests.every_part import EVERY_PART
from tests.nas_tests.deploy_tests.litert_tests.test_operators import graph_of, kernels, node
from tests.requirements import needs

needs("ai-edge-litert")

Array = npt.NDArray[Any]
PLAIN = {"group": 1, "strides": (1, 1), "dilations": (1, 1), "pads": (1, 1, 1, 1)}
IMAGE = {INPUT: (0.0, 1.0)}


def layer(name: str, source: str, output: str) -> Node:
    return Node("Conv", (source, f"{name}.weight"), output, PLAIN)


def written(graph: Graph, ranges: Ranges, folder: Path, **options: Any) -> Path:
    from nas.deploy.litert.int8 import int8_tflite

    path = folder / "int8.tflite"
    path.write_bytes(int8_tflite(graph, ranges, {}, **options))
    return path


def in_float(graph: Graph, folder: Path) -> Any:
    from nas.deploy.litert.walk import tflite

    (folder / "float.tflite").write_bytes(tflite(graph, {}))
    return open_litert(folder / "float.tflite")


def content(path: Path) -> tuple[list[str], Any]:
    """A file's operators by name, in their order, and its graph."""
    from ai_edge_litert import schema_py_generated as schema

    names = {value: name for name, value in vars(schema.BuiltinOperator).items()}
    model = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
    (graph,) = model.subgraphs
    codes = [names[code.builtinCode] for code in model.operatorCodes]
    return [codes[one.opcodeIndex] for one in graph.operators], graph


def image(*shape: int) -> Array:
    return np.random.default_rng(1).random(shape, np.float32)


def error(graph: Graph, path: Path, folder: Path) -> float:
    """The largest difference from the graph in float32."""
    given = image(2, 3, 9, 14)
    return float(np.abs(open_litert(path)(given) - in_float(graph, folder)(given)).max())


def graph_with(weights: Mapping[str, Array], *nodes: Node) -> Graph:
    return replace(graph_of(*nodes), constants=weights)


def two_layers(between: str = "LeakyRelu", share: float = 1) -> tuple[Graph, Ranges]:
    nodes = (layer("a", INPUT, "x"), node(between, source="x", output="y"), layer("b", "y", OUTPUT))
    weights = {"a.weight": share * kernels(12, 3, 3, 3) / 9, "b.weight": kernels(12, 12, 3, 3) / 36}
    return graph_with(weights, *nodes), {**IMAGE, "x": (-2, 2), "y": (-0.02, 2), OUTPUT: (-2, 2)}


def test_layers_are_in_int8_and_images_in_float32(tmp_path: Path) -> None:
    graph, ranges = two_layers()
    path = written(graph, ranges, tmp_path)
    operators, _ = content(path)
    assert operators == ["QUANTIZE", "CONV_2D", "LEAKY_RELU", "CONV_2D", "DEQUANTIZE"]
    assert number_format(path) == "int8"
    assert [one.kind for one in open_tflite(path).inputs] == ["float32"]
    # Of ranges of 4 and 2, some steps of 255.
    assert 0 < error(graph, path, tmp_path) < 4 * 4 / 255


def test_a_file_for_one_size_gives_the_same_as_that_for_any(tmp_path: Path) -> None:
    graph, ranges = two_layers()
    given = image(1, 3, 9, 14)
    free = open_litert(written(graph, ranges, tmp_path))(given)
    path = written(graph, ranges, tmp_path, lr_size=(9, 14))
    assert [one.shape for one in open_tflite(path).inputs] == [(1, 3, 9, 14)]
    assert np.array_equal(open_litert(path)(given), free)


def test_a_layer_that_stays_in_float_keeps_its_weights_and_what_follows(tmp_path: Path) -> None:
    graph, ranges = two_layers()
    path = written(
        graph, ranges, tmp_path, float_layers=["b"], rounded={"b": kernels(12, 12, 3, 3)}
    )
    operators, _ = content(path)
    # The activation is read by a float layer alone, whose weights are widened from 16 bits.
    assert operators == [
        "QUANTIZE", "CONV_2D", "DEQUANTIZE", "LEAKY_RELU", "DEQUANTIZE", "CONV_2D",
    ]  # fmt: skip
    assert number_format(path) == "float32 and int8"
    assert error(graph, path, tmp_path) < 4 / 255
    # One byte more for each weight, and not their 32 bits as well.
    size = path.stat().st_size
    weights = graph.constants["b.weight"].size
    assert size < written(graph, ranges, tmp_path).stat().st_size + 2 * weights
    path = written(graph, ranges, tmp_path, float_layers=["a"])
    operators, _ = content(path)
    assert operators == ["DEQUANTIZE", "CONV_2D", "LEAKY_RELU", "QUANTIZE", "CONV_2D", "DEQUANTIZE"]


@pytest.mark.parametrize(("channels", "share"), [(2, 1), (12, 1e6)])
def test_few_or_large_weights_of_a_float_layer_stay_in_32_bits(
    channels: int, share: float, tmp_path: Path
) -> None:
    weights = {"a.weight": share * kernels(channels, 3, 3, 3)}
    graph = graph_with(weights, layer("a", INPUT, OUTPUT))
    path = written(graph, {**IMAGE, OUTPUT: (-2, 2)}, tmp_path, float_layers=["a"])
    assert content(path)[0] == ["CONV_2D"]


def test_weights_that_were_rounded_are_taken_as_they_are(tmp_path: Path) -> None:
    levels = np.random.default_rng(2).integers(-127, 128, (12, 3, 3, 3))
    levels[:, 0, 0, 0] = 127
    steps = np.linspace(0.0001, 0.001, 12)
    rounded = (levels * steps[:, None, None, None]).astype(np.float32)
    graph, ranges = two_layers()
    path = written(graph, ranges, tmp_path, rounded={"a": rounded})
    _, stored = content(path)
    weights = stored.tensors[stored.operators[1].inputs[1]]
    assert weights.quantization.scale == pytest.approx(steps, rel=1e-5)
    assert weights.quantization.quantizedDimension == 0
    same = replace(graph, constants={**graph.constants, "a.weight": rounded})
    assert error(same, path, tmp_path) < 4 * 4 / 255


def test_a_relu_is_where_the_numbers_of_its_layer_begin(tmp_path: Path) -> None:
    graph, ranges = two_layers("Relu")
    path = written(graph, {**ranges, "y": (0, 2)}, tmp_path)
    assert content(path)[0] == ["QUANTIZE", "CONV_2D", "CONV_2D", "DEQUANTIZE"]
    assert error(graph, path, tmp_path) < 4 * 4 / 255


def joined(*others: Node) -> tuple[Graph, Ranges]:
    """What is a hundred times as large beside what is read elsewhere, too."""
    nodes = (
        layer("a", INPUT, "x"), layer("b", INPUT, "y"),
        Node("Concat", ("x", "y"), "both", {"axis": 1}), layer("c", "both", "z"), *others,
        Node("Add", ("z", "y"), "sum", {}), layer("d", "sum", OUTPUT),
    )  # fmt: skip
    after = kernels(12, 24, 3, 3) / 36
    after[:, :12] /= 100
    weights = {
        "a.weight": kernels(12, 3, 3, 3) * 10, "b.weight": kernels(12, 3, 3, 3) / 10,
        "c.weight": after, "d.weight": kernels(12, 12, 3, 3) / 30,
    }  # fmt: skip
    graph = graph_with(weights, *nodes)
    graph = replace(graph, channels={**graph.channels, "both": 24})
    ranges = {**IMAGE, "x": (-130, 130), "y": (-1.3, 1.3), "both": (-130, 130), "z": (-3, 3)}
    return graph, {**ranges, "sum": (-3, 3), OUTPUT: (-2, 2)}


def test_what_is_joined_keeps_its_own_grid_for_other_readers(tmp_path: Path) -> None:
    # Who reads it beside the layer would read what is widened, too.
    pool = {"kernel_shape": (1, 1), "strides": (1, 1), "pads": (0, 0, 0, 0)}
    graph, ranges = joined(Node("MaxPool", ("both",), "same", pool), layer("c", "same", "again"))
    last = Node("Add", ("again", "y"), "sum", {})
    nodes = tuple(last if one.output == "sum" else one for one in graph.nodes)
    path = written(replace(graph, nodes=nodes), {**ranges, "again": (-3, 3)}, tmp_path)
    operators, stored = content(path)
    assert "MUL" not in operators
    assert operators.count("QUANTIZE") == 2
    (join,) = (one for one, name in zip(stored.operators, operators, strict=True)
               if name == "CONCATENATION")  # fmt: skip
    scales = {stored.tensors[k].quantization.scale[0] for k in (*join.inputs, *join.outputs)}
    assert len(scales) == 1
    (add,) = (one for one, name in zip(stored.operators, operators, strict=True) if name == "ADD")
    finest = min(stored.tensors[k].quantization.scale[0] for k in add.inputs)
    assert finest == pytest.approx(2.6 / 255, rel=1e-5)


def test_what_is_small_among_what_is_joined_is_widened_where_weights_undo_it(
    tmp_path: Path,
) -> None:
    graph, ranges = joined()
    path = written(graph, ranges, tmp_path)
    operators, _ = content(path)
    assert (operators.count("QUANTIZE"), operators.count("MUL")) == (1, 1)
    # Else 0.11 to 0.14.
    assert error(graph, path, tmp_path) < 0.04


def test_rows_that_are_joined_before_a_layer(tmp_path: Path) -> None:
    around = {"mode": "edge", "pads": (0, 0, 2, 0, 0, 0, 2, 0)}
    nodes = (
        layer("a", INPUT, "x"), Node("Pad", ("x",), "longer", around),
        Node("Conv", ("longer", "b.weight"), OUTPUT, {**PLAIN, "pads": (0, 0, 0, 0)}),
    )  # fmt: skip
    weights = {"a.weight": kernels(12, 3, 3, 3) / 9, "b.weight": kernels(12, 12, 3, 3) / 36}
    graph = graph_with(weights, *nodes)
    path = written(graph, {**IMAGE, "x": (-2, 2), "longer": (-2, 2), OUTPUT: (-2, 2)}, tmp_path)
    assert "CONCATENATION" in content(path)[0]
    assert error(graph, path, tmp_path) < 4 * 4 / 255


def test_a_gate_that_is_resized_stays_right(tmp_path: Path) -> None:
    """LiteRT's sigmoid has a grid of its own, which what is pooled of it does not have."""
    pool = {"kernel_shape": (3, 3), "strides": (1, 1), "pads": (0, 0, 0, 0)}
    nodes = (
        layer("a", INPUT, "x"), node("Sigmoid", source="x", output="gate"),
        Node("MaxPool", ("gate",), "most", pool), layer("b", "most", OUTPUT),
    )  # fmt: skip
    weights = {"a.weight": kernels(12, 3, 3, 3) / 9, "b.weight": kernels(12, 12, 3, 3) / 36}
    graph = graph_with(weights, *nodes)
    ranges = {**IMAGE, "x": (-2, 2), "gate": (0, 0.9), "most": (0, 0.9), OUTPUT: (-2, 2)}
    path = written(graph, ranges, tmp_path)
    assert error(graph, path, tmp_path) < 4 * 4 / 255


def test_what_has_no_range_stays_in_float(tmp_path: Path) -> None:
    graph, ranges = two_layers()
    path = written(graph, {name: ranges[name] for name in (INPUT, "x")}, tmp_path)
    operators, _ = content(path)
    assert operators == [
        "QUANTIZE", "CONV_2D", "DEQUANTIZE", "LEAKY_RELU", "DEQUANTIZE", "CONV_2D",
    ]  # fmt: skip


def test_a_large_bias_of_small_weights_is_kept(tmp_path: Path) -> None:
    graph, ranges = two_layers(share=0)
    first, *others = graph.nodes
    biased = Node("Conv", (*first.inputs, "a.bias"), first.output, first.attributes)
    constants = {**graph.constants, "a.bias": np.full(12, 1.5, np.float32)}
    graph = replace(graph, nodes=(biased, *others), constants=constants)
    path = written(graph, ranges, tmp_path)
    assert error(graph, path, tmp_path) < 4 * 4 / 255


def test_a_gate_that_hardly_opens_has_levels_of_its_own(tmp_path: Path) -> None:
    gate = Node("Conv", (INPUT, "g.weight", "g.bias"), "g", PLAIN)
    product = Node("Mul", ("x", "open"), "y", {})
    nodes = (layer("a", INPUT, "x"), gate, node("Sigmoid", source="g", output="open"), product,
             layer("b", "y", OUTPUT))  # fmt: skip
    weights = {
        "a.weight": kernels(12, 3, 3, 3),
        "g.weight": kernels(12, 3, 3, 3) / 9,
        "g.bias": np.full(12, -6, np.float32),
        "b.weight": kernels(12, 12, 3, 3),
    }
    graph = graph_with(weights, *nodes)
    ranges = {**IMAGE, "x": (-20, 20), "g": (-9, 0), "y": (-0.2, 0.2), OUTPUT: (-4, 4)}
    errors = []
    for most in (0.03, 1.0):
        path = written(graph, {**ranges, "open": (0, most)}, tmp_path)
        errors.append(error(graph, path, tmp_path))
        assert content(path)[0].count("DEQUANTIZE") == (2 if most < 1 else 1)
    assert errors[0] < errors[1] / 2


@pytest.mark.parametrize("part", list(EVERY_PART))
def test_every_part(part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from nas.deploy.litert import int8
    from nas.deploy.litert.rounding import Rounding
    from nas.deploy.litert.simulation import Simulation

    made: list[Simulation] = []
    real = int8.rounding_of

    def kept(graph: Graph, *args: Any, **options: Any) -> Rounding:
        made.append(Simulation(real(graph, *args, **options), graph))
        return made[-1].rounding

    monkeypatch.setattr(int8, "rounding_of", kept)
    network, path = lively(**EVERY_PART[part]), tmp_path / "net.int8.tflite"
    export_int8(network, path)
    (simulation,) = made
    run = open_litert(path)
    for n, *sides in ((2, 1, 1), (1, 7, 31), (3, 24, 17)):
        given = image(n, network.architecture.colors, *sides)
        with torch.inference_mode():
            expected = network(torch.from_numpy(given)).numpy()
        found = run(given)
        assert found.shape == expected.shape
        error = np.abs(found - expected).mean()
        assert error < 0.1 * np.ptp(expected)
        simulated = simulation(torch.from_numpy(given))
        # What is rounded the other way once is another rounding of everything behind it.
        assert np.abs(simulated.detach().numpy() - found).mean() < 0.7 * error + 1e-6
    simulated.sum().backward()
    assert all(one.grad is not None for one in simulation.parameters() if one.requires_grad)
    assert number_format(path) != "float32"
