"""The formats that a network is exported to: the one table of them.

Nothing heavy is imported until a format is used.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search_spaces.errors import InputError
from search_spaces.open_table import OpenTable

if TYPE_CHECKING:
    from nas.deploy.parity import Parity, Run
    from search_spaces import Architecture, Network

__all__ = ["FORMATS", "Format", "format_for"]


@dataclass(frozen=True, slots=True)
class Format:
    """What a network can be exported to.

    Functions are named as ``"module:function"``, or given where they are there already.

    Attributes:
        about: what it makes, in a few words, for the help.
        writes: the function ``(network, path)`` that writes it, and returns how far what it
            wrote is from the network where that is not the very same one.
        opens: the function ``(path)`` that makes a runnable of it, as users will:
            (N, colors, h, w) to (N, colors, H, W).
        endings: of the file's name, the usual one first; none: it is a folder.
        beside: endings of the files of the same name that are written, too.
        needs_ending: whether a file of another name is refused.
        by_name: whether a name with such an ending means this format; if not, it has to be asked
            for.
        extra: of this package, which brings what it needs; ``""`` for none.
        is_told: whether ``writes`` also takes ``source`` and ``notes``: what the network was
            taken from and how it was trained.
        weights: whether it holds any; ``writes`` takes an architecture where it does not.
        is_sized: whether ``writes`` also takes ``lr_size``: (height, width) of the one image that
            the file is to take.
        sizes: the function ``(path, target, lr_size)`` that writes a file for any size as one for
            that size alone, which whoever loads it cannot choose, and returns what it wrote; the
            path where the file is of one size already. None: whoever runs a file chooses.
        numbers: the function ``(path)`` that names the number format that a file's layers compute
            in, ``"int8"``; None: float32 always.
    """

    about: str
    writes: str | Callable[..., Any]
    opens: str | Callable[[Path], Run]
    endings: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    needs_ending: bool = False
    by_name: bool = True
    extra: str = ""
    is_told: bool = False
    weights: bool = True
    is_sized: bool = False
    sizes: str | Callable[[Path, Path, tuple[int, int]], Path] | None = None
    numbers: str | Callable[[Path], str] | None = None

    def write(
        self,
        made: Network | Architecture,
        path: Path,
        source: str = "",
        notes: Sequence[str] = (),
        *,
        lr_size: tuple[int, int] | None = None,
    ) -> Parity | None:
        """Writes a network, or an architecture where there are no weights in this format.

        Raises:
            InputError: as the function ``writes``.
        """
        told: dict[str, Any] = {"source": source, "notes": notes} if self.is_told else {}
        if self.is_sized:
            told["lr_size"] = lr_size
        parity: Parity | None = _function(self.writes)(made, path, **told)
        return parity

    def open(self, path: Path) -> Run:
        """What was written, to be run.

        Raises:
            InputError: it cannot be read.
        """
        run: Run = _function(self.opens)(path)
        return run

    def sized(self, path: Path, target: Path, lr_size: tuple[int, int]) -> Path:
        """A file of this format as one for images of ``lr_size`` (height, width).

        Returns:
            The target, which was written; the path where it need not be another file.

        Raises:
            InputError: it cannot be read, or made so.
        """
        if self.sizes is None:
            return path
        made: Path = _function(self.sizes)(path, target, lr_size)
        return made

    def number_format(self, path: Path) -> str:
        """What the layers of a file compute in, such as ``"float32"`` or ``"int8"``.

        Raises:
            InputError: it cannot be read.
        """
        return "float32" if self.numbers is None else str(_function(self.numbers)(path))


def _function(one: str | Callable[..., Any]) -> Callable[..., Any]:
    return pkgutil.resolve_name(one) if isinstance(one, str) else one


_OURS = "nas.deploy.weights:open_weights"

FORMATS: OpenTable[Format] = OpenTable(
    "format",
    {
        "yaml": Format(
            "the config alone", "search_spaces:Architecture.save", "nas.deploy.weights:open_config",
            (".yaml", ".yml"), weights=False,
        ),
        "safetensors": Format(
            "config and weights in one file", "search_spaces.weights:save_weights", _OURS,
            (".safetensors",),
        ),
        "onnx": Format(
            "a graph for any size", "nas.deploy.onnx_file:export_onnx",
            "nas.deploy.onnx_file:open_session", (".onnx",), extra="export",
            numbers="nas.deploy.onnx_numbers:number_format",
        ),
        "litert": Format(
            "a .tflite graph for any size, for phones", "nas.deploy.litert.export:export_litert",
            "nas.deploy.litert.interpreter:open_litert", (".tflite",), extra="litert",
            is_sized=True, sizes="nas.deploy.litert.sized:write_sized",
            numbers="nas.deploy.litert.interpreter:number_format",
        ),
        "ncnn": Format(
            "NAME.param and NAME.bin for any size", "nas.deploy.ncnn.file:export_ncnn",
            "nas.deploy.ncnn.runtime:open_run", (".param",), (".bin",), needs_ending=True,
            extra="ncnn",
        ),
        "torchscript": Format(
            "a graph for any size", "nas.deploy.torchscript:export_torchscript",
            "nas.deploy.torchscript:open_torchscript", (".pt", ".ts", ".torchscript"),
        ),
        "ntire": Format(
            "NAME.py that needs torch alone, and NAME.pth",
            "nas.deploy.single_file:export_single_file", "nas.deploy.single_file:open_single_file",
            (".py",), (".pth",), needs_ending=True,
        ),
        "spandrel": Format(
            "a .safetensors file for chaiNNer and ComfyUI, of a Compact or a SPAN",
            "nas.deploy.spandrel.file:export_spandrel", "nas.deploy.spandrel.file:open_spandrel",
            (".safetensors",), needs_ending=True, by_name=False,
        ),
        "basicsr": Format(
            "architecture, options and weights for BasicSR",
            "nas.deploy.frameworks.basicsr:export_basicsr",
            "nas.deploy.frameworks.basicsr:open_basicsr",
        ),
        "trainner": Format(
            "the same for traiNNer-redux", "nas.deploy.frameworks.trainner:export_trainner",
            "nas.deploy.frameworks.trainner:open_trainner",
        ),
        "neosr": Format(
            "the same for neosr", "nas.deploy.frameworks.neosr:export_neosr",
            "nas.deploy.frameworks.neosr:open_neosr",
        ),
        "folder": Format(
            "config, weights and README", "nas.deploy.folder:export_folder", _OURS, is_told=True
        ),
    },
)  # fmt: skip
"""Every format by the name that a user types."""


def format_for(path: Path, name: str | None = None) -> Format:
    """The format of that name, or the one that goes by the path's ending.

    Raises:
        InputError: there is none, or the path's name is that of another one.
    """
    by_ending = {e: one for one in FORMATS if FORMATS[one].by_name for e in FORMATS[one].endings}
    found = by_ending.get(path.suffix.lower())
    if name is None and found is None:
        folders = ", ".join(one for one in FORMATS if not FORMATS[one].endings)
        raise InputError(
            f"{path}: expected a name that ends in {', '.join(by_ending)}, or a --format"
            f" ({folders} make a folder)"
        )
    chosen = name or str(found)
    if chosen not in FORMATS:
        raise InputError(f"--format: expected {', '.join(FORMATS)}, got {name}")
    one = FORMATS[chosen]
    fits = path.suffix.lower() in one.endings
    if found is not None and not fits:
        raise InputError(f"--output {path} is {found} by its name, but --format is {chosen}")
    if one.needs_ending and not fits:
        raise InputError(f"--output {path}: expected a name that ends in {one.endings[0]}")
    return one
