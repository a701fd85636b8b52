"""What an interactive figure is made of: plain data for Plotly, with colours by name.

A colour is the name of one of the page's CSS variables with a ``$`` before it, such as
``"$front"``; the page puts in the colours of the theme that it is shown in. A trace with
``"numbers"`` gets its hover text and its click from the run's trials of those numbers.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any, NamedTuple

__all__ = [
    "Chart",
    "Spec",
    "Variant",
    "axis",
    "baseline_line",
    "escaped",
    "layout",
    "markers",
    "wall",
]

Spec = dict[str, Any]


class Variant(NamedTuple):
    """One view of a figure: Plotly's traces and layout, under a name for its switch."""

    label: str
    traces: list[Spec]
    layout: Spec


class Chart(NamedTuple):
    """A figure of the page.

    Attributes:
        key: its identifier, unique within a run.
        title: above it.
        subtitle: beneath the title.
        variants: its views; with more than one it gets a switch.
        notes: beneath it.
        spoken: what it shows, for those who do not see it.
        height_px: of the drawing.
    """

    key: str
    title: str
    subtitle: str
    variants: tuple[Variant, ...]
    notes: tuple[str, ...] = ()
    spoken: str = ""
    height_px: int = 440

    def plain(self) -> Spec:
        """The views as plain data for the page."""
        return {"variants": [{"data": v.traces, "layout": v.layout} for v in self.variants]}


def escaped(text: str) -> str:
    """Text that Plotly, which reads some HTML, shows as it is."""
    return html.escape(text, quote=False)


def axis(title: str, **more: Any) -> Spec:
    """An axis in the manner of all figures."""
    return {
        "title": {"text": escaped(title), "standoff": 10},
        "gridcolor": "$grid",
        "linecolor": "$rule",
        "zeroline": False,
        "ticks": "outside",
        "ticklen": 4,
        "tickcolor": "$rule",
        "automargin": True,
        **more,
    }


def layout(across: Spec, up: Spec, **more: Any) -> Spec:
    """A layout in the manner of all figures."""
    return {
        "xaxis": across,
        "yaxis": up,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": "system-ui, sans-serif", "size": 13, "color": "$ink"},
        "margin": {"l": 56, "r": 16, "t": 34, "b": 48},
        "hovermode": "closest",
        "hoverlabel": {
            "bgcolor": "$card",
            "bordercolor": "$rule",
            "font": {"color": "$ink", "size": 13, "family": "system-ui, sans-serif"},
            "align": "left",
        },
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "xanchor": "left"},
        "modebar": {
            "bgcolor": "rgba(0,0,0,0)",
            "color": "$faint",
            "activecolor": "$front",
        },
        "showlegend": True,
        **more,
    }


def markers(
    name: str, points: Mapping[int, tuple[float, float]], color: str, size: float,
    symbol: str = "circle", **more: Any,
) -> Spec:  # fmt: skip
    """Points of trials, from number to (x, y)."""
    places = list(points.values())
    return {
        "type": "scatter",
        "mode": "markers",
        "name": escaped(name),
        "x": [x for x, _ in places],
        "y": [y for _, y in places],
        "numbers": list(points),
        "marker": {
            "color": color,
            "size": size,
            "symbol": symbol,
            "line": {"color": "$card", "width": 1},
        },
        **more,
    }


def wall(at: float, label: str, far_end: float | None = None) -> tuple[list[Spec], Spec]:
    """Shapes and label of a vertical budget, shaded up to ``far_end``."""
    shapes: list[Spec] = [
        {
            "type": "line", "x0": at, "x1": at, "yref": "paper", "y0": 0, "y1": 1,
            "line": {"color": "$wall", "width": 1.6},
        }
    ]  # fmt: skip
    if far_end is not None and far_end > at:
        shapes.append(
            {
                "type": "rect", "x0": at, "x1": far_end, "yref": "paper", "y0": 0, "y1": 1,
                "line": {"width": 0}, "fillcolor": "$wall-fade", "layer": "below",
            }
        )  # fmt: skip
    note: Spec = {
        "x": at, "yref": "paper", "y": 0.02, "text": escaped(label), "textangle": -90,
        "showarrow": False, "xanchor": "left", "yanchor": "bottom",
        "font": {"color": "$wall", "size": 12},
    }  # fmt: skip
    return shapes, note


def noise_band(low_db: float, high_db: float) -> tuple[list[Spec], Spec]:
    """Shapes and label of the PSNR-Y that seeds alone may part from the highest."""
    band: Spec = {
        "type": "rect", "xref": "paper", "x0": 0, "x1": 1, "y0": low_db, "y1": high_db,
        "line": {"width": 0}, "fillcolor": "$best-fade", "layer": "below",
    }  # fmt: skip
    note: Spec = {
        "xref": "paper", "x": 0.005, "y": low_db, "text": "within the noise of seeds",
        "showarrow": False, "xanchor": "left", "yanchor": "bottom",
        "font": {"color": "$best", "size": 12},
    }  # fmt: skip
    return [band], note


def baseline_line(name: str, psnr_y_db: float) -> tuple[list[Spec], Spec]:
    """Shapes and label of the PSNR-Y of bicubic upscaling, or of the input."""
    line: Spec = {
        "type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": psnr_y_db, "y1": psnr_y_db,
        "line": {"color": "$faint", "width": 1, "dash": "dash"},
    }  # fmt: skip
    note: Spec = {
        "xref": "paper", "x": 0.005, "y": psnr_y_db, "text": f"{name} {psnr_y_db:.2f} dB",
        "showarrow": False, "xanchor": "left", "yanchor": "bottom",
        "font": {"color": "$faint", "size": 12},
    }  # fmt: skip
    return [line], note
