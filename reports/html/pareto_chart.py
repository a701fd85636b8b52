"""The Pareto figures of the page: a run's own, several runs', and among published results."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from reports.html.chart import (
    Chart,
    Spec,
    Variant,
    axis,
    baseline_line,
    escaped,
    layout,
    markers,
    noise_band,
    wall,
)
from reports.plots.comparison import ComparisonInfo, ComparisonPanel
from reports.plots.pareto import Panel, ParetoInfo, Point
from reports.plots.published import PublishedInfo
from reports.words import spaced

__all__ = ["comparison_chart", "pareto_chart", "published_chart"]

_KINDS = (
    ("circle", "$series-2"), ("triangle-up", "$series-4"), ("triangle-down", "$series-5"),
    ("cross", "$series-3"), ("x", "$trial"), ("pentagon", "$wall"),
)  # fmt: skip
"""Of networks by the kind of their blocks: the shapes of ``reports.plots.style.KINDS``."""


def pareto_chart(info: ParetoInfo) -> Chart:
    """A view for each cost."""
    top = info.panels[0].best
    spoken = f"PSNR-Y against cost of {len(info.panels[0].points)} networks."
    if top is not None:
        spoken += f" The best reaches {top.psnr_y_db:.3f} dB; the table below has all figures."
    return Chart(
        "pareto",
        "The front",
        "Each point is a trained network. Point at one to read it, click it for its configuration.",
        tuple(Variant(p.objective.label, *_pareto(p, info)) for p in info.panels),
        info.notes,
        spoken,
        height_px=500,
    )


def published_chart(info: PublishedInfo) -> Chart:
    """The run's front among the papers' results on one test set, over logarithmic costs."""
    drawn, test_set = info.drawn, info.test_set
    variants = tuple(
        Variant(panel.objective.label, *_pareto(panel, drawn, papers=True))
        for panel in drawn.panels
    )
    return Chart(
        f"published-{test_set.lower().replace(' ', '-')}",
        f"Among published results on {test_set}",
        " ".join(info.caption),
        variants,
        drawn.notes,
        f"PSNR-Y on {test_set} against cost, of this search's front and of published networks.",
        height_px=520,
    )


def comparison_chart(info: ComparisonInfo) -> Chart:
    """The fronts of several runs, a view for each cost."""
    return Chart(
        "comparison",
        info.title,
        "Each line is one run's front; its budget is the dashed line of its colour.",
        tuple(Variant(panel.objective.label, *_compared(panel)) for panel in info.panels),
        tuple(f"Compare with care: {difference}" for difference in info.differences),
        "PSNR-Y against cost, a front for each run.",
        height_px=480,
    )


def _pareto(panel: Panel, info: ParetoInfo, *, papers: bool = False) -> tuple[list[Spec], Spec]:
    low, high = info.psnr_range_db
    stairs = {
        "type": "scatter", "mode": "lines", "x": [p.cost for p in panel.front],
        "y": [p.psnr_y_db for p in panel.front], "line": {"color": "$front", "shape": "hv"},
        "hoverinfo": "skip", "showlegend": False,
    }  # fmt: skip
    best = panel.best.number if panel.best is not None else None
    own_front = [p for p in panel.front if not p.published and p.number != best]
    others = [p for p in panel.others if p.number != best]
    kinds = {kind: _KINDS[min(k, len(_KINDS) - 1)] for k, kind in enumerate(info.kinds)}
    logarithmic = papers or panel.objective.by_ratio

    def named(points: Sequence[Point]) -> Spec:
        # Among papers' names those of the search's own would not be found.
        if papers or not any(p.label for p in points):
            return {}
        return {
            "mode": "markers+text", "text": [escaped(p.label) for p in points],
            "textposition": "bottom right", "textfont": {"size": 12},
        }  # fmt: skip

    def shown(
        name: str, points: Sequence[Point], color: str, size: float, symbol: str = "circle",
        **more: Any,
    ) -> Spec:  # fmt: skip
        trace = markers(name, _places(points), color, size, symbol, **named(points), **more)
        if kinds:
            styles = [kinds.get(p.kind, (symbol, color)) for p in points]
            trace["marker"]["symbol"] = [shape for shape, _ in styles]
            if color != "$published":
                trace["marker"]["color"] = [own for _, own in styles]
                # Shapes and colours have entries of their own.
                trace["showlegend"] = False
        return trace

    traces = [
        stairs | {"name": "front", "showlegend": bool(kinds)},
        shown("other trial", others, "$trial", 7, opacity=0.75),
        shown("front", own_front, "$front", 10),
    ]
    if papers:
        traces.append(_papers(panel.published))
    else:
        published = [p for p in panel.published if p.number != best]
        traces.append(shown("published system", published, "$published", 10, "diamond"))
    for index, path in enumerate(panel.compressed):
        traces += _compressed(path, first=index == 0)
    if panel.best is not None:
        traces.append(markers("best", _places([panel.best]), "$best", 17, "star"))
    traces += [_kind(kind, *style) for kind, style in kinds.items()]
    shapes: list[Spec] = []
    notes: list[Spec] = []
    costs = [p.cost for points in (panel.points, *panel.compressed) for p in points]
    if panel.wall is not None and panel.wall_drawn:
        costs.append(panel.wall)
    near, far = _span(costs, logarithmic=logarithmic)
    if panel.wall is not None and panel.wall_drawn:
        beyond, note = wall(panel.wall, panel.wall_label, 10**far if logarithmic else far)
        # On a logarithmic axis Plotly takes an annotation's place as a logarithm.
        notes.append(note | {"x": math.log10(panel.wall)} if logarithmic else note)
        shapes += beyond
    elif panel.wall is not None:
        notes.append(
            {
                "xref": "paper", "yref": "paper", "x": 1, "y": 0.01, "xanchor": "right",
                "yanchor": "bottom", "showarrow": False, "text": f"{panel.wall_label} →",
                "font": {"color": "$wall", "size": 12},
            }
        )  # fmt: skip
    if info.bicubic_drawn and info.bicubic_psnr_y_db is not None:
        line, note = baseline_line(info.baseline, info.bicubic_psnr_y_db)
        shapes += line
        notes.append(note)
    if info.noise_db is not None:
        band, note = noise_band(max(info.noise_db[0], low), info.noise_db[1])
        shapes += band
        notes.append(note)
    across = axis(panel.axis_label, range=[near, far], type="log" if logarithmic else "linear")
    if logarithmic:
        across |= {"dtick": "D2", "tickformat": ",.6~g"}
    up = axis("PSNR-Y [dB]", range=[low, high])
    return [t for t in traces if t["x"]], layout(across, up, shapes=shapes, annotations=notes)


def _compared(panel: ComparisonPanel) -> tuple[list[Spec], Spec]:
    traces: list[Spec] = []
    shapes: list[Spec] = []
    reach = max(cost for front in panel.fronts for _, cost, _ in front.points)
    for front in panel.fronts:
        color = f"$series-{front.run % 6}"
        places = {number: (cost, psnr) for number, cost, psnr in front.points}
        traces.append(
            markers(
                front.name, places, color, 9, mode="lines+markers", run=front.run,
                line={"color": color, "shape": "hv", "width": 1.8},
            )
        )  # fmt: skip
        systems = {number: (cost, psnr) for number, cost, psnr in front.published.values()}
        traces.append(
            markers(
                f"{front.name}: published systems", systems, color, 9, "diamond", run=front.run,
                mode="markers+text", text=[escaped(name) for name in front.published],
                textposition="bottom right", textfont={"size": 12, "color": color},
            )
        )  # fmt: skip
        if front.wall is not None and front.wall <= 2 * reach:
            (line, *_), _ = wall(front.wall, "")
            shapes.append(line | {"line": {"color": color, "width": 1.4, "dash": "dash"}})
    drawn = [trace for trace in traces if trace["x"]]
    across = axis(panel.axis_label)
    if panel.objective.by_ratio:
        across |= {"type": "log", "dtick": "D2", "tickformat": ",.6~g"}
    return drawn, layout(across, axis("PSNR-Y [dB]"), shapes=shapes)


def _papers(points: Sequence[Point]) -> Spec:
    named = [escaped(p.label) for p in points]
    return {
        "type": "scatter", "mode": "markers+text", "name": "published (long training)",
        "x": [p.cost for p in points], "y": [p.psnr_y_db for p in points], "text": named,
        # Where names crowd, pointing at one still tells it.
        "hovertext": named,
        "textposition": "top left", "textfont": {"size": 11},
        "hovertemplate": "%{hovertext} %{y:.2f} dB at %{x}<extra>published</extra>",
        "marker": {"color": "$published", "size": 8, "symbol": "diamond",
                   "line": {"color": "$card", "width": 1}},
    }  # fmt: skip


def _compressed(path: Sequence[Point], *, first: bool) -> tuple[Spec, Spec]:
    """The way from a network and what it was made into; one entry in the legend for all."""
    line: Spec = {
        "type": "scatter", "mode": "lines", "hoverinfo": "skip", "showlegend": False,
        "legendgroup": "compressed", "line": {"color": "$compressed", "width": 1.4},
        "x": [p.cost for p in path], "y": [p.psnr_y_db for p in path],
    }  # fmt: skip
    made: Spec = {
        "type": "scatter", "mode": "markers", "name": "compressed",
        "legendgroup": "compressed", "showlegend": first,
        "x": [p.cost for p in path[1:]], "y": [p.psnr_y_db for p in path[1:]],
        "marker": {"color": "$compressed", "size": 9, "symbol": "square",
                   "line": {"color": "$card", "width": 1}},
        "hovertemplate": f"compressed from trial {path[0].number}: %{{y:.3f}} dB at %{{x:,.4~g}}"
        "<extra></extra>",
    }  # fmt: skip
    return line, made


def _kind(kind: str, symbol: str, color: str) -> Spec:
    """An entry of the legend alone: what a shape and a colour stand for."""
    return {
        "type": "scatter", "mode": "markers", "name": escaped(f"{spaced(kind)} blocks"),
        "x": [None], "y": [None], "hoverinfo": "skip",
        "marker": {"color": color, "size": 9, "symbol": symbol},
    }  # fmt: skip


def _places(points: Sequence[Point]) -> dict[int, tuple[float, float]]:
    return {p.number: (p.cost, p.psnr_y_db) for p in points}


def _span(costs: Sequence[float], *, logarithmic: bool) -> tuple[float, float]:
    if logarithmic:
        ends = math.log10(min(costs)), math.log10(max(costs))
        margin = 0.06 * (ends[1] - ends[0]) or 0.1
        return ends[0] - margin, ends[1] + margin
    margin = 0.08 * (max(costs) - min(costs)) or 0.2 * max(costs) or 1.0
    return max(min(costs) - margin, 0.0), max(costs) + margin
