"""A network in int8 whose times are those of a rounded one, and whose pictures are not."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nas.deploy.formats import Format
from nas.deploy.int8_formats import INT8_FORMATS, int8_format
from nas.deploy.int8_graph import EXACT, Ranges, layer_names, prepare
from nas.deploy.onnx_file import INPUT, export_onnx
from nas.deploy.onnx_tensors import tensors_on
from search_spaces.files import atomic_path
from search_spaces.network import Network

if TYPE_CHECKING:
    import onnx

__all__ = ["INT8_FILES", "export_int8"]

_SIDE_PX = 24


def export_int8(network: Network, path: Path, *, lr_size: tuple[int, int] | None = None) -> None:
    """Writes a network as nas compress quantize does, but by the ranges of one image of noise.

    Ranges change no time, but for what they are of: what is never below 0 is rounded so. For a
    network that is not trained there are no others.

    Args:
        network: any.
        path: of an ending in `nas.deploy.int8_formats.INT8_FORMATS`, which says of what sort it is.
        lr_size: (height, width) of the one image that it takes, if the sort can; None: any.

    Raises:
        InputError: the extra ``export`` or ``litert`` is not installed, or another ending.
        NotPossible: a part cannot be exported.
    """
    form = int8_format(path)
    with tempfile.TemporaryDirectory() as name:
        plain, ready = Path(name) / "plain.onnx", Path(name) / "ready.onnx"
        export_onnx(network, plain)
        model = prepare(plain, ready)
        exact = [layer for layer in layer_names(model) if layer.startswith(EXACT)]
        with atomic_path(path) as temporary:
            ranges = _ranges(model, network.architecture.colors)
            form.write(ready, temporary, ranges, float_layers=exact, lr_size=lr_size)


def _ranges(model: onnx.ModelProto, colors: int) -> Ranges:
    """Of every tensor, on one image."""
    image = np.random.default_rng(0).random((1, colors, _SIDE_PX, _SIDE_PX), np.float32)
    (tensors,) = tensors_on(model, [image])
    found = {
        name: (float(tensor.min()), float(tensor.max()))
        for name, tensor in tensors.items()
        if tensor.size
    }
    return found | {INPUT: (0.0, 1.0)}


INT8_FILES = {
    f"int8_{ending.lstrip('.')}": Format(
        "a network in int8, to be timed", export_int8, one.open, (f".int8{ending}",),
        extra=one.in_float.extra, is_sized=one.is_sized,
    )
    for ending, one in INT8_FORMATS.items()
}  # fmt: skip
"""By the names that commands have for them."""
