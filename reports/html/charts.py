"""The other figures of the page, from the same information as those in print."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from reports.html.chart import Chart, Spec, Variant, axis, baseline_line, escaped, layout, markers
from reports.plots.compression import CompressionInfo, PathPanel, PathPoint
from reports.plots.importance import ImportanceInfo
from reports.plots.latency import LatencyInfo
from reports.plots.progress import Course, ProgressInfo
from reports.plots.rungs import RungLine, RungsInfo
from reports.plots.savings import SavingsInfo

__all__ = [
    "compression_chart",
    "importance_chart",
    "latency_chart",
    "progress_chart",
    "rungs_chart",
    "savings_chart",
]

_SAVED = {"trained to the end": "$front", "stopped early": "$trial", "failed": "$wall"}

_IN_ORDER = {
    "orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "xanchor": "left",
    "traceorder": "normal",
}  # fmt: skip


def progress_chart(info: ProgressInfo) -> Chart:
    """Hypervolume over networks, steps, training time and wall time: a view each."""
    variants = []
    for name in info.axes():
        unit, divisor = info.units[name]
        across = axis(f"{info.labels[name]}{f' [{unit}]' if unit else ''}", rangemode="tozero")
        up = axis("Hypervolume [%]", range=[0, 104])
        traces = [
            _course(course, name, divisor, f"$series-{index % 6}")
            for index, course in enumerate(info.courses)
        ]
        several = len(info.courses) > 1
        variants.append(Variant(info.labels[name], traces, layout(across, up, showlegend=several)))
    spoken = "; ".join(
        f"{c.name} reaches {c.hypervolume[-1]:.0f}% after {len(c.trials)} networks"
        for c in info.courses
        if c.hypervolume
    )
    return Chart("hypervolume", info.title, info.subtitle, tuple(variants), (info.note,), spoken)


def _course(course: Course, name: str, divisor: float, color: str) -> Spec:
    return {
        "type": "scatter", "mode": "lines", "name": escaped(course.name),
        "x": [0.0, *(round(value / divisor, 4) for value in getattr(course, name))],
        "y": [0.0, *(round(value, 2) for value in course.hypervolume)],
        "line": {"color": color, "shape": "hv", "width": 2},
        "fill": "tozeroy", "fillcolor": f"{color}-fade",
        "hovertemplate": "%{y:.1f}% at %{x:,.4~g}<extra></extra>",
    }  # fmt: skip


def importance_chart(info: ImportanceInfo) -> Chart:
    """Bars, the most important dimension on top."""
    traces: list[Spec] = [
        {
            "type": "bar", "orientation": "h", "name": escaped(f"for {target}"),
            "y": [_lines_of(d) for d in info.dimensions], "x": [round(v, 2) for v in values],
            "marker": {"color": f"$series-{index}"},
            "hovertemplate": "%{y}: %{x:.0f}%<extra>%{fullData.name}</extra>",
        }
        for index, (target, values) in enumerate(zip(info.targets, info.percent, strict=True))
    ]  # fmt: skip
    up = axis("", autorange="reversed", gridcolor="rgba(0,0,0,0)", ticks="")
    drawn = layout(axis("Share [%]", rangemode="tozero"), up, barmode="group", bargap=0.25)
    height = max(300, 110 + 34 * len(info.dimensions))
    spoken = f"For {info.targets[0]}, most important first: {', '.join(info.dimensions)}."
    return Chart(
        "importance", info.title, info.subtitle, (Variant("", traces, drawn),), (), spoken, height
    )


def _lines_of(name: str) -> str:
    """In lines that leave room for the bars on a phone."""
    return "<br>".join(textwrap.wrap(escaped(name), 22)) or escaped(name)


def rungs_chart(info: RungsInfo) -> Chart:
    """All networks' lines; two traces hold them, since hundreds would be slow to draw."""
    stopped = [line for line in info.lines if line.stopped]
    ended = [line for line in info.lines if not line.stopped and line is not info.best]
    traces = [
        _lines("stopped early", stopped, "$trial", 0.45, 0.8),
        _lines("trained to the end", ended, "$front", 0.5, 0.8),
    ]
    if info.best is not None:
        traces.append(_lines("best", [info.best], "$best", 1.0, 2.6))
    shapes: list[Spec] = []
    notes: list[Spec] = []
    if info.bicubic_psnr_y_db is not None:
        shapes, note = baseline_line(info.baseline, info.bicubic_psnr_y_db)
        notes = [note]
    drawn = layout(
        axis("Training steps", rangemode="tozero"),
        axis("PSNR-Y [dB]", range=list(info.psnr_range_db)), shapes=shapes, annotations=notes,
    )  # fmt: skip
    return Chart(
        "rungs", info.title, info.subtitle,
        (Variant("", [trace for trace in traces if trace["x"]], drawn),), (),
        f"PSNR-Y over training steps; {info.subtitle}.",
    )  # fmt: skip


def _lines(name: str, lines: list[RungLine], color: str, opacity: float, width: float) -> Spec:
    """Several lines as one trace, an empty place between two."""
    xs: list[int | None] = []
    ys: list[float | None] = []
    numbers: list[int | None] = []
    ends: list[float] = []
    for line in lines:
        xs += [*line.steps, None]
        ys += [*(round(value, 4) for value in line.psnr_y_db), None]
        numbers += [*(line.number for _ in line.steps), None]
        ends += [*(3.0 for _ in line.steps[1:]), 6.0, 0.0]
    return {
        "type": "scatter", "mode": "lines+markers", "name": name, "x": xs, "y": ys,
        "numbers": numbers, "opacity": opacity, "line": {"color": color, "width": width},
        "marker": {"color": color, "size": ends}, "connectgaps": False,
    }  # fmt: skip


