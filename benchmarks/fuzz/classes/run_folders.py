"""Run folders with a file that is broken, and whatever reads or goes on with them."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path

from benchmarks.fuzz import materials as m
from benchmarks.fuzz.case import Command
from benchmarks.fuzz.classes.given import bring
from benchmarks.fuzz.mutations.crafted import unsafe_checkpoint
from benchmarks.fuzz.mutations.places import displaced
from benchmarks.fuzz.mutations.raw import broken
from benchmarks.fuzz.mutations.text import broken_json_bytes, broken_yaml

__all__ = ["databases", "on_a_run", "run_folders", "trainings"]

# What no refusal may cost.
_KEPT = tuple(
    f"{m.RUN}/{name}" for name in ("run.yaml", "weights", "compressed", "best.safetensors", "audit")
)


def on_a_run(rng: random.Random, what: str) -> Command:
    """A command on the run folder in its place, with the photos beside it."""
    trial = rng.choice(((), ("--trial", "0"), ("--trial", "5")))
    commands: tuple[tuple[int, Callable[[], Command]], ...] = (
        (5, lambda: Command(("describe", m.RUN, "--no-latency"), what)),
        (5, lambda: Command(("report", m.RUN), what, (m.RUN,), _KEPT)),
        (1, lambda: Command(("report", m.RUN, m.RUN, "-o", "page"), what, ("page",))),
        (1, lambda: Command(("report", m.RUN, "--prefer", "cheaper"), what, (m.RUN,))),
        (1, lambda: Command(("report", m.RUN, "--published", "Set5"), what, (m.RUN,), _KEPT)),
        (1, lambda: Command(
            ("report", m.RUN, "--published", "Set5", "--set", f"Set5={m.PHOTOS}"), what, (m.RUN,), _KEPT)),
        (3, lambda: Command(("evaluate", m.RUN, "--set", f"a={m.PHOTOS}"), what)),
        (3, lambda: Command(("export", m.RUN, "-o", "out.yaml", *trial), what, ("out.yaml",))),
        (2, lambda: Command(("export", m.RUN, "-o", "out.safetensors", *trial), what, ("out.safetensors",))),
        (1, lambda: Command(("export", m.RUN, "--format", "folder", "-o", "out", *trial), what, ("out",))),
        (2, lambda: Command(("upscale", f"{m.PHOTOS}/0.png", "--net", m.RUN, "-o", "out"), what, ("out",))),
        (4, lambda: Command((*m.AUDITED, "--data", m.PHOTOS), what, (m.RUN,), _KEPT, trains=True)),
        (5, lambda: Command((*m.SEARCH, "--trials", "6"), what, (m.RUN,), _KEPT, trains=True)),
        (2, lambda: Command(
            ("worker", "--storage", f"sqlite:///{m.RUN}/study.db", "--study", m.RUN, "--data", m.PHOTOS,
             "--timeout", "5s"), what, (m.RUN,), _KEPT, trains=True)),
        (1, lambda: Command(
            ("search", "--space", "tiny", "--profile", "smoke", "--trials", "1", "--workers", "1",
             "--data", m.PHOTOS, "--warm-start", m.RUN, "--run", "out"), what, ("out",), trains=True)),
        (2, lambda: Command(
            ("train", m.RUN, "--steps", "2", "--batch", "1", "--patch", "32", "--data", m.PHOTOS,
             "--no-tensorboard", "--run", "out"), what, ("out",), trains=True)),
        (1, lambda: Command(
            ("compress", "auto", f"{m.RUN}/best.safetensors", "--budget", "80%", "--steps", "0",
             "--no-int8", "--size", "8x8", "--data", m.PHOTOS, "-o", "out/small"), what, ("out",),
            trains=True)),
        (1, lambda: Command(
            ("latency", m.RUN, "--size", "8x8", "--rounds", "1", "--reference", m.RUN), what)),
    )  # fmt: skip
    weights, makers = zip(*commands, strict=True)
    return rng.choices(makers, weights)[0]()


def run_folders(rng: random.Random, place: Path, valid: Path) -> Command:
    """A finished run of which a file or two are broken, lost, or something else."""
    bring(place, valid, m.RUN, m.PHOTOS)
    run = place / m.RUN
    # What nobody reads is not worth a case.
    files = sorted(
        path for path in run.rglob("*")
        if path.is_file() and path.suffix not in (".lock", ".png") and path.name != "study.db"
    )  # fmt: skip
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
    if "checkpoint" in told[0] and rng.random() < 0.1:
        shutil.copyfile(folder / "last.safetensors", folder / "checkpoint.pt")
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
