"""Evaluating E-RFDN x4 on a test set: ours against plain eager float32 NCHW.

Every way does the whole of an evaluation (decode, LR, network, PSNR-Y, SSIM-Y). The ways
take turns image by image, so that a change of the machine's speed meets all of them; each
image counts with its best round.

    python benchmarks/evaluation_speed.py NET.safetensors path/to/Set14 [--rounds 5]
"""

from __future__ import annotations

import argparse
import copy
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.hardware import header_line, write_result
from nas.evaluate.benchmark import Enlarge, Pixels, TestSet, evaluate_set
from nas.evaluate.convolutions import convolutions
from nas.evaluate.quiet import measuring
from nas.evaluate.upscale import upscale
from search_spaces import Network, load

GOAL = 1.5
PSNR_TOLERANCE_DB = 0.005

Way = tuple[Enlarge, Callable[[], AbstractContextManager[None]]]


def plain(network: Network) -> Enlarge:
    """What published test scripts do: contiguous float32 in, float32 out."""

    def enlarge(lr: Pixels) -> Pixels:
        image = torch.from_numpy(np.ascontiguousarray(lr.transpose(2, 0, 1)))[None].float() / 255
        with torch.no_grad():
            sr = network(image)
        pixels = (sr[0] * 255).clamp(0, 255).round().byte().numpy().transpose(1, 2, 0)
        return np.ascontiguousarray(pixels)

    return enlarge


def ways(path: Path, scale: int) -> dict[str, Way]:
    """Name -> the enlarger and the context that it runs in."""
    nchw = load(path)
    ours = copy.deepcopy(nchw).to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def enlarge(lr: Pixels) -> Pixels:
        return upscale(ours, lr, scale)

    return {
        "plain": (plain(nchw), nullcontext),
        "exact": (enlarge, convolutions),
        "fast": (enlarge, lambda: convolutions(ours, fast=True)),
    }


def main() -> None:
    """Measures, prints and writes the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("network", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()

    scale = load(args.network).architecture.scale
    whole = TestSet.open(args.folder.name, args.folder, scale)
    entrants = ways(args.network, scale)
    seconds: dict[str, list[list[float]]] = {name: [[] for _ in whole.pairs] for name in entrants}
    psnr: dict[str, list[float]] = {name: [] for name in entrants}
    ssim: dict[str, list[float]] = {name: [] for name in entrants}
    for turn in range(args.rounds + 1):
        for number, pair in enumerate(whole.pairs):
            one = TestSet(whole.name, scale, (pair,))
            with measuring():
                for name, (enlarge, context) in entrants.items():
                    began = time.perf_counter()
                    with context():
                        quality = evaluate_set(enlarge, one)
                    took = time.perf_counter() - began
                    if turn == 0:  # warms up, and gives the figures
                        psnr[name].append(quality.psnr_y_db)
                        ssim[name].append(quality.ssim_y)
                    else:
                        seconds[name][number].append(took)
    best = {name: sum(min(of) for of in images) for name, images in seconds.items()}
    median = {name: sum(statistics.median(of) for of in images) for name, images in seconds.items()}
    figures = {
        name: {
            "seconds_best": round(best[name], 3),
            "seconds_median": round(median[name], 3),
            "times_plain_best": round(best["plain"] / best[name], 3),
            "times_plain_median": round(median["plain"] / median[name], 3),
            "psnr_y_db": round(statistics.fmean(psnr[name]), 5),
            "ssim_y": round(statistics.fmean(ssim[name]), 6),
        }
        for name in entrants
    }
    print(header_line())
    for name, of in figures.items():
        print(
            f"{name:6} {of['seconds_best']:7.2f} s (median {of['seconds_median']:.2f})  "
            f"{of['times_plain_best']:.2f} times plain (median {of['times_plain_median']:.2f})  "
            f"{of['psnr_y_db']:.4f} dB  {of['ssim_y']:.5f}"
        )
        if abs(of["psnr_y_db"] - figures["plain"]["psnr_y_db"]) > PSNR_TOLERANCE_DB:
            print(f"{name}: more than {PSNR_TOLERANCE_DB} dB off plain")
    written = write_result(
        "evaluation_speed",
        {
            "network": args.network.name,
            "test_set": whole.name,
            "images": len(whole),
            "rounds": args.rounds,
            "goal_times_plain": GOAL,
            "ways": figures,
        },
    )
    print(f"written to {written.name}")


if __name__ == "__main__":
    main()
