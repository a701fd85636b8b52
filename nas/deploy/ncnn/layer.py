"""ncnn's layers as records, and the two files that they make."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

__all__ = ["FLOAT32", "MAGIC", "Layer", "Param", "Weights", "written"]

MAGIC = "7767517"
"""The first line of every .param file."""

FLOAT32 = b"\0\0\0\0"
"""The word before weights that may be stored in several formats, where they are float32."""

Param = int | float | str | tuple[int, ...] | tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Weights:
    """Numbers of a layer, in the order in which it reads them.

    Attributes:
        values: written as float32.
        tagged: whether the layer takes them in several formats, and reads first which it is.
    """

    values: npt.NDArray[np.floating]
    tagged: bool = False

    def to_bytes(self) -> bytes:
        """As they stand in a .bin file."""
        content = np.ascontiguousarray(self.values, "<f4").tobytes()
        return FLOAT32 + content if self.tagged else content


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer.

    Attributes:
        kind: as ncnn names it.
        inputs: names of what it reads.
        outputs: names of what it makes.
        params: by the numbers that ncnn gives them.
        weights: what it reads of the .bin file.
    """

    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    params: Mapping[int, Param] = field(default_factory=dict)
    weights: tuple[Weights, ...] = ()


def written(layers: Sequence[Layer], kept: Sequence[str] = ()) -> tuple[str, bytes]:
    """The content of the .param and of the .bin file.

    Args:
        layers: in the order in which they can be computed.
        kept: names that stay; all others become numbers.
    """
    layers = _split(layers)
    blobs = [name for layer in layers for name in layer.outputs]
    names = {name: name if name in kept else str(k) for k, name in enumerate(blobs)}
    lines = [MAGIC, f"{len(layers)} {len(blobs)}"]
    for k, layer in enumerate(layers):
        words = [layer.kind, f"{layer.kind.lower()}_{k}", str(len(layer.inputs)),
                 str(len(layer.outputs)), *(names[one] for one in (*layer.inputs, *layer.outputs)),
                 *(_param(number, value) for number, value in layer.params.items())]  # fmt: skip
        lines.append(" ".join(words))
    weights = b"".join(one.to_bytes() for layer in layers for one in layer.weights)
    return "\n".join(lines) + "\n", weights


def _split(layers: Sequence[Layer]) -> list[Layer]:
    """With a layer wherever several read the same, for in ncnn each value has one reader."""
    readers = Counter(name for layer in layers for name in layer.inputs)
    read: Counter[str] = Counter()
    made: list[Layer] = []

    def one_of(name: str) -> str:
        if readers[name] < 2:
            return name
        read[name] += 1
        return f"{name}/{read[name]}"

    for layer in layers:
        made.append(replace(layer, inputs=tuple(map(one_of, layer.inputs))))
        for name in layer.outputs:
            if (count := readers[name]) > 1:
                shares = tuple(f"{name}/{k + 1}" for k in range(count))
                made.append(Layer("Split", (name,), shares))
    return made


def _param(number: int, value: Param) -> str:
    if isinstance(value, tuple):
        return f"{-23300 - number}={len(value)},{','.join(map(_number, value))}"
    return f'{number}="{value}"' if isinstance(value, str) else f"{number}={_number(value)}"


def _number(value: int | float) -> str:
    # What has no point or exponent is taken for a whole number.
    return str(value) if isinstance(value, int) else f"{value:.9e}"
