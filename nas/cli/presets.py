"""``nas presets``: the published systems that can be built by name, and the networks that ship."""

from __future__ import annotations

import json
from typing import Any

from nas.cli.console import PlainConsole, figures_table
from nas.cli.options import Json
from nas.cli.shipped import print_shipped

__all__ = ["presets"]

_SCALES = (2, 3, 4)


def presets(json_output: Json = False) -> None:
    """List what has a name: published systems, and networks that ship with trained weights.

    Of published systems source, parameters and multi-adds at x2, x3 and x4; of what ships also the
    measured PSNR, with the gain over bicubic, and the latency. Multi-adds and latency are those of
    one 1280x720 output image.
    """
    from nas.shipped.catalog import cards
    from search_spaces import preset, preset_names, price
    from search_spaces.catalog import published

    rows: list[dict[str, Any]] = []
    for name in preset_names():
        known = published(name)
        prices = {f"x{scale}": price(preset(name, scale)) for scale in _SCALES}
        rows.append({
            "name": name, "title": known.title, "source": known.source, "design": known.design,
            "about": known.about,
            "params": {scale: cost.params for scale, cost in prices.items()},
            "macs": {scale: cost.macs for scale, cost in prices.items()},
        })  # fmt: skip
    shipped = cards()
    if json_output:
        own = [card.model_dump(mode="json") for card in shipped]
        print(json.dumps({"presets": rows, "shipped": own}))
        return
    _print(rows)
    if shipped:
        print_shipped(shipped)


def _print(rows: list[dict[str, Any]]) -> None:
    scales = ", ".join(f"x{scale}" for scale in _SCALES)
    table = figures_table(
        "Preset", "Source", "Design", f"Params [K]\n{scales}", f"Multi-Adds [G]\n{scales}", names=3
    )
    table.padding, table.columns[0].no_wrap = (0, 1, 0, 0), True
    for row in rows:
        table.add_row(
            row["name"], f"{row['title']}: {row['source']}", row["design"],
            "\n".join(f"{count / 1e3:.1f}" for count in row["params"].values()),
            "\n".join(f"{count / 1e9:.2f}" for count in row["macs"].values()),
        )  # fmt: skip
    PlainConsole().print(table)
