"""Blur by the kernels of Real-ESRGAN, as a lens, motion or a screen's filter make it."""

from __future__ import annotations

import math
from typing import Annotated, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from nas.data.degradations.dice import Dice, Range, Weights, among, within

__all__ = ["Blur", "Sinc", "bell", "sinc"]

Pixels = NDArray[np.uint8]
Kernel = NDArray[np.float64]

Shape = Literal[
    "iso", "aniso", "generalised_iso", "generalised_aniso", "plateau_iso", "plateau_aniso"
]


class Blur(BaseModel):
    """A bell-shaped kernel (Wang et al. 2021, "Real-ESRGAN", section 3.2).

    Attributes:
        kernels: with their weights. ``iso`` and ``aniso``, Gaussian, round or an ellipse turned at
            random; ``generalised_``, exp(-d ** beta / 2) of the squared distance d in sigmas;
            ``plateau_``, 1 / (1 + d ** beta).
        sigma: its standard deviation, pixels; of an ellipse both are drawn.
        beta: of generalised kernels; where 1, the Gaussian, is inside, half of them are below.
        plateau_beta: likewise of plateaus.
        size: side of the kernel, an odd number of pixels.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kernels: Annotated[Weights, among(get_args(Shape))] = {"iso": 1.0}
    sigma: Annotated[Range, within(0.05, 50)]
    beta: Annotated[Range, within(0.1, 16)] = (0.5, 4.0)
    plateau_beta: Annotated[Range, within(0.1, 16)] = (1.0, 2.0)
    size: Annotated[Range, within(3, 101, odd=True)] = (21.0, 21.0)

    def apply(self, image: Pixels, dice: Dice) -> Pixels:
        """The image blurred."""
        shape = dice.one_of(list(self.kernels), list(self.kernels.values()))
        size, sigmas, turn = dice.whole(self.size, 2), [dice.between(self.sigma)] * 2, 0.0
        said = f"blur {sigmas[0]:.1f}"
        if shape.endswith("aniso"):
            sigmas[1], turn = dice.between(self.sigma), dice.between((0.0, math.pi))
            said += f" x {sigmas[1]:.1f} px at {math.degrees(turn):.0f}°"
        beta = None
        if not shape.startswith(("iso", "aniso")):
            plateau = shape.startswith("plateau")
            beta = _around_1(self.plateau_beta if plateau else self.beta, dice)
            said += f" {'plateau' if plateau else 'generalised'} {beta:.1f}"
        dice.said.append(said)
        return convolved(image, bell(shape, size, (sigmas[0], sigmas[1]), turn, beta or 1.0))


class Sinc(BaseModel):
    """A low-pass with a sharp edge, which rings (Wang et al. 2021, section 3.4).

    Attributes:
        cutoff: of the frequencies that pass, as a share of the highest that pixels can hold.
        size: side of the kernel, an odd number of pixels.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    cutoff: Annotated[Range, within(0.05, 1)]
    size: Annotated[Range, within(3, 101, odd=True)] = (21.0, 21.0)

    def apply(self, image: Pixels, dice: Dice) -> Pixels:
        """The image without its finest details, and with ringing."""
        size, cutoff = dice.whole(self.size, 2), dice.between(self.cutoff)
        dice.said.append(f"sinc {cutoff:.2f}")
        return convolved(image, sinc(size, cutoff))


def _around_1(limits: tuple[float, float], dice: Dice) -> float:
    low, high = limits
    if low <= 1 <= high:
        return dice.between((low, 1.0) if dice.chance(0.5) else (1.0, high))
    return dice.between(limits)


def bell(shape: str, size: int, sigmas: tuple[float, float], turn: float, beta: float) -> Kernel:
    """A kernel whose sum is 1.

    Args:
        shape: as `Blur.kernels` has them.
        size: side, pixels, odd.
        sigmas: along and across, pixels.
        turn: of the first from the horizontal, radians.
        beta: of all but the Gaussian.
    """
    y, x = _grid(size)
    along, across = x * math.cos(turn) + y * math.sin(turn), y * math.cos(turn) - x * math.sin(turn)
    squares = (along / sigmas[0]) ** 2 + (across / sigmas[1]) ** 2
    if shape.startswith("plateau"):
        kernel = 1 / (1 + squares**beta)
    else:
        kernel = np.exp(-0.5 * (squares**beta if shape.startswith("generalised") else squares))
    return np.asarray(kernel / kernel.sum())


def sinc(size: int, cutoff: float) -> Kernel:
    """The circularly symmetric low-pass: J1(w r) w / (2 pi r), at its middle w^2 / (4 pi).

    Args:
        size: side, pixels, odd.
        cutoff: w in pi, 0 to 1.
    """
    from scipy.special import j1

    w, radius = cutoff * math.pi, np.hypot(*_grid(size))
    middle = radius == 0
    radius[middle] = 1
    kernel = np.where(middle, w**2 / (4 * math.pi), w * j1(w * radius) / (2 * math.pi * radius))
    return np.asarray(kernel / kernel.sum())


def _grid(size: int) -> tuple[Kernel, Kernel]:
    side = np.arange(size) - (size - 1) / 2
    y, x = np.meshgrid(side, side, indexing="ij")
    return y, x


def convolved(image: Pixels, kernel: Kernel) -> Pixels:
    """An image under a kernel of odd sides, symmetric edges, rounded.

    Args:
        image: (height, width, 3).
        kernel: (size, size).
    """
    from scipy import fft

    # By Fourier transforms: a kernel of 21 x 21 has 441 taps.
    reach = kernel.shape[0] // 2
    planes = np.ascontiguousarray(image.transpose(2, 0, 1), np.float32)
    padded = np.pad(planes, [(0, 0), (reach, reach), (reach, reach)], mode="symmetric")
    sides = [fft.next_fast_len(side, real=True) for side in padded.shape[1:]]
    there = fft.rfft2(padded, sides) * fft.rfft2(kernel.astype(np.float32), sides)
    back = fft.irfft2(there, sides)[:, 2 * reach : padded.shape[1], 2 * reach : padded.shape[2]]
    return to_pixels(back.transpose(1, 2, 0))


def to_pixels(values: NDArray[np.floating]) -> Pixels:
    """Rounded and clipped to 0..255, contiguous."""
    whole = np.rint(values)
    return np.ascontiguousarray(np.clip(whole, 0, 255, out=whole).astype(np.uint8))
