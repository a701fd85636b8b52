"""Whether an exported graph gives what the network gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from search_spaces.errors import NotPossible
from search_spaces.network import Network

__all__ = ["PARITY_SIZES", "TOLERANCE", "Parity", "Run", "check_parity", "runner"]

TOLERANCE = 2e-5
"""Largest difference allowed, on images in 0..1 (a gray level is 4e-3); for outputs beyond 1,
times the largest."""

PARITY_SIZES = ((1, 1, 1), (1, 7, 20), (2, 15, 16), (1, 33, 47), (1, 64, 64))
"""(N, height, width) that every export is checked at: odd, not square, and smaller than ESA's
least side among them."""

_CELL_PX, _NOISE = 4, 0.1

Array = npt.NDArray[np.float32]

Run = Callable[[Array], Array]
"""Enlarges images in 0..1: (N, colors, h, w) to (N, colors, H, W)."""


def runner(module: Callable[[torch.Tensor], torch.Tensor]) -> Run:
    """A module as a function of arrays, for inference."""

    def run(image: Array) -> Array:
        with torch.inference_mode():
            return np.asarray(module(torch.from_numpy(image)), np.float32)

    return run


@dataclass(frozen=True, slots=True)
class Parity:
    """The largest difference found, the sizes it was looked for at, and whose program had a say.

    Attributes:
        difference: in images in 0..1.
        sizes: (N, height, width).
        by: name and version of another program that the file is for and that computed it, too.
    """

    difference: float
    sizes: tuple[tuple[int, int, int], ...]
    by: str = ""


def check_parity(
    network: Network,
    exported: Run,
    *,
    sizes: tuple[tuple[int, int, int], ...] = PARITY_SIZES,
) -> Parity:
    """Runs both on the same images of random colours, as smooth and as noisy as photos.

    White noise would not do: it drives trained networks so far from all that they have learnt that
    float32 itself errs by 1e-3 there (DISP's published weights), whoever computes.

    Raises:
        NotPossible: another shape or a difference over `TOLERANCE`.
    """
    generator = torch.Generator().manual_seed(0)
    reference = network.eval()
    worst = 0.0
    for n, height, width in sizes:
        image = _image(n, network.architecture.colors, height, width, generator)
        with torch.inference_mode():
            expected = reference(image).numpy()
        found = exported(image.numpy())
        at = f"at {n} image(s) of {width}x{height}"
        if found.shape != expected.shape:
            raise NotPossible(f"export: {at} it gives {found.shape}, expected {expected.shape}")
        difference = float(np.abs(found - expected).max()) / max(1.0, float(np.abs(expected).max()))
        # A difference that is no number is not below the limit either.
        if not difference <= TOLERANCE:
            raise NotPossible(
                f"export: {at} it differs from the network by {difference:.1e}, more than "
                f"{TOLERANCE:.0e}; nothing was written"
            )
        worst = max(worst, difference)
    return Parity(worst, sizes)


def _image(n: int, colors: int, height: int, width: int, generator: torch.Generator) -> Tensor:
    coarse = torch.rand(
        n, colors, height // _CELL_PX + 2, width // _CELL_PX + 2, generator=generator
    )
    smooth = F.interpolate(coarse, size=(height, width), mode="bilinear", align_corners=False)
    noise = torch.rand(smooth.shape, generator=generator) - 0.5
    return (smooth + _NOISE * noise).clamp(0, 1)
