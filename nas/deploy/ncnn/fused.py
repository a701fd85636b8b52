"""Layers that ncnn computes in one go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from nas.deploy.ncnn.layer import Layer, Param

__all__ = ["fused"]

_CONVOLUTIONS = ("Convolution", "ConvolutionDepthWise", "Deconvolution")
_PRODUCT: Mapping[int, Param] = {0: 2}


def fused(layers: Sequence[Layer]) -> list[Layer]:
    """The same values in fewer layers.

    An activation that alone reads a convolution is computed inside it, and x * sigmoid(x) by ncnn's
    own layer for that.
    """
    return _activated(_swished(layers))


def _swished(layers: Sequence[Layer]) -> list[Layer]:
    makers, readers = _ways(layers)
    made: list[Layer] = []
    dropped: set[str] = set()
    for layer in layers:
        gates = [makers[name] for name in layer.inputs if makers[name].kind == "Sigmoid"]
        gate = gates[0] if layer.kind == "BinaryOp" and layer.params == _PRODUCT and gates else None
        if gate is not None and readers[gate.outputs[0]] == 1:
            (source,) = gate.inputs
            if set(layer.inputs) == {source, gate.outputs[0]}:
                dropped.update(gate.outputs)
                layer = Layer("Swish", (source,), layer.outputs)
        made.append(layer)
    return [layer for layer in made if dropped.isdisjoint(layer.outputs)]


def _activated(layers: Sequence[Layer]) -> list[Layer]:
    makers, readers = _ways(layers)
    inside: dict[str, Layer] = {}
    dropped: set[str] = set()
    for layer in layers:
        params = _activation(layer)
        if params is not None and readers[layer.inputs[0]] == 1:
            convolution = makers[layer.inputs[0]]
            if convolution.kind in _CONVOLUTIONS:
                name = convolution.outputs[0]
                inside[name] = replace(
                    convolution, outputs=layer.outputs, params={**convolution.params, **params}
                )
                dropped.update(layer.outputs)
    return [
        inside.get(layer.outputs[0], layer)
        for layer in layers
        if dropped.isdisjoint(layer.outputs)
    ]  # fmt: skip


def _activation(layer: Layer) -> dict[int, Param] | None:
    """The params of a convolution that computes this layer, too."""
    if layer.kind == "Sigmoid":
        return {9: 4}
    if layer.kind != "ReLU":
        return None
    slope = layer.params.get(0, 0.0)
    return {9: 2, 10: (slope,)} if isinstance(slope, float) and slope else {9: 1}


def _ways(layers: Sequence[Layer]) -> tuple[dict[str, Layer], Counter[str]]:
    """What makes a value, and how many read it."""
    makers = {name: layer for layer in layers for name in layer.outputs}
    return makers, Counter(name for layer in layers for name in layer.inputs)
