"""A network that another runtime than torch runs, ready to enlarge images tile by tile."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from nas.deploy.formats import FORMATS
from nas.deploy.onnx_file import INPUT, exported_program
from nas.deploy.parity import Array, check_parity
from nas.deploy.portable import portable
from nas.deploy.runtimes import RUNTIMES, read_endings, runtime_of
from nas.upscale.whole_image import frame_attentions, part_of_whole
from search_spaces import Architecture
from search_spaces.errors import InputError, first_line
from search_spaces.network import Network

__all__ = ["RuntimeNetwork"]

Size = tuple[int, int]
Run = Callable[[Array, Size, Size], Array]

_PROBE_PX = 32
# At once, of a file that takes one size.
_MOST_PX = 4096 * 4096


@dataclass(frozen=True)
class RuntimeNetwork:
    """A network in a runtime of the table, on the CPU.

    Attributes:
        run: (1, colors, h, w) float32 in 0..1, the whole image's size and the tile's place in
            it, to the enlarged tile.
        scale: 1, 2, 3 or 4.
        colors: 3, or 1 for a network on luma.
        architecture: None where a file doesn't say.
        framed: whether ESA is computed as a part of the whole image.
        runtime: its name in `RUNTIMES`.
        lr_size: (height, width) of the one image that a file takes; None: any.
    """

    run: Run
    scale: int
    colors: int
    architecture: Architecture | None
    framed: bool
    runtime: str = "onnxruntime"
    lr_size: Size | None = None

    @property
    def title(self) -> str:
        """The runtime's name in sentences."""
        return RUNTIMES[self.runtime].title

    @classmethod
    def of_file(
        cls, path: Path | str, *, runtime: str | None = None, threads: int | None = None
    ) -> RuntimeNetwork:
        """The network in an exported file, of ours (int8 too) or of any other maker.

        Args:
            path: of the file.
            runtime: of `RUNTIMES`; None: the file's own.
            threads: None: as many as the runtime chooses.

        Raises:
            InputError: the runtime is missing or can't load it, or it is not a network from
                one image to one that is 1, 2, 3 or 4 times as large.
        """
        name = runtime_of(path, runtime)
        if name is None:
            raise InputError(f"{path}: expected a name that ends in {', '.join(read_endings())}")
        opened = RUNTIMES[name].open(path, threads=threads)
        shape = opened.inputs[0].shape if len(opened.inputs) == 1 and opened.outputs == 1 else ()
        colors = shape[1] if len(shape) == 4 else None
        if colors not in (1, 3) or opened.inputs[0].kind != "float32":
            raise InputError(
                f"{path}: expected a network with one input, float32 (N, 1 or 3, height, width), "
                f"and one output, found {'; '.join(map(str, opened.inputs))}"
            )
        given = opened.inputs[0].name

        def run(image: Array, _whole: Size, _origin: Size) -> Array:
            return opened.run({given: image})

        # Where it says one size, another runtime on a device takes no other, even if this one does.
        height, width = shape[2:]
        only = None if height is None or width is None else (height, width)
        if only is not None and not 1 <= prod(only) <= _MOST_PX:
            raise InputError(
                f"{path}: takes images of {width}x{height} alone; expected up to {_MOST_PX:,} "
                f"pixels"
            )
        scale = _scale_of(path, run, colors, only)
        arch = _architecture(opened.metadata)
        return cls(run, scale, colors, arch, framed=False, runtime=name, lr_size=only)

    @classmethod
    def of_network(cls, network: Network, runtime: str = "onnxruntime") -> RuntimeNetwork:
        """The network exported; if the runtime can, with the tile's frame, so that seams vanish.

        Args:
            network: with its weights.
            runtime: of `RUNTIMES`.

        Raises:
            InputError: an extra is missing, or a part can't be exported.
        """
        arch, able = network.architecture, RUNTIMES[runtime]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"net{able.ending}"
            if not able.takes_frames:
                FORMATS[able.file_format].write(network, path)
                return cls.of_file(path, runtime=runtime)
            frame = {"whole": torch.tensor([24.0, 29.0]), "origin": torch.zeros(2)}
            program = exported_program(_Framed(portable(network)), arch, frame)
            path.write_bytes(program.model_proto.SerializeToString())
            opened = able.open(path)
        needed = {one.name for one in opened.inputs}

        def run(image: Array, whole: Size, origin: Size) -> Array:
            given = {INPUT: image, "whole": np.array(whole, np.float32),
                     "origin": np.array(origin, np.float32)}  # fmt: skip
            # A network without ESA has no use for the frame, and the graph no inputs for it.
            return opened.run({key: value for key, value in given.items() if key in needed})

        check_parity(network, lambda image: run(image, (image.shape[2], image.shape[3]), (0, 0)))
        return cls(run, arch.scale, arch.colors, arch, framed=True, runtime=runtime)

    def module(self) -> nn.Module:
        """The same for whole images, as a module: (1, colors, h, w) on the CPU."""
        return _OnWhole(self)

    def enlarge(self, image: Tensor, whole: Size, origin: Size) -> Tensor:
        """See ``run``.

        Raises:
            InputError: the runtime cannot do this one.
        """
        try:
            return torch.from_numpy(self.run(np.ascontiguousarray(image.numpy()), whole, origin))
        # The runtimes' errors share no class with a public name.
        except Exception as error:
            size = f"{image.shape[3]}x{image.shape[2]}"
            told = f"an image of {size} cannot be enlarged ({first_line(error)})"
            raise InputError(told) from None


class _OnWhole(nn.Module):
    def __init__(self, network: RuntimeNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> Tensor:
        """(1, colors, h, w) to (1, colors, h * scale, w * scale)."""
        return self.network.enlarge(image, (image.shape[2], image.shape[3]), (0, 0))


def _scale_of(path: Path | str, run: Run, colors: int, only: Size | None) -> int:
    height, width = only or (_PROBE_PX, _PROBE_PX + 1)
    image: npt.NDArray[np.float32] = np.zeros((1, colors, height, width), np.float32)
    try:
        found = run(image, image.shape[2:], (0, 0)).shape
    # The runtimes' errors share no class with a public name.
    except Exception as error:
        raise InputError(
            f"{path}: cannot take an image of {width}x{height} ({first_line(error)}); expected a "
            f"network for images of any size, or of the one that it states"
        ) from None
    scale = found[2] // height if len(found) == 4 else 0
    expected = (1, colors, height * scale, width * scale)
    if scale not in (1, 2, 3, 4) or found != expected:
        raise InputError(
            f"{path}: makes {found} of {image.shape}; expected an image 1, 2, 3 or 4 times as large"
        )
    return int(scale)


def _architecture(metadata: Mapping[str, str]) -> Architecture | None:
    said = metadata.get("architecture")
    try:
        return None if said is None else Architecture.from_dict(json.loads(said))
    except ValueError:
        # Another maker's note under the same key, or a part that isn't installed here.
        return None


class _Framed(nn.Module):
    """A network that is told where in the whole image its input lies."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network
        self._frame: list[Tensor] = []
        frame_attentions(network, lambda coarse, size: part_of_whole(coarse, size, *self._frame))

    def forward(self, image: Tensor, whole: Tensor, origin: Tensor) -> Tensor:
        """(N, colors, h, w), the whole image's (height, width) and the tile's (top, left)."""
        self._frame[:] = [whole, origin]
        out: Tensor = self.network(image)
        return out
