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
        for name in ("tau_at_price", "of_ceiling", "tau"):
            found: Estimate = getattr(signal, name)
            row |= {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}
        row |= {"recall": signal.recall, "spread_db": signal.spread_db}
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
        "tau: Kendall's, 90% interval; spread: of networks at equal price; noise: of seeds",
        style="dim",
    )
    for name, about in (
        ("signal", ""), ("steps", ""), ("tau", "at equal price"), ("of the", "ceiling"),
        ("spread", "dB"), ("noise", "dB"), ("tau", "all"),
    ):  # fmt: skip
        header = Text(name).append(f"\n{about}", style="dim")
        table.add_column(header, justify="left" if name == "signal" else "right", no_wrap=True)
    for signal in (*trust.signals, trust.ceiling):
        style = "bold" if signal is trust.proxy else "cyan" if signal is trust.ceiling else ""
        table.add_row(*(Text(cell) for cell in _cells(signal, trust)), style=style)
    return table


def _cells(signal: Signal, trust: Trust) -> list[str]:
    # A share of what may be nothing says nothing.
    ratio = signal.of_ceiling.value if trust.ceiling.tau_at_price.low > 0 else math.nan
    return [
        signal.name,
        str(signal.step) if signal.step else "–",
        _interval(signal.tau_at_price),
        _known(ratio, ".0%"),
        _known(signal.spread_db, ".3f"),
        _known(signal.noise_db, ".3f"),
        _known(signal.tau.value, ".2f"),
    ]


def _known(value: float, form: str) -> str:
    return f"{value:{form}}" if math.isfinite(value) else "–"


def _interval(found: Estimate) -> str:
    if not math.isfinite(found.value):
        return "–"
    if not math.isfinite(found.low):
        return f"{found.value:.2f}"
    return f"{found.value:.2f} {found.low:5.2f}..{found.high:.2f}"
