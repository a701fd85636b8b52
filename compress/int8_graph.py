"""An int8 ONNX graph from a float one, given the ranges of its tensors."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from compress.calibration import Ranges
from search_spaces.errors import InputError

if TYPE_CHECKING:
    import onnx

__all__ = ["layer_names", "prepared", "write_int8"]


def prepared(path: Path, target: Path) -> onnx.ModelProto:
    """Writes the float graph as quantisation wants it, constants folded, and returns it."""
    import onnx
    from onnxruntime.quantization.shape_inference import quant_pre_process

    with _quiet():
        # Symbolic shapes are left out: those of ESA's padding come out wrong, and a session
        # that trusts them fails.
        quant_pre_process(str(path), str(target), skip_symbolic_shape=True)
    return onnx.load(str(target))


def layer_names(model: onnx.ModelProto) -> dict[str, str]:
    """Node by layer: every convolution by the name that its weights have in the network."""
    found = {}
    for node in model.graph.node:
        if node.op_type in ("Conv", "ConvTranspose"):
            found[node.input[1].removesuffix(".weight")] = node.name
    return found


def write_int8(
    path: Path,
    target: Path,
    ranges: Ranges,
    *,
    float_layers: Collection[str] = (),
    metadata: Mapping[str, str] | None = None,
) -> Path:
    """QDQ format, unsigned activations, signed weights per output channel.

    Args:
        path: of a `prepared` graph.
        target: to write.
        ranges: of all its tensors.
        float_layers: as `layer_names` calls them; they stay in float32.
        metadata: to add to what the graph says of itself.

    Raises:
        InputError: no layer of such a name.
    """
    import onnx
    from onnxruntime.quantization import QuantType
    from onnxruntime.quantization.calibrate import CalibrationMethod, TensorsData
    from onnxruntime.quantization.qdq_quantizer import QDQQuantizer
    from onnxruntime.quantization.registry import QDQRegistry, QLinearOpsRegistry

    model = onnx.load(str(path))
    nodes = layer_names(model)
    unknown = sorted(set(float_layers) - set(nodes))
    if unknown:
        raise InputError(f"no layer {unknown[0]}; expected one of {', '.join(nodes)}")
    data = {
        name: (np.float32(low), np.float32(max(high, low + 1e-6)))
        for name, (low, high) in ranges.items()
    }
    with _quiet():
        quantizer = QDQQuantizer(
            model, per_channel=True, reduce_range=False, weight_qType=QuantType.QInt8,
            activation_qType=QuantType.QUInt8,
            tensors_range=TensorsData(CalibrationMethod.MinMax, data),
            nodes_to_quantize=None, nodes_to_exclude=[nodes[name] for name in float_layers],
            op_types_to_quantize=list(set(QDQRegistry) | set(QLinearOpsRegistry)),
            extra_options={},
        )  # fmt: skip
        quantizer.quantize_model()
    made: onnx.ModelProto = quantizer.model.model
    # Shapes of inner tensors take half as much again as the weights, and sessions infer them.
    del made.graph.value_info[:]
    entries = {entry.key: entry.value for entry in made.metadata_props}
    entries.pop("onnx.quant.pre_process", None)
    del made.metadata_props[:]
    for key, value in (entries | dict(metadata or {})).items():
        entry = made.metadata_props.add()
        entry.key, entry.value = key, value
    made.producer_name = "nas-sr"
    target.write_bytes(made.SerializeToString())
    return target


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    # The quantizer warns through the root logger of what it does by design.
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
