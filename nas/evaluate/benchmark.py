"""Evaluation on the field's test sets: per image and mean, by the papers' protocol."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from nas.data.image_file import read_rgb
from nas.data.pairs import partners
from nas.data.photo import Photo
from nas.evaluate.metrics import Metric
from nas.evaluate.quality import shave_px
from nas.evaluate.threads import threads
from nas.evaluate.validate import ImageQuality, Quality, Reference, reference, score
from search_spaces.errors import InputError

if TYPE_CHECKING:
    from nas.data.degradations import Chain

__all__ = [
    "Enlarge", "Pair", "Row", "TestSet", "evaluate_set", "evaluate_together", "rows",
    "workers_on",
]  # fmt: skip

Pixels = npt.NDArray[np.uint8]
Enlarge = Callable[[Pixels], Pixels]
"""From LR (h, w, 3) to SR (h * scale, w * scale, 3), both uint8 RGB."""

Row = tuple[str, str, list[tuple[float, ...]]]
"""(set, image, (PSNR-Y in dB, SSIM-Y, more) by each that was measured)."""

_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp"})


@dataclass(frozen=True, slots=True)
class Pair:
    """The files of one test image; without ``lr``, LR is made from the HR image."""

    name: str
    hr: Path
    lr: Path | None


@dataclass(frozen=True, slots=True)
class TestSet:
    """A folder of HR images, and a folder of their LR images where one is given.

    Attributes:
        name: what the set is called in results.
        scale: 1, 2, 3 or 4.
        pairs: the images, sorted by name.
        degradation: by which LR is made where there is none; None: MATLAB's bicubic.
    """

    # Tells pytest that this is no test.
    __test__ = False

    name: str
    scale: int
    pairs: tuple[Pair, ...]
    degradation: Chain | None = None

    @classmethod
    def open(
        cls,
        name: str,
        hr: Path,
        scale: int,
        *,
        lr: Path | None = None,
        degradation: Chain | None = None,
    ) -> TestSet:
        """The set in a folder; only the files' names are read as yet.

        Which LR file belongs to which HR file, `nas.data.pairs.partners` tells by their names.

        Raises:
            InputError: no such folder, no images in it, an HR image without its LR, or a
                degradation that ends at another size than LR.
        """
        if degradation is not None:
            degradation.check(scale)
        files = _images(name, hr)
        if lr is None:
            pairs = tuple(Pair(path.name, path, None) for path in files)
            return cls(name, scale, pairs, degradation)
        names = [path.name for path in files]
        found = partners(names, [path.name for path in _images(name, lr)], scale)
        # All of them: a test set without some of its images is another test set.
        missing = [path for path in files if path.name not in found]
        if missing:
            stem = missing[0].stem
            more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
            raise InputError(
                f"{name}: {lr} holds no LR image for {missing[0].name}{more}; "
                f"expected {stem}.png or {stem}x{scale}.png"
            )
        pairs = tuple(Pair(path.name, path, lr / found[path.name]) for path in files)
        return cls(name, scale, pairs)

    def __len__(self) -> int:
        return len(self.pairs)

    def reference(self, number: int) -> Reference:
        """One image, HR cropped to a multiple of the scale.

        Raises:
            InputError: a file cannot be used, or LR and HR do not match in size.
        """
        pair = self.pairs[number]
        lr = None if pair.lr is None else self._pixels(pair.lr)
        try:
            photo = Photo(pair.name, self._pixels(pair.hr), lr, self.degradation)
            return reference(photo, self.scale)
        except InputError as error:
            raise InputError(f"{self.name}: {error}") from None

    def _pixels(self, path: Path) -> Pixels:
        try:
            return read_rgb(path)
        except InputError as error:
            raise InputError(f"{self.name}: {path.name}: {error}") from None


def evaluate_set(
    enlarge: Enlarge,
    test_set: TestSet,
    *,
    on_image: Callable[[ImageQuality, Pixels], None] | None = None,
    workers: int = 1,
) -> Quality:
    """PSNR-Y and SSIM-Y of ``enlarge`` on every image; see `evaluate_together`."""
    return evaluate_together([enlarge], test_set, on_image=on_image, workers=workers)[0]


def evaluate_together(
    enlargers: Sequence[Enlarge],
    test_set: TestSet,
    *,
    on_image: Callable[[ImageQuality, Pixels], None] | None = None,
    workers: int = 1,
    metrics: Sequence[Metric] = (),
) -> tuple[Quality, ...]:
    """PSNR-Y and SSIM-Y of several on every image, and their means; images are read once.

    uint8 SR, borders shaved as by `shave_px`, BT.601 luma not rounded, the mean of dB.

    Args:
        enlargers: networks, or anything else that makes SR from LR.
        test_set: what to measure on.
        on_image: called with each image's figures and SR by the first of them, in the order of
            the images.
        workers: images at a time. On a processor, two images on one core each are done sooner
            than one after the other on two: decoding and SSIM use one core only, and layers
            do not have to wait for each other's halves. Takes the memory of so many images.
        metrics: what else to measure by, at the same shave: ``more`` of the figures.

    Raises:
        InputError: an image that cannot be read or measured.
    """
    shave = shave_px(test_set.scale)

    def measured(ref: Reference, sr: Pixels) -> ImageQuality:
        found = score(lambda lr: sr, [ref], test_set.scale).images[0]
        return replace(found, more=tuple(_by(one, sr, ref, shave) for one in metrics))

    def one(number: int) -> tuple[list[ImageQuality], Pixels]:
        ref = test_set.reference(number)
        large = [enlarge(ref.lr) for enlarge in enlargers]
        return [measured(ref, sr) for sr in large], large[0]

    import torch

    images: list[list[ImageQuality]] = []
    # The processor's cores shared out among the workers.
    with threads(max(1, torch.get_num_threads() // workers)), ThreadPoolExecutor(workers) as pool:
        for found, sr in pool.map(one, range(len(test_set))):
            images.append(found)
            if on_image is not None:
                on_image(found[0], sr)
    return tuple(Quality.of(those) for those in zip(*images, strict=True))


def workers_on(device: str) -> int:
    """How many images at a time suit a device, as `evaluate_set` takes them."""
    import torch

    # Each holds an image's features in memory, and more than a few gain little.
    return min(4, torch.get_num_threads()) if device == "cpu" else 1


def rows(results: Mapping[str, Sequence[Quality]]) -> Iterator[Row]:
    """A row for every image, each set closed by its ``mean``: see `Row`.

    Args:
        results: the set's name to what `evaluate_together` has found.
    """
    for name, found in results.items():
        for images in zip(*(quality.images for quality in found), strict=True):
            yield name, images[0].name, [_figures(one) for one in images]
        yield name, "mean", [_figures(quality) for quality in found]


def _figures(of: ImageQuality | Quality) -> tuple[float, ...]:
    return (of.psnr_y_db, of.ssim_y, *of.more)


def _by(metric: Metric, sr: Pixels, ref: Reference, shave: int) -> float:
    try:
        return metric.measure(sr, ref.hr, shave)
    except InputError as error:
        raise InputError(f"{ref.name}: {metric.name}: {error}") from None


def _images(name: str, folder: Path) -> list[Path]:
    try:
        files = sorted(path for path in folder.iterdir() if path.is_file())
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise InputError(f"{name}: {folder}: {reason}; give a folder of images") from None
    images = [p for p in files if p.suffix.lower() in _SUFFIXES and not p.name.startswith(".")]
    if not images:
        raise InputError(
            f"{name}: {folder} holds no images ({len(files)} files); "
            f"expected PNG, JPEG, WebP or BMP directly in it"
        )
    return images
