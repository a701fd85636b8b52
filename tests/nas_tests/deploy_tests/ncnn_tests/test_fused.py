"""Layers that become one."""

from __future__ import annotations

from nas.deploy.ncnn.fused import fused
from nas.deploy.ncnn.layer import Layer

IMAGE = Layer("Input", (), ("image",))


def kinds(layers: list[Layer]) -> list[str]:
    return [layer.kind for layer in fused(layers)]


def test_an_activation_behind_a_convolution() -> None:
    convolution = Layer("Convolution", ("image",), ("wide",), {0: 4})
    for activation, params in (
        (Layer("ReLU", ("wide",), ("out",)), {9: 1}),
        (Layer("ReLU", ("wide",), ("out",), {0: 0.25}), {9: 2, 10: (0.25,)}),
        (Layer("Sigmoid", ("wide",), ("out",)), {9: 4}),
    ):
        _, made = fused([IMAGE, convolution, activation])
        assert (made.kind, made.outputs, made.params) == ("Convolution", ("out",), {0: 4, **params})


def test_not_where_others_read_the_convolution() -> None:
    layers = [
        IMAGE,
        Layer("Convolution", ("image",), ("wide",)),
        Layer("ReLU", ("wide",), ("bent",)),
        Layer("BinaryOp", ("wide", "bent"), ("out",), {0: 0}),
    ]
    assert fused(layers) == layers


def test_a_value_times_its_sigmoid() -> None:
    gate, product = Layer("Sigmoid", ("image",), ("gate",)), ("BinaryOp", ("image", "gate"))
    assert kinds([IMAGE, gate, Layer(*product, ("out",), {0: 2})]) == ["Input", "Swish"]
    assert kinds([IMAGE, gate, Layer(*product, ("out",), {0: 0})]) == [
        "Input", "Sigmoid", "BinaryOp",
    ]  # fmt: skip
    other = Layer("TanH", ("image",), ("other",))
    apart = Layer("BinaryOp", ("other", "gate"), ("out",), {0: 2})
    assert kinds([IMAGE, gate, other, apart]) == ["Input", "Sigmoid", "TanH", "BinaryOp"]
