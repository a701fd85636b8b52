"""Kills a full training with SIGKILL at random moments, and looks at what that costs.

    python -m benchmarks.kill_training

Each time: a training of two phases is killed at a random moment, goes on from its run folder
(and is killed again, every second time), and must end with the weights of a training that
nobody stopped, bit for bit. Nothing may be lost but the steps since the last checkpoint.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.torch import load_file

from benchmarks.hardware import header_line, write_result
from nas.data import Dataset, Photo
from nas.training.events import Saved, TrainingEvent, TrainingStarted, TrainingStep
from nas.training.recipe import Recipe
from nas.training.schedule import FullRecipe
from nas.training.session import train_fully
from nas.training.settings import TrainSettings
from search_spaces import Architecture

ARCHITECTURE = Architecture.from_dict(
    {
        "scale": 2,
        "channels": 8,
        "image_skip": "bilinear",
        "blocks": [{"kind": "distillation", "repeat": 2, "stages": 2, "distillation": "none"}],
    }
)
_PHASE = Recipe(
    steps=40,
    batch=2,
    lr_size=12,
    warmup_steps=4,
    schedule="cosine",
    precision="fp32",
)
RECIPE = FullRecipe(
    name="two phases", source="this benchmark", phases=(_PHASE, _PHASE.replace(loss="l2"))
)


def photos() -> Dataset:
    """Noise in squares, the same each time."""
    rng = np.random.default_rng(0)
    made = [
        Photo(
            str(n), np.kron(rng.integers(0, 256, (12, 12, 3)), np.ones((5, 5, 1))).astype(np.uint8)
        )
        for n in range(4)
    ]
    return Dataset("noise", 2, tuple(made[:3]), {"validation": (made[3],)}, "noise", {})


def settings(run: Path, checkpoint_s: float) -> TrainSettings:
    """A training of a second or so."""
    return TrainSettings(
        ARCHITECTURE, RECIPE, photos(), run, every=10, checkpoint_s=checkpoint_s, tensorboard=False
    )


class Training:
    """One training in a child process, which tells what it does through a pipe."""

    def __init__(self, run: Path, checkpoint_s: float) -> None:
        reading, writing = os.pipe()
        self.began = time.monotonic()
        # A fork: torch is loaded already, so that a kill seldom hits its loading.
        self.pid = os.fork()
        if self.pid == 0:
            os.close(reading)
            _train(settings(run, checkpoint_s), writing)
        os.close(writing)
        self.lines = _lines(reading)
        self.first: int | None = None
        self.step = self.saved = 0

    def follow(self, seconds: float | None = None) -> bool:
        """Until its end, or a kill after so many seconds of training; whether it ended."""
        until: float | None = None
        killed = False
        for kind, step in self.lines:
            if kind == "started":
                self.first = self.step = self.saved = step
                self.began = time.monotonic()
                until = None if seconds is None else time.monotonic() + seconds
            elif kind == "saved":
                self.saved = step
            else:
                self.step = step
            if until is not None and not killed and time.monotonic() > until:
                os.kill(self.pid, signal.SIGKILL)
                killed = True
        _, status = os.waitpid(self.pid, 0)
        return os.waitstatus_to_exitcode(status) == 0


def _train(wanted: TrainSettings, pipe: int) -> None:
    def tell(event: TrainingEvent) -> None:
        kinds = {TrainingStarted: "started", Saved: "saved", TrainingStep: "step"}
        if type(event) in kinds:
            # One write is whole or not there, however the process dies.
            os.write(pipe, f"{kinds[type(event)]} {event.step}\n".encode())

    code = 1
    try:
        train_fully(wanted, tell)
        code = 0
    finally:
        os._exit(code)


def _lines(pipe: int) -> Iterator[tuple[str, int]]:
    with os.fdopen(pipe) as file:
        for line in file:
            kind, step = line.split()
            yield kind, int(step)


def kill(run: Path, moments: list[float], checkpoint_s: float) -> dict[str, Any]:
    """Kills one training at these moments, seconds from its first step, and lets it end."""
    kills: list[dict[str, int]] = []
    for moment in [*moments, None]:
        training = Training(run, checkpoint_s)
        ended = training.follow(moment)
        if kills:
            kills[-1].setdefault("resumed_at", -1 if training.first is None else training.first)
        if ended:
            break
        kills.append({"step": training.step, "saved": training.saved})
    return {"kills": kills, "ended": ended}


def weights(run: Path) -> list[bytes]:
    """The bits of all weights that a training left; the order in a file's header may differ."""
    return [
        tensor.numpy().tobytes()
        for name in ("last.safetensors", "best.safetensors")
        for _, tensor in sorted(load_file(run / name).items())
    ]


def main() -> None:
    """Runs the benchmark and writes its result; exit code 1 where something was lost."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, help="result as JSON here, not among the results")
    arguments = parser.parse_args()
    print(header_line())
    rng = random.Random(arguments.seed)
    trainings: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as place:
        whole = Training(Path(place) / "whole", 60.0)
        assert whole.follow()
        seconds = time.monotonic() - whole.began
        expected = weights(Path(place) / "whole")
        while sum(len(one["kills"]) for one in trainings) < arguments.kills:
            number = len(trainings)
            run = Path(place) / str(number)
            moments = [rng.uniform(0, seconds) for _ in range(1 + number % 2)]
            # In every second one a checkpoint after each step: kills hit their writing.
            checkpoint_s = 0.0 if number % 4 < 2 else 0.2
            found = kill(run, moments, checkpoint_s)
            found["checkpoint_seconds"] = checkpoint_s
            found["equal"] = weights(run) == expected
            trainings.append(found)
            print(json.dumps(found), flush=True)
    kills = [one for training in trainings for one in training["kills"]]
    figures = {
        "steps": RECIPE.steps,
        "kills": len(kills),
        "equal_to_the_last_bit": all(one["equal"] and one["ended"] for one in trainings),
        "lost_saved_steps": max(one["saved"] - one["resumed_at"] for one in kills),
        "most_steps_lost": max(one["step"] - one["resumed_at"] for one in kills),
        "trainings": trainings,
    }
    if arguments.output is None:
        print(f"written to {write_result('kill_training', figures)}")
    else:
        arguments.output.write_text(json.dumps(figures))
    sound = figures["equal_to_the_last_bit"] and figures["lost_saved_steps"] <= 0
    raise SystemExit(0 if sound else 1)


if __name__ == "__main__":
    main()
