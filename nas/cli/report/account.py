"""All that a report tells of a run, gathered from its folder and its study."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search_spaces.errors import InputError

if TYPE_CHECKING:
    from optuna import Study

    from nas.audit.trust import Trust
    from nas.records import TrialRecord
    from nas.run import Run
    from reports.account import Importance, RunAccount
    from reports.plots.published import PublishedInfo
    from reports.summary import RunSummary

__all__ = ["gather", "names_of"]

# Fewer say nothing: the evaluator looks at what the best tenth has in common.
_LEAST_TRIALS = 10
_FILL = "fill_"


def gather(run: Run, name: str) -> RunAccount:
    """One run's account; what is missing becomes a gap that the page tells.

    Args:
        run: in any state.
        name: what the page calls it.

    Raises:
        InputError: the study cannot be read, or no trial has finished.
    """
    from nas.cli.report.crops import crops
    from nas.cli.report.summarize import summarize
    from nas.records import FINISHED
    from reports.account import RunAccount

    # One study, and so its trials read once, for everything that asks the run.
    run = replace(run, study=run.opened_study())
    records = run.records()
    if not any(record.state == FINISHED for record in records):
        raise InputError(
            f"{run.folder}: no trial has finished yet, so there is nothing to report; "
            f"let its search go on"
        )
    study = run.opened_study()
    summary = summarize(run, records)
    gaps: list[str] = []
    pictures = crops(run, records, gaps)
    return RunAccount(
        name,
        summary,
        tuple(records),
        ended_s=_ended_s(study),
        full_steps=run.about["identity"].get("recipe", {}).get("steps"),
        importance=_importance(study, run.objectives),
        compressed=_compressed(run, gaps),
        audit=_audit(run, gaps),
        crops=pictures,
        published=_published(run, summary, gaps),
        made=tuple(_made(run, records)),
        gaps=tuple(gaps),
    )


def _ended_s(study: Study) -> dict[int, float]:
    trials = study.get_trials(deepcopy=False)
    starts = [t.datetime_start for t in trials if t.datetime_start is not None]
    if not starts:
        return {}
    began = min(starts)
    return {
        t.number: (t.datetime_complete - began).total_seconds()
        for t in trials
        if t.datetime_complete is not None
    }


def _importance(study: Study, objectives: Iterable[str]) -> tuple[Importance, ...]:
    """By PED-ANOVA (Watanabe et al., IJCAI 2023): what tells the best tenth from the rest."""
    import optuna

    from reports.account import Importance

    complete = study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.COMPLETE,))
    if len(complete) < _LEAST_TRIALS:
        return ()
    at = list(objectives).index("psnr")
    targets = [("PSNR-Y", lambda trial: -float(trial.values[at]))]
    if len(study.directions) > 1:
        targets.insert(0, ("the front", None))  # type: ignore[arg-type]
    found = []
    for name, target in targets:
        with warnings.catch_warnings():
            # It warns that it looks for low values, which these are.
            warnings.simplefilter("ignore")
            evaluator = optuna.importance.PedAnovaImportanceEvaluator()
            try:
                shares = optuna.importance.get_param_importances(
                    study, evaluator=evaluator, target=target
                )
            except (ValueError, RuntimeError):  # all values equal, or no parameter in common
                continue
        found.append(Importance(name, {_dimension(key): v for key, v in shares.items()}))
    return tuple(found)


def _dimension(parameter: str) -> str:
    if parameter.startswith(_FILL):
        return f"{parameter.removeprefix(_FILL).replace('_', ' ')} (share of the budget)"
    return parameter.replace("_", " ")


def _compressed(run: Run, gaps: list[str]) -> tuple[TrialRecord, ...]:
    try:
        return run.compressed()
    except InputError as error:
        gaps.append(f"The compression path is left out: {error}")
        return ()


def _audit(run: Run, gaps: list[str]) -> Trust | None:
    from nas.audit.verdict import read_verdict

    try:
        return read_verdict(run.folder / "audit")
    except InputError as error:
        gaps.append(f"The audit is left out: {error}")
        return None


def _published(run: Run, summary: RunSummary, gaps: list[str]) -> Mapping[str, PublishedInfo]:
    """The front among published results, on every test set that it is evaluated on."""
    from nas.cli.report.evaluated import known_among

    found = {}
    for table in sorted((run.folder / "evaluated").glob("*.csv")):
        try:
            info = known_among(run, summary, table.stem)
        except InputError as error:
            gaps.append(f"The front on {table.stem} is left out: {error}")
            continue
        if info is not None:
            found[table.stem] = info
    return found


def _made(run: Run, records: Iterable[TrialRecord]) -> Iterable[tuple[str, str]]:
    about, identity = run.about, run.about["identity"]
    yield "Command", str(about.get("command", ""))
    yield "Space", f"{identity['space']} ({identity.get('space_hash', '')})"
    photos = about.get("photos", {})
    names = photos.get("validation", [])
    shown = ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
    yield (
        "Photos",
        f"{identity['data']} ({identity.get('data_fingerprint', '')}): "
        f"{photos.get('train', 'some')} to train, {len(names)} to validate ({shown})",
    )
    recipe = identity.get("recipe", {})
    yield "Recipe", ", ".join(f"{key.replace('_', ' ')} {recipe[key]}" for key in recipe)
    noise = run.noise
    yield "Noise", f"{noise.psnr_db:.3f} dB between seeds of one network: {noise.source}"
    yield "Sampler", f"{about.get('sampler', 'unknown')}, seed {about.get('seed', 'unknown')}"
    machines = [r.made_with["environment"] for r in records if "environment" in r.made_with]
    machines = machines or [about.get("environment", {})]
    for what, text in (("Device", _device), ("Versions", _versions), ("Revision", _revision)):
        told = dict.fromkeys(text(machine) for machine in machines)
        yield what, "; ".join(one for one in told if one)


def _device(machine: Mapping[str, Any]) -> str:
    parts = [machine.get("device"), machine.get("system")]
    if "cores" in machine:
        parts.append(f"{machine['cores']} cores, {machine.get('threads')} of them in a training")
    return ", ".join(str(part) for part in parts if part)


def _versions(machine: Mapping[str, Any]) -> str:
    versions = {"Python": machine.get("python"), **machine.get("versions", {})}
    return ", ".join(f"{name} {version}" for name, version in versions.items() if version)


def _revision(machine: Mapping[str, Any]) -> str:
    return str(machine.get("revision") or "")


def names_of(folders: Iterable[Path]) -> list[str]:
    """A short name for each run folder, no two alike."""
    paths = [folder.resolve() for folder in folders]
    names = [path.name for path in paths]
    return [
        name if names.count(name) == 1 else f"{path.parent.name}-{name}"
        for name, path in zip(names, paths, strict=True)
    ]
