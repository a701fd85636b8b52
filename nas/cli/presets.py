"""``nas presets``: the published systems that can be built by name."""

from __future__ import annotations

import json
from typing import Annotated

import typer

__all__ = ["presets"]

_SCALES = (2, 3, 4)


def presets(
    json_output: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """List the published systems: source, parameters and multi-adds at x2, x3 and x4.

    Multi-adds are those of one 1280x720 output image.
    """
    from search_spaces import preset, preset_names, price
    from search_spaces.catalog import published

    rows: list[dict[str, object]] = []
    for name in preset_names():
        known = published(name)
        prices = {scale: price(preset(name, scale)) for scale in _SCALES}
        rows.append(
            {
                "name": name,
                "title": known.title,
                "source": known.source,
                "design": known.design,
                "about": known.about,
                "params": {f"x{scale}": cost.params for scale, cost in prices.items()},
                "macs": {f"x{scale}": cost.macs for scale, cost in prices.items()},
            }
        )
    print(json.dumps(rows)) if json_output else _print(rows)


def _print(rows: list[dict[str, object]]) -> None:
    from rich import box
    from rich.table import Table

    from nas.cli.console import PlainConsole

    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in ("Preset", "Source", "Design"):
        table.add_column(heading, no_wrap=heading == "Preset")
    table.add_column("Params [K]\nx2, x3, x4", justify="right")
    table.add_column("Multi-Adds [G]\nx2, x3, x4", justify="right")
    for row in rows:
        params, macs = row["params"], row["macs"]
        assert isinstance(params, dict)
        assert isinstance(macs, dict)
        table.add_row(
            str(row["name"]), f"{row['title']}: {row['source']}", str(row["design"]),
            "\n".join(f"{count / 1e3:.1f}" for count in params.values()),
            "\n".join(f"{count / 1e9:.2f}" for count in macs.values()),
        )  # fmt: skip
    PlainConsole().print(table)
