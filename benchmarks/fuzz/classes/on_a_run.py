"""The commands that read a run folder, or go on with it."""

from __future__ import annotations

import random

from benchmarks.fuzz import materials as m
from benchmarks.fuzz.case import Command

__all__ = ["on_a_run"]

# What no refusal may cost.
_KEPT = tuple(
    f"{m.RUN}/{name}" for name in ("run.yaml", "weights", "compressed", "best.safetensors", "audit")
)
_TRAINING = f"--steps 2 --batch 1 --patch 32 --data {m.PHOTOS} --no-tensorboard --run out"
_SEARCH = "search --space tiny --profile smoke --trials 1 --workers 1"

_READ: tuple[tuple[int, str, str], ...] = (
    (5, f"describe {m.RUN} --no-latency", ""),
    (5, f"report {m.RUN}", m.RUN),
    (1, f"report {m.RUN} {m.RUN} -o page", "page"),
    (1, f"report {m.RUN} --published Set5", m.RUN),
    (1, f"report {m.RUN} --published Set5 --set Set5={m.PHOTOS}", m.RUN),
    (3, f"evaluate {m.RUN} --set a={m.PHOTOS}", ""),
    (2, f"export {m.RUN} -o out.yaml", "out.yaml"),
    (1, f"export {m.RUN} -o out.yaml --trial 0", "out.yaml"),
    (2, f"export {m.RUN} -o out.safetensors", "out.safetensors"),
    (1, f"export {m.RUN} -o out --format folder", "out"),
    (2, f"upscale {m.PHOTOS}/0.png --net {m.RUN} -o out", "out"),
    (1, f"latency {m.RUN} --size 8x8 --rounds 1 --reference {m.RUN}", ""),
)
"""(how often, the command, what it writes)."""

_CHOOSES = (1, f"report {m.RUN} --prefer cheaper", m.RUN)

_TRAINS: tuple[tuple[int, str, str], ...] = (
    (4, f"{' '.join(m.AUDITED)} --data {m.PHOTOS}", m.RUN),
    (5, f"{' '.join(m.SEARCH)} --trials 6", m.RUN),
    (2, f"worker --storage sqlite:///{m.RUN}/study.db --study {m.RUN} --data {m.PHOTOS} "
        "--timeout 5s", m.RUN),
    (1, f"{_SEARCH} --data {m.PHOTOS} --warm-start {m.RUN} --run out", "out"),
    (2, f"train {m.RUN} {_TRAINING}", "out"),
    (1, f"compress auto {m.RUN}/best.safetensors --budget 80% --steps 0 --no-int8 --size 8x8 "
        f"--data {m.PHOTOS} -o out/small", "out"),
)  # fmt: skip


def on_a_run(rng: random.Random, what: str) -> Command:
    """One of them on the run folder in its place, with the photos beside it."""
    every = (*_READ, _CHOOSES, *_TRAINS)
    chosen = rng.choices(every, [one[0] for one in every])[0]
    outputs = (chosen[2],) if chosen[2] else ()
    # A preference that is asked for is written into run.yaml before anything is read.
    kept = _KEPT if chosen is not _CHOOSES else _KEPT[1:]
    return Command(tuple(chosen[1].split()), what, outputs, kept, trains=chosen in _TRAINS)
