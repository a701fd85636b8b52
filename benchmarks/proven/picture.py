"""PSNR against multi-adds at x2: published results, and what was trained here, ours marked.

    python -m benchmarks.proven.picture

Reads what `benchmarks.proven` wrote, and draws results/proven.png and .svg.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator

from benchmarks.hardware import RESULTS
from nas.shipped.catalog import cards
from reports.plots.frame import framed, plain_axis
from reports.plots.style import BEST, DOT, FAINT, PUBLISHED, TRIAL, save_figure
from reports.published import published_results

SETS, SCALE = ("Set5", "Set14"), 2
_MOST_G = 30.0
_STAR: Mapping[str, Any] = {"color": BEST, "marker": "*", "markersize": 13, **DOT}
_STYLES: Mapping[str, dict[str, Any]] = {
    "ships": {**_STAR, "markerfacecolor": "white", "markeredgecolor": BEST},
    "found": {**_STAR},
    "here": {"color": TRIAL, "marker": "o", "markersize": 6.5, **DOT},
    "published": {"color": PUBLISHED, "marker": "D", "markersize": 5.5, **DOT},
}
_TOLD = {
    "ships": "ships: found by our search, trained longer, with a teacher",
    "found": "found by our search, trained here",
    "here": "published designs, trained here alike",
    "published": "as published",
}
_LABELS = {"found": (6, -10), "here": (-5, -8)}
_OURS = ("ships", "found")
_UNSUITED = ("fsrcnn",)
"""Designs that the recipe does not suit: by it FSRCNN ends 0.7 dB below its published figure."""


class Dot(NamedTuple):
    """A network on one test set: its name, kind, multi-adds at 1280x720 and PSNR."""

    name: str
    kind: str
    multi_adds_g: float
    psnr_y_db: float


def dots(test_set: str, classes: Mapping[str, Any]) -> Sequence[Dot]:
    """Published results that state their multi-adds, of each class those of the end, what ships.

    Of what was found in a class those stand there that the validation photos hold for best, of all
    and of the quick ones.
    """
    found = [
        Dot(row.network, "published", row.multi_adds_g, row.psnr_db)
        for row in published_results(test_set, SCALE)
        if row.multi_adds_g is not None and row.multi_adds_g <= _MOST_G
    ]
    for name, one in classes.items():
        if not name.startswith(f"x{SCALE} "):
            continue
        best = set(one.get("ours", {}).values())
        for network, known in one["networks"].items():
            ours = known["part"] in ("found", "quick")
            if "test" not in known or network in _UNSUITED or (ours and network not in best):
                continue
            label = f"ours, {known['params'] / 1e3:.3g} K" if ours else network
            kind = "found" if ours else "here"
            found.append(Dot(label, kind, known["macs"] / 1e9, known["test"][test_set]))
    ships = (card for card in cards() if card.scale == SCALE and card.macs <= _MOST_G * 1e9)
    found += [Dot(c.name, "ships", c.macs / 1e9, c.test[test_set].psnr_y_db) for c in ships]
    return found


def picture(classes: Mapping[str, Any]) -> Figure:
    """A panel for each test set."""
    frame = framed(
        "What searches find, trained to the end, among published networks",
        f"x{SCALE}, luma networks; trained here: on T91, BSD200 and BSDS500T, filled ones alike "
        "(FSRCNN, which the recipe does not suit, is left out)",
        len(SETS), entries=[(_TOLD[kind], True, _STYLES[kind]) for kind in _STYLES],
        panel_inches=5.6, height_inches=4.2, shared=False, gap=0.14,
    )  # fmt: skip
    for axis, test_set in zip(frame.axes, SETS, strict=True):
        _draw(axis, dots(test_set, classes))
        plain_axis(axis, "Multi-adds [G], 1280×720 output", f"PSNR-Y [dB], {test_set}")
    return frame.figure


def _draw(axis: Axes, shown: Sequence[Dot]) -> None:
    axis.set_xscale("log")
    axis.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.xaxis.set_major_formatter(FuncFormatter(lambda cost, _: f"{cost:g}"))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_minor_formatter(NullFormatter())
    for dot in shown:
        axis.plot(dot.multi_adds_g, dot.psnr_y_db, **_STYLES[dot.kind])
        axis.annotate(
            dot.name, (dot.multi_adds_g, dot.psnr_y_db), _LABELS.get(dot.kind, (5, 4)),
            textcoords="offset points", size=7.5, color=BEST if dot.kind in _OURS else FAINT,
            horizontalalignment="right" if dot.kind == "here" else "left",
        )  # fmt: skip
    axis.margins(0.12, 0.1)


def main() -> None:
    """Draws it."""
    classes = json.loads((RESULTS / "proven.json").read_text())["classes"]
    for path in save_figure(picture(classes), RESULTS / "proven", "proven"):
        print(path)


if __name__ == "__main__":
    main()
