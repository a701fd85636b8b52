"""What the search finds in a class of small networks, trained to the end, beside published designs.

    SR_DATA=path/to/data python -m benchmarks.proven                 # goes on where it stopped
    python -m benchmarks.proven --only "x2 10K" "x2 13K"
    python -m benchmarks.proven --summary                            # trains nothing
    python -m benchmarks.proven --test                               # once, when all is trained

A class is a price: the parameters and multi-adds (at a 1280x720 output) of a published design, at
x2 on luma; 150 K and 320 K at x4 in colour; and SPAN's parameters and latency on this machine, for
which the space `fast` is searched. In each a search of so many networks takes place in the spaces
of the class, by the quick profile (at x2 by the standard one). The best five of each train by the
recipe `fast` for a fifth of the steps, the best two of these to the end, as do the published
designs and the distillation family at the width that the class holds (at x2 the best of it after a
fifth of the steps), all alike and with the same seeds. One published design of each class trains
twice as long, to show that the end is one. Training photos are T91, BSD200 and BSDS500T; the last
20 of BSD200 choose. Set5 and Set14 choose nothing: `--test` evaluates what is trained, and measures
latencies. Trainings are kept in --work, rows are written as they come, and several processes may
share the work. `python -m benchmarks.proven.picture` draws what came out.

The plan in core-hours, at 5 to 12 ms a step for the classes at x2 and 40 to 90 ms for those at x4:
searches 0.4 a class at x2 and 0.7 at x4; trainings to the end 0.5 to 1 a class at x2, 3 to 6 at x4,
and 1 in SPAN's class, which ends at 4,000 steps: some 15 in all.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch

from benchmarks.hardware import RESULTS, header_line, write_result
from benchmarks.narrowed import told
from benchmarks.proven.classes import CLASSES, WeightClass
from benchmarks.proven.trainings import Job, Row, Rows, latencies_ms, searched, trained, weights_of
from benchmarks.research_data import research_data
from nas.evaluate.benchmark import TestSet, evaluate_set
from nas.evaluate.upscale import upscale
from nas.records import TrialRecord
from search_spaces import Architecture, load

TRIALS = 48
SEEDS = (0, 1)
GOAL_DB, END_DB = 0.05, 0.02
_CANDIDATES, _FINALISTS, _SHARE, _CHOOSING = 5, 2, 5, 7
_QUICK = 40


def main() -> None:
    """Does what is missing, and tells what came out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, default=Path("runs") / "proven")
    parser.add_argument("--only", nargs="*", choices=list(CLASSES), default=list(CLASSES))
    parser.add_argument("--known", action="store_true", help="published designs alone, no search")
    parser.add_argument("--quick", action="store_true", help="few steps; the result is not kept")
    parser.add_argument("--summary", action="store_true", help="train nothing")
    parser.add_argument("--test", action="store_true", help="Set5, Set14, latency; train nothing")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print(header_line(), flush=True)
    work: Path = arguments.work / "quick" if arguments.quick else arguments.work
    work.mkdir(parents=True, exist_ok=True)
    rows = Rows((work if arguments.quick else RESULTS) / "proven.csv")
    steps = _QUICK if arguments.quick else None
    for name in arguments.only:
        if arguments.summary or arguments.test:
            break
        one = CLASSES[name]
        for job in known(one, rows, steps) if arguments.known else plan(one, rows, work, steps):
            row = trained(one, job, rows, work)
            if row is not None:
                print(_line(row), flush=True)
    figures = {name: account(CLASSES[name], rows) for name in arguments.only}
    before = {} if arguments.quick else _measured()
    for name, own in figures.items():
        if arguments.test:
            own["test"] = tested(CLASSES[name], rows, work)
            timed(own, architectures(CLASSES[name], rows, work))
        else:
            _keep(before.get(name, {}), own)
    _show(figures)
    if not arguments.quick:
        print(f"written to {write_result('proven', {'classes': before | figures})}")


def _measured() -> dict[str, Any]:
    """The classes as they stand in the result, so that one is measured without the others."""
    file = RESULTS / "proven.json"
    return dict(json.loads(file.read_text())["classes"]) if file.is_file() else {}


def _keep(before: dict[str, Any], own: dict[str, Any]) -> None:
    """What `--test` measured of a class whose networks are the same since."""
    if before.get("networks", {}).keys() != own["networks"].keys():
        return
    for name, each in own["networks"].items():
        if "latency_ms" in before["networks"][name]:
            each["latency_ms"] = before["networks"][name]["latency_ms"]
    if "test" in before:
        own["test"] = before["test"]


def known(one: WeightClass, rows: Rows, steps: int | None = None) -> Iterator[Job]:
    """The trainings of a class that hang on no search."""
    end = steps or one.steps
    yield from _all(one, "published", one.published, end)
    yield from _best(one, "family", one.family, one.of_family, rows, end)
    first = next(iter(one.published))
    yield Job(one.name, first, "twice", one.published[first], SEEDS[0], 2 * end)


