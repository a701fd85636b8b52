"""An int8 .tflite file from a float ONNX graph, given the ranges of its tensors."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

from nas.deploy.int8_graph import Ranges, check_layers, notes_of
from nas.deploy.litert.convolved import convolved, origin
from nas.deploy.litert.export import layout
from nas.deploy.litert.grids import (
    LAYERS,
)
from nas.deploy.litert.interpreter import NEEDED
from nas.deploy.litert.rounding import Rounding
from nas.deploy.litert.walk import Walk
from nas.deploy.onnx_graph import Graph, read_graph
from nas.deploy.parity import Array
from search_spaces.extras import need

__all__ = ["int8_tflite", "rounding_of", "write_int8_litert"]


def write_int8_litert(
    path: Path,
    target: Path,
    ranges: Ranges,
    *,
    float_layers: Collection[str] = (),
    rounded: Mapping[str, Array] | None = None,
    metadata: Mapping[str, str] | None = None,
    lr_size: tuple[int, int] | None = None,
) -> Path:
    """Signed activations by tensor, signed weights per output channel; float32 in and out.

    Arguments and errors are those of `nas.deploy.int8_graph.write_int8`, and ``lr_size`` that of
    `nas.deploy.litert.export.export_litert`; it raises NotPossible, too, where LiteRT has no word
    for an operator.
    """
    need("LiteRT", "litert", *NEEDED)
    import onnx

    model = onnx.load(str(path))
    check_layers(model, float_layers)
    said = {**notes_of(model), "layout": layout(lr_size), **(metadata or {})}
    graph = read_graph(model)
    content = int8_tflite(
        graph, ranges, said, float_layers=float_layers, rounded=rounded, lr_size=lr_size
    )
    target.write_bytes(content)
    return target


def int8_tflite(
    graph: Graph,
    ranges: Ranges,
    metadata: Mapping[str, str],
    *,
    float_layers: Collection[str] = (),
    rounded: Mapping[str, Array] | None = None,
    lr_size: tuple[int, int] | None = None,
) -> bytes:
    """The int8 file of a graph; see `write_int8_litert`."""
    made = rounding_of(graph, ranges, float_layers=float_layers, rounded=rounded, lr_size=lr_size)
    return made.to_bytes(metadata)


def rounding_of(
    graph: Graph,
    ranges: Ranges,
    *,
    float_layers: Collection[str] = (),
    rounded: Mapping[str, Array] | None = None,
    lr_size: tuple[int, int] | None = None,
) -> Rounding:
    """The draft of such a file, and how it came to be; see `write_int8_litert`."""
    kept = set(float_layers)
    other = {f"{name}.weight": w for name, w in (rounded or {}).items() if name not in kept}
    walk = Walk(convolved(replace(graph, constants={**graph.constants, **other})), lr_size)
    names = {
        node.output: node.inputs[1].removesuffix(".weight")
        for node in graph.nodes
        if node.op in ("Conv", "ConvTranspose")
    }
    layers = {
        place: names[origin(output)]
        for output, places in walk.places.items()
        for place in places
        if origin(output) in names and walk.draft.steps[place].operator in LAYERS
    }
    return Rounding(walk, ranges, layers, kept)
