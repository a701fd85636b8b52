"""How near pruning comes to random budgets: 20 between 30% and 90% of every preset.

Half of the budgets are of parameters, half of multiply-adds; training forms are folded first.
Every plan is carried out on untrained weights, and the network is built anew from its file and
compared bit by bit. Pruning is timed without the reading and writing of files.

    python -m benchmarks.compress_budgets [--budgets 20] [--scale 4] [--presets NAME ...]
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.hardware import header_line, write_result
from compress.importance import measure
from compress.plan import cost_of, plan
from compress.surgery import cut, prunable, scores_of
from compress.widths import prunable_widths
from search_spaces import build, load, preset, preset_names, save_weights

FIGURES = ("params", "macs")
GOAL = 0.03


def measured(name: str, scale: int, budgets: int, folder: Path) -> dict[str, Any]:
    """Gaps below the budgets of one preset, and whether its files rebuild to the bit."""
    torch.manual_seed(0)
    rng = random.Random(name)
    network = prunable(build(preset(name, scale)))
    widths = prunable_widths(network.architecture, 4)
    scores, importance = scores_of(network, widths, measure("lamp"))
    image = torch.rand(1, network.architecture.colors, 20, 17)
    gaps, seconds, identical = [], [], 0
    for k in range(budgets):
        figure = FIGURES[k % 2]
        limit = rng.uniform(0.3, 0.9) * cost_of(network.architecture, figure)
        began = time.perf_counter()
        planned = plan(network.architecture, widths, scores, figure, limit)
        pruned = cut(network, importance, planned.architecture)
        seconds.append(time.perf_counter() - began)
        gaps.append(1 - cost_of(pruned.architecture, figure) / limit)
        path = folder / "net.safetensors"
        save_weights(pruned, path)
        with torch.inference_mode():
            identical += torch.equal(load(path)(image), pruned.eval()(image))
    return {
        "largest_gap": round(max(gaps), 5),
        "mean_gap": round(sum(gaps) / budgets, 5),
        "over_budget": sum(gap < 0 for gap in gaps),
        "bit_identical": identical,
        "mean_seconds": round(sum(seconds) / budgets, 2),
        "widths": len(widths),
    }


def main() -> None:
    """Measure, print, write results/compress_budgets.json."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--budgets", type=int, default=20)
    parser.add_argument("--scale", type=int, default=4)
    parser.add_argument("--presets", nargs="*", default=preset_names())
    parser.add_argument("--no-write", action="store_true", help="leave the stored result alone")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print(header_line())
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.presets:
            one = measured(name, arguments.scale, arguments.budgets, Path(folder))
            results[name] = one
            print(
                f"{name:>12}: {one['largest_gap']:6.2%} below at most, {one['mean_gap']:6.2%} on "
                f"average, {one['bit_identical']}/{arguments.budgets} bit-identical, "
                f"{one['mean_seconds']:.2f} s",
                flush=True,
            )
    worst = max(one["largest_gap"] for one in results.values())
    print(f"Largest gap {worst:.2%} (goal {GOAL:.0%})")
    if not arguments.no_write:
        figures = {"scale": arguments.scale, "budgets": arguments.budgets, "goal": GOAL}
        path = write_result(
            "compress_budgets", {**figures, "largest_gap": worst, "presets": results}
        )
        print(path)


if __name__ == "__main__":
    main()
