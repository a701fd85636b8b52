"""ONNX: writing it with any input size, and running it."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from nas.deploy.metadata import metadata
from nas.deploy.opened import Opened, Taken
from nas.deploy.parity import Array, Parity, Run, check_parity
from nas.deploy.portable import portable
from search_spaces.architecture import Architecture
from search_spaces.errors import InputError, NotPossible, first_line
from search_spaces.extras import need
from search_spaces.files import atomic_path
from search_spaces.network import Network
from search_spaces.regular import irregular

__all__ = [
    "INPUT", "OUTPUT", "export_onnx", "exported_program", "open_model", "open_onnx", "open_session",
]  # fmt: skip

INPUT, OUTPUT = "image", "enlarged"
"""Names of the graph's one input and one output."""

_NEEDED = ("onnx", "onnxscript", "onnxruntime")
_KINDS = {"tensor(float)": "float32", "tensor(float16)": "float16", "tensor(uint8)": "uint8"}


def export_onnx(network: Network, path: Path | str) -> Parity:
    """Writes the network as ONNX, checked in ONNX Runtime before it takes its place.

    Number of images, height and width are free, from 1 on. The file's metadata says the rest
    (see `metadata`).

    Returns:
        How far it is from the network at most (see `check_parity`).

    Raises:
        InputError: the extra ``export`` is not installed, a part cannot be exported, the
            graph gives something else than the network, or the folder cannot be written.
    """
    model = exported_program(portable(network), network.architecture).model_proto
    # The exporter writes its source lines into every node: paths of this machine.
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    for key, value in metadata(network).items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    model.producer_name = "nas-sr"
    with atomic_path(path) as temporary:
        temporary.write_bytes(model.SerializeToString())
        return check_parity(network, open_session(temporary))


def open_session(path: Path | str, *, threads: int | None = None) -> Run:
    """A function that runs an ONNX file of ours on the CPU: (N, colors, h, w) to (N, colors, H, W).

    Raises:
        InputError: ONNX Runtime is missing, or the file is not one that it can load.
    """
    session = open_model(path, threads=threads)

    def run(image: Array) -> Array:
        return np.asarray(session.run([OUTPUT], {INPUT: image})[0], np.float32)

    return run


def open_onnx(path: Path | str, *, threads: int | None = None) -> Opened:
    """Any ONNX file in ONNX Runtime, on the CPU.

    Raises:
        InputError: ONNX Runtime is missing, or the file is not one that it can load.
    """
    session = open_model(path, threads=threads)

    def run(given: Mapping[str, Array]) -> Array:
        return np.asarray(session.run(None, dict(given))[0], np.float32)

    inputs = tuple(
        Taken(one.name, _KINDS.get(one.type, one.type), tuple(map(_fixed, one.shape)))
        for one in session.get_inputs()
    )
    said = dict(session.get_modelmeta().custom_metadata_map)
    return Opened(run, inputs, len(session.get_outputs()), said)


def _fixed(side: Any) -> int | None:
    # Free sides have a name, or none.
    return side if isinstance(side, int) else None


def open_model(path: Path | str, *, threads: int | None = None) -> Any:
    """ONNX Runtime's session of any ONNX file, on the CPU.

    Raises:
        InputError: ONNX Runtime is missing, or the file is not one that it can load.
    """
    need("ONNX", "export", *_NEEDED)
    import onnxruntime

    if problem := irregular(path):
        raise InputError(f"{path}: {problem}; expected an .onnx file")
    options = onnxruntime.SessionOptions()
    # What it has to say comes as an exception; the lines that it writes itself come on top.
    options.log_severity_level = 4
    if threads is not None:
        options.intra_op_num_threads = threads
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    # ONNX Runtime's errors share no class with a public name.
    except Exception as error:
        raise InputError(f"{path}: ONNX Runtime cannot load it ({first_line(error)})") from None


def exported_program(
    module: nn.Module, arch: Architecture, more: Mapping[str, Tensor] = MappingProxyType({})
) -> Any:
    """Torch's ONNX program of a module that takes images of any number, height and width.

    Args:
        module: in evaluation mode, with one output.
        arch: of its network.
        more: by their names, examples of what it takes beside the images.

    Raises:
        InputError: ONNX isn't installed, or a part can't be exported.
    """
    need("ONNX", "export", *_NEEDED)
    dim = torch.export.Dim
    free = {0: dim("images", min=1), 2: dim("height", min=1), 3: dim("width", min=1)}
    # Sizes unlike each other and unlike any width, so that nothing is taken for a constant.
    example = torch.rand(2, arch.colors, 24, 29)
    try:
        with _quiet():
            program = torch.onnx.export(
                module,
                (example, *more.values()),
                dynamo=True,
                dynamic_shapes=(free, *(None for _ in more)),
                input_names=[INPUT, *more],
                output_names=[OUTPUT],
                verbose=False,
            )
    # torch's exporter wraps whatever went wrong in a user's part in errors of many kinds.
    except Exception as error:
        cause: BaseException = error
        while cause.__cause__ is not None:
            cause = cause.__cause__
        reason = (str(cause).strip().splitlines() or [type(cause).__name__])[0]
        # What the machine lacks says nothing of the network.
        lacking = isinstance(cause, ImportError | OSError | MemoryError)
        kind = InputError if lacking else NotPossible
        raise kind(f"the network {arch.hash} cannot be exported to ONNX: {reason}") from error
    assert program is not None
    return program


@contextmanager
def _quiet() -> Iterator[None]:
    """Without torch's remarks on packages that are not installed and on its own future."""
    logger = logging.getLogger("torch.onnx")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    finally:
        logger.setLevel(before)
