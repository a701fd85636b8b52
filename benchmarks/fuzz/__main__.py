"""The command line of the campaign: see the package."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.fuzz.trial import Tried

__all__ = ["main"]

_CASES = 3_740


def main() -> None:
    """Runs the campaign; exit code 1 where a failure is seen that is not known."""
    options = _options()
    folder = Path(tempfile.mkdtemp(prefix="nas-fuzz-"))
    from benchmarks.fuzz.loading import load_everything

    began = time.monotonic()
    load_everything(folder)
    from benchmarks.fuzz.materials import make_materials

    try:
        (folder / "valid").mkdir()
        valid = make_materials(folder / "valid")
        print(f"Loaded, and valid things made, in {time.monotonic() - began:.0f} s", flush=True)
        code = _again(options, valid) if options.case else _campaign(options, valid)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(code)


def _options() -> argparse.Namespace:
    from benchmarks.fuzz.classes import CLASSES

    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz", description=__doc__)
    parser.add_argument("--cases", type=int, default=_CASES, help="in all; an equal share a class")
    parser.add_argument(
        "--first", type=int, default=0, help="number of the first case in each class"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--class", dest="kinds", action="append", choices=list(CLASSES), help="repeatable"
    )
    parser.add_argument(
        "--case", action="append", help="CLASS:NUMBER: it alone, and all that it said; repeatable"
    )
    parser.add_argument("--keep", type=Path, help="with --case: a folder where its files stay")
    parser.add_argument("--seconds", type=float, default=10.0, help="that a case may take")
    parser.add_argument("--memory", type=float, default=1_000.0, help="MB that a case may take")
    parser.add_argument(
        "--journal", type=Path, help="file of the cases done; the campaign goes on from it"
    )
    parser.add_argument("--output", type=Path, help="result as JSON here, not among the results")
    return parser.parse_args()


def _campaign(options: argparse.Namespace, valid: Path) -> int:
    from benchmarks.fuzz.case import Case
    from benchmarks.fuzz.classes import CLASSES
    from benchmarks.fuzz.figures import figures, table
    from benchmarks.fuzz.journal import Journal
    from benchmarks.fuzz.known import unknown_of
    from benchmarks.fuzz.sandbox import Limits
    from benchmarks.fuzz.trial import try_case
    from benchmarks.hardware import header_line, write_result
    from nas.evaluate.environment import environment

    print(header_line())
    kinds = options.kinds or list(CLASSES)
    journal = Journal(options.journal, options.seed, environment().revision)
    # One of each class after the other: what is done at any time is a sample of all.
    wanted = [
        Case(kinds[n % len(kinds)], options.first + n // len(kinds), options.seed)
        for n in range(options.cases)
    ]
    limits = Limits(options.seconds, options.memory)
    for number, case in enumerate(wanted):
        if case in journal.lines:
            continue
        tried = try_case(case, valid, limits)
        journal.add(tried)
        for one in tried.failures:
            print(f"{number + 1}/{len(wanted)}  {case}  {one.name}: {one.detail}", flush=True)
    told = {"seed": options.seed, **figures(journal.lines[case] for case in wanted)}
    print(table(told))
    if options.output is not None:
        options.output.write_text(json.dumps(told, indent=2) + "\n", "utf-8")
    else:
        print(f"written to {write_result('fuzz', told)}")
    return 1 if unknown_of(one["name"] for one in told["failures"]) else 0


def _again(options: argparse.Namespace, valid: Path) -> int:
    from benchmarks.fuzz.case import Case
    from benchmarks.fuzz.sandbox import Limits
    from benchmarks.fuzz.trial import try_case

    failed = False
    limits = Limits(options.seconds, options.memory)
    for name in options.case:
        kind, _, number = name.partition(":")
        keep = None if options.keep is None else options.keep / f"{kind}-{number}"
        tried = try_case(Case(kind, int(number), options.seed), valid, limits, keep=keep)
        print(_all_of(tried))
        failed |= bool(tried.failures)
    return 1 if failed else 0


def _all_of(tried: Tried) -> str:
    ended = tried.ended
    return "\n".join(
        (
            f"{tried.case}: {tried.command.what}",
            f"nas {' '.join(map(ascii, tried.command.argv))}",
            f"--- standard output\n{ended.out}--- standard error\n{ended.err}---",
            f"{tried.state}: code {ended.code}, signal {ended.signal}, {ended.seconds:.2f} s, "
            f"{ended.cpu_s:.2f} s of processor, {ended.peak_mb:.0f} MB {ended.killed}",
            *(f"FAILED  {one.name}: {one.detail}" for one in tried.failures),
        )
    )


if __name__ == "__main__":
    main()
