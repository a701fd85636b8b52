"""Evaluating E-RFDN x4 on a test set: ours against plain eager float32 NCHW.

Every way does the whole of an evaluation (decode, LR, network, PSNR-Y, SSIM-Y) with the same
functions. ``plain`` does it as published test scripts do, one thing after another; ``ours`` is
what ``nas evaluate`` does: channels_last, and one image a core. The ways take turns, so that a
change of the machine's speed meets both.

    python -m benchmarks.evaluation_speed NET.safetensors path/to/Set14 [--rounds 8]
"""

from __future__ import annotations

import argparse
import copy
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.hardware import header_line, write_result
from nas.evaluate.benchmark import Pixels, TestSet, evaluate_set
from nas.evaluate.exact import exact_convolutions
from nas.evaluate.upscale import upscale
from nas.evaluate.validate import Quality, score
from nas.quiet import measuring
from search_spaces import Network, load

GOAL = 1.5
PSNR_TOLERANCE_DB = 0.005

Way = Callable[[], Quality]


def plain(network: Network, test_set: TestSet) -> Quality:
    """What published test scripts do: contiguous float32 in, float32 out, image by image."""

    def enlarge(lr: Pixels) -> Pixels:
        image = torch.from_numpy(np.ascontiguousarray(lr.transpose(2, 0, 1)))[None].float() / 255
        with torch.no_grad():
            sr = network(image)
        pixels = (sr[0] * 255).clamp(0, 255).round().byte().numpy().transpose(1, 2, 0)
        return np.ascontiguousarray(pixels)

    references = (test_set.reference(number) for number in range(len(test_set)))
    return score(enlarge, references, test_set.scale)


def ours(network: Network, test_set: TestSet) -> Quality:
    """What ``nas evaluate`` does."""
    with exact_convolutions():
        return evaluate_set(
            lambda lr: upscale(network, lr, test_set.scale),
            test_set,
            workers=min(4, torch.get_num_threads()),
        )


def main() -> None:
    """Measures, prints and writes the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("network", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=8)
    args = parser.parse_args()

    scale = load(args.network).architecture.scale
    whole = TestSet.open(args.folder.name, args.folder, scale)
    nchw = load(args.network)
    nhwc = copy.deepcopy(nchw).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    entrants: dict[str, Way] = {
        "plain": lambda: plain(nchw, whole),
        "ours": lambda: ours(nhwc, whole),
    }
    # The first round warms up, and gives the figures.
    qualities = {name: way() for name, way in entrants.items()}
    seconds: dict[str, list[float]] = {name: [] for name in entrants}
    for _ in range(args.rounds):
        for name, way in entrants.items():
            with measuring():
                began = time.perf_counter()
                way()
                seconds[name].append(time.perf_counter() - began)
    best = {name: min(of) for name, of in seconds.items()}
    median = {name: statistics.median(of) for name, of in seconds.items()}
    figures = {
        name: {
            "seconds_best": round(best[name], 3),
            "seconds_median": round(median[name], 3),
            "times_plain_best": round(best["plain"] / best[name], 3),
            "times_plain_median": round(median["plain"] / median[name], 3),
            "psnr_y_db": round(qualities[name].psnr_y_db, 5),
            "ssim_y": round(qualities[name].ssim_y, 6),
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
