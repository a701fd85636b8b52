"""``nas published``: what papers state, to compare with."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

from nas.cli.console import PlainConsole, figures_table
from nas.cli.options import Json, option

__all__ = ["published"]


def published(
    test_set: Annotated[
        str | None, option("Only this test set: Set5, Set14, B100, ...", "--set")
    ] = None,
    scale: Annotated[int | None, option("Only this scale: 2, 3 or 4.")] = None,
    json_output: Json = False,
) -> None:
    """List published results, with their sources."""
    from reports.published import published_results

    results = published_results(test_set, scale)
    if json_output:
        print(json.dumps([asdict(result) for result in results]))
        return
    table = figures_table(
        "Network", "Set", "Scale", "PSNR [dB]", "SSIM", "Params [K]", "Multi-Adds [G]", names=3
    )
    table.add_column("Source")
    table.padding = (0, 1, 0, 0)
    sources: dict[str, int] = {}
    for result in results:
        number = sources.setdefault(result.source, len(sources) + 1)
        table.add_row(
            result.network, result.test_set, f"x{result.scale}", f"{result.psnr_db:.2f}",
            _cell(result.ssim, 4), _params(result.params_k), _cell(result.multi_adds_g, 2),
            f"({number}) {result.table}",
        )  # fmt: skip
    # The papers' names in every row would leave no room for the figures.
    console = PlainConsole()
    console.print(table)
    for source, number in sources.items():
        console.print(f"({number}) {source}", highlight=False)


def _cell(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _params(thousands: float | None) -> str:
    # Tiny networks differ in their tenths, which nobody states of large ones.
    return _cell(thousands, int(thousands is not None and thousands < 100 and thousands % 1 > 0))
