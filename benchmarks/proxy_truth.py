"""What short trainings say of long ones, on the recorded table.

    python -m benchmarks.proxy_truth

Holds every rung, what is drawn from rungs, and cheap signals against the table's long trainings of
other seeds, at equal price and overall, beside the ceiling that two long trainings set which
differ in their seed only. Writes the figures and a picture. Any other table in two CSV files does
as well: see docs/audit.md for their columns.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.hardware import RESULTS, header_line, write_result
from benchmarks.table.table import read_table, with_settings
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
"""Of the ceiling, at equal price."""


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
    trainings: pd.DataFrame, networks: pd.DataFrame, prices: Sequence[str] = ("params",)
) -> tuple[Trust, dict[str, Any]]:
    """The verdict, and all figures ready for JSON.

    Raises:
        InputError: fewer than three networks with a long training.
    """
    proxy_step, long_step = lengths(trainings)
    found = trust(trainings, networks, proxy_step=proxy_step, long_step=long_step, prices=prices)
    figures = {
        "networks_trained": int(trainings["hash"].nunique()),
        "networks_trained_long": len(found.hashes),
        "seeds": found.seeds,
        "proxy_steps": proxy_step,
        "long_steps": long_step,
        "goal_of_ceiling": GOAL,
        "prices": found.prices,
        "tau_at_price": asdict(found.proxy.tau_at_price),
        "ceiling_at_price": asdict(found.ceiling.tau_at_price),
        "reached_of_ceiling": asdict(found.proxy.of_ceiling),
        "plateau": asdict(found.plateau),
        "findings": findings(found),
        "signals": signal_rows(found),
        "noise_db_by_step": _noise(trainings),
        "settings": [asdict(one) for one in found.settings],
        "equals": None if found.equals is None else asdict(found.equals),
    }
    return found, without_nan(figures)


def _noise(trainings: pd.DataFrame) -> dict[int, float]:
    """Standard deviation between seeds of one network at each rung."""
    found = {}
    for step in sorted(set(trainings["step"])):
        rows = trainings[trainings["step"] == step]
        wide = rows.pivot(index="hash", columns="seed", values="psnr_y_db")
        found[int(step)] = seed_noise_db(wide.to_numpy(dtype=float))
    return found


def main() -> None:
    """Runs the benchmark and writes its result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trainings", type=Path, default=TABLE / "trainings.csv.gz")
    parser.add_argument("--networks", type=Path, default=TABLE / "networks.csv.gz")
    parser.add_argument("--prices", default="params", help="columns to take out, with commas")
    parser.add_argument("--only-print", action="store_true", help="write no files")
    arguments = parser.parse_args()
    from rich.console import Console

    print(header_line())
    networks = read_table(arguments.networks)
    if "architecture" in networks:
        networks = with_settings(networks)
    found, figures = judge(read_table(arguments.trainings), networks, arguments.prices.split(","))
    console = Console(highlight=False)
    console.print(signal_table(found))
    for line in figures["findings"]:
        console.print(line)
    ratio = found.proxy.of_ceiling.value
    reached = "reached" if ratio >= GOAL else "not reached"
    print(f"Goal: {GOAL:.0%} of the ceiling at equal price; {reached} at {ratio:.0%}")
    if arguments.only_print:
        return
    info = audit_info(found, "Short against long trainings, recorded table")
    png, _ = save_audit(info, RESULTS / "proxy_truth")
    print(f"written to {write_result('proxy_truth', figures)} and {png}")


if __name__ == "__main__":
    main()