def plan(one: WeightClass, rows: Rows, work: Path, steps: int | None = None) -> Iterator[Job]:
    """A class's trainings in their order; the later ones hang on the rows of the earlier."""
    end, trials = steps or one.steps, TRIALS if steps is None else 2
    # Searches begin with the designs narrowed to the class, which are trained anyway.
    others = {arch.hash for arch in (*one.published.values(), *one.family.values())}
    for space in one.spaces:
        # Some learn quickly and some go further in the end: each space sends its best.
        found = searched(one, space, trials, work, told)
        new = [record for record in found if record.architecture_hash not in others]
        candidates = {
            f"{space} {record.number}": _architecture(record) for record in new[:_CANDIDATES]
        }
        yield from _best(one, "found", candidates, _FINALISTS, rows, end)
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


def _architecture(record: TrialRecord) -> Architecture:
    return Architecture.from_dict(dict(record.architecture))


def account(one: WeightClass, rows: Rows) -> dict[str, Any]:
    """Means over the seeds, what ours is ahead by, and whether the end was reached."""
    own = [row for row in rows.all() if row.weight_class == one.name]
    ended: dict[str, list[Row]] = {}
    for row in own:
        if row.part in ("published", "found", "family"):
            ended.setdefault(row.network, []).append(row)
    networks: dict[str, dict[str, Any]] = {
        name: {
            "part": some[0].part, "hash": some[0].hash, "params": some[0].params,
            "macs": some[0].macs, "steps": some[0].steps,
            "psnr_y_db": round(statistics.mean(row.psnr_y_db for row in some), 4),
            "each_db": [row.psnr_y_db for row in some],
        }
        for name, some in ended.items()
    }  # fmt: skip
    figures: dict[str, Any] = {"params": one.params, "macs": one.macs, "networks": networks}
    for row in own:
        once = networks.get(row.network)
        if row.part == "twice" and once is not None:
            figures["twice_as_long_gains_db"] = round(row.psnr_y_db - once["each_db"][0], 4)
    whole = {name: each for name, each in networks.items() if len(each["each_db"]) == len(SEEDS)}
    found = [name for name, each in whole.items() if each["part"] == "found"]
    ours = max(found, key=lambda name: float(whole[name]["psnr_y_db"]), default=None)
    if ours is not None:
        figures["ours"] = ours
        figures["ahead_db"] = {
            name: round(whole[ours]["psnr_y_db"] - each["psnr_y_db"], 4)
            for name, each in whole.items()
            if each["part"] != "found"
        }
    return figures


def architectures(one: WeightClass, rows: Rows, work: Path) -> dict[str, Architecture]:
    """What was trained to the end in a class, by name."""
    return {
        row.network: load(weights_of(row, work)).architecture
        for row in rows.all()
        if row.weight_class == one.name and row.part in ("published", "found", "family")
    }


def timed(figures: dict[str, Any], networks: dict[str, Architecture]) -> None:
    """Writes the latency of each network into the account of its class."""
    for name, latency_ms in zip(networks, latencies_ms(list(networks.values())), strict=True):
        figures["networks"][name]["latency_ms"] = latency_ms


def tested(one: WeightClass, rows: Rows, work: Path) -> dict[str, Any]:
    """Set5 and Set14 by every network that is trained to the end, means over the seeds."""
    found: dict[str, dict[str, list[float]]] = {}
    sets = {
        name: TestSet.open(name, research_data() / "test" / name, one.scale)
        for name in ("Set5", "Set14")
    }
    for row in rows.all():
        if row.weight_class != one.name or row.part not in ("published", "found", "family"):
            continue
        network = load(weights_of(row, work))
        enlarge = partial(upscale, network, scale=one.scale, colors=network.architecture.colors)
        for name, images in sets.items():
            quality = evaluate_set(enlarge, images)
            found.setdefault(row.network, {}).setdefault(name, []).append(quality.psnr_y_db)
    return {
        network: {name: round(statistics.mean(each), 3) for name, each in of.items()}
        for network, of in found.items()
    }


def _line(row: Row) -> str:
    return (
        f"{row.weight_class:>8}  {row.part:>9}  {row.network:<24} {row.params / 1e3:7.1f} K "
        f"{row.macs / 1e9:6.2f} G  {row.steps:>6} steps  seed {row.seed}  {row.psnr_y_db:7.3f} dB  "
        f"in {row.seconds:6.0f} s"
    )


def _show(figures: dict[str, dict[str, Any]]) -> None:
    for name, one in figures.items():
        limit = f"{one['macs'] / 1e9:.2f} G" if one["macs"] else "quick as the first one published"
        print(f"\n{name}: at most {one['params']:,} parameters, {limit}")
        for network, each in sorted(
            one["networks"].items(), key=lambda named: -float(named[1]["psnr_y_db"])
        ):
            on = one.get("test", {}).get(network, {})
            shown = "  ".join(f"{test_set} {db:.3f}" for test_set, db in on.items())
            if "latency_ms" in each:
                shown = f"{each['latency_ms']:7.2f} ms  {shown}"
            print(
                f"  {each['part']:>9}  {network:<24} {each['params'] / 1e3:7.1f} K "
                f"{each['macs'] / 1e9:6.2f} G  {each['psnr_y_db']:7.3f} dB  {shown}"
            )
        if "twice_as_long_gains_db" in one:
            print(f"  twice as long gains {one['twice_as_long_gains_db']:+.3f} dB; goal {END_DB}")
        if "ahead_db" in one:
            print(f"  {one['ours']} is ahead by {one['ahead_db']} dB; goal {GOAL_DB}")


if __name__ == "__main__":
    main()