def savings_chart(info: SavingsInfo) -> Chart:
    """One bar of all the steps there might have been, and where networks were stopped."""
    bar: list[Spec] = [
        {
            "type": "bar", "orientation": "h", "name": share.label, "x": [share.steps],
            "y": ["Steps"], "text": [f"{share.steps:,}"], "textposition": "inside",
            "insidetextanchor": "middle", "textangle": 0,
            "hovertemplate": f"{share.label}: %{{x:,}} steps, {share.networks} networks"
            "<extra></extra>",
            "marker": {
                "color": _SAVED.get(share.label, "$saved"),
                "pattern": {"shape": "" if share.spent else "/", "fgcolor": "$front"},
            },
        }
        for share in info.shares
    ]  # fmt: skip
    where: Spec = {
        "type": "bar", "name": "stopped", "x": [f"{step:,}" for step, _ in info.rungs],
        "y": [count for _, count in info.rungs], "marker": {"color": "$trial"},
        "text": [str(count) for _, count in info.rungs], "textposition": "outside",
        "cliponaxis": False, "hovertemplate": "%{y} stopped at step %{x}<extra></extra>",
    }  # fmt: skip
    flat = axis("", showticklabels=False, gridcolor="rgba(0,0,0,0)", ticks="")
    variants = (
        Variant(
            "Steps", bar,
            layout(axis("Training steps"), flat, barmode="stack", legend=_IN_ORDER),
        ),
        Variant(
            "Where", [where],
            layout(axis("Stopped at step", type="category"), axis("Networks"), showlegend=False),
        ),
    )  # fmt: skip
    return Chart(
        "savings", info.title, info.subtitle, variants,
        (f"Training every network whole takes {info.full_steps:,} steps each.",),
        info.subtitle, height_px=300,
    )  # fmt: skip


def latency_chart(info: LatencyInfo) -> Chart:
    """Points of all measured networks."""
    plain = {p.number: (p.macs_g, p.latency_ms) for p in info.points if not p.on_front}
    front = {
        p.number: (p.macs_g, p.latency_ms) for p in info.points if p.on_front and not p.is_best
    }
    best = {p.number: (p.macs_g, p.latency_ms) for p in info.points if p.is_best}
    traces = [
        markers("other trial", plain, "$trial", 7, opacity=0.75),
        markers("front", front, "$front", 10),
        markers("best", best, "$best", 17, "star"),
    ]
    line = {"color": "$wall", "width": 1.6}
    shapes: list[Spec] = []
    if info.wall_ms is not None:
        shapes.append({"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": info.wall_ms,
                       "y1": info.wall_ms, "line": line})  # fmt: skip
    if info.wall_g is not None:
        shapes.append({"type": "line", "yref": "paper", "y0": 0, "y1": 1, "x0": info.wall_g,
                       "x1": info.wall_g, "line": line})  # fmt: skip
    across, up = (axis(label, rangemode="tozero") for label in info.axis_labels)
    return Chart(
        "latency", info.title, info.subtitle,
        (Variant("", [t for t in traces if t["x"]], layout(across, up, shapes=shapes)),),
        ("Lines are budgets.",) if shapes else (),
        f"Latency against multi-adds of {info.subtitle}.",
    )  # fmt: skip


def compression_chart(info: CompressionInfo) -> Chart:
    """The path, a view for each cost."""
    return Chart(
        "compression", info.title, info.subtitle,
        tuple(Variant(panel.objective.label, *_path(panel)) for panel in info.panels), (),
        " then ".join(point.label for point in info.panels[0].points),
    )  # fmt: skip


def _path(panel: PathPanel) -> tuple[list[Spec], Spec]:
    front: Spec = {
        "type": "scatter", "mode": "lines+markers", "name": "the search's front",
        "x": [cost for cost, _ in panel.front], "y": [psnr for _, psnr in panel.front],
        "line": {"color": "$front", "shape": "hv", "width": 1.4}, "opacity": 0.6,
        "hoverinfo": "skip",
    }  # fmt: skip
    several = len(panel.paths) > 1
    traces = [front]
    for index, path in enumerate(panel.paths):
        name = f"trial {path[0].trial}" if several and path else "compression"
        traces.append(
            _steps(panel, name, path, f"$series-{(index + 1) % 6}") | {"mode": "lines+markers+text"}
        )
    lost = [point for point in panel.points if not point.kept]
    if lost:
        open_marker = {"color": "$wall", "size": 9, "symbol": "diamond-open"}
        traces.append(_steps(panel, "not kept", lost, "$wall") | {"marker": open_marker})
    shapes: list[Spec] = []
    if panel.wall is not None:
        shapes = [{"type": "line", "x0": panel.wall, "x1": panel.wall, "yref": "paper", "y0": 0,
                   "y1": 1, "line": {"color": "$wall", "width": 1.6}}]  # fmt: skip
    return traces, layout(axis(panel.axis_label), axis("PSNR-Y [dB]"), shapes=shapes)


def _steps(panel: PathPanel, name: str, points: Sequence[PathPoint], color: str) -> Spec:
    return {
        "type": "scatter", "mode": "markers+text", "name": name,
        "x": [p.cost for p in points], "y": [p.psnr_y_db for p in points],
        "text": [escaped(p.label) for p in points], "textposition": "top right",
        "line": {"color": color, "width": 2, "dash": "dot"},
        "marker": {"color": color, "size": 11, "symbol": "diamond"},
        "hovertemplate": f"%{{text}}: %{{y:.3f}} dB, %{{x:,.4~g}} {panel.objective.unit}"
        "<extra></extra>",
    }  # fmt: skip
