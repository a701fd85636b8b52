"""PSNR against multi-adds: published results, and what was trained here, ours marked.

    python -m benchmarks.proven.picture

Reads what `benchmarks.proven` wrote, and draws results/proven_x2 and proven_x4, .png and .svg.
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
from reports.plots.names import Name, write_names
from reports.plots.style import BEST, DOT, FAINT, PUBLISHED, TRIAL, save_figure
from reports.published import published_results

SETS = ("Set5", "Set14")
_MOST_G = 30.0
_ABOUT = {
    2: "x2, luma networks; trained here: on T91, BSD200 and BSDS500T, filled ones alike "
    "(FSRCNN, which the recipe does not suit, is left out)",
    4: "x4, colour networks, trained here on T91, BSD200 and BSDS500T, filled ones alike",
}
_STAR: Mapping[str, Any] = {"color": BEST, "marker": "*", "markersize": 13, **DOT}
_STYLES: Mapping[str, dict[str, Any]] = {
    "ships": {**_STAR, "markerfacecolor": "white", "markeredgecolor": BEST},
    "found": {**_STAR},
    "here": {"color": TRIAL, "marker": "o", "markersize": 6.5, **DOT},
    "published": {"color": PUBLISHED, "marker": "D", "markersize": 5.5, **DOT},
}
_TOLD = {
    "ships": "ships: trained longer, with a teacher",
    "found": "found by our search, trained here",
    "here": "published designs, trained here alike",
    "published": "as published",
}
_OURS = ("ships", "found")
_UNSUITED = ("fsrcnn",)
"""Designs that the recipe does not suit: by it FSRCNN ends 0.7 dB below its published figure."""


class Dot(NamedTuple):
    """A network on one test set: its name, kind, multi-adds at 1280x720 and PSNR."""

    name: str
    kind: str
    multi_adds_g: float
    psnr_y_db: float


def dots(test_set: str, scale: int, classes: Mapping[str, Any]) -> Sequence[Dot]:
    """Published results that state their multi-adds, of each class those of the end, what ships.

    Of what was found in a class those stand there that the validation photos hold for best, of all
    and of the quick ones.
    """
    found = [
        Dot(row.network, "published", row.multi_adds_g, row.psnr_db)
        for row in published_results(test_set, scale)
        if row.multi_adds_g is not None and row.multi_adds_g <= _MOST_G
    ]
    for one in _ended(scale, classes):
        best = set(one.get("ours", {}).values())
        for network, known in one["networks"].items():
            ours = known["part"] in ("found", "quick")
            if "test" not in known or network in _UNSUITED or (ours and network not in best):
                continue
            label = f"ours, {known['params'] / 1e3:.3g} K" if ours else network
            kind = "found" if ours else "here"
            found.append(Dot(label, kind, known["macs"] / 1e9, known["test"][test_set]))
    ships = (card for card in cards() if card.scale == scale and card.macs <= _MOST_G * 1e9)
    found += [Dot(c.name, "ships", c.macs / 1e9, c.test[test_set].psnr_y_db) for c in ships]
    return found


def _ended(scale: int, classes: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The classes of a scale that are trained to the end: the one without multi-adds is not."""
    own = [one for name, one in classes.items() if name.startswith(f"x{scale} ")]
    return [one for one in own if one["macs"] and one["networks"]]


def picture(scale: int, classes: Mapping[str, Any]) -> Figure:
    """A panel for each test set."""
    shown = {test_set: dots(test_set, scale, classes) for test_set in SETS}
    kinds = {dot.kind for each in shown.values() for dot in each}
    frame = framed(
        "What searches find, trained to the end, among published networks", _ABOUT[scale],
        len(SETS), entries=[(_TOLD[kind], kind in kinds, _STYLES[kind]) for kind in _STYLES],
        panel_inches=5.6, height_inches=4.2, shared=False, gap=0.14,
    )  # fmt: skip
    for axis, (test_set, some) in zip(frame.axes, shown.items(), strict=True):
        _draw(axis, some)
        plain_axis(axis, "Multi-adds [G], 1280×720 output", f"PSNR-Y [dB], {test_set}")
    # Text has its place and size only once the figure has been laid out.
    frame.figure.draw_without_rendering()
    for axis, some in zip(frame.axes, shown.values(), strict=True):
        _name(axis, some)
    return frame.figure


def _draw(axis: Axes, shown: Sequence[Dot]) -> None:
    axis.set_xscale("log")
    axis.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.xaxis.set_major_formatter(FuncFormatter(lambda cost, _: f"{cost:g}"))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_minor_formatter(NullFormatter())
    for dot in shown:
        axis.plot(dot.multi_adds_g, dot.psnr_y_db, **_STYLES[dot.kind])
    axis.margins(0.12, 0.1)


def _name(axis: Axes, shown: Sequence[Dot]) -> None:
    ranked = sorted(shown, key=lambda dot: dot.kind not in _OURS)
    names = [
        Name(dot.name, dot.multi_adds_g, dot.psnr_y_db, BEST if dot.kind in _OURS else FAINT)
        for dot in ranked
    ]
    write_names(axis, names, [(name.x, name.y) for name in names])


def main() -> None:
    """Draws them."""
    classes = json.loads((RESULTS / "proven.json").read_text())["classes"]
    for scale in (scale for scale in _ABOUT if _ended(scale, classes)):
        for path in save_figure(picture(scale, classes), RESULTS / f"proven_x{scale}", "proven"):
            print(path)


if __name__ == "__main__":
    main()
