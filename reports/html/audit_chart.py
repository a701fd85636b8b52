"""The audit's figure of the page."""

from __future__ import annotations

import math

from nas.audit.ranking import Estimate
from reports.html.chart import Chart, Spec, Variant, axis, escaped, layout
from reports.plots.audit import AuditInfo, Scatter

__all__ = ["audit_chart"]


def audit_chart(info: AuditInfo) -> Chart:
    """How everything ranks, then each rung against the long training."""
    variants = [Variant("Rankings", *_bars(info))]
    variants += [Variant(one.axis_label.split(" [")[0], *_scatter(one, info))
                 for one in info.scatters if one.points]  # fmt: skip
    notes = [f"{one.axis_label.split(' [')[0]}: {one.legend}" for one in info.scatters]
    if info.diverged:
        notes.append(f"{info.diverged} diverged: not drawn, counted as worst")
    return Chart(
        "audit",
        info.title,
        info.subtitle,
        tuple(variants),
        tuple(notes),
        "How far short trainings rank networks as long ones do: Kendall's tau of each signal.",
        height_px=max(360, 120 + 30 * len(info.bars)),
    )


def _bars(info: AuditInfo) -> tuple[list[Spec], Spec]:
    traces: list[Spec] = []
    for name, color in (("at equal price", "$front"), ("overall", "$trial")):
        known = [
            (bar.label, found)
            for bar in info.bars
            if math.isfinite((found := bar.tau if name == "overall" else bar.tau_at_price).value)
        ]
        traces.append(
            {
                "type": "bar", "orientation": "h", "name": name,
                "y": [escaped(label) for label, _ in known],
                "x": [round(found.value, 3) for _, found in known],
                "customdata": [_interval(found) for _, found in known],
                "marker": {"color": color},
                "hovertemplate": "%{y}, " + name + ": %{x:.2f} (90%: %{customdata})<extra></extra>",
            }
        )  # fmt: skip
    shapes: list[Spec] = []
    if math.isfinite(info.ceiling.value):
        at = info.ceiling.value
        shapes.append(
            {"type": "line", "x0": at, "x1": at, "yref": "paper", "y0": 0, "y1": 1,
             "line": {"color": "$faint", "width": 1.4, "dash": "dash"}}
        )  # fmt: skip
    up = axis("", gridcolor="rgba(0,0,0,0)", ticks="", autorange="reversed", type="category")
    across = axis("Kendall's tau", zeroline=True, zerolinecolor="$rule")
    return traces, layout(across, up, barmode="group", bargap=0.25, shapes=shapes)


def _interval(found: Estimate) -> str:
    return f"{found.low:.2f} to {found.high:.2f}" if math.isfinite(found.low) else "unknown"


def _scatter(scatter: Scatter, info: AuditInfo) -> tuple[list[Spec], Spec]:
    def error(noise_db: float) -> Spec:
        shown = math.isfinite(noise_db)
        return {"type": "constant", "value": noise_db if shown else 0, "visible": shown,
                "thickness": 0.8, "width": 0}  # fmt: skip

    trace: Spec = {
        "type": "scatter", "mode": "markers", "name": "networks", "showlegend": False,
        "x": [round(x, 4) for x, _ in scatter.points],
        "y": [round(y, 4) for _, y in scatter.points],
        "error_x": error(scatter.noise_db), "error_y": error(info.long_noise_db),
        "marker": {"color": "$front", "size": 9, "line": {"color": "$card", "width": 1}},
        "hovertemplate": "%{x:+.3f} dB, in the end %{y:+.3f} dB<extra></extra>",
    }  # fmt: skip
    return [trace], layout(axis(scatter.axis_label), axis(info.long_label))
