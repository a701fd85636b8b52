"""The files that an int8 network can be, by their endings: the one table of them."""

from __future__ import annotations

import pkgutil
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nas.deploy.formats import FORMATS, Format
from nas.deploy.int8_graph import Ranges
from nas.deploy.onnx_file import INPUT
from nas.deploy.parity import Array, Run
from nas.deploy.runtimes import RUNTIMES
from search_spaces.errors import InputError

__all__ = ["INT8_FORMATS", "Int8Format", "int8_format"]


@dataclass(frozen=True, slots=True)
class Int8Format:
    """One sort of int8 file.

    Attributes:
        ending: of its name.
        runtime: of `nas.deploy.runtimes.RUNTIMES`, which it is judged and timed in.
        writes: ``"module:function"``, with the arguments of `nas.deploy.int8_graph.write_int8`, and
            ``lr_size`` where the format in float has it.
        equalized: whether channels are made alike in size first, where it takes a further
            multiplication of a map, too; and whether, of the layers that stay in float32 where too
            much would be lost, the first and the last come first.
        qat_steps: of fine-tuning with rounding where too much would be lost, if nobody says
            otherwise.
    """

    ending: str
    runtime: str
    writes: str
    equalized: bool = False
    qat_steps: int = 0

    @property
    def in_float(self) -> Format:
        """What the same network is in float32 for the same runtime."""
        return FORMATS[RUNTIMES[self.runtime].file_format]

    @property
    def is_sized(self) -> bool:
        """Whether the file can be one for images of one size alone."""
        return self.in_float.is_sized

    def write(
        self,
        path: Path,
        target: Path,
        ranges: Ranges,
        *,
        float_layers: Collection[str] = (),
        rounded: Mapping[str, Array] | None = None,
        metadata: Mapping[str, str] | None = None,
        lr_size: tuple[int, int] | None = None,
    ) -> Path:
        """See `nas.deploy.int8_graph.write_int8`, and `Format.write` of ``lr_size``."""
        function: Any = pkgutil.resolve_name(self.writes)
        sized = {"lr_size": lr_size} if self.is_sized else {}
        made: Path = function(
            path, target, ranges, float_layers=float_layers, rounded=rounded, metadata=metadata,
            **sized,
        )  # fmt: skip
        return made

    def open(self, path: Path, *, threads: int | None = None) -> Run:
        """A function that runs such a file of ours: (N, colors, h, w) to (N, colors, H, W).

        Raises:
            InputError: a package is missing, or the file is not one that the runtime can load.
        """
        opened = RUNTIMES[self.runtime].open(path, threads=threads)
        return lambda image: opened.run({INPUT: image})


INT8_FORMATS = {
    ".onnx": Int8Format(".onnx", "onnxruntime", "nas.deploy.int8_graph:write_int8"),
    ".tflite": Int8Format(
        ".tflite",
        "litert",
        "nas.deploy.litert.int8:write_int8_litert",
        equalized=True,
        qat_steps=600,
    ),
}
"""By the ending."""


def int8_format(path: Path | str, what: str = "output") -> Int8Format:
    """By the ending of the file that shall be written, which ``what`` names in the refusal.

    Raises:
        InputError: another ending.
    """
    found = INT8_FORMATS.get(Path(path).suffix)
    if found is None:
        raise InputError(
            f"{what}: expected a name that ends in {' or '.join(INT8_FORMATS)}, got {path}"
        )
    return found
