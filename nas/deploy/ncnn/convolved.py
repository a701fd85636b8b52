"""ONNX's operators with windows as layers of ncnn: convolutions, poolings, paddings."""

from __future__ import annotations

import numpy as np

from nas.deploy.ncnn.layer import Param, Weights
from nas.deploy.ncnn.walk import Walk, refused
from nas.deploy.onnx_graph import Node

__all__ = ["convolution", "padding", "pooling", "repeated", "transposed"]

Sides = tuple[int, int]


def convolution(node: Node, walk: Walk) -> None:
    """Any convolution, in groups too."""
    kernel, params, bias = _window(node, walk)
    groups = node.attributes.get("group", 1)
    params |= {0: len(kernel)} | ({} if groups == 1 else {7: groups})
    kind = "Convolution" if groups == 1 else "ConvolutionDepthWise"
    walk.add(kind, node.inputs[:1], node.output, params, (Weights(kernel, tagged=True), *bias))


def transposed(node: Node, walk: Walk) -> None:
    """A transposed convolution without groups."""
    kernel, params, bias = _window(node, walk)
    right, below = reversed(node.attributes.get("output_padding", (0, 0)))
    if node.attributes.get("group", 1) != 1:
        raise refused(node, "in groups")
    # ONNX has the inputs first, ncnn the outputs.
    kernel = kernel.swapaxes(0, 1)
    params |= {0: len(kernel), 18: right, 19: below}
    weights = (Weights(kernel, tagged=True), *bias)
    walk.add("Deconvolution", node.inputs[:1], node.output, params, weights)


def _window(
    node: Node, walk: Walk
) -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.float32]], dict[int, Param],
           tuple[Weights, ...]]:  # fmt: skip
    """Kernel, what both sorts of convolution have alike, and the bias."""
    kernel = walk.constant(node.inputs[1])
    if kernel is None or kernel.ndim != 4:
        raise refused(node, "with a kernel that is no constant, or not in two dimensions")
    bias = walk.constant(node.inputs[2]) if len(node.inputs) > 2 and node.inputs[2] else None
    if node.attributes.get("auto_pad", "NOTSET") != "NOTSET":
        raise refused(node, "with auto_pad")
    height, width = kernel.shape[2:]
    down, along = node.attributes.get("strides", (1, 1))
    tall, wide = node.attributes.get("dilations", (1, 1))
    top, left, bottom, right = node.attributes.get("pads", (0, 0, 0, 0))
    params: dict[int, Param] = {
        1: width, 11: height, 2: wide, 12: tall, 3: along, 13: down,
        4: left, 15: right, 14: top, 16: bottom, 5: int(bias is not None), 6: kernel.size,
    }  # fmt: skip
    return kernel, params, () if bias is None else (Weights(bias),)


def pooling(node: Node, walk: Walk) -> None:
    """The largest or the mean of windows."""
    a = node.attributes
    if a.get("ceil_mode", 0) or set(a.get("dilations", (1,))) != {1}:
        raise refused(node, "with ceil_mode or dilations")
    height, width = a["kernel_shape"]
    down, along = a.get("strides", (1, 1))
    top, left, bottom, right = a.get("pads", (0, 0, 0, 0))
    params: dict[int, Param] = {
        0: int(node.op == "AveragePool"), 1: width, 11: height, 2: along, 12: down, 3: left,
        14: right, 13: top, 15: bottom, 5: 1, 6: a.get("count_include_pad", 0),
    }  # fmt: skip
    walk.add("Pooling", node.inputs[:1], node.output, params)


_FILLED = {"constant": 0, "edge": 1, "reflect": 2}


def padding(node: Node, walk: Walk) -> None:
    """More rows and columns around."""
    pads = walk.integers(node, 1) or ()
    mode = node.attributes.get("mode", "constant")
    if len(pads) != 8 or any(pads[k] for k in (0, 1, 4, 5)) or mode not in _FILLED:
        raise refused(node, "of images or channels, or in another mode")
    filling = walk.single(node.inputs[2]) if len(node.inputs) > 2 and node.inputs[2] else 0.0
    if filling is None:
        raise refused(node, "with a value that is no constant")
    top, left, bottom, right = (pads[k] for k in (2, 3, 6, 7))
    params: dict[int, Param] = {
        0: top, 1: bottom, 2: left, 3: right, 4: _FILLED[mode], 5: float(filling)
    }  # fmt: skip
    walk.add("Padding", node.inputs[:1], node.output, params)


def repeated(node: Node, walk: Walk) -> None:
    """Every channel several times, one after the other: a convolution of each by ones."""
    channels, times = walk.graph.channels[node.inputs[0]], node.attributes["times"]
    ones = np.ones(channels * times, np.float32)
    params: dict[int, Param] = {0: ones.size, 1: 1, 5: 0, 6: ones.size, 7: channels}
    weights = (Weights(ones, tagged=True),)
    walk.add("ConvolutionDepthWise", node.inputs, node.output, params, weights)
