"""Architectures priced a second on one core, beside building and counting them.

Every architecture is a random point of the `distillation` space and every one is different, as
in a search. "Priced" is `search_spaces.price` on a ready Architecture; "proposed and priced"
begins at the point, so that validation and canonical form are paid too. Caches are emptied
before each round. The baseline builds the network on torch's meta device (no memory, no
initial weights) and counts it with `torch.utils.flop_counter.FlopCounterMode`.

    python -m benchmarks.pricing_speed [--count 2000] [--baseline 40] [--rounds 3]
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.hardware import header_line, write_result
from search_spaces import Architecture, Space, build, price
from search_spaces import cost as cost_module
from search_spaces.cost import lr_size

SCALE = 4
HR = (720, 1280)
GOAL = 2_000  # a second, proposed and priced


def random_points(space: Space, count: int) -> list[dict[str, Any]]:
    """``count`` random points that make different networks."""
    rng = random.Random(0)
    points: dict[str, dict[str, Any]] = {}
    while len(points) < count:
        point: dict[str, Any] = {}
        for dimension in space.active(point):
            point[dimension.name] = rng.choice(dimension.labels or dimension.grid)
        points.setdefault(space.architecture(point, SCALE).hash, point)
    return list(points.values())


def forget() -> None:
    """Empties every cache of the pricing module."""
    for value in vars(cost_module).values():
        if hasattr(value, "cache_clear"):
            value.cache_clear()


def a_second(work: Callable[[Any], object], items: Sequence[Any]) -> float:
    """Items a second of processor time, each seen once, from cold caches."""
    forget()
    began = time.process_time()
    for item in items:
        work(item)
    return len(items) / (time.process_time() - began)


def built_and_counted(architecture: Architecture) -> tuple[int, int]:
    """Parameters and multiply-adds as torch counts them."""
    with torch.device("meta"):
        network = build(architecture)
        image = torch.empty(1, architecture.colors, *lr_size(SCALE, HR))
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        network(image)
    return sum(p.numel() for p in network.parameters()), counter.get_total_flops() // 2


def main() -> None:
    """Measure, print, write results/pricing_speed.json."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--count", type=int, default=2_000, help="architectures of a round")
    parser.add_argument("--baseline", type=int, default=40, help="of those built and counted")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-write", action="store_true", help="leave the stored result alone")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print(header_line())
    space = Space.load("distillation")
    points = random_points(space, arguments.count)
    architectures = [space.architecture(point, SCALE) for point in points]
    few = architectures[: arguments.baseline]

    for architecture in few:  # the two ways have to agree, or their speeds say nothing
        ours = price(architecture, HR)
        assert (ours.params, ours.macs) == built_and_counted(architecture)

    def proposed_and_priced(point: dict[str, Any]) -> object:
        return price(space.architecture(point, SCALE), HR)

    rates: dict[str, list[float]] = {"priced": [], "proposed_and_priced": [], "baseline": []}
    for _ in range(arguments.rounds):
        rates["priced"].append(a_second(lambda a: price(a, HR), architectures))
        rates["proposed_and_priced"].append(a_second(proposed_and_priced, points))
        rates["baseline"].append(a_second(built_and_counted, few))
    median = {name: statistics.median(values) for name, values in rates.items()}
    figures = {
        "space": space.name,
        "architectures": len(points),
        "baseline_architectures": len(few),
        "rounds": arguments.rounds,
        "a_second_on_one_core": {
            name: {
                "median": round(median[name], 1),
                "min": round(min(values), 1),
                "max": round(max(values), 1),
            }
            for name, values in rates.items()
        },
        "ratio_priced": round(median["priced"] / median["baseline"], 1),
        "ratio_proposed_and_priced": round(median["proposed_and_priced"] / median["baseline"], 1),
        "goal_proposed_and_priced": GOAL,
    }
    for name, rate in median.items():
        print(f"{name.replace('_', ' '):>20}: {rate:10,.1f} architectures a second")
    print(f"{'ratio':>20}: {figures['ratio_priced']:,} times the baseline; with proposing ", end="")
    print(f"{figures['ratio_proposed_and_priced']:,} times (goal {GOAL:,} a second)")
    if not arguments.no_write:
        print(write_result("pricing_speed", figures))


if __name__ == "__main__":
    main()
