"""The signals of an audit as a table for the screen and as rows for a file."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from nas.audit.ranking import Estimate
from nas.audit.trust import Signal, Trust

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["signal_rows", "signal_table"]


def signal_rows(trust: Trust) -> list[dict[str, float | str]]:
    """A row a signal, the ceiling last, with every figure and interval in its own column."""
    rows = []
    for signal in (*trust.signals, trust.ceiling):
        row: dict[str, float | str] = {"name": signal.name, "kind": signal.kind}
        row["step"] = signal.step
        for name in ("tau", "tau_in_bands", "ratio", "ratio_in_bands"):
            found: Estimate = getattr(signal, name)
            row |= {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}
        row |= {"recall": signal.recall, "recall_in_bands": signal.recall_in_bands}
        row["noise_db"] = signal.noise_db
        rows.append(row)
    return rows


def signal_table(trust: Trust) -> Table:
    """The table for a terminal of 80 characters or more; the proxy stands out."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    title = (
        f"{len(trust.hashes)} networks after {trust.long_step} steps with "
        f"{'seeds' if len(trust.seeds) > 1 else 'seed'} {', '.join(map(str, trust.seeds))}"
    )
    table = Table(title=Text(title, style="bold"), title_justify="left", box=box.SIMPLE_HEAD)
    table.padding = (0, 1, 0, 0)
    table.caption_justify = "left"
    table.caption = Text(
        "tau: Kendall's, 90% interval; recall: of the best quarter; noise: between seeds",
        style="dim",
    )
    bands = len(trust.bands)
    within = f"in {bands} band{'' if bands == 1 else 's'}"
    for name, about in (
        ("signal", ""), ("steps", ""), ("tau", "in all"), ("tau", within), ("of the", "ceiling"),
        ("recall", "all/bands"), ("noise", "dB"),
    ):  # fmt: skip
        header = Text(name).append(f"\n{about}", style="dim")
        table.add_column(header, justify="left" if name == "signal" else "right", no_wrap=True)
    for signal in (*trust.signals, trust.ceiling):
        style = "bold" if signal is trust.proxy else "cyan" if signal is trust.ceiling else ""
        table.add_row(*(Text(cell) for cell in _cells(signal, trust)), style=style)
    return table


def _cells(signal: Signal, trust: Trust) -> list[str]:
    # A share of what may be nothing says nothing.
    ratio = signal.ratio_in_bands.value if trust.ceiling.tau_in_bands.low > 0 else math.nan
    return [
        signal.name,
        str(signal.step) if signal.step else "–",
        f"{signal.tau.value:.2f}" if math.isfinite(signal.tau.value) else "–",
        _interval(signal.tau_in_bands),
        f"{ratio:.0%}" if math.isfinite(ratio) else "–",
        f"{100 * signal.recall:.0f}/{signal.recall_in_bands:.0%}",
        f"{signal.noise_db:.3f}" if math.isfinite(signal.noise_db) else "–",
    ]


def _interval(found: Estimate) -> str:
    if not math.isfinite(found.value):
        return "–"
    if not math.isfinite(found.low):
        return f"{found.value:.2f}"
    return f"{found.value:.2f} {found.low:5.2f}..{found.high:.2f}"
