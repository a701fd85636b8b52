"""The runtimes beside torch that compute an exported network: the one table of them.

All of them compute on the CPU. Nothing heavy is imported until one is used.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nas.deploy.formats import FORMATS
from search_spaces.errors import InputError
from search_spaces.open_table import OpenTable

if TYPE_CHECKING:
    from nas.deploy.opened import Opened

__all__ = ["RUNTIMES", "TORCH", "Runtime", "known_runtime", "read_endings", "runtime_of"]

TORCH = "torch"
"""The name of torch itself, which runs what has weights of ours."""


@dataclass(frozen=True, slots=True)
class Runtime:
    """What computes an exported network.

    Attributes:
        title: its name in sentences.
        package: its name for pip, under which its version is told.
        file_format: of `FORMATS`: what networks are exported to for it, and what files it reads.
        opens: the function ``(path, *, threads)`` that makes an `Opened` of a file, of ours or of
            another maker, with so many threads or as many as it chooses for None;
            ``"module:function"``, or the function where it is there already.
        takes_frames: whether the tile's place in the whole image can be a further input of a graph,
            so that ESA leaves no seams between tiles.
    """

    title: str
    package: str
    file_format: str
    opens: str | Callable[..., Opened]
    takes_frames: bool = False

    @property
    def ending(self) -> str:
        """Of the files that networks are exported to for it."""
        return FORMATS[self.file_format].endings[0]

    def open(self, path: Path | str, *, threads: int | None = None) -> Opened:
        """A file, ready to be run.

        Raises:
            InputError: a package is missing, or the file is not one that it can load.
        """
        opens: Any = self.opens
        function = pkgutil.resolve_name(opens) if isinstance(opens, str) else opens
        opened: Opened = function(path, threads=threads)
        return opened


RUNTIMES: OpenTable[Runtime] = OpenTable(
    "runtime",
    {
        "onnxruntime": Runtime(
            "ONNX Runtime", "onnxruntime", "onnx", "nas.deploy.onnx_file:open_onnx", True
        ),
        "openvino": Runtime(
            "OpenVINO", "openvino", "onnx", "nas.deploy.openvino_runtime:open_openvino", True
        ),
        "litert": Runtime(
            "LiteRT", "ai-edge-litert", "litert", "nas.deploy.litert.interpreter:open_tflite"
        ),
        "ncnn": Runtime("ncnn", "ncnn", "ncnn", "nas.deploy.ncnn.runtime:open_ncnn"),
    },
)
"""Every runtime by the name that a user types; the first of a format runs such files unasked."""


def known_runtime(name: str) -> str:
    """The same name.

    Raises:
        InputError: it is neither torch's nor that of one in the table.
    """
    if name not in (TORCH, *RUNTIMES):
        *most, last = (TORCH, *RUNTIMES)
        raise InputError(f"--runtime: expected {', '.join(most)} or {last}, got {name}")
    return name


def read_endings() -> tuple[str, ...]:
    """The endings of all files that a runtime of the table reads."""
    formats = dict.fromkeys(one.file_format for one in RUNTIMES.values())
    return tuple(ending for name in formats for ending in FORMATS[name].endings)


def runtime_of(path: Path | str, wanted: str | None = None) -> str | None:
    """The name of the runtime that runs a file, by the file's ending; None for one of torch.

    Args:
        path: of the file, which need not be there.
        wanted: the runtime that is asked for; None: the file's own.

    Raises:
        InputError: there is no such runtime, or it does not read files of this sort.
    """
    if wanted is not None:
        known_runtime(wanted)
    ending = Path(path).suffix.lower()
    able = [name for name, one in RUNTIMES.items() if ending in FORMATS[one.file_format].endings]
    if not able or wanted in able:
        return wanted if able else None
    if wanted is not None:
        raise InputError(
            f"{path}: expected --runtime {' or '.join(able)} for {ending} files, or none, "
            f"got {wanted}"
        )
    return able[0]
