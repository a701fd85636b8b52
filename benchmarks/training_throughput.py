"""Training steps a second: our loop against the plain loop of the field.

Plain is what published super-resolution code does: float32, contiguous NCHW, PNG files decoded,
cropped and augmented sample by sample in a Dataset behind a torch DataLoader with worker
processes, Adam, L1. ``ready`` is plain with its batch already in memory: what is left of the
ratio when data costs nothing. All three train the same network (E-RFDN x4, 433K) and run in
interleaved blocks, so that a change of the machine's speed meets all of them. With ``--losses``
our loop is timed by each loss that a recipe may name instead, on a network so small that the loss
counts (ABPN x4) and on E-RFDN, against l1.

    python -m benchmarks.training_throughput [--data DIR] [--rounds 5] [--steps 6] [--losses]
"""

from __future__ import annotations

import argparse
import itertools
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.hardware import header_line, write_result
from nas.data import Patches, Photo, load_dataset
from nas.data.aligned import aligned
from nas.data.places import PhotoPlaces
from nas.evaluate.precision import best_device, resolve_precision
from nas.training.loop import train
from nas.training.losses import DISTANCES
from nas.training.recipe import Loss, Recipe
from nas.training.state import seeded, start
from search_spaces import build, preset

SCALE = 4
BATCH = 16
WORKERS = 2
GOALS_ON_CPU = {48: 3.0, 24: 2.0}

Pair = tuple[Tensor, Tensor]


class PngPatches(Dataset[Pair]):
    """One random patch a sample, from PNG files of HR and LR that are decoded each time."""

    def __init__(self, pairs: Sequence[tuple[Path, Path]], lr_size: int, length: int) -> None:
        self.pairs, self.lr_size, self.length = pairs, lr_size, length

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> Pair:
        hr_path, lr_path = self.pairs[index % len(self.pairs)]
        hr, lr = np.asarray(Image.open(hr_path)), np.asarray(Image.open(lr_path))
        size = self.lr_size
        y = random.randrange(lr.shape[0] - size + 1)
        x = random.randrange(lr.shape[1] - size + 1)
        lr = lr[y : y + size, x : x + size]
        y, x, size = y * SCALE, x * SCALE, size * SCALE
        hr = hr[y : y + size, x : x + size]
        if random.random() < 0.5:
            lr, hr = lr[:, ::-1], hr[:, ::-1]
        if random.random() < 0.5:
            lr, hr = lr[::-1], hr[::-1]
        if random.random() < 0.5:
            lr, hr = lr.transpose(1, 0, 2), hr.transpose(1, 0, 2)
        return _chw(lr), _chw(hr)


def _chw(pixels: np.ndarray[Any, np.dtype[np.uint8]]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1))).float() / 255


def write_pngs(photos: Sequence[Photo], folder: Path) -> list[tuple[Path, Path]]:
    """HR and LR of every photo as PNG files, as DIV2K is laid out."""
    pairs = []
    for index, photo in enumerate(photos):
        lr, hr = aligned(photo, SCALE)
        paths = folder / f"{index:04d}.png", folder / f"{index:04d}x{SCALE}.png"
        Image.fromarray(hr).save(paths[0])
        Image.fromarray(lr).save(paths[1])
        pairs.append(paths)
    return pairs


def network(name: str = "e_rfdn") -> nn.Module:
    """The same network with the same weights each time."""
    return seeded(lambda: build(preset(name, scale=SCALE)), 0)


class Plain:
    """The field's loop; the batches come from ``batches()``."""

    def __init__(self, batches: Callable[[], Iterator[Pair]], warm: int, device: torch.device):
        self.batches, self.warm, self.device = batches, warm, device
        self.network = network().to(device)
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=2e-4)

    def block(self, steps: int) -> list[float]:
        """Seconds of each of ``steps`` steps, after as many untimed ones as were prefetched."""
        source = self.batches()
        times = []
        for _ in range(self.warm + steps):
            began = time.perf_counter()
            lr, hr = next(source)
            lr, hr = lr.to(self.device), hr.to(self.device)
            self.optimizer.zero_grad()
            loss = F.l1_loss(self.network(lr), hr)
            loss.backward()
            self.optimizer.step()
            loss.item()
            times.append(time.perf_counter() - began)
        return times[self.warm :]


class Ours:
    """`nas.training.loop.train` on `nas.data.Patches`."""

    def __init__(
        self, photos: Sequence[Photo], lr_size: int, device: torch.device,
        name: str = "e_rfdn", loss: Loss = "l1",
    ) -> None:  # fmt: skip
        self.recipe = Recipe(steps=10**6, batch=BATCH, lr_size=lr_size, loss=loss)
        self.patches = Patches.of(photos, SCALE, self.recipe)
        self.state = start(network(name), self.recipe, device=device)

    def block(self, steps: int) -> list[float]:
        """Seconds of each of ``steps`` steps, after one untimed."""
        times = []
        for _ in range(1 + steps):
            began = time.perf_counter()
            train(self.state, self.patches, self.recipe, self.state.step + 1)
            times.append(time.perf_counter() - began)
        return times[1:]


