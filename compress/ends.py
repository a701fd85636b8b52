"""The first and the last layers of a graph, between which its activations lie."""

from __future__ import annotations

from typing import TYPE_CHECKING

from compress.channel_groups import maps_of
from nas.deploy.onnx_file import INPUT, OUTPUT

if TYPE_CHECKING:
    import onnx

__all__ = ["ends"]

_LAYERS = ("Conv", "ConvTranspose")
_AFFINE = ("Add", "Sub", "Mul", "Div")


def ends(model: onnx.ModelProto) -> tuple[str, ...]:
    """Layers that read the image, and those that nothing but sums parts from the enlarged one.

    Args:
        model: a float graph.
    """
    constants = {one.name: one for one in model.graph.initializer}
    readers: dict[str, int] = {}
    first: list[str] = []
    # What is the image, or is made of it and constants.
    images = {INPUT}
    for node in model.graph.node:
        maps = maps_of(node, constants)
        for name in maps:
            readers[name] = readers.get(name, 0) + 1
        if images.issuperset(maps):
            if node.op_type in _LAYERS:
                first.append(node.input[1])
            elif node.op_type in _AFFINE:
                images.update(node.output)
    last: list[str] = []
    # What nothing else reads: errors in it come out as they are.
    leading = {OUTPUT}
    for node in reversed(model.graph.node):
        maps = maps_of(node, constants)
        if node.output[0] not in leading:
            continue
        if node.op_type in _LAYERS:
            last.append(node.input[1])
        elif node.op_type != "DepthToSpace" and not (
            node.op_type in _AFFINE[:2] or (node.op_type in _AFFINE and len(maps) == 1)
        ):
            continue
        leading.update(name for name in maps if readers[name] == 1)
    found = dict.fromkeys(name.removesuffix(".weight") for name in (*first, *reversed(last)))
    return tuple(found)
