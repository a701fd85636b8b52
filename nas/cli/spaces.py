"""``nas spaces``: what can be searched."""

from __future__ import annotations

import json
from typing import Annotated

from rich.table import Table

from nas.cli.console import PlainConsole
from nas.cli.options import Json, option

__all__ = ["spaces"]


def spaces(
    scale: Annotated[int, option("Scale at which the smallest network is priced.")] = 4,
    json_output: Json = False,
) -> None:
    """List the named search spaces."""
    from search_spaces import Space, price
    from search_spaces.errors import InputError
    from search_spaces.smallest import smallest

    if scale not in (1, 2, 3, 4):
        raise InputError(f"scale: expected 1, 2, 3 or 4, got {scale}")
    rows = []
    for name in Space.names():
        space = Space.load(name)
        least = price(
            space.architecture(smallest(space, lambda arch: price(arch).params, scale), scale)
        ).params
        rows.append({
            "name": name, "points": space.size, "dimensions": len(space.dimensions),
            "smallest_params": least, "about": space.about.strip(),
        })  # fmt: skip
    if json_output:
        print(json.dumps(rows))
        return
    table = Table("Space", "Points", "Dimensions", "Smallest", "About")
    for row in rows:
        table.add_row(
            str(row["name"]), f"{row['points']:,}", str(row["dimensions"]),
            f"{row['smallest_params']:,} params", str(row["about"]),
        )  # fmt: skip
    PlainConsole().print(table)
    print("Each of them with -luma behind its name is for networks on luma alone.")
