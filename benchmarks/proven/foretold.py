"""Which short training foretells the end, for networks of one price.

    SR_DATA=path/to/data python -m benchmarks.proven.foretold            # goes on where it stopped
    python -m benchmarks.proven.foretold --summary

Networks of the class "x2 10K": its published design, the distillation family, and some drawn at
random from two spaces that take nine tenths of its price or more. Each trains four times,
from scratch, by the recipe `fast`: with 320 steps, as many as searches rank by, with 1,000, with
4,000, and with 20,000, the end. Printed is Kendall's tau of every short training with the end, and
of the lines through two of them drawn on to it (nas/audit/extrapolate.py). Validation photos alone:
the last 20 of BSD200.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from itertools import combinations, islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.stats import kendalltau

from benchmarks.hardware import RESULTS, header_line, write_result
from benchmarks.proven.classes import CLASSES, WeightClass
from benchmarks.proven.trainings import Job, Row, Rows, trained
from nas.audit.extrapolate import log_linear
from search_spaces import Architecture, Space, price

CLASS, DRAWN, LEAST_SHARE = "x2 10K", 5, 0.9
SPACES = ("fast-luma", "distillation-luma")
SHORT, END = (320, 1_000, 4_000), 20_000
_SHORT_SEED, _END_SEED = 7, 0


def main() -> None:
    """Does what is missing, and tells what came out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, default=Path("runs") / "proven")
    parser.add_argument("--summary", action="store_true", help="train nothing")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print(header_line(), flush=True)
    one, rows = CLASSES[CLASS], Rows(RESULTS / "foretold.csv")
    arguments.work.mkdir(parents=True, exist_ok=True)
    for job in () if arguments.summary else jobs(one):
        row = trained(one, job, rows, arguments.work)
        if row is not None:
            print(
                f"{row.network:<24} {row.params:>7,}  {row.steps:>6} steps  {row.psnr_y_db:.3f} dB "
                f"in {row.seconds:.0f} s", flush=True,
            )  # fmt: skip
    figures = account(rows.all())
    for name, tau in figures["tau"].items():
        print(f"  {name:<28} tau {tau:.2f} with {END:,} steps, {figures['networks']} networks")
    if not arguments.summary:
        print(f"written to {write_result('foretold', figures)}")


def jobs(one: WeightClass) -> Iterator[Job]:
    """The trainings, network by network, so that what is there is of use at any time."""
    for name, arch in networks(one).items():
        yield Job(one.name, name, "end", arch, _END_SEED, END)
        for steps in SHORT:
            yield Job(one.name, name, "short", arch, _SHORT_SEED, steps)


def networks(one: WeightClass) -> Mapping[str, Architecture]:
    """Published and drawn ones, those of the spaces in turns."""
    found = {**one.published, **one.family}
    drawn = [list(islice(_drawn(one, name), DRAWN)) for name in SPACES]
    for number, each in enumerate(zip(*drawn, strict=True)):
        found |= {f"{space} {number}": arch for space, arch in zip(SPACES, each, strict=True)}
    return found


def _drawn(one: WeightClass, space_name: str) -> Iterator[Architecture]:
    """Different random networks of a space that fill the class."""
    space, rng, seen = Space.load(space_name), np.random.default_rng(0), set()
    while True:
        labels = space.sample(rng)
        fractions = {d.name: float(rng.random()) for d in space.filling}
        point = space.fill(labels, fractions, one.scale, one.holds)
        if point is None:
            continue
        arch = space.architecture(point, one.scale)
        if price(arch).params >= LEAST_SHARE * one.params and arch.hash not in seen:
            seen.add(arch.hash)
            yield arch


def account(rows: list[Row]) -> dict[str, Any]:
    """Kendall's tau of each signal with the end, over networks of which all is there."""
    reached: dict[str, dict[int, float]] = {}
    for row in rows:
        reached.setdefault(row.network, {})[row.steps] = row.psnr_y_db
    whole = {name: at for name, at in reached.items() if at.keys() >= {*SHORT, END}}
    at = {steps: [one[steps] for one in whole.values()] for steps in (*SHORT, END)}
    signals: dict[str, Any] = {f"{steps:,} steps": at[steps] for steps in SHORT}
    for first, second in combinations(SHORT, 2):
        pairs = list(zip(at[first], at[second], strict=True))
        signals[f"{first:,} and {second:,} drawn on"] = (
            log_linear(pairs, (first, second), END) if pairs else []
        )
    told = len(whole) > 2
    return {
        "class": CLASS, "networks": len(whole), "each_db": whole,
        "tau": {name: round(float(kendalltau(signal, at[END]).statistic), 3) if told else 0.0
                for name, signal in signals.items()},
    }  # fmt: skip


if __name__ == "__main__":
    main()
