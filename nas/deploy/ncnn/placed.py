"""ONNX's operators that move values or resize maps as layers of ncnn."""

from __future__ import annotations

import numpy as np

from nas.deploy.ncnn.layer import Param, Weights
from nas.deploy.ncnn.walk import Walk, in_ncnn, refused
from nas.deploy.onnx_file import INPUT
from nas.deploy.onnx_graph import CONTINUE, Node, Side
from nas.deploy.resizing import sums

__all__ = ["concatenation", "continued", "resized", "shuffled", "sliced"]

_TO_THE_END = -233
_MOST = 2**31 - 1


def concatenation(node: Node, walk: Walk) -> None:
    """Maps one behind the other."""
    axis = in_ncnn(node, node.attributes["axis"])
    walk.add("Concat", node.inputs, node.output, {0: axis})


def sliced(node: Node, walk: Walk) -> None:
    """A part of a map, in steps of one."""
    starts, ends, axes, steps = (walk.numbers(node, at) for at in range(1, 5))
    assert starts is not None
    assert ends is not None
    if steps is not None and set(steps) != {1}:
        raise refused(node, "in steps")
    along = [axis for axis in axes or range(len(starts)) if isinstance(axis, int)]
    places = tuple(in_ncnn(node, axis) for axis in along)
    if any(isinstance(one, Side) for one in (*starts, *ends)):
        params: dict[int, Param] = {
            19: ",".join(walk.side(one, node) for one in starts),
            20: ",".join(walk.side(one, node) for one in ends),
            21: ",".join(map(str, places)),
        }
        walk.add("Crop", (node.inputs[0], INPUT), node.output, params)
        return
    first, last = (tuple(one for one in ones if isinstance(one, int)) for ones in (starts, ends))
    stops = tuple(_TO_THE_END if one >= _MOST else one for one in last)
    walk.add("Crop", node.inputs[:1], node.output, {9: first, 10: stops, 11: places})


def continued(node: Node, walk: Walk) -> None:
    """Borders repeated up to a least size: always so many more, and cut to what is meant."""
    name, sides = walk.waiting.pop(node.inputs[0], (node.inputs[0], {}))
    sides = {**sides, int(node.attributes["axis"]): int(node.attributes["least"])}
    readers = walk.readers[node.output]
    if len(readers) == 1 and readers[0].op == CONTINUE:
        # Height and width in one go: each costs two copies of the map.
        walk.waiting[node.output] = (name, sides)
        return
    more = {axis: least - 1 for axis, least in sides.items()}
    longer = f"{node.output}/longer"
    walk.add("Padding", (name,), longer, {0: 0, 1: more.get(2, 0), 2: 0, 3: more.get(3, 0), 4: 1})
    params: dict[int, Param] = {
        19: ",".join("0" for _ in sides),
        20: ",".join(walk.side(Side(axis, least), node) for axis, least in sides.items()),
        21: ",".join(str(in_ncnn(node, axis)) for axis in sides),
    }
    walk.add("Crop", (longer, INPUT), node.output, params)


_RESIZED = {"nearest": 1, "linear": 2, "cubic": 3}
_WAYS = {"nearest": ("asymmetric",), "linear": ("half_pixel", "pytorch_half_pixel"),
         "cubic": ("half_pixel", "pytorch_half_pixel")}  # fmt: skip


def resized(node: Node, walk: Walk) -> None:
    """Enlarged by a factor, or to a size that may be the image's."""
    a = node.attributes
    mode, way = a.get("mode", "nearest"), a.get("coordinate_transformation_mode", "half_pixel")
    rounded = mode != "nearest" or a.get("nearest_mode", "round_prefer_floor") == "floor"
    if way not in _WAYS.get(mode, ()) or not rounded or a.get("antialias", 0):
        raise refused(node, f"in the mode {mode}, {way}")
    params: dict[int, Param] = {0: _RESIZED[mode]}
    scales = walk.constant(node.inputs[2]) if len(node.inputs) > 2 else None
    if scales is not None and scales.size == 4:
        factor = int(scales[3])
        if mode == "cubic" and tuple(scales[2:]) == (factor, factor):
            _cubic(node, walk, factor)
            return
        walk.add(
            "Interp", node.inputs[:1], node.output,
            params | {1: float(scales[2]), 2: float(scales[3])},
        )  # fmt: skip
        return
    size = walk.numbers(node, 3)
    if size is None or len(size) != 4:
        raise refused(node, "without a size")
    height, width = size[2:]
    if isinstance(height, int) and isinstance(width, int):
        walk.add("Interp", node.inputs[:1], node.output, params | {3: height, 4: width})
    elif (height, width) == (Side(2), Side(3)):
        walk.add("Interp", (node.inputs[0], INPUT), node.output, params | {5: 1})
    else:
        raise refused(node, "to a size that is not the image's")


def _cubic(node: Node, walk: Walk, factor: int) -> None:
    """Cubic interpolation as a convolution of each channel and a shuffle.

    ncnn's own, before 2026-10, reads beyond maps of one or two pixels.
    """
    channels = walk.graph.channels[node.inputs[0]]
    along = sums("cubic", "half_pixel", factor)
    assert along is not None
    kernel = np.tile(np.einsum("yi,xj->yxij", along, along).ravel(), channels)
    wider, squares = f"{node.output}/wider", f"{node.output}/squares"
    walk.add("Padding", node.inputs[:1], wider, {0: 2, 1: 2, 2: 2, 3: 2, 4: 1})
    params: dict[int, Param] = {
        0: channels * factor**2, 1: 5, 5: 0, 6: kernel.size, 7: channels
    }  # fmt: skip
    walk.add("ConvolutionDepthWise", (wider,), squares, params, (Weights(kernel, tagged=True),))
    walk.add("PixelShuffle", (squares,), node.output, {0: factor, 1: 0})


def shuffled(node: Node, walk: Walk) -> None:
    """Channels to squares of pixels."""
    crosswise = int(node.attributes.get("mode", "DCR") == "DCR")
    params: dict[int, Param] = {0: node.attributes["blocksize"], 1: crosswise}
    walk.add("PixelShuffle", node.inputs, node.output, params)
