"""How fast a report of a large study is written, how large it is, and how soon it answers.

A study of 500 trials of the distillation space is written through Optuna: real networks with
real prices, made-up figures of quality and latency, rungs, most trials stopped early; the front
has (untrained) weights, so that the pictures are made as well. Then ``nas report`` runs on it
in a process of its own, timed from its start to the page and to the last figure for print,
beside the bare start of one that imports what it needs, and Chromium opens the page.
Interactive is when the first figure is drawn and pointing at it is answered.

Run as ``python -m benchmarks.report_speed``; the result goes to results/report_speed.json.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.hardware import header_line, write_result
from nas.explore.propose import Proposal, choose
from nas.explore.settings import SearchSettings, make_settings
from nas.latency.meter import Meter
from nas.records import FINISHED, REJECTED, STOPPED, Rung, TrialRecord
from nas.run import embedded_storage, open_run
from nas.run_file import write_run

__all__ = ["interactive_s", "write_study"]

_RUNGS = (150, 450, 1350)
_BICUBIC_DB = 28.4
CHROMIUM = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


def write_study(folder: Path, trials: int, *, space: str = "distillation", seed: int = 0) -> None:
    """A run folder as a search leaves it, of networks that nobody trained."""
    import optuna

    from nas.store.study import quietly

    quietly()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    settings = make_settings(
        ["600K-params"], objectives="psnr,params,latency", space=space,
        profile="standard", trials=trials, run=folder,
    )  # fmt: skip
    memory = optuna.create_study(
        directions=["maximize", "minimize", "minimize"],
        sampler=optuna.samplers.RandomSampler(seed=seed),
    )
    folder.mkdir(parents=True)
    kept = optuna.create_study(
        storage=embedded_storage(folder), study_name=folder.name, directions=memory.directions
    )
    kept.set_metric_names(list(settings.objectives))
    _about(settings, folder)
    meter = Meter(settings.budget, settings.hr, settings.latency_lr, "cpu")
    rng = np.random.default_rng(seed)
    at, reached = datetime(2026, 1, 1, 8), list[float]()
    for _ in range(trials):
        proposal = choose(memory.ask(), settings.space, settings.scale, meter)
        record = _record(proposal, meter, settings, rng, reached)
        began, at = at, at + timedelta(seconds=1.0 + (record.train_seconds or 0.0))
        kept.add_trial(_frozen(proposal, record, began, at))
        values = [record.psnr_y_db or 0.0, record.params or 0, record.latency_ms or 0.0]
        memory.tell(proposal.trial, values)
    _weights(folder)


def _record(
    proposal: Proposal,
    meter: Meter,
    settings: SearchSettings,
    rng: np.random.Generator,
    reached: list[float],
) -> TrialRecord:
    """A network's prices, and figures that look like those of training it."""
    arch = proposal.architecture
    bare = TrialRecord(
        proposal.trial.number, REJECTED, architecture=arch.to_dict(), architecture_hash=arch.hash
    )
    if not proposal.fits:
        return bare
    params, macs, activations = (
        meter.figure(arch, name) for name in ("params", "macs", "activations")
    )
    attended = 0.08 if any("esa" in str(block) for block in arch.blocks) else 0.0
    worth = 27.6 + 0.42 * np.log10(params / 1e4) * 2 + attended + rng.normal(0, 0.06)
    rungs, speed = [], 0.02 + macs / 4e11
    for step in _RUNGS:
        psnr = worth - 0.9 * (150 / step) ** 0.6 + rng.normal(0, 0.02)
        rungs.append(Rung(step, round(float(psnr), 4), 0.78, round(step * speed, 2)))
        if step == _RUNGS[0]:
            reached.append(psnr)
            # Of each three, the best goes on.
            if psnr < np.quantile(reached, 0.66):
                break
    ended = len(rungs) == len(_RUNGS)
    return TrialRecord(
        bare.number,
        FINISHED if ended else STOPPED,
        architecture=bare.architecture,
        architecture_hash=bare.architecture_hash,
        params=int(params),
        macs=int(macs),
        activations=int(activations),
        memory_mb=round(40 + activations / 4e6, 2),
        latency_ms=round(float((macs / 6e8 + activations / 2e6) * rng.lognormal(0, 0.06)), 3),
        psnr_y_db=rungs[-1].psnr_y_db if ended else None,
        ssim_y=0.78 if ended else None,
        train_steps=rungs[-1].step,
        train_seconds=rungs[-1].seconds,
        rungs=tuple(rungs),
        made_with={
            "latency": {"lr_size": [90, 160], "device": "cpu", "threads": 2},
            "profile": settings.profile,
        },
    )


