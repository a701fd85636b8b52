from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from nas.evaluate.metrics import metrics_of
from nas.evaluate.quality import Pixels
from search_spaces.errors import InputError

Values = npt.NDArray[np.float64]
Net = dict[str, Values]

ALEX = {0: (64, 3, 11), 3: (192, 64, 5), 6: (384, 192, 3), 8: (256, 384, 3), 10: (256, 256, 3)}
VGG = {0: (64, 3, 3), 2: (64, 64, 3), 5: (128, 64, 3), 7: (128, 128, 3), 10: (256, 128, 3),
       12: (256, 256, 3), 14: (256, 256, 3), 17: (512, 256, 3), 19: (512, 512, 3),
       21: (512, 512, 3), 24: (512, 512, 3), 26: (512, 512, 3), 28: (512, 512, 3)}  # fmt: skip
SHAVE = 2


def made_up(layers: dict[int, tuple[int, int, int]]) -> dict[str, torch.Tensor]:
    """Weights under which signals pass, in the files' names and shapes, and one more layer."""
    generator = torch.Generator().manual_seed(0)
    found = {"classifier.0.weight": torch.zeros(3)}
    for number, (out, into, side) in layers.items():
        weight = torch.randn(out, into, side, side, generator=generator)
        found[f"features.{number}.weight"] = weight * (2 / (into * side**2)) ** 0.5
        found[f"features.{number}.bias"] = 0.1 * torch.randn(out, generator=generator)
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("weights")
    generator = torch.Generator().manual_seed(1)
    torch.save(made_up(ALEX), made / "alexnet-owt-7be5be79.pth")
    torch.save(made_up(VGG), made / "vgg16-397923af.pth")
    lins = {f"lin{n}.model.1.weight": torch.rand(1, shape[0], 1, 1, generator=generator)
            for n, shape in enumerate(ALEX.values())}  # fmt: skip
    torch.save(lins, made / "alex.pth")
    own = {name: torch.rand(1, 1475, 1, 1, generator=generator) for name in ("alpha", "beta")}
    torch.save(own, made / "weights.pt")
    return made


@pytest.fixture(scope="module")
def images() -> tuple[Pixels, Pixels]:
    rng = np.random.default_rng(0)
    hr = np.kron(rng.integers(0, 256, (9, 8, 3)), np.ones((5, 5, 1))).astype(np.uint8)
    sr = np.clip(hr.astype(int) + rng.integers(-30, 31, hr.shape), 0, 255).astype(np.uint8)
    return sr, hr


def net_of(path: Path) -> Net:
    content: dict[str, Any] = torch.load(path, weights_only=True)
    return {name: one.double().numpy() for name, one in content.items()}


def windows(x: Values, side: int, stride: int, padding: int) -> Values:
    """(C, h, w, side, side)."""
    wide = np.pad(x, ((0, 0), (padding, padding), (padding, padding)))
    every = np.lib.stride_tricks.sliding_window_view(wide, (side, side), axis=(1, 2))
    return np.asarray(every[:, ::stride, ::stride])


def convolved(x: Values, net: Net, number: int, stride: int, padding: int) -> Values:
    weight, bias = net[f"features.{number}.weight"], net[f"features.{number}.bias"]
    seen = windows(x, weight.shape[-1], stride, padding)
    y = np.tensordot(weight, seen, axes=([1, 2, 3], [0, 3, 4])) + bias[:, None, None]
    return np.asarray(np.maximum(y, 0))


def inner(pixels: Pixels) -> Values:
    cut = pixels[SHAVE:-SHAVE, SHAVE:-SHAVE]
    return np.asarray(cut.transpose(2, 0, 1) / 255.0)


def colours(values: tuple[float, ...]) -> Values:
    return np.array(values)[:, None, None]


