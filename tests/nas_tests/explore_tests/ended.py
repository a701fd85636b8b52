"""What a search leaves that was interrupted in some way, and went on to its end."""

from __future__ import annotations

import csv
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import torch

import nas
from nas.records import FAILED, FINISHED, INTERRUPTED, RUNNING, TrialRecord
from search_spaces import Architecture, load

__all__ = ["check_ended", "check_files"]


def check_files(folder: Path) -> None:
    """Whatever is there opens."""
    if (folder / "study.db").exists():
        with closing(sqlite3.connect(folder / "study.db")) as database:
            assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    for path in folder.glob("[!.]*.csv"):
        with path.open(newline="") as file:
            rows = list(csv.reader(file))
        assert len({len(row) for row in rows}) == 1
    if (folder / "best.yaml").exists():
        Architecture.load(folder / "best.yaml")
    for path in (*folder.glob("weights/[!.]*"), *folder.glob("best.safetensors")):
        load(path)
    for path in folder.glob("checkpoints/[!.]*"):
        torch.load(path, weights_only=True)


def check_ended(folder: Path, goal: int) -> list[TrialRecord]:
    """The search is through: nothing twice, nothing half done, nothing left lying about."""
    records = nas.open_run(folder).records()
    counts = Counter(r.state for r in records)
    assert counts[FINISHED] >= goal
    assert counts[RUNNING] == 0
    assert counts[FAILED] == 0
    finished = [r for r in records if r.state == FINISHED]
    networks = [r.architecture_hash for r in finished]
    assert len(networks) == len(set(networks))
    # What was interrupted with its network known was done after all.
    lost = {r.architecture_hash for r in records if r.state == INTERRUPTED} - {""}
    assert lost <= set(networks)
    check_files(folder)
    run = nas.open_run(folder)
    best = run.best()
    assert best is not None
    assert load(folder / "best.safetensors").architecture.hash == best.architecture_hash
    assert Architecture.load(folder / "best.yaml").hash == best.architecture_hash
    kept = {int(path.stem) for path in folder.glob("weights/*")}
    assert kept == {r.number for r in run.front_records()} | {best.number}
    assert not [p for p in folder.rglob("*") if p.name.startswith(".")]
    assert not list(folder.glob("workers/*.lock"))
    assert not list(folder.glob("checkpoints/*"))
    return records
