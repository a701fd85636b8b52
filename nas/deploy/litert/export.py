"""LiteRT: writing networks as .tflite files, checked in it before they take their place."""

from __future__ import annotations

from pathlib import Path

from nas.deploy.litert.interpreter import NEEDED, open_litert
from nas.deploy.metadata import metadata
from nas.deploy.onnx_file import exported_program
from nas.deploy.onnx_graph import read_graph
from nas.deploy.parity import PARITY_SIZES, Parity, check_parity
from nas.deploy.portable import portable
from search_spaces.extras import need
from search_spaces.files import atomic_path
from search_spaces.network import Network

__all__ = ["export_litert", "layout"]


def layout(lr_size: tuple[int, int] | None) -> str:
    """What a file says of the images that it takes: of one (height, width), or of any."""
    if lr_size is None:
        return "NHWC float32; any N, height and width of at least 1"
    return f"NHWC float32; one image of {lr_size[1]}x{lr_size[0]}"


def export_litert(
    network: Network, path: Path | str, *, lr_size: tuple[int, int] | None = None
) -> Parity:
    """Writes the network as a .tflite file in float32, channels last: (N, height, width, colors).

    It holds no tensor of more than four axes and neither GATHER nor SELECT, which phones' GPUs do
    not take: a pixel shuffle is LiteRT's own, and whatever else enlarges is a convolution before
    one.

    Args:
        network: with its weights.
        path: of the file.
        lr_size: (height, width) of the one image that it takes: with ESA, without operators whose
            sizes follow from the image's, which GPUs do not take. None: any number of any size.

    Returns:
        How far it is from the network at most (see `check_parity`).

    Raises:
        InputError: an extra is not installed, a part cannot be exported, the file gives something
            else than the network, or the folder cannot be written.
    """
    need("LiteRT", "litert", *NEEDED)
    from nas.deploy.litert.walk import tflite

    graph = read_graph(exported_program(portable(network), network.architecture).model_proto)
    said = {**metadata(network), "layout": layout(lr_size)}
    with atomic_path(path) as temporary:
        temporary.write_bytes(tflite(graph, said, lr_size=lr_size))
        sizes = PARITY_SIZES if lr_size is None else ((1, *lr_size),)
        return check_parity(network, open_litert(temporary), sizes=sizes)
