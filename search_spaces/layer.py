"""The atoms of a price: one record for each layer that holds weights."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

__all__ = ["Layer", "Size", "conv", "deconv", "placed", "scalars"]

Size = tuple[int, int]
"""Height and width in pixels."""


class Layer(NamedTuple):
    """One layer with weights: what it is and what it costs.

    ``size`` is the height and width of its output; ``macs`` its multiply-adds (biases not
    counted) and ``activations`` its output elements, both for one image.
    """

    name: str
    operation: str
    channels_in: int
    channels_out: int
    size: Size
    params: int
    macs: int
    activations: int


def conv(
    name: str,
    channels_in: int,
    channels_out: int,
    kernel: int | tuple[int, int],
    size: Size,
    *,
    groups: int = 1,
    bias: bool = True,
) -> Layer:
    """A convolution; ``size`` is the size of its output."""
    tall, wide = (kernel, kernel) if isinstance(kernel, int) else kernel
    weights = channels_in // groups * channels_out * tall * wide
    pixels = size[0] * size[1]
    return Layer(
        name,
        f"conv {tall}x{wide}" + (f" /{groups}" if groups > 1 else ""),
        channels_in,
        channels_out,
        size,
        weights + (channels_out if bias else 0),
        weights * pixels,
        channels_out * pixels,
    )


def deconv(
    name: str, channels_in: int, channels_out: int, kernel: int, stride: int, size: Size
) -> Layer:
    """A transposed convolution; ``size`` is the size of its **input**.

    Every input pixel meets every weight once, so the multiply-adds follow the input.
    """
    weights = channels_in * channels_out * kernel * kernel
    output = (size[0] * stride, size[1] * stride)
    return Layer(
        name,
        f"deconv {kernel}x{kernel}",
        channels_in,
        channels_out,
        output,
        weights + channels_out,
        weights * size[0] * size[1],
        channels_out * output[0] * output[1],
    )


def scalars(name: str, count: int) -> Layer:
    """Learnable numbers outside any convolution: parameters, no counted multiply-adds."""
    return Layer(name, "scalars", 0, 0, (1, 1), count, 0, 0)


def placed(place: str, layers: Iterable[Layer]) -> Iterator[Layer]:
    """The layers of a part inside a part: ``place`` comes before their names."""
    return (layer._replace(name=f"{place}.{layer.name}") for layer in layers)
