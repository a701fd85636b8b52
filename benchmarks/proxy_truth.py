"""What short trainings say of long ones, on the recorded table.

    python -m benchmarks.proxy_truth

Holds every rung, what is drawn from rungs, and cheap signals against the table's long trainings,
overall and within bands of parameters, beside the ceiling that two long trainings set which
differ in their seed only. Writes the figures and a picture. Any other table in two CSV files does
as well: see docs/audit.md for their columns.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.hardware import RESULTS, header_line, write_result
from benchmarks.table.table import read_table
from nas.audit.families import HeadStart, head_starts
from nas.audit.finding import findings
from nas.audit.noise import seed_noise_db
from nas.audit.store import without_nan
from nas.audit.trust import Trust, trust
from nas.cli.audit_table import signal_rows, signal_table
from reports.plots.audit import audit_info
from reports.plots.audit_figure import save_audit
from search_spaces.errors import InputError

__all__ = ["GOAL", "judge", "lengths", "main"]

TABLE = Path(__file__).resolve().parent / "table"
GOAL = 0.8
"""Of the ceiling, within a band."""


def lengths(trainings: pd.DataFrame) -> tuple[int, int]:
    """Steps of the proxy, where most trainings end, and of the longest training.

    Raises:
        InputError: all trainings are of one length.
    """
    ends = trainings.groupby(["hash", "seed"])["step"].max()
    proxy_step, long_step = int(ends.mode().iloc[0]), int(ends.max())
    if proxy_step == long_step:
        raise InputError(
            f"the table has no long trainings yet: all end after {long_step} steps; expected some "
            f"longer than most"
        )
    return proxy_step, long_step


def judge(
    trainings: pd.DataFrame, networks: pd.DataFrame, band_count: int
) -> tuple[Trust, dict[str, Any]]:
    """The verdict, and all figures ready for JSON.

    Raises:
        InputError: fewer than three networks with a long training.
    """
    proxy_step, long_step = lengths(trainings)
    found = trust(
        trainings, networks, proxy_step=proxy_step, long_step=long_step, band_count=band_count
    )
    known = networks.drop_duplicates("hash").set_index("hash").loc[list(found.hashes)]
    starts = head_starts(known, found.rung_db[proxy_step], found.long_db, found.band)
    figures = {
        "networks_trained": int(trainings["hash"].nunique()),
        "networks_trained_long": len(found.hashes),
        "seeds": found.seeds,
        "proxy_steps": proxy_step,
        "long_steps": long_step,
        "goal_of_ceiling": GOAL,
        "reached_of_ceiling": asdict(found.proxy.ratio_in_bands),
        "findings": [*findings(found), *_lines(starts)],
        "signals": signal_rows(found),
        "noise_db_by_step": _noise(trainings),
        "head_starts": [asdict(one) for one in starts],
        "bands": [asdict(band) for band in found.bands],
    }
    return found, without_nan(figures)


def _noise(trainings: pd.DataFrame) -> dict[int, float]:
    """Standard deviation between seeds at each rung, over the networks with every seed there."""
    found = {}
    for step in sorted(set(trainings["step"])):
        rows = trainings[trainings["step"] == step]
        wide = rows.pivot(index="hash", columns="seed", values="psnr_y_db")
        found[int(step)] = seed_noise_db(wide.to_numpy(dtype=float))
    return found


def _lines(starts: Iterable[HeadStart]) -> list[str]:
    certain = [one for one in starts if one.certain]
    if not certain:
        return ["No setting is flattered or wronged by the proxy beyond three standard errors."]
    return [
        f"{one.setting}: the proxy {'flatters' if one.flattered_db > 0 else 'wrongs'} it by "
        f"{abs(one.flattered_db):.3f} dB (standard error {one.error_db:.3f}, {one.networks} "
        f"networks)."
        for one in certain
    ]


def main() -> None:
    """Runs the benchmark and writes its result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trainings", type=Path, default=TABLE / "trainings.csv.gz")
    parser.add_argument("--networks", type=Path, default=TABLE / "networks.csv.gz")
    parser.add_argument("--bands", type=int, default=4)
    arguments = parser.parse_args()
    from rich.console import Console

    print(header_line())
    found, figures = judge(
        read_table(arguments.trainings), read_table(arguments.networks), arguments.bands
    )
    console = Console(highlight=False)
    console.print(signal_table(found))
    for line in figures["findings"]:
        console.print(line)
    ratio = found.proxy.ratio_in_bands.value
    reached = "reached" if ratio >= GOAL else "not reached"
    print(f"Goal: {GOAL:.0%} of the ceiling within a band; {reached} at {ratio:.0%}")
    info = audit_info(found, "Short against long trainings, recorded table")
    png, _ = save_audit(info, RESULTS / "proxy_truth")
    print(f"written to {write_result('proxy_truth', figures)} and {png}")


if __name__ == "__main__":
    main()
