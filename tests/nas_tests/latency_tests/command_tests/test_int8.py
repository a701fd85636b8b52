from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from nas.deploy.onnx_file import open_session
from nas.deploy.onnx_numbers import number_format
from nas.latency.command.files import reference_architecture, write_files
from nas.latency.command.int8 import export_int8
from search_spaces import Architecture, build
from tests.guide_files import needs_export
from tests.requirements import needs


@pytest.mark.usefixtures("exports_once")
def test_a_graph_in_int8_of_a_network_that_nobody_trained(tmp_path: Path) -> None:
    needs_export()
    import onnx

    block = {"kind": "plain", "repeat": 2}
    arch = {"scale": 2, "channels": 8, "blocks": [block], "image_skip": "anchor", "fusion": "none"}
    export_int8(build(Architecture.from_dict(arch)).eval(), path := tmp_path / "net.int8.onnx")
    assert number_format(path).startswith("int8")
    made = open_session(path)(np.full((1, 3, 9, 7), 0.5, np.float32))
    assert made.shape == (1, 3, 18, 14)
    kinds = Counter(node.op_type for node in onnx.load(str(path)).graph.node)
    assert kinds["QuantizeLinear"] >= kinds["Conv"] >= 4


@pytest.mark.usefixtures("exports_once")
def test_a_device_gets_a_tflite_file_for_the_size_that_is_asked_for(tmp_path: Path) -> None:
    needs("ai-edge-litert")
    from nas.deploy.litert.interpreter import open_tflite

    network = build(reference_architecture(2, 3)).eval()
    ((ending, path),) = write_files(network, ["int8_tflite"], tmp_path, (9, 7)).items()
    assert ending == ".int8.tflite"
    assert open_tflite(path).inputs[0].shape == (1, 3, 9, 7)
