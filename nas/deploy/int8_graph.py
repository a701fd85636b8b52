"""An int8 ONNX graph from a float one, given the ranges of its tensors."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nas.deploy.float_parts import Part, float_parts
from nas.deploy.parity import Array
from search_spaces.errors import InputError

if TYPE_CHECKING:
    import onnx

__all__ = [
    "EXACT", "Ranges", "check_layers", "layer_names", "notes_of", "prepare", "put", "write_int8",
]  # fmt: skip

Ranges = dict[str, tuple[float, float]]
"""Least and largest value by tensor."""


EXACT = "image_skip."
"""Layers whose names begin so stay in float32. The image goes through them straight to the output,
and in 8 bits the weights of a filter no longer add up to one: brightness is off everywhere, for a
few hundred weights that cost next to no time."""


def prepare(path: Path, target: Path) -> onnx.ModelProto:
    """Writes the float graph as quantisation wants it, constants folded, and returns it."""
    import onnx
    from onnxruntime.quantization.shape_inference import quant_pre_process

    with _quiet_logs():
        # Symbolic shapes are left out: those of ESA's padding come out wrong, and a session
        # that trusts them fails.
        quant_pre_process(str(path), str(target), skip_symbolic_shape=True)
    model = onnx.load(str(target))
    _pool_means(model)
    onnx.save(model, str(target))
    return model


def _pool_means(model: onnx.ModelProto) -> None:
    """Means over whole images as global pooling.

    Beside integer layers ONNX Runtime turns images to channels last, and takes means over the
    turned axes ten times as slowly.
    """
    from onnx import numpy_helper

    constants = {one.name: numpy_helper.to_array(one) for one in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "ReduceMean" and len(node.input) == 2:
            axes = constants.get(node.input[1], np.zeros(0))
            keeps = next((a.i for a in node.attribute if a.name == "keepdims"), 1)
            if keeps and sorted(axes % 4) == [2, 3]:
                node.op_type = "GlobalAveragePool"
                del node.input[1:]
                del node.attribute[:]


def layer_names(model: onnx.ModelProto) -> dict[str, str]:
    """Node by layer: every convolution by the name that its weights have in the network."""
    return {
        node.input[1].removesuffix(".weight"): node.name
        for node in model.graph.node
        if node.op_type in ("Conv", "ConvTranspose")
    }


def check_layers(model: onnx.ModelProto, wanted: Collection[str]) -> dict[str, str]:
    """`layer_names`, where those that are wanted are among them.

    Raises:
        InputError: no layer of such a name.
    """
    nodes = layer_names(model)
    unknown = sorted(set(wanted) - set(nodes))
    if unknown:
        raise InputError(f"no layer {unknown[0]}; expected one of {', '.join(nodes)}")
    return nodes


def notes_of(model: onnx.ModelProto) -> dict[str, str]:
    """What a graph from `prepare` says of itself, but for what `prepare` has added."""
    entries = {entry.key: entry.value for entry in model.metadata_props}
    entries.pop("onnx.quant.pre_process", None)
    return entries


def write_int8(
    path: Path,
    target: Path,
    ranges: Ranges,
    *,
    float_layers: Collection[str] = (),
    rounded: Mapping[str, Array] | None = None,
    metadata: Mapping[str, str] | None = None,
) -> Path:
    """QDQ format, unsigned activations, signed weights per output channel.

    Args:
        path: of a graph from `prepare`.
        target: to write.
        ranges: of all its tensors.
        float_layers: as `layer_names` calls them; they stay in float32.
        rounded: of the other layers, weights on the grid of 8 bits (see
            `compress.rounding.rounded_weights`); those left out are rounded to the nearest.
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
    nodes = check_layers(model, float_layers)
    kept = set(float_layers)
    put(model, {f"{name}.weight": w for name, w in (rounded or {}).items() if name not in kept})
    floats = _float_nodes(model, {nodes[name] for name in float_layers})
    data = {
        name: (np.float32(low), np.float32(max(high, low + 1e-6)))
        for name, (low, high) in ranges.items()
    }
    with _quiet_logs():
        quantizer = QDQQuantizer(
            model, per_channel=True, reduce_range=False, weight_qType=QuantType.QInt8,
            activation_qType=QuantType.QUInt8,
            tensors_range=TensorsData(CalibrationMethod.MinMax, data),
            nodes_to_quantize=None, nodes_to_exclude=sorted(floats),
            op_types_to_quantize=list(set(QDQRegistry) | set(QLinearOpsRegistry)),
            extra_options={},
        )  # fmt: skip
        quantizer.quantize_model()
    made: onnx.ModelProto = quantizer.model.model
    _bypass_rounding(made, floats)
    _halve_weights(made)
    # Shapes of inner tensors take half as much again as the weights, and sessions infer them.
    del made.graph.value_info[:]
    onnx.helper.set_model_props(made, {**notes_of(made), **(metadata or {})})
    made.producer_name = "nas-sr"
    target.write_bytes(made.SerializeToString())
    return target


def put(model: onnx.ModelProto, constants: Mapping[str, Array]) -> None:
    """Other numbers for the constants of these names, in place."""
    from onnx import numpy_helper

    for tensor in model.graph.initializer:
        if tensor.name in constants:
            tensor.CopyFrom(numpy_helper.from_array(constants[tensor.name], tensor.name))


def _float_nodes(model: onnx.ModelProto, layers: set[str]) -> set[str]:
    """The layers, and what stands between them, or between them and the output."""
    # What is pooled of a whole image decides for all of it, and is next to nothing to compute.
    pooled = {n.name for n in model.graph.node if n.op_type == "GlobalAveragePool"}
    parts = [Part(n.name, tuple(n.input), tuple(n.output)) for n in model.graph.node]
    return float_parts(parts, layers | pooled, set(layer_names(model).values()))


def _bypass_rounding(model: onnx.ModelProto, floats: Collection[str]) -> None:
    """Lets float nodes read what float nodes made, or the image, and not its 8-bit copy."""
    makers = {out: node for node in model.graph.node for out in node.output}
    inputs = {one.name for one in model.graph.input}
    for node in model.graph.node:
        if node.name not in floats:
            continue
        for k, name in enumerate(node.input):
            given = makers.get(name)
            if given is None or given.op_type != "DequantizeLinear":
                continue
            rounded = makers.get(given.input[0])
            if rounded is None or rounded.op_type != "QuantizeLinear":
                continue
            source = makers.get(rounded.input[0])
            made = source is not None and source.name in floats
            if made or rounded.input[0] in inputs:
                node.input[k] = rounded.input[0]


def _halve_weights(model: onnx.ModelProto) -> None:
    """Stores what is left of float32 weights in 16 bits; a session widens them when it starts."""
    from onnx import TensorProto, helper, numpy_helper

    layers = {node.input[1] for node in model.graph.node if node.op_type == "Conv"}
    for tensor in model.graph.initializer:
        if tensor.name in layers and tensor.data_type == TensorProto.FLOAT:
            name, values = tensor.name, numpy_helper.to_array(tensor)
            if np.abs(values).max() > np.finfo(np.float16).max:
                continue
            tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}_half"))
            wide = helper.make_node("Cast", [f"{name}_half"], [name], to=TensorProto.FLOAT)
            model.graph.node.insert(0, wide)


@contextlib.contextmanager
def _quiet_logs() -> Iterator[None]:
    """Without warnings in any log: the quantizers give them of what they do by design."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
