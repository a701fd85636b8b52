"""What pays when a network is trained to the end: one thing at a time against the recipe `fast`.

    SR_DATA=path/to/data python -m benchmarks.way_to_the_end          # goes on where it stopped
    python -m benchmarks.way_to_the_end --summary
    python -m benchmarks.way_to_the_end --quick                       # minutes: does it run?
    python -m benchmarks.way_to_the_end --only teacher "teacher + cosine" --steps 4000 --seeds 0 1

E-RFDN at 42 channels (310 K, x4), a plain trunk (58 K, x4) and one of 15 K (x2) train on T91,
BSD200 and BSDS500T apart from the last 20 photos of BSD200, which judge; SESR-M11 where it is asked
for by its name. A variation is one thing
that differs from the base: a published network as teacher, beside the photos or alone, weights to
begin with (of the same trunk at x2 after as many steps, or the proxy's), no average of the weights,
larger patches at the end, Adam, other schedules and losses, a larger batch. It trains for as many
steps as the base, and where its steps cost a seventh more or worse, a second time for as long as
the base. The trainings that weights to begin with come from are not counted in. What is good after
2,000 steps is trained for 8,000, together and by itself. Trainings are kept in --work, and rows are
written as they come.

Seconds are those of one core, from steps timed in turns with the base's. Where a base step takes
80, 18 and 10 ms, the plan in its order is, in core-hours: 0.5 for what matters most with the
largest network, 0.35 for all variations with the small ones; 0.45 and 0.3 to train what is good
longer; a second seed 0.35 and 0.5; the other variations with the largest network 0.35.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from benchmarks.hardware import RESULTS, header_line, write_result
from benchmarks.way_to_the_end.cases import CASES, VARIATIONS, variation_of
from benchmarks.way_to_the_end.plan import SCREENING, Job, Row, Rows, plan, screening
from benchmarks.way_to_the_end.trainings import found
from nas.locks import locked

QUICK_STEPS = 24


def main() -> None:
    """Trains what is missing, and tells what came out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, default=Path("runs") / "way_to_the_end")
    parser.add_argument("--quick", action="store_true", help="few steps; the result is not kept")
    parser.add_argument("--only", nargs="*", metavar="VARIATION", help="by name, or A + B")
    parser.add_argument("--network", nargs="*", choices=list(CASES), default=list(CASES))
    parser.add_argument("--steps", type=int, help=f"of --only; default {SCREENING}")
    parser.add_argument("--seeds", type=int, nargs="*", default=[0], help="of --only")
    parser.add_argument("--summary", action="store_true", help="train nothing")
    arguments = parser.parse_args()
    for name in arguments.only or ():
        variation_of(name)
    torch.set_num_threads(1)
    print(header_line(), flush=True)
    work: Path = arguments.work / "quick" if arguments.quick else arguments.work
    work.mkdir(parents=True, exist_ok=True)
    rows = Rows((work if arguments.quick else RESULTS) / "way_to_the_end.csv")
    if not arguments.summary:
        for job in _jobs(arguments, rows):
            if job.case.name in arguments.network:
                do(job, rows, work)
    show(rows)
    if not arguments.quick:
        print(f"written to {write_result('way_to_the_end', {'trainings': summary(rows)})}")


def _jobs(arguments: argparse.Namespace, rows: Rows) -> Iterator[Job]:
    if not (arguments.quick or arguments.only or arguments.steps):
        yield from plan(rows)
        return
    steps = arguments.steps or (QUICK_STEPS if arguments.quick else SCREENING)
    for seed in arguments.seeds:
        for case in CASES.values():
            yield from screening(rows, case, arguments.only or list(VARIATIONS), seed, steps)


def do(job: Job, rows: Rows, work: Path) -> None:
    """A training that nobody has done or is doing."""
    lock = work / f"{', '.join(map(str, job.key))}.lock"
    with locked(lock, wait=False) as mine:
        if not mine or rows.of(job) is not None:
            return
        steps = rows.steps(job)
        one = found(job.case, job.variation, job.seed, job.base_steps, steps, work)
        with locked(work / "rows.lock", wait=True):
            row = rows.add(job, steps, one.seconds, one.share, one.psnr_y_db)
    print(_line(row), flush=True)


def _line(row: Row) -> str:
    return (
        f"{row.network:>10}  {row.steps:>6} steps  seed {row.seed}  {row.variation:<36}"
        f"{row.psnr_y_db:7.3f} dB  {row.gain_db:+.3f}  in {row.seconds:6.0f} s, "
        f"{row.share_of_base_seconds:.2f} of the base's"
    )


def _groups(rows: Rows) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = {}
    for row in rows.all():
        groups.setdefault(f"{row.network}, {row.base_steps} steps", []).append(row)
    return groups


def summary(rows: Rows) -> dict[str, dict[str, dict[str, Any]]]:
    """Mean gains over the seeds, by network and steps, and by variation."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for group, some in _groups(rows).items():
        own = found.setdefault(group, {})
        for name in dict.fromkeys(row.variation for row in some):
            each = [row for row in some if row.variation == name]
            own[name] = {
                "steps": each[0].steps,
                "psnr_y_db": round(statistics.mean(row.psnr_y_db for row in each), 4),
                "gain_db": round(statistics.mean(row.gain_db for row in each), 4),
                "each_gain_db": [row.gain_db for row in each],
                "share_of_base_seconds": statistics.median(
                    row.share_of_base_seconds for row in each
                ),
            }
    return found


def show(rows: Rows) -> None:
    """The rows, the best of each network and length first."""
    for some in _groups(rows).values():
        print()
        for row in sorted(some, key=lambda row: -row.gain_db):
            print(_line(row))


if __name__ == "__main__":
    main()
