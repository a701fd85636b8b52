"""What ``nas latency`` prints for people."""

from __future__ import annotations

from typing import Any

from nas.cli.console import PlainConsole, figures_table

__all__ = ["print_table"]


def _counted(count: int | None, unit: float, digits: int) -> str:
    return "" if count is None else f"{count / unit:,.{digits}f}"


def _ms(time_ms: float) -> str:
    """Four digits are more than any clock here can tell."""
    return f"{time_ms:.{2 if time_ms < 100 else 1 if time_ms < 1000 else 0}f}"


def print_table(facts: dict[str, Any]) -> None:
    """The table of networks, what is to be said of it, and those of layers."""
    from nas.evaluate.threads import shown_threads
    from nas.latency.network_time import BUSY

    height, width = facts["lr_size"]
    here = facts["threads"] is not None
    where = facts["environment"]["cpu" if facts["device"] == "cpu" else "device"]
    place = (f"{facts['device']} ({where})", shown_threads(facts["threads"])) if here else (
        facts["device"],
    )  # fmt: skip
    ran = {row["network"]: f"{row['runtime']}, {row['dtype']}" for row in facts["networks"]}
    alike = len(set(ran.values())) == 1
    title = ", ".join((
        f"{width}x{height} input", *(set(ran.values()) if alike else ()),
        *place, f"{facts['networks'][0]['rounds']} rounds; ratio to {facts['reference']}",
    ))  # fmt: skip
    console = PlainConsole()
    table = figures_table(
        "Network", "Params\n[K]", "Multi-\nAdds\n[G]", "Median\n[ms]", "95%\ninterval\n[ms]",
        "Minimum\n[ms]", "Ratio", "of\nminima", title=title,
    )  # fmt: skip
    # A terminal of 80 columns is to hold it, and names of files are long.
    table.collapse_padding, table.pad_edge = True, False
    for row in facts["networks"]:
        name = row["network"] if alike else f"{row['network']}\n({ran[row['network']]})"
        table.add_row(
            name, _counted(row["params"], 1e3, 1), _counted(row["macs"], 1e9, 2),
            _ms(row["median_ms"]), f"{_ms(row['low_ms'])}–{_ms(row['high_ms'])}",
            _ms(row["minimum_ms"]), f"{row['times_reference']:.3f}",
            f"{row['times_reference_minimum']:.3f}",
        )  # fmt: skip
    console.print(table)
    scored = [row for row in facts["networks"] if row["esr_score"] is not None]
    if scored:
        told = ", ".join(f"{row['network']} {row['esr_score']:.2f}" for row in scored)
        console.print(f"Score by NTIRE's rules, by the minima: {told}", highlight=False)
    apart = max(row["median_ms"] / row["minimum_ms"] for row in facts["networks"])
    if here and apart > BUSY:
        alone = ", ".join(
            f"{row['network']} {_ms(row['alone_ms'])} ms" for row in facts["networks"]
        )
        console.print(
            f"Others use this machine: medians are up to {apart:.1f} times the minima, by which "
            f"networks compare better. By the processor's time alone, as a search counts: {alone}",
            highlight=False,
        )  # fmt: skip
    for name, rows in facts["layers"].items():
        title = f"{name}: layers (torch, float32)"
        layers = figures_table("Layer", "Kind", "Median [ms]", "Share", title=title, names=2)
        for row in rows:
            layers.add_row(
                row["name"], row["kind"], f"{row['median_ms']:.3f}", f"{row['share']:.1%}"
            )
        console.print(layers)
