"""Run folders with a file that is broken, and whatever reads or goes on with them."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

from benchmarks.fuzz import materials as m
from benchmarks.fuzz.case import Command
from benchmarks.fuzz.classes.given import bring
from benchmarks.fuzz.classes.on_a_run import on_a_run
from benchmarks.fuzz.mutations.crafted import unsafe_checkpoint
from benchmarks.fuzz.mutations.places import displaced
from benchmarks.fuzz.mutations.raw import broken
from benchmarks.fuzz.mutations.text import broken_json_bytes, broken_yaml

__all__ = ["databases", "run_folders", "trainings"]


def run_folders(rng: random.Random, place: Path, valid: Path) -> Command:
    """A finished run of which a file or two are broken, lost, or something else."""
    bring(place, valid, m.RUN, m.PHOTOS)
    run = place / m.RUN
    # What nobody reads is not worth a case.
    files = sorted(
        path
        for path in run.rglob("*")
        if path.is_file() and path.suffix not in (".lock", ".png") and path.name != "study.db"
    )
    told = []
    for path in rng.sample(files, k=rng.choice((1, 1, 2))):
        told.append(f"{path.relative_to(run)}: {_broken_file(rng, path)}")
    if rng.random() < 0.06:
        folder = rng.choice([path for path in run.rglob("*") if path.is_dir()])
        told.append(displaced(rng, folder))
    return on_a_run(rng, "; ".join(told))


def databases(rng: random.Random, place: Path, valid: Path) -> Command:
    """A finished run whose study.db is broken: its bytes, or what is written in it."""
    from benchmarks.fuzz.mutations.database import broken_database

    bring(place, valid, m.RUN, m.PHOTOS)
    file = place / m.RUN / "study.db"
    kind = rng.random()
    if kind < 0.7:
        what = broken_database(rng, file)
    elif kind < 0.9:
        content, what = broken(rng, file.read_bytes())
        file.write_bytes(content)
    else:
        what = displaced(rng, file)
    return on_a_run(rng, f"study.db: {what}")


def trainings(rng: random.Random, place: Path, valid: Path) -> Command:
    """A stopped training of which something is broken, and that is to go on."""
    bring(place, valid, m.TRAINING, m.PHOTOS, m.CONFIG, m.RECIPE)
    folder = place / m.TRAINING
    names = (
        "checkpoint.pt",
        "checkpoint.pt",
        "good.pt",
        "train.yaml",
        "history.csv",
        "last.safetensors",
    )
    there = [folder / name for name in names if (folder / name).is_file()]
    told = []
    for path in rng.sample(there, k=rng.choice((1, 1, 2))):
        told.append(f"{path.name}: {_broken_file(rng, path)}")
    last = folder / "last.safetensors"
    regular = all(path.is_file() for path in (last, folder / "checkpoint.pt"))
    if "checkpoint" in told[0] and rng.random() < 0.1 and regular:
        shutil.copyfile(last, folder / "checkpoint.pt")
    argv = rng.choice((m.TRAIN, m.TRAIN, (*m.TRAIN, "--steps", "8")))
    return Command(argv, "; ".join(told), (m.TRAINING,), trains=True)


def _broken_file(rng: random.Random, path: Path) -> str:
    """Breaks a file as its ending suggests; returns what was done."""
    if not path.exists():
        return "gone already"
    if rng.random() < 0.15:
        return displaced(rng, path)
    content = path.read_bytes()
    if path.suffix == ".json":
        content, what = broken_json_bytes(rng, content)
    elif path.suffix in (".yaml", ".yml"):
        content, what = broken_yaml(rng, content.decode())
    elif path.suffix == ".csv":
        content, what = _broken_table(rng, content.decode())
    elif path.suffix == ".pt" and rng.random() < 0.6:
        return unsafe_checkpoint(rng, path)
    else:
        content, what = broken(rng, content)
    path.write_bytes(content)
    return what


def _broken_table(rng: random.Random, text: str) -> tuple[bytes, str]:
    from benchmarks.fuzz.mutations.values import strange

    if rng.random() < 0.4:
        return broken(rng, text.encode())
    rows = [line.split(",") for line in text.splitlines()]
    for _ in range(rng.choice((1, 1, 3))):
        row = rng.choice(rows)
        if row:
            row[rng.randrange(len(row))] = str(strange(rng))[:20_000]
    return "\n".join(",".join(row) for row in rows).encode("utf-8", "replace"), "strange cells"
