"""Made-up runs for the tests of figures and pages."""

from __future__ import annotations

import io
import math
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from nas.audit.trust import Trust, trust
from nas.records import FAILED, FINISHED, REJECTED, STOPPED, Rung, TrialRecord
from reports.account import CropImage, Importance, PhotoCrops, RunAccount
from reports.summary import RunSummary

STEPS = 900


def architecture(channels: int, **more: Any) -> dict[str, Any]:
    block = {"repeat": 3, "kind": "distillation", "stages": 2, "distillation": "fdc", **more}
    return {"schema_version": 1, "scale": 4, "channels": channels, "blocks": [block]}


def network(number: int, psnr: float, params: int, **more: Any) -> TrialRecord:
    rungs = (Rung(100, psnr - 0.6, 0.7, 1.0), Rung(300, psnr - 0.2, 0.7, 3.0))
    known: dict[str, Any] = {
        "architecture": architecture(params // 10_000),
        "macs": params * 50_000,
        "latency_ms": params / 20_000,
        "train_steps": STEPS,
        "train_seconds": 9.0,
        "rungs": rungs,
    }
    return TrialRecord(number, FINISHED, psnr_y_db=psnr, params=params, **(known | more))


def stopped(number: int, psnr: float, params: int) -> TrialRecord:
    return TrialRecord(
        number, STOPPED, params=params, train_steps=100, train_seconds=1.0,
        architecture=architecture(params // 10_000), rungs=(Rung(100, psnr, 0.7, 1.0),),
    )  # fmt: skip


RECORDS = (
    network(0, 29.0, 200_000),
    network(1, 29.2, 300_000, source="preset:imdn"),
    network(2, 29.1, 400_000),
    network(3, 29.5, 500_000),
    stopped(4, 28.0, 450_000),
    stopped(5, 28.1, 250_000),
    TrialRecord(6, FAILED, params=100_000, train_steps=50, reason="diverged"),
    TrialRecord(7, REJECTED, reason="over budget"),
)
SUMMARY = RunSummary(
    "Search within 600 K parameters",
    space="distillation",
    data="embedded",
    profile="quick",
    scale=4,
    budgets={"params": 600_000},
    latency_at="64×64 input",
    bicubic_psnr_y_db=28.8,
    adapted=frozenset({1}),
)


def picture(value: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.full((8, 8, 3), value, np.uint8)).save(file, format="PNG")
    return file.getvalue()


@cache
def judged() -> Trust:
    """The verdict of a made-up audit: twelve networks in two seeds, of which one diverged."""
    rng = np.random.default_rng(0)
    quality = rng.normal(28, 0.3, 12)
    networks = pd.DataFrame(
        {"hash": list("abcdefghijkl"), "params": np.arange(1, 13) * 1000, "macs": rng.random(12)}
    )
    rows = [
        (name, seed, step, value - 5 * step**-0.5 + rng.normal(0, 0.05))
        for name, value in zip(networks["hash"], quality, strict=True)
        for seed in (0, 1)
        for step in (10, 30, 150)
    ]
    rows[-1] = ("l", 1, 150, math.nan)
    curves = pd.DataFrame(rows, columns=["hash", "seed", "step", "psnr_y_db"])
    return trust(curves, networks, proxy_step=30, long_step=150, samples=50)


def account(name: str = "a run", **more: Any) -> RunAccount:
    told: dict[str, Any] = {
        "ended_s": {record.number: 10.0 * (record.number + 1) for record in RECORDS},
        "full_steps": STEPS,
        "importance": (
            Importance("the front", {"channels": 0.7, "family": 0.3}),
            Importance("PSNR-Y", {"channels": 0.4, "family": 0.6}),
        ),
        "compressed": (
            network(3, 29.5, 500_000, source="compressed:given"),
            network(3, 29.3, 250_000, source="compressed:prune"),
            TrialRecord(3, REJECTED, source="compressed:distill", params=250_000, psnr_y_db=29.2),
            network(3, 29.25, 250_000, source="compressed:int8"),
        ),
        "audit": judged(),
        "crops": (
            PhotoCrops(
                "cat.png", "8×8 pixels",
                (
                    CropImage("bicubic", picture(80), 24.0),
                    CropImage("trial 3", picture(120), 25.5, 3, "500.0 K parameters"),
                ),
            ),
        ),
        "made": (("Command", "nas search --budget 600K-params"), ("Device", "a machine")),
        "gaps": ("Nothing is missing.",),
    }  # fmt: skip
    told |= {"name": name, "summary": SUMMARY, "records": RECORDS} | more
    return RunAccount(**told)