def lpips_by_hand(sr: Pixels, hr: Pixels, folder: Path) -> float:
    net, lins = net_of(folder / "alexnet-owt-7be5be79.pth"), net_of(folder / "alex.pth")

    def seen(pixels: Pixels) -> list[Values]:
        x = 2 * inner(pixels) - 1
        x = (x - colours((-0.030, -0.088, -0.188))) / colours((0.458, 0.448, 0.450))
        first = convolved(x, net, 0, 4, 2)
        second = convolved(windows(first, 3, 2, 0).max((-1, -2)), net, 3, 1, 2)
        third = convolved(windows(second, 3, 2, 0).max((-1, -2)), net, 6, 1, 1)
        fourth = convolved(third, net, 8, 1, 1)
        found = [first, second, third, fourth, convolved(fourth, net, 10, 1, 1)]
        return [x / np.sqrt((x**2).sum(0)) for x in found]

    apart = 0.0
    for n, (a, b) in enumerate(zip(seen(sr), seen(hr), strict=True)):
        lin = lins[f"lin{n}.model.1.weight"][0]
        apart += float((lin * (a - b) ** 2).sum(0).mean())
    return apart


def dists_by_hand(sr: Pixels, hr: Pixels, folder: Path) -> float:
    net, own = net_of(folder / "vgg16-397923af.pth"), net_of(folder / "weights.pt")
    hann = np.outer((0.5, 1, 0.5), (0.5, 1, 0.5)) / 4

    def seen(pixels: Pixels) -> list[Values]:
        image = inner(pixels)
        x = (image - colours((0.485, 0.456, 0.406))) / colours((0.229, 0.224, 0.225))
        found = [image]
        for stage in ((0, 2), (5, 7), (10, 12, 14), (17, 19, 21), (24, 26, 28)):
            if len(found) > 1:
                x = np.sqrt((windows(x**2, 3, 2, 1) * hann).sum((-1, -2)) + 1e-12)
            for number in stage:
                x = convolved(x, net, number, 1, 1)
            found.append(x)
        return found

    alpha, beta = own["alpha"].ravel(), own["beta"].ravel()
    x, y = ([plane for one in seen(pixels) for plane in one] for pixels in (sr, hr))
    alike = 0.0
    for k, (a, b) in enumerate(zip(x, y, strict=True)):
        means = (2 * a.mean() * b.mean() + 1e-6) / (a.mean() ** 2 + b.mean() ** 2 + 1e-6)
        shared = ((a - a.mean()) * (b - b.mean())).mean()
        alike += alpha[k] * means + beta[k] * (2 * shared + 1e-6) / (a.var() + b.var() + 1e-6)
    return float(1 - alike / (alpha.sum() + beta.sum()))


@pytest.mark.parametrize(
    ("name", "size", "by_hand"),
    [("lpips", (37, 35), lpips_by_hand), ("dists", (17, 20), dists_by_hand)],
)
def test_is_that_of_an_independent_computation(
    name: str,
    size: tuple[int, int],
    by_hand: Callable[[Pixels, Pixels, Path], float],
    folder: Path,
    images: tuple[Pixels, Pixels],
) -> None:
    sr, hr = (image[: size[0], : size[1]] for image in images)
    (metric,) = metrics_of([name], folder)
    found = metric.measure(sr, hr, SHAVE)
    assert found > 1e-3
    assert found == pytest.approx(by_hand(sr, hr, folder), rel=1e-3)
    assert metric.measure(hr, hr, SHAVE) == pytest.approx(0, abs=1e-5)


def test_small_photos_are_refused(folder: Path, images: tuple[Pixels, Pixels]) -> None:
    (lpips,) = metrics_of(["lpips"], folder)
    with pytest.raises(InputError, match=r"at least 35 x 35 pixels .* got 34 x 40"):
        lpips.measure(images[0][:34], images[1][:34], SHAVE)
    assert lpips.measure(images[0][:35], images[1][:35], SHAVE) > 0


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "alex.pth: no such file; expected in the --weights folder alexnet-owt.* and alex"),
        (b"x", "alex.pth: cannot be read as weights"),
        ([1], "alex.pth: expected the published file, with lin0.model.1.weight of shape"),
        ({"lin0.model.1.weight": torch.zeros(1, 3, 1, 1)}, r"of shape \(1, 64, 1, 1\)"),
    ],
)
def test_other_files_are_refused(content: Any, message: str, folder: Path, tmp_path: Path) -> None:
    name = "alexnet-owt-7be5be79.pth"
    (tmp_path / name).symlink_to(folder / name)
    if isinstance(content, bytes):
        (tmp_path / "alex.pth").write_bytes(content)
    elif content is not None:
        torch.save(content, tmp_path / "alex.pth")
    with pytest.raises(InputError, match=message):
        metrics_of(["lpips"], tmp_path)
