"""One network on its way to int8: its float graph, ranges by several methods, what each gives."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from compress.calibration import Array, ranges, watch
from compress.ends import ends
from compress.equalize import equalize
from compress.fold import fold
from compress.qat import qat
from compress.rounding import rounded_weights
from nas.data.photo import Photo
from nas.deploy.int8_formats import Int8Format, int8_format
from nas.deploy.int8_graph import Ranges, layer_names, prepare
from nas.deploy.onnx_file import export_onnx
from nas.evaluate.validate import Quality, validate
from nas.training.loop import OnStep
from nas.training.recipe import Recipe
from search_spaces.errors import InputError
from search_spaces.network import Network

__all__ = ["Candidate", "FileModule"]


class Candidate:
    """A folded network as a float graph, and as int8 files.

    ``exported`` is the network's float export, where there is one already.

    Attributes:
        form: the sort of int8 file.
        path: of the float graph.
        images: LR crops to calibrate on.
        layers: names of all layers.
        ends: those of them between which the activations lie.
        rounded: weights on the grid of 8 bits.
        ranges: by method, after `calibrate`.
        tried: what each method gives on the validation photos.
        best: the method that gives most.
    """

    def __init__(
        self,
        network: Network,
        folder: Path,
        images: Sequence[Array],
        validation: Sequence[Photo],
        form: Int8Format,
        *,
        exported: Path | None = None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        arch = network.architecture
        self.form = form
        self.images, self.validation = images, validation
        self._scale, self._colors = arch.scale, arch.colors
        self._folder, self.path = folder, folder / "float.onnx"
        self._lean = lean = fold(network).network
        if exported is None or lean.architecture != arch:
            exported = folder / "folded.onnx"
            export_onnx(lean, exported)
        self._model = prepare(exported, self.path)
        self.layers = tuple(layer_names(self._model))
        self.ends = ends(self._model)
        scales = None
        if form.equalized:
            import onnx

            scales = equalize(self._model, images)
            onnx.save(self._model, str(self.path))
        self.rounded = rounded_weights(lean, images, scales)
        self.ranges: dict[str, Ranges] = {}
        self.tried: dict[str, Quality] = {}
        self.best = ""

    @property
    def best_db(self) -> float:
        """PSNR-Y of the best method, dB."""
        return self.tried[self.best].psnr_y_db

    def calibrate(self, methods: Sequence[str], float_layers: Sequence[str]) -> None:
        """Ranges by every method, and the best of them."""
        seen = watch(self.path, self.images, entropy="entropy" in methods)
        for method in methods:
            self.ranges[method] = ranges(seen, method, self._model)
            self.tried[method] = self.quality(method, float_layers)
        self.best = max(methods, key=lambda method: self.tried[method].psnr_y_db)

    def taught(
        self,
        folder: Path,
        photos: Sequence[Photo],
        recipe: Recipe,
        float_layers: Sequence[str],
        *,
        on_step: OnStep | None = None,
    ) -> Candidate:
        """Another one whose weights and ranges were fine-tuned from the best ranges of this one.

        See `compress.qat.qat`.
        """
        folder.mkdir(parents=True, exist_ok=True)
        other = copy.copy(self)
        other._folder, other.path = folder, folder / "float.onnx"
        found, other.rounded = qat(
            self._lean, self.path, other.path, photos, recipe, ranges=self.ranges[self.best],
            rounded=self.rounded, float_layers=float_layers, on_step=on_step,
        )  # fmt: skip
        other.ranges = {self.best: found}
        other.tried = {self.best: other.quality(self.best, float_layers)}
        return other

    def quality(self, method: str, float_layers: Sequence[str]) -> Quality:
        """On the validation photos, in int8."""
        target = self._folder / f"int8{self.form.ending}"
        self.form.write(
            self.path, target, self.ranges[method], float_layers=float_layers, rounded=self.rounded
        )
        return validate(FileModule(target), self.validation, self._scale, colors=self._colors)

    def write(
        self,
        target: Path,
        float_layers: Sequence[str],
        metadata: Mapping[str, str],
        *,
        lr_size: tuple[int, int] | None = None,
    ) -> None:
        """The int8 file by the best method; see `Int8Format.write`."""
        self.form.write(
            self.path, target, self.ranges[self.best], float_layers=float_layers,
            rounded=self.rounded, metadata=metadata, lr_size=lr_size,
        )  # fmt: skip

    def matching(self, wanted: Sequence[str]) -> tuple[str, ...]:
        """The layers of these names, or whose names begin so.

        Raises:
            InputError: there is none.
        """
        chosen: list[str] = []
        for name in wanted:
            found = [one for one in self.layers if one == name or one.startswith(f"{name}.")]
            if not found:
                raise InputError(
                    f"no layer {name}; expected one, or the beginning of one, of: "
                    f"{', '.join(self.layers)}"
                )
            chosen += [one for one in found if one not in chosen]
        return tuple(chosen)


class FileModule(torch.nn.Module):
    """A file of ours, in float32 or int8, as a module.

    Raises:
        InputError: one of an ending that no int8 file has, or that cannot be loaded.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.run = int8_format(path, str(path)).open(path, threads=torch.get_num_threads())

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """(N, colors, h, w) to (N, colors, H, W)."""
        return torch.from_numpy(self.run(image.contiguous().numpy()))
