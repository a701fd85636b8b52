"""A network applied to one photo, from uint8 to uint8."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from nas.evaluate.ensemble import SelfEnsemble
from nas.evaluate.quality import RGB_TO_YCC, luma

__all__ = ["enlarger", "upscale"]

Pixels = npt.NDArray[np.uint8]

_YCC_TO_RGB = np.linalg.inv(RGB_TO_YCC)
_OFFSET = np.array([16.0, 128.0, 128.0])


def upscale(network: nn.Module, pixels: Pixels, scale: int, *, colors: int = 3) -> Pixels:
    """The photo ``scale`` times as large.

    The network runs in float32, channels_last, on the device that its parameters are on. A
    network of one colour gets float luma / 255; Cb and Cr are upscaled bicubically.

    Args:
        network: takes and gives (N, colors, h, w) in 0..1; switched to evaluation meanwhile.
        pixels: (h, w, 3) uint8 RGB.
        scale: 1, 2, 3 or 4.
        colors: 3 (RGB) or 1 (luma).

    Returns:
        (h * scale, w * scale, 3) uint8 RGB: clamped, then rounded.
    """
    if colors == 3:
        return _to_uint8(_forward(network, pixels.transpose(2, 0, 1)).transpose(1, 2, 0))
    from nas.data.degradation import bicubic_up

    ycc = bicubic_up(pixels, scale) @ RGB_TO_YCC.T + _OFFSET
    ycc[..., 0] = np.clip(_forward(network, luma(pixels)[None])[0], 0.0, 255.0)
    return _to_uint8((ycc - _OFFSET) @ _YCC_TO_RGB.T)


def enlarger(
    network: nn.Module,
    scale: int,
    colors: int,
    *,
    device: torch.device | str = "cpu",
    self_ensemble: bool = False,
) -> Callable[[Pixels], Pixels]:
    """What makes SR of LR by a network, which it moves to ``device``; see `upscale`.

    With ``self_ensemble``, the mean over 8 flips and turns.
    """
    # Weights in channels_last once, instead of on every call.
    module: nn.Module = network.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    module = SelfEnsemble(module) if self_ensemble else module
    return lambda pixels: upscale(module, pixels, scale, colors=colors)


def _forward(
    network: nn.Module, planes: npt.NDArray[np.uint8 | np.float64]
) -> npt.NDArray[np.float32]:
    device = next((p.device for p in network.parameters()), torch.device("cpu"))
    batch = torch.from_numpy(np.ascontiguousarray(planes)).to(device, torch.float32)[None]
    was_training = network.training
    network.eval()
    try:
        with torch.inference_mode():
            out = network((batch / 255.0).to(memory_format=torch.channels_last))
    finally:
        network.train(was_training)
    scaled: npt.NDArray[np.float32] = (out[0].float() * 255.0).cpu().numpy()
    return scaled


def _to_uint8(values: npt.NDArray[np.float32 | np.float64]) -> Pixels:
    # Weights without bounds give NaN, which no uint8 stands for.
    return np.nan_to_num(np.clip(values, 0.0, 255.0)).round().astype(np.uint8)
