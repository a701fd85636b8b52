"""A run's facts for its reports: what stands in its folder and study, in the reports' words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nas.records import TrialRecord
    from nas.run import Run
    from reports.summary import RunSummary

__all__ = ["summarize"]


def summarize(run: Run, records: Sequence[TrialRecord]) -> RunSummary:
    """What the reports need to know of the run beside its trials."""
    from nas.evaluate.baseline import baseline
    from nas.latency.device import latency_place
    from nas.records import DUPLICATE, INTERRUPTED, OVER_BUDGET, REJECTED
    from reports.summary import RunSummary

    identity: dict[str, Any] = run.about["identity"]
    rejected = [record for record in records if record.state == REJECTED]
    asked = [record for record in records if record.source == "sampler" and record.architecture]
    asked = [record for record in asked if record.state != INTERRUPTED]
    latency = next((r.made_with["latency"] for r in records if "latency" in r.made_with), None)
    return RunSummary(
        title=_title(run),
        space=identity["space"],
        data=identity["data"],
        profile=identity["profile"],
        scale=identity["scale"],
        objectives=run.objectives,
        budgets=run.budgets,
        hr=tuple(identity["hr"]),
        latency_at=latency_place(latency["lr_size"], latency["device"], latency["threads"])
        if latency
        else "",
        bicubic_psnr_y_db=run.about.get("bicubic", {}).get("psnr_y_db"),
        baseline=baseline(identity["scale"]),
        proposals=len(asked),
        proposals_fit=sum(record.reason != OVER_BUDGET for record in asked),
        duplicates=sum(record.reason == DUPLICATE for record in rejected),
        adapted=_adapted(records, identity["scale"]),
        prefer=run.choice.prefer,
        noise_db=run.noise.psnr_db,
    )


def _title(run: Run) -> str:
    from nas.objectives import OBJECTIVES

    walls = [
        one.named(one.limit_text(run.budgets[one.attribute]))
        for one in OBJECTIVES.values()
        if one.attribute in run.budgets
    ]
    return f"Search within {' and '.join(walls)}" if walls else "Search without a budget"


def _adapted(records: Sequence[TrialRecord], scale: int) -> frozenset[int]:
    """The trials of presets that the space writes differently from the published network."""
    published = [record for record in records if record.preset is not None]
    if not published:
        return frozenset()
    from search_spaces import preset, preset_names

    return frozenset(
        record.number
        for record in published
        if record.preset not in preset_names()
        or preset(record.preset, scale).hash != record.architecture_hash
    )
