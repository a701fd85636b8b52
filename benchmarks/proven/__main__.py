"""What the search finds in a class of small networks, trained to the end, beside published designs.

    SR_DATA=path/to/data python -m benchmarks.proven                 # goes on where it stopped
    python -m benchmarks.proven --only "x2 10K" "x2 13K"
    python -m benchmarks.proven --summary                            # trains nothing
    python -m benchmarks.proven --only "x2 10K" --searches "fast-luma quick"
    python -m benchmarks.proven --latency                            # once, when all is trained

A class is a price: the parameters and multi-adds (at a 1280x720 output) of a published design, at
x2 on luma; 150 K and 320 K at x4 in colour; and SPAN's parameters and latency on this machine, for
which the space `fast` is searched. In each a search of so many networks takes place in the spaces
of the class, by the quick profile or, at x2 and for `fused`, the standard one, and one that limits
latency as well, to what a published design of the class takes here. The best five of each train by
the recipe `fast` for a fifth of the steps, the best two of these (at x4 the best) to the end, as do
the published designs and the distillation family at the width that the class holds (at x2 the best
of it after a fifth of the steps), all alike and with the same seeds. One published design of each
class at x2 trains twice as long, to show that the end is one. Training photos are T91, BSD200 and
BSDS500T; the last 20 of BSD200 choose. Set5 and Set14 choose nothing: a training to the end is
evaluated on them when it is done. `--latency` measures all of a class in turns. Trainings are kept
in --work, what searches sent on and the rows of trainings with the results, as they come, and
several processes may share the work.
`python -m benchmarks.proven.picture` draws what came out.

The plan in core-hours, at 5 to 12 ms a step for the classes at x2 and 40 to 90 ms for those at x4:
searches 0.2 each at x2 and 0.7 at x4 (by the standard profile 1.3); trainings to the end 0.5 to 1 a
class at x2, 3 and 6 at x4, and 1 in SPAN's class, which ends at 4,000 steps: some 15 in all.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

from benchmarks.hardware import RESULTS, header_line, write_result
from benchmarks.narrowed import told
from benchmarks.proven.account import account, architectures, compare, keep, show, timed
from benchmarks.proven.candidates import Candidates
from benchmarks.proven.classes import CLASSES, WeightClass
from benchmarks.proven.trainings import Job, Row, Rows, searched, trained
from search_spaces import Architecture

TRIALS = 52
SEEDS = (0, 1)
_CANDIDATES, _SHARE, _CHOOSING = 5, 5, 7
_QUICK = 40


def main() -> None:
    """Does what is missing, and tells what came out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, default=Path("runs") / "proven")
    parser.add_argument("--only", nargs="*", choices=list(CLASSES), default=list(CLASSES))
    parser.add_argument("--searches", nargs="*", metavar="SEARCH", help='such as "fast quick"')
    parser.add_argument("--known", action="store_true", help="published designs alone, no search")
    parser.add_argument("--quick", action="store_true", help="few steps; the result is not kept")
    parser.add_argument("--summary", action="store_true", help="train nothing")
    parser.add_argument("--latency", action="store_true", help="measure it; train nothing")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print(header_line(), flush=True)
    work: Path = arguments.work / "quick" if arguments.quick else arguments.work
    work.mkdir(parents=True, exist_ok=True)
    results = work if arguments.quick else RESULTS
    rows = Rows(results / "proven.csv")
    candidates = Candidates(results / "proven_candidates.json")
    steps = _QUICK if arguments.quick else None
    for name in arguments.only:
        if arguments.summary or arguments.latency:
            break
        one = CLASSES[name]
        for job in (
            known(one, rows, steps) if arguments.known
            else plan(one, rows, candidates, work, steps, arguments.searches)
        ):  # fmt: skip
            row = trained(one, job, rows, work)
            if row is not None:
                print(_line(row), flush=True)
    measured = {} if arguments.quick else _measured()
    figures = {name: account(CLASSES[name], rows.all()) for name in arguments.only}
    for name, own in figures.items():
        keep(measured.get(name, {}), own)
        if arguments.latency:
            timed(own, architectures(CLASSES[name], own, candidates))
        compare(CLASSES[name], own, len(SEEDS))
    show(figures)
    if not arguments.quick:
        print(f"written to {write_result('proven', {'classes': measured | figures})}")


def _measured() -> dict[str, Any]:
    """The classes as they stand in the result, so that one is measured without the others."""
    file = RESULTS / "proven.json"
    return dict(json.loads(file.read_text())["classes"]) if file.is_file() else {}


def known(one: WeightClass, rows: Rows, steps: int | None = None) -> Iterator[Job]:
    """The trainings of a class that hang on no search."""
    end = steps or one.steps
    yield from _all(one, "published", one.published, end)
    yield from _best(one, "family", one.family, one.of_family, rows, end)
    if one.doubled:
        first = next(iter(one.published))
        yield Job(one.name, first, "twice", one.published[first], SEEDS[0], 2 * end)


def plan(
    one: WeightClass, rows: Rows, candidates: Candidates, work: Path, steps: int | None = None,
    searches: Collection[str] | None = None,
) -> Iterator[Job]:  # fmt: skip
    """A class's trainings in their order; the later ones hang on the rows of the earlier."""
    end, trials = steps or one.steps, TRIALS if steps is None else 2
    for wait in (False, True):
        # Some learn quickly and some go further in the end: each search sends its best.
        for search in one.searches:
            if searches is not None and search.label not in searches:
                continue
            found = searched(one, search, trials, work, candidates, _CANDIDATES, told, wait=wait)
            yield from _best(one, search.part, found, one.finalists, rows, end)
        if not wait:
            yield from known(one, rows, steps)


def _best(
    one: WeightClass, part: str, networks: Mapping[str, Architecture], count: int, rows: Rows,
    end: int,
) -> Iterator[Job]:  # fmt: skip
    """The best after a fifth of the steps, to the end; all of them where there are no more."""
    if len(networks) > count:
        chosen = [
            Job(one.name, name, "candidate", arch, _CHOOSING, max(1, end // _SHARE))
            for name, arch in networks.items()
        ]
        yield from chosen
        done = {job.network: row.psnr_y_db for job in chosen if (row := rows.of(job)) is not None}
        if len(done) < len(chosen):
            # Another process is at it: it goes on with them, too.
            return
        best = sorted(done, key=lambda name: -done[name])[:count]
        networks = {name: networks[name] for name in best}
    yield from _all(one, part, networks, end)


def _all(one: WeightClass, part: str, networks: Any, steps: int) -> Iterator[Job]:
    for seed in SEEDS:
        for name, arch in networks.items():
            yield Job(one.name, name, part, arch, seed, steps)


def _line(row: Row) -> str:
    return (
        f"{row.weight_class:>8}  {row.part:>9}  {row.network:<24} {row.params / 1e3:7.1f} K "
        f"{row.macs / 1e9:6.2f} G  {row.steps:>6} steps  seed {row.seed}  {row.psnr_y_db:7.3f} dB  "
        f"in {row.seconds:6.0f} s"
    )


if __name__ == "__main__":
    main()
