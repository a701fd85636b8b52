"""LPIPS and DISTS: how far two images are apart for a network that has learned to see.

Both compare what a classifier of photos makes of them. The classifiers' weights are hundreds of
megabytes, published apart from those of the metrics: they come from a folder that the user has
filled by hand, and nothing is ever downloaded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from nas.evaluate.quality import Pixels, shaved
from search_spaces.errors import InputError, first_line
from search_spaces.regular import irregular
from search_spaces.tensors import read_tensors

if TYPE_CHECKING:
    from nas.evaluate.metrics import Measure

__all__ = ["dists", "lpips"]

_TORCH = "https://download.pytorch.org/models"
_ALEXNET = "alexnet-owt-7be5be79.pth", _TORCH
_VGG16 = "vgg16-397923af.pth", _TORCH
_LPIPS = "alex.pth", "https://github.com/richzhang/PerceptualSimilarity, lpips/weights/v0.1"
_DISTS = "weights.pt", "https://github.com/dingkeyan93/DISTS, DISTS_pytorch"

# Numbers in AlexNet's and VGG16's ``features``, and shapes of the weights there.
_ALEX_LAYERS = {0: (64, 3, 11, 11), 3: (192, 64, 5, 5), 6: (384, 192, 3, 3), 8: (256, 384, 3, 3),
                10: (256, 256, 3, 3)}  # fmt: skip
_VGG_STAGES = ((0, 2), (5, 7), (10, 12, 14), (17, 19, 21), (24, 26, 28))
_VGG_WIDTHS = (3, 64, 128, 256, 512, 512)
# After two poolings there has to be a pixel left.
_ALEX_LEAST_PX = 31

Weights = Mapping[str, Tensor]


def lpips(folder: Path | None, device: str) -> Measure:
    """LPIPS 0.1 on AlexNet, 0 for equal images, at full size.

    Zhang et al. 2018, "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric",
    eq. 1, and the authors' code (github.com/richzhang/PerceptualSimilarity).

    Args:
        folder: with AlexNet's weights as torchvision has them and the metric's own.
        device: where it runs.

    Raises:
        InputError: a file is not there or not what it should be; of the measure: shapes differ,
            or a side is below 31 pixels after shaving.
    """
    shapes = _shapes(_ALEX_LAYERS)
    files = _files("lpips", folder, _ALEXNET, _LPIPS)
    net = _read(files[0], shapes, device)
    own = {f"lin{n}.model.1.weight": (1, shape[0], 1, 1)
           for n, shape in enumerate(_ALEX_LAYERS.values())}  # fmt: skip
    lins = list(_read(files[1], own, device).values())
    mean, deviation = _colours((-0.030, -0.088, -0.188), (0.458, 0.448, 0.450), device)

    def seen(pixels: Pixels) -> list[Tensor]:
        x, found = (2 * _unit(pixels, device) - 1 - mean) / deviation, []
        for number in _ALEX_LAYERS:
            if number in (3, 6):
                x = F.max_pool2d(x, 3, 2)
            stride, padding = (4, 2) if number == 0 else (1, 2 if number == 3 else 1)
            x = _convolved(x, net, number, stride=stride, padding=padding)
            found.append(x / (x.square().sum(1, keepdim=True).sqrt() + 1e-10))
        return found

    @torch.inference_mode()
    def measure(sr: Pixels, hr: Pixels, shave: int) -> float:
        sr, hr = shaved(sr, hr, shave, smallest=_ALEX_LEAST_PX)
        layers = zip(lins, seen(sr), seen(hr), strict=True)
        return sum(float(F.conv2d((a - b).square(), lin).mean()) for lin, a, b in layers)

    return measure


def dists(folder: Path | None, device: str) -> Measure:
    """DISTS, 0 for equal images, at full size.

    Ding et al. 2020, "Image Quality Assessment: Unifying Structure and Texture Similarity", and
    the authors' code (github.com/dingkeyan93/DISTS), whose example, but not its function, makes
    images small first.

    Args:
        folder: with VGG16's weights as torchvision has them and the metric's own.
        device: where it runs.

    Raises:
        InputError: a file is not there or not what it should be; of the measure: shapes differ.
    """
    files = _files("dists", folder, _VGG16, _DISTS)
    widths = [(_VGG_WIDTHS[k + 1], _VGG_WIDTHS[k]) for k in range(len(_VGG_STAGES))]
    layers = {number: (out, into if place == 0 else out, 3, 3)
              for stage, (out, into) in zip(_VGG_STAGES, widths, strict=True)
              for place, number in enumerate(stage)}  # fmt: skip
    net = _read(files[0], _shapes(layers), device)
    own = _read(files[1], dict.fromkeys(("alpha", "beta"), (1, sum(_VGG_WIDTHS), 1, 1)), device)
    whole = own["alpha"].sum() + own["beta"].sum()
    alpha, beta = ((own[k] / whole).split(_VGG_WIDTHS, 1) for k in ("alpha", "beta"))
    mean, deviation = _colours((0.485, 0.456, 0.406), (0.229, 0.224, 0.225), device)
    window = torch.from_numpy(np.hanning(5)[1:-1]).float().to(device)
    window = torch.outer(window, window) / window.sum() ** 2

    def seen(pixels: Pixels) -> list[Tensor]:
        image = _unit(pixels, device)
        x, found = (image - mean) / deviation, [image]
        for stage in _VGG_STAGES:
            if stage != _VGG_STAGES[0]:
                width = x.shape[1]
                each = window.expand(width, 1, 3, 3)
                x = (F.conv2d(x.square(), each, stride=2, padding=1, groups=width) + 1e-12).sqrt()
            for number in stage:
                x = _convolved(x, net, number, padding=1)
            found.append(x)
        return found

    @torch.inference_mode()
    def measure(sr: Pixels, hr: Pixels, shave: int) -> float:
        sr, hr = shaved(sr, hr, shave, smallest=1)
        alike = 0.0
        for texture, structure, x, y in zip(alpha, beta, seen(sr), seen(hr), strict=True):
            mean_x, mean_y = (one.mean((2, 3), keepdim=True) for one in (x, y))
            var_x, var_y = ((one - m).square().mean((2, 3), keepdim=True)
                            for one, m in ((x, mean_x), (y, mean_y)))  # fmt: skip
            shared = (x * y).mean((2, 3), keepdim=True) - mean_x * mean_y
            means = (2 * mean_x * mean_y + 1e-6) / (mean_x**2 + mean_y**2 + 1e-6)
            alike += float((texture * means).sum())
            alike += float((structure * (2 * shared + 1e-6) / (var_x + var_y + 1e-6)).sum())
        return 1 - alike

    return measure


def _shapes(layers: Mapping[int, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {}
    for number, shape in layers.items():
        found |= {f"features.{number}.weight": shape, f"features.{number}.bias": shape[:1]}
    return found


def _files(metric: str, folder: Path | None, *wanted: tuple[str, str]) -> list[Path]:
    told = " and ".join(f"{name} (from {place})" for name, place in wanted)
    if folder is None:
        raise InputError(f"--metrics {metric}: expected --weights, a folder that holds {told}")
    paths = [folder / name for name, _ in wanted]
    for path in paths:
        if problem := irregular(path):
            raise InputError(
                f"--metrics {metric}: {path}: {problem}; expected in the --weights folder {told}"
            )
    return paths


def _read(path: Path, shapes: Mapping[str, Sequence[int]], device: str) -> Weights:
    """The tensors of these names and shapes, in float32; the file may hold others."""
    try:
        content = read_tensors(path, device)
    except Exception as error:
        # torch.load raises six kinds of exception for a damaged file.
        raise InputError(
            f"{path}: cannot be read as weights ({first_line(error)}); expected the published file"
        ) from None
    found: dict[str, Tensor] = {}
    for name, shape in shapes.items():
        tensor = content.get(name) if isinstance(content, Mapping) else None
        if not isinstance(tensor, Tensor) or tensor.shape != torch.Size(shape):
            raise InputError(
                f"{path}: expected the published file, with {name} of shape {tuple(shape)}"
            )
        found[name] = tensor.detach().float()
    return found


def _unit(pixels: Pixels, device: str) -> Tensor:
    """uint8 (H, W, 3) as (1, 3, H, W) in 0..1."""
    return torch.from_numpy(np.ascontiguousarray(pixels)).to(device).permute(2, 0, 1)[None] / 255


def _colours(
    mean: Sequence[float], deviation: Sequence[float], device: str
) -> tuple[Tensor, Tensor]:
    both = torch.tensor([mean, deviation], device=device).view(2, 1, 3, 1, 1)
    return both[0], both[1]


def _convolved(
    x: Tensor, net: Weights, number: int, *, stride: int = 1, padding: int = 0
) -> Tensor:
    weight, bias = (net[f"features.{number}.{part}"] for part in ("weight", "bias"))
    return F.conv2d(x, weight, bias, stride=stride, padding=padding).relu()
