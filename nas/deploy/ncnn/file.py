"""Writing a network as ncnn's .param and .bin files."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from nas.deploy.metadata import metadata
from nas.deploy.ncnn.content import WEIGHTS_ENDING, contents, ended
from nas.deploy.ncnn.convert import converted
from nas.deploy.ncnn.fused import fused
from nas.deploy.ncnn.layer import written
from nas.deploy.ncnn.runtime import open_content
from nas.deploy.onnx_file import INPUT, OUTPUT, exported_program
from nas.deploy.onnx_graph import read_graph
from nas.deploy.parity import Parity, check_parity
from nas.deploy.portable import portable
from search_spaces.extras import need
from search_spaces.files import atomic_path
from search_spaces.network import Network

__all__ = ["export_ncnn"]


def export_ncnn(network: Network, path: Path | str) -> Parity:
    """Writes NAME.param and NAME.bin, checked in ncnn before they take their places.

    Height and width are free, from 1 on: sizes that depend on the image's are expressions or follow
    a reference, which takes an ncnn of 2025 or newer where there is ESA. Behind the weights stands
    what the network says of itself (`metadata`), which ncnn does not read.

    Returns:
        How far it is from the network at most (see `check_parity`).

    Raises:
        InputError: an extra is missing, an operator has no layer, ncnn gives something else than
            the network, or the folder cannot be written.
    """
    need("ncnn", "ncnn", "ncnn")
    model = exported_program(portable(network), network.architecture).model_proto
    text, weights = written(fused(converted(read_graph(model))), (INPUT, OUTPUT))
    path = Path(path)
    with ExitStack() as both_or_none:
        beside = both_or_none.enter_context(atomic_path(path.with_suffix(WEIGHTS_ENDING)))
        beside.write_bytes(ended(text, weights, metadata(network)))
        param = both_or_none.enter_context(atomic_path(path))
        param.write_text(text, encoding="ascii", newline="\n")
        opened = open_content(contents(param, beside))
        return check_parity(network, lambda images: opened.run({INPUT: images}))
