"""Training steps on LR by chains of degradations against steps on LR by bicubic.

Our loop trains a network so small that the chain counts (ABPN x4) and a usual one (E-RFDN x4,
433K) on LR by bicubic and by each chain that ships, in interleaved blocks, so that a change of the
machine's speed meets all of them. A chain's batch is made beside the step before, by threads; what
it takes with nothing beside it is told as well, and the processor's time of a step, which other
programs on the machine change least.

    python -m benchmarks.training_degradations [--data DIR] [--rounds 5] [--steps 6]
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.hardware import header_line, write_result
from benchmarks.training_throughput import BATCH, SCALE, Ours
from nas.data import Patches, Photo, load_dataset
from nas.data.degradations import chain_names, load_chain
from nas.data.places import PhotoPlaces
from nas.evaluate.precision import best_device, resolve_precision

_LR_SIZE = 24


def compare(
    network: str, photos: Sequence[Photo], *, rounds: int, steps: int, device: torch.device
) -> list[dict[str, Any]]:
    """A step on LR by each chain, how many times bicubic's it takes, and the chain by itself."""
    # What bicubic.yaml does is what is done without a chain.
    chains = {name: load_chain(name) for name in chain_names()}
    loops = {
        name: Ours(
            [replace(one, degradation=None if chain.is_default else chain) for one in photos],
            _LR_SIZE, device, network,
        )
        for name, chain in chains.items()
    }  # fmt: skip
    wall: dict[str, list[float]] = {name: [] for name in loops}
    cpu: dict[str, list[float]] = {name: [] for name in loops}
    for _ in range(rounds):
        for name, loop in loops.items():
            began = time.process_time()
            wall[name] += loop.block(steps)
            # One more than is timed.
            cpu[name].append((time.process_time() - began) / (steps + 1))
    median = {name: statistics.median(seconds) for name, seconds in wall.items()}
    return [
        {
            "network": network,
            "degradation": name,
            "ms_a_step": round(1e3 * median[name], 2),
            "times_bicubic": round(median[name] / median["bicubic"], 3),
            "cpu_ms_a_step": round(1e3 * statistics.median(cpu[name]), 2),
            "ms_a_batch_alone": round(1e3 * _seconds_a_batch(loop.patches, steps), 2),
        }
        for name, loop in loops.items()
    ]


def _seconds_a_batch(patches: Patches, count: int) -> float:
    times = []
    # Far from the steps that the training has come to.
    for step in range(10**6, 10**6 + count):
        began = time.perf_counter()
        patches.batch(step)
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def main() -> None:
    """Measure, print, write results/training_degradations.json."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, help="folder of photos; default: scikit-image's")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=6, help="timed steps of a block")
    parser.add_argument("--no-write", action="store_true", help="leave the stored result alone")
    arguments = parser.parse_args()
    device = best_device()
    precision = str(resolve_precision("auto", device)).removeprefix("torch.")
    print(header_line(), f"our precision: {precision}", sep="\n")
    places = PhotoPlaces.of(arguments.data)
    photos = load_dataset(SCALE, places, lr_size=_LR_SIZE).train
    rows = []
    for network in ("abpn", "e_rfdn"):
        found = compare(
            network, photos, rounds=arguments.rounds, steps=arguments.steps, device=device
        )
        for row in found:
            print("{network:7} {degradation:12} {ms_a_step:7.1f} ms a step, {times_bicubic:.2f} of "
                  "bicubic's; {cpu_ms_a_step:7.1f} ms of processor; a batch alone "
                  "{ms_a_batch_alone:6.1f} ms".format(**row), flush=True)  # fmt: skip
        rows += found
    if not arguments.no_write:
        facts = {"scale": SCALE, "batch": BATCH, "lr_size": _LR_SIZE, "precision": precision,
                 "steps_timed": arguments.rounds * arguments.steps}  # fmt: skip
        name = "training_degradations" + ("" if device.type == "cpu" else f"_{device.type}")
        print("wrote", write_result(name, {**facts, "rows": rows}).name)


if __name__ == "__main__":
    main()
