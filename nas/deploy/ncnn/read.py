"""A .param file as records, checked before ncnn is given it."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf, isfinite
from pathlib import Path

from nas.deploy.ncnn.known import KNOWN, Channels, Given
from nas.deploy.ncnn.layer import FLOAT32, MAGIC
from search_spaces.errors import InputError

__all__ = ["Read", "ReadLayer", "read_layers", "weights_end"]

_COLORS = (3, 1)
_MOST_LAYERS = 100_000
# What a layer may make of an image: nobody's network has more, and a number too many costs
# all the memory there is.
_MOST_PX = 256
_WINDOW = (1, 11, 2, 12, 3, 13, 4, 14, 15, 16)
_SIZED = {
    **dict.fromkeys(("Convolution", "ConvolutionDepthWise", "Deconvolution", "Pooling"), _WINDOW),
    "Padding": (0, 1, 2, 3), "Interp": (1, 2), "PixelShuffle": (0,),
}  # fmt: skip
_INT8 = 8
_LONGEST_WORD = 200
# The words before weights that are not float32, and how many bytes each number then takes.
_TAGS = {FLOAT32: 4, struct.pack("<I", 0x0002C056): 4, struct.pack("<I", 0x01306B47): 2}


@dataclass(frozen=True, slots=True)
class ReadLayer:
    """One line: kind, values that are read and made, params that are single numbers."""

    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    params: Given


@dataclass(frozen=True, slots=True)
class Read:
    """A whole file.

    Attributes:
        layers: in the order of the file.
        input: name of the image.
        output: name of the one value that no layer reads.
        colors: that the image has, by the layers that read it.
    """

    layers: tuple[ReadLayer, ...]
    input: str
    output: str
    colors: int


def read_layers(path: Path, text: str) -> Read:
    """The layers of a .param file's text.

    Args:
        path: for messages.
        text: its content.

    Raises:
        InputError: it is none, or damaged, or has layers that are not known here.
    """
    lines = [line.split() for line in text.splitlines()]
    if not lines or lines[0] != [MAGIC]:
        raise InputError(f"{path}: expected ncnn's .param file, whose first line is {MAGIC}")
    layers: list[ReadLayer] = []
    layers_told = values_told = number = 0
    try:
        for number, words in enumerate(lines[1:], 2):
            if number == 2:
                layers_told, values_told = _counts(words)
            elif words:
                layers.append(_layer(words))
    except ValueError as error:
        raise InputError(f"{path}: damaged in line {number}: {error}") from None
    values = [name for layer in layers for name in layer.outputs]
    if (len(layers), len(values)) != (layers_told, values_told) or len(layers) > _MOST_LAYERS:
        raise InputError(
            f"{path}: expected {layers_told} layers and {values_told} values by its second line, "
            f"found {len(layers)} and {len(values)}"
        )
    images = [layer for layer in layers if layer.kind == "Input"]
    read = [name for layer in layers for name in layer.inputs]
    ends = [name for name in values if name not in set(read)]
    if len(images) != 1 or len(ends) != 1:
        raise InputError(
            f"{path}: expected a network with one input and one output, found {len(images)} and "
            f"{len(ends)}"
        )
    if len(set(values)) < len(values) or len(set(read)) < len(read):
        raise InputError(f"{path}: expected each value to be made and read once")
    told = int(images[0].params.get(2, 0))
    colors = _followed(path, layers, (told,) if told else _COLORS)
    return Read(tuple(layers), images[0].outputs[0], ends[0], colors)


def _counts(words: Sequence[str]) -> tuple[int, int]:
    if len(words) != 2 or not all(word.isdecimal() for word in words):
        raise ValueError(f"expected two counts, got {' '.join(words)[:_LONGEST_WORD]!r}")
    return int(words[0]), int(words[1])


def _layer(words: Sequence[str]) -> ReadLayer:
    kind, name = (*words[:2], "", "")[:2]
    inputs, outputs = _counts(words[2:4])
    if kind not in KNOWN:
        raise ValueError(f"the layer {kind[:_LONGEST_WORD]} is not known here")
    least, most = KNOWN[kind].inputs
    several = KNOWN[kind].several
    if not least <= inputs <= most or outputs < 1 or (outputs > 1 and not several):
        raise ValueError(f"{kind} with {inputs} inputs and {outputs} outputs")
    names = words[4 : 4 + inputs + outputs]
    if len(names) < inputs + outputs or any("=" in one for one in names):
        raise ValueError(f"the layer {name} has too few names")
    if max(map(len, (kind, name, *names))) > _LONGEST_WORD:
        raise ValueError(f"a name of more than {_LONGEST_WORD} letters")
    params = dict(_params(words[4 + inputs + outputs :]))
    needs = 2 if (kind == "BinaryOp" and not params.get(1)) or (
        kind == "Interp" and params.get(5)) else least  # fmt: skip
    if inputs < needs:
        raise ValueError(f"{kind} with {inputs} inputs")
    if KNOWN[kind].positive and params.get(_INT8):
        raise ValueError(f"{kind} in int8 is not known here")
    if any(params.get(number, 1) < 1 for number in KNOWN[kind].positive):
        raise ValueError(f"{kind} with a size below 1")
    if kind in _SIZED and any(abs(params.get(number, 0)) > _MOST_PX for number in _SIZED[kind]):
        raise ValueError(f"{kind} with a size above {_MOST_PX}")
    return ReadLayer(kind, tuple(names[:inputs]), tuple(names[inputs:]), params)


def _params(words: Sequence[str]) -> Iterator[tuple[int, float]]:
    for word in words:
        number, _, value = word.partition("=")
        try:
            # Of arrays and expressions nothing has to be known.
            if int(number) < 0 or value.startswith('"'):
                continue
            found = float(value) if set(value) & set(".eE") else int(value)
        except ValueError:
            found = inf
        if not isfinite(found):
            raise ValueError(f"expected NUMBER=NUMBER, got {word[:_LONGEST_WORD]!r}")
        yield int(number), found


def _followed(path: Path, layers: Sequence[ReadLayer], possible: Sequence[int]) -> int:
    """The image's colours, where every layer gets as many channels as it has weights for."""
    wrong = None
    for colors in possible:
        made: dict[str, Channels] = {}
        wrong = None
        for layer in layers:
            known = KNOWN[layer.kind]
            try:
                inputs = [made[name] for name in layer.inputs]
            except KeyError as error:
                raise InputError(f"{path}: {error} is read before it is made") from None
            takes = known.takes(layer.params)
            if takes is not None and inputs[0] not in (None, takes):
                wrong = f"{layer.outputs[0]} is made of {inputs[0]} channels by weights for {takes}"
                break
            channels = colors if layer.kind == "Input" else known.channels(layer.params, inputs)
            made |= dict.fromkeys(layer.outputs, channels)
        if wrong is None:
            return colors
    raise InputError(f"{path}: expected a network on RGB or luma: {wrong}")


def weights_end(path: Path, content: bytes, layers: Sequence[ReadLayer]) -> int:
    """Where the weights of the layers end.

    Args:
        path: for messages.
        content: of the .bin file.
        layers: that read it.

    Raises:
        InputError: there are too few, or they are in a format that is not known here.
    """
    at = 0
    for layer in layers:
        for count, tagged in KNOWN[layer.kind].weights(layer.params):
            size = 4
            if tagged:
                tag = content[at : at + 4]
                if tag not in _TAGS and len(tag) == 4:
                    raise InputError(
                        f"{path}: weights of {layer.kind} in a format that is not known here; "
                        f"expected float32 or float16"
                    )
                size, at = _TAGS.get(tag, 4), at + 4
            # Numbers of two bytes are filled up to words.
            at += (max(0, count) * size + 3) // 4 * 4
            if at > len(content):
                raise InputError(
                    f"{path}: ends in the weights of {layer.outputs[0]} ({layer.kind}): it is "
                    f"damaged, or of another network"
                )
    return at
