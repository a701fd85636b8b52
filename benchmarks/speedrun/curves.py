"""What a training is worth on its way, a row a mark."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd
import torch

from benchmarks.hardware import RESULTS
from benchmarks.speedrun.cases import LONG, SEEDS, Arm, arms, cases, fresh, photos
from nas.evaluate.validate import validate
from nas.locks import locked
from nas.training.loop import Diverged, train
from nas.training.state import trainable
from search_spaces import Architecture
from search_spaces.files import atomic_path

__all__ = ["CSV", "curve", "fill"]

CSV = RESULTS / "speedrun.csv"
_PARTS = RESULTS.parent / "table" / "parts"
_MARKS = (*range(30, 241, 30), *range(280, 481, 40), *range(560, LONG + 1, 80))
_COLUMNS = ["network", "scale", "recipe", "seed", "step", "psnr_y_db"]


def curve(
    arch: Architecture, arm: Arm, seed: int, marks: Iterable[int] = _MARKS
) -> list[tuple[int, float]]:
    """Steps and PSNR-Y (dB) on the judging photos; it ends early where it diverges."""
    state, patches, recipe = fresh(arch, arm, seed)
    averages = [torch.zeros_like(one) for one in trainable(state.network)]

    def judged() -> float:
        network = state.averaged()
        if arm.decay is not None and state.step:
            worth = 1 - arm.decay**state.step
            for one, mean in zip(network.parameters(), averages, strict=True):
                one.copy_(mean / worth)
        return validate(network, photos(arch.scale)[1], arch.scale).psnr_y_db

    def average(step: int, loss: float) -> None:
        if arm.decay is not None:
            with torch.no_grad():
                torch._foreach_lerp_(averages, trainable(state.network), 1 - arm.decay)

    found = [(0, judged())]
    for mark in (one for one in marks if one <= recipe.steps):
        try:
            train(state, patches, recipe, mark, on_step=average)
        except Diverged as error:
            print(f"  {error.reason}")
            break
        found.append((mark, judged()))
    return found


def fill() -> None:
    """Does the trainings that nobody has done or is doing."""
    torch.set_num_threads(1)
    _PARTS.mkdir(exist_ok=True)
    for label, arm in arms().items():
        for name, scale, arch in cases():
            for seed in SEEDS[: arm.seeds]:
                key = f"{name} x{scale} {label} {seed}"
                with locked(_PARTS / f"speedrun {key}.lock", wait=False) as mine:
                    if not mine or _has(name, scale, label, seed):
                        continue
                    rows = [
                        (name, scale, label, seed, step, round(psnr, 4))
                        for step, psnr in curve(arch, arm, seed)
                    ]
                    _append(rows)
                print(f"{key}: {rows[-1][-1]:.3f} dB after {rows[-1][-2]} steps", flush=True)


def _has(*key: object) -> bool:
    if not CSV.exists():
        return False
    table = pd.read_csv(CSV)
    return bool((table[_COLUMNS[:4]] == list(key)).all(axis=1).any())


def _append(rows: Sequence[tuple[object, ...]]) -> None:
    with locked(_PARTS / "speedrun.lock", wait=True):
        table = pd.DataFrame(rows, columns=_COLUMNS)
        if CSV.exists():
            table = pd.concat([pd.read_csv(CSV), table], ignore_index=True)
        with atomic_path(CSV) as temporary:
            table.to_csv(temporary, index=False)
