r"""Every runtime of `nas.deploy.runtimes` beside torch: how far it is from it, and how fast.

    python -m benchmarks.runtimes --network E-RFDN=e_rfdn_x4.safetensors \
        --network IMDN=imdn_x2.safetensors --network RLFN=rlfn_x4.safetensors \
        --network SPAN=span28_x4.safetensors

The networks come from ``nas import``. Differences are the largest at nine sizes, the five that
every export is checked at and four more, in parts of the output's range; those of a network of each
search space, with random weights, come as well. Latencies are of the named networks alone, all
runtimes in turns.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.hardware import header_line, write_result
from benchmarks.published_networks import named
from nas.deploy.formats import FORMATS
from nas.deploy.parity import PARITY_SIZES, check_parity
from nas.deploy.runtimes import RUNTIMES, TORCH
from nas.evaluate.zero_cost import draw_weights
from nas.latency.clock import best_ms, summary, time_until_settled
from nas.latency.runtime import file_runner, torch_runner
from nas.size import parse_size
from search_spaces import Network, Space, build, load, price

MORE_SIZES = ((1, 2, 3), (1, 14, 15), (3, 8, 61), (1, 180, 320))
SCALE, MOST_PARAMS = 4, 300_000
SIZES = (*PARITY_SIZES, *MORE_SIZES)


def of_space(name: str) -> Network:
    """A random network of a space, with weights whose output all of it shows in."""
    space, dice = Space.load(name), np.random.default_rng(0)
    half = {dimension.name: 0.5 for dimension in space.filling}
    point = None
    while point is None:
        point = space.fill(
            space.sample(dice), half, SCALE, lambda a: price(a).params <= MOST_PARAMS
        )
    network = build(space.architecture(point, SCALE)).eval()
    with torch.no_grad():
        draw_weights(network.parameters())
    return network


def files(network: Network, folder: Path) -> dict[str, Path]:
    """The network for each runtime."""
    made: dict[str, Path] = {}
    for name, runtime in RUNTIMES.items():
        made[name] = folder / f"net{runtime.ending}"
        if not made[name].exists():
            FORMATS[runtime.file_format].write(network, made[name])
    return made


def differences(network: Network, found: dict[str, Path], threads: int) -> dict[str, float]:
    """The largest of each runtime."""
    worst = {}
    for name, path in found.items():
        opened = RUNTIMES[name].open(path, threads=threads)
        image = opened.inputs[0].name
        worst[name] = check_parity(
            network, lambda given, opened=opened, image=image: opened.run({image: given}),  # type: ignore[misc]
            sizes=SIZES,
        ).difference  # fmt: skip
    return worst


def latencies(
    network: Network, found: dict[str, Path], lr_size: tuple[int, int], rounds: int
) -> dict[str, Any]:
    """Milliseconds of each runtime, torch included."""
    colors = network.architecture.colors
    entrants: dict[str, Callable[[], object]] = {TORCH: torch_runner(network, colors, lr_size)}
    for name, path in found.items():
        entrants[name] = file_runner(path, colors, lr_size, name)
    laps = time_until_settled(entrants, rounds=rounds, warmup=2, device="cpu")
    told = {}
    for name, of in laps.items():
        passed = summary(of.passed_ms)
        told[name] = {
            "median_ms": round(passed.median_ms, 2), "minimum_ms": round(passed.minimum_ms, 2),
            "processor_ms": round(best_ms(of.own_ms("cpu")), 2), "rounds": passed.rounds,
        }  # fmt: skip
    return told


def main() -> None:
    """Measures, prints and writes the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--network", dest="networks", type=named, action="append", default=[])
    parser.add_argument("--size", default="320x180")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    lr_size = parse_size(args.size)

    print(header_line())
    rows: list[dict[str, Any]] = []
    entrants = {name: load(path) for name, path in args.networks}
    spaces = {f"a network of {name}": of_space(name) for name in Space.names()}
    for name, network in (entrants | spaces).items():
        with tempfile.TemporaryDirectory() as folder:
            found = files(network, Path(folder))
            row: dict[str, Any] = {
                "network": name,
                "scale": network.architecture.scale,
                "params": sum(one.numel() for one in network.parameters()),
                "largest_difference": differences(network, found, args.threads),
            }
            if name in entrants:
                row["latency"] = latencies(network, found, lr_size, args.rounds)
        rows.append(row)
        for runtime, difference in row["largest_difference"].items():
            print(f"{name:28} {runtime:12} within {difference:.1e}", flush=True)
        for runtime, one in row.get("latency", {}).items():
            print(
                f"{name:28} {runtime:12} median {one['median_ms']:.1f}, minimum "
                f"{one['minimum_ms']:.1f}, processor {one['processor_ms']:.1f} ms",
                flush=True,
            )
    facts = {
        "versions": {one.package: version(one.package) for one in RUNTIMES.values()},
        "sizes": [list(size) for size in SIZES],
        "lr_size": list(lr_size),
        "threads": args.threads,
        "results": rows,
    }
    print(f"written to {write_result('runtimes', facts).name}")


if __name__ == "__main__":
    main()