def _frozen(proposal: Proposal, record: TrialRecord, began: datetime, ended: datetime) -> Any:
    import optuna
    from optuna.trial import TrialState

    trial = proposal.trial
    finished = record.state == FINISHED
    values = [float(v or 0.0) for v in (record.psnr_y_db, record.params, record.latency_ms)]
    return optuna.trial.FrozenTrial(
        number=record.number,
        trial_id=record.number,
        state=TrialState.COMPLETE if finished else TrialState.PRUNED,
        value=None,
        values=values if finished else None,
        datetime_start=began,
        datetime_complete=ended,
        params=dict(trial.params),
        distributions=dict(trial.distributions),
        user_attrs=record.to_attrs(),
        system_attrs={},
        intermediate_values={},
    )


def _about(settings: SearchSettings, folder: Path) -> None:
    from nas.data import load_dataset

    photos = load_dataset(settings.scale, lr_size=settings.recipe.lr_size)
    write_run(
        folder,
        {
            "schema_version": 1,
            "study": folder.name,
            "storage": None,
            "identity": settings.identity(photos.name, photos.fingerprint),
            "bicubic": {"psnr_y_db": _BICUBIC_DB, "ssim_y": 0.76},
            "photos": {
                "train": len(photos.train),
                "validation": [photo.name for photo in photos.validation],
            },
            "sampler": "random",
            "seed": 0,
            "trials": settings.trials,
            "command": "python -m benchmarks.report_speed",
            "environment": {},
        },
    )


def _weights(folder: Path) -> None:
    from search_spaces import Architecture, build, save_weights

    run = open_run(folder)
    for record in run.front_records():
        network = build(Architecture.from_dict(record.architecture))
        save_weights(network, run.weights(record))


def interactive_s(page: Path, repeats: int = 5) -> Iterator[float]:
    """Seconds from opening the page in Chromium until a point that one points at is told.

    Raises:
        ModuleNotFoundError: Playwright is not installed.
    """
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(CHROMIUM))
        for _ in range(repeats):
            tab = browser.new_page(viewport={"width": 1280, "height": 900})
            began = time.perf_counter()
            tab.goto(page.resolve().as_uri())
            points = tab.locator(".plot .scatterlayer .point")
            points.first.wait_for(state="attached")
            last = points.last.bounding_box()
            assert last is not None
            x, y = last["x"] + last["width"] / 2, last["y"] + last["height"] / 2
            tab.mouse.move(x, y)
            tab.locator(".hoverlayer .hovertext").first.wait_for(state="attached")
            yield time.perf_counter() - began
            tab.close()
        browser.close()


def _timed_s(*command: str) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, *command], check=True, capture_output=True)
    return time.perf_counter() - began


def main() -> None:
    """Measures and writes the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=500)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--study", type=Path, help="keep the study here, or take it from here")
    asked = parser.parse_args()
    print(header_line())
    # What else ran: times on a machine that is not alone say little.
    load = round(os.getloadavg()[0], 1)
    with tempfile.TemporaryDirectory() as temporary:
        study = asked.study or Path(temporary) / "study"
        if not study.exists():
            write_study(study, asked.trials)
        out = Path(temporary) / "out"
        command = ["nas", "report", str(study), "-o", str(out)]
        call = f"import sys; sys.argv = {command!r}; from nas.cli.main import main; main()"
        imports = "import torch, optuna, matplotlib.figure, jinja2, pandas, rich.console"
        page = out / "report.html"
        written, whole, bare = [], [], []
        for _ in range(asked.repeats):
            bare.append(_timed_s("-c", imports))
            began = time.time()
            whole.append(_timed_s("-c", call))
            # The figures for print come after the page.
            written.append(page.stat().st_mtime - began)
        opened = list(interactive_s(page))
        figures = {
            "trials": asked.trials,
            "load_average_before": load,
            "page_written_s": _spread(written),
            "with_figures_for_print_s": _spread(whole),
            "imports_alone_s": _spread(bare),
            "ratio_to_imports": round(statistics.median(written) / statistics.median(bare), 2),
            "page_mb": round(page.stat().st_size / 1e6, 2),
            "interactive_s": _spread(opened),
        }
    for name, value in figures.items():
        print(f"{name}: {value}")
    write_result("report_speed", figures)


def _spread(values: list[float]) -> dict[str, float]:
    return {
        "median": round(statistics.median(values), 2),
        "minimum": round(min(values), 2),
        "maximum": round(max(values), 2),
        "n": len(values),
    }


if __name__ == "__main__":
    main()