def compare(
    photos: Sequence[Photo],
    pairs: Sequence[tuple[Path, Path]],
    lr_size: int,
    *,
    rounds: int,
    steps: int,
    device: torch.device,
) -> dict[str, Any]:
    """Times of the three loops on patches of ``lr_size`` LR pixels, and their ratios."""
    # Workers start anew with every block, so that they rest while the others are timed; what
    # they have prefetched by then is used up by untimed steps.
    dataset = PngPatches(pairs, lr_size, length=10**6)

    def loaded() -> Iterator[Pair]:
        return iter(DataLoader(dataset, BATCH, shuffle=False, num_workers=WORKERS))

    ready = tuple(
        torch.stack(part) for part in zip(*(dataset[i] for i in range(BATCH)), strict=True)
    )
    contenders: dict[str, Plain | Ours] = {
        "plain": Plain(loaded, 2 * WORKERS + 1, device),
        "ready": Plain(lambda: itertools.repeat(ready), 1, device),  # type: ignore[arg-type]
        "ours": Ours(photos, lr_size, device),
    }
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, contender in contenders.items():
            times[name] += contender.block(steps)
    median = {name: statistics.median(values) for name, values in times.items()}
    return {
        "lr_size": lr_size,
        "batch": BATCH,
        "steps_timed": rounds * steps,
        "plain_workers": WORKERS,
        "seconds_a_step": {
            name: {"median": round(median[name], 5), "min": round(min(values), 5)}
            for name, values in times.items()
        },
        "ratio": round(median["plain"] / median["ours"], 2),
        "ratio_without_data": round(median["ready"] / median["ours"], 2),
        "ratio_of_minima": round(min(times["plain"]) / min(times["ours"]), 2),
        "goal": GOALS_ON_CPU[lr_size] if device.type == "cpu" else None,
    }


def compare_losses(
    photos: Sequence[Photo], lr_size: int, *, rounds: int, steps: int, device: torch.device
) -> list[dict[str, Any]]:
    """A step by each loss, and how many times l1's it takes."""
    found = []
    for name in ("abpn", "e_rfdn"):
        loops = {loss: Ours(photos, lr_size, device, name, loss) for loss in DISTANCES}
        times: dict[str, list[float]] = {loss: [] for loss in loops}
        for _ in range(rounds):
            for loss, loop in loops.items():
                times[loss] += loop.block(steps)
        median = {loss: statistics.median(values) for loss, values in times.items()}
        found += [
            {"network": name, "lr_size": lr_size, "batch": BATCH, "steps_timed": rounds * steps,
             "loss": loss, "seconds_a_step": round(seconds, 5),
             "times_l1": round(seconds / median["l1"], 3)}
            for loss, seconds in median.items()
        ]  # fmt: skip
    return found


def main() -> None:
    """Measure, print, write results/training_throughput.json."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, help="folder of photos; default: scikit-image's")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=6, help="timed steps of a block")
    parser.add_argument("--lr-size", type=int, nargs="+", default=list(GOALS_ON_CPU))
    parser.add_argument("--losses", action="store_true", help="time the losses of recipes instead")
    parser.add_argument("--no-write", action="store_true", help="leave the stored result alone")
    arguments = parser.parse_args()
    device = best_device()
    precision = str(resolve_precision("auto", device)).removeprefix("torch.")
    print(header_line(), f"our precision: {precision}", sep="\n")
    photos = load_dataset(SCALE, PhotoPlaces(arguments.data), lr_size=max(arguments.lr_size)).train
    results = []
    if arguments.losses:
        for lr_size in arguments.lr_size:
            results += compare_losses(
                photos, lr_size, rounds=arguments.rounds, steps=arguments.steps, device=device
            )
        for row in results:
            print("{network:8} LR patch {lr_size}, {loss:12} {seconds_a_step:.4f} s, "
                  "{times_l1:.2f} of l1's".format(**row))  # fmt: skip
        if not arguments.no_write:
            name = "training_losses" + ("" if device.type == "cpu" else f"_{device.type}")
            print("wrote", write_result(name, {"precision": precision, "steps": results}).name)
        return
    with tempfile.TemporaryDirectory() as folder:
        pairs = write_pngs(photos, Path(folder))
        for lr_size in arguments.lr_size:
            result = compare(
                photos,
                pairs,
                lr_size,
                rounds=arguments.rounds,
                steps=arguments.steps,
                device=device,
            )
            results.append(result)
            print(f"LR patch {lr_size}, batch {BATCH}, {result['steps_timed']} steps each:")
            for name, seconds in result["seconds_a_step"].items():
                print(f"  {name:6} median {seconds['median']:.4f} s, min {seconds['min']:.4f} s")
            print(
                f"  plain / ours {result['ratio']:.2f} (goal on a CPU: {GOALS_ON_CPU[lr_size]}), "
                f"of minima {result['ratio_of_minima']:.2f}, "
                f"without data {result['ratio_without_data']:.2f}",
                flush=True,
            )
    if not arguments.no_write:
        name = "training_throughput" + ("" if device.type == "cpu" else f"_{device.type}")
        print("wrote", write_result(name, {"precision": precision, "comparisons": results}).name)


if __name__ == "__main__":
    main()
