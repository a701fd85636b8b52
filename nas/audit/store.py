"""The audit's folder inside a run: what is to be trained, and what has been."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from annotated_types import Ge, Len

from nas.locks import locked
from nas.plain import from_plain
from nas.records import Rung
from search_spaces.errors import InputError, WriteError
from search_spaces.files import atomic_path
from search_spaces.regular import read_regular

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["AuditFolder", "AuditPlan", "Training", "without_nan"]

_COLUMNS = ("hash", "seed", "step", "psnr_y_db", "ssim_y", "seconds")


@dataclass(frozen=True, slots=True)
class Training:
    """One long training: a network and a seed. Its length may still grow."""

    hash: str
    seed: int

    @property
    def name(self) -> str:
        """The stem of its files."""
        return f"{self.hash}-{self.seed}"


@dataclass(frozen=True, slots=True)
class AuditPlan:
    """Hashes of the networks to train, and the rising steps at which they are judged."""

    networks: tuple[Annotated[str, Len(16, 16)], ...] = ()
    steps: tuple[Annotated[int, Ge(1)], ...] = ()


class AuditFolder:
    """Files of an audit, each written whole; any number of processes may share them.

    Args:
        folder: RUN/audit, made if it is not there.

    Raises:
        WriteError: it cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            for name in ("trainings", "checkpoints", "scores", "locks"):
                (folder / name).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise WriteError(
                f"cannot write {folder}: {error.strerror}; an audit's results stay in its run's "
                f"folder: make that writable, or copy the run"
            ) from error

    def turn(self, name: str, *, wait: bool) -> AbstractContextManager[bool]:
        """Whether this process has ``name`` to itself for now; a process's death frees it."""
        return locked(self.folder / "locks" / f"{name}.lock", wait=wait)

    def read_plan(self) -> AuditPlan:
        """What some process has set out to train; nothing, where none has.

        Raises:
            InputError: the plan is damaged.
        """
        path = self.folder / "plan.json"
        if not path.exists():
            return AuditPlan()
        try:
            return from_plain(AuditPlan, json.loads(read_regular(path)), str(path))
        except (OSError, ValueError, RecursionError):
            raise InputError(
                f"{path}: expected the plan that nas audit writes; remove it to plan anew"
            ) from None

    def extend(self, networks: Sequence[str], steps: Sequence[int]) -> AuditPlan:
        """Adds networks to the plan, and steps beyond those in it; returns what it is now.

        Trainings that have come to the plan's end never see what lies before it again, so a
        smaller end changes nothing.
        """
        before = self.read_plan()
        reached = max(before.steps, default=0)
        plan = AuditPlan(
            tuple(dict.fromkeys([*before.networks, *networks])),
            (*before.steps, *sorted(step for step in steps if step > reached)),
        )
        if plan != before:
            with atomic_path(self.folder / "plan.json") as temporary:
                temporary.write_text(json.dumps(asdict(plan), indent=2) + "\n", "utf-8")
        return plan

    def checkpoint(self, training: Training) -> Path:
        """Where a training's state is kept; it stays, so that the training can be made longer."""
        return self.folder / "checkpoints" / f"{training.name}.pt"

    def sweep(self, training: Training) -> None:
        """Removes what a killed process left half-written of a training that is ours now."""
        for name in ("trainings", "checkpoints", "scores"):
            # As search_spaces.files.atomic_path names them.
            for path in (self.folder / name).glob(f".{training.name}.*"):
                path.unlink(missing_ok=True)

    def rungs(self, training: Training) -> list[Rung]:
        """What a training was worth at its steps so far; from a divergence on, NaN.

        Raises:
            InputError: the file is damaged.
        """
        import pandas as pd

        path = self._file(training)
        if not path.exists():
            return []
        try:
            rows = pd.read_csv(BytesIO(read_regular(path)))
            columns = (rows[name].tolist() for name in _COLUMNS[2:])
            return [
                Rung(int(step), float(psnr), float(ssim), float(seconds))
                for step, psnr, ssim, seconds in zip(*columns, strict=True)
            ]
        except (OSError, ValueError, KeyError):
            raise InputError(
                f"{path}: expected a table that nas audit writes; remove it to train that "
                f"network again"
            ) from None

    def write(self, training: Training, rungs: Sequence[Rung]) -> None:
        """Writes what a training was worth, in order of its steps."""
        with atomic_path(self._file(training)) as temporary:
            self._frame([(training, rungs)]).to_csv(temporary, index=False)

    def curves(self, trainings: Sequence[Training]) -> pd.DataFrame:
        """A row for each rung of the trainings: hash, seed, step, PSNR-Y, SSIM-Y, seconds."""
        return self._frame([(training, self.rungs(training)) for training in trainings])

    def scores(self, training: Training) -> dict[str, float]:
        """The zero-cost scores of a network and seed by name; none where they are not there."""
        try:
            found = json.loads(read_regular(self._scores_file(training)))
            return {str(name): float(value) for name, value in found.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}

    def write_scores(self, training: Training, scores: Mapping[str, float]) -> None:
        """Writes the zero-cost scores of a network and seed."""
        with atomic_path(self._scores_file(training)) as temporary:
            temporary.write_text(json.dumps(without_nan(dict(scores))) + "\n", "utf-8")

    def _scores_file(self, training: Training) -> Path:
        return self.folder / "scores" / f"{training.name}.json"

    def _file(self, training: Training) -> Path:
        return self.folder / "trainings" / f"{training.name}.csv"

    @staticmethod
    def _frame(parts: Sequence[tuple[Training, Sequence[Rung]]]) -> pd.DataFrame:
        import pandas as pd

        rows = [
            {"hash": training.hash, "seed": training.seed, **asdict(rung)}
            for training, rungs in parts
            for rung in rungs
        ]
        return pd.DataFrame(rows, columns=list(_COLUMNS))


def without_nan(value: Any) -> Any:
    """Nested figures with null for what is not known, since NaN is no JSON."""
    if isinstance(value, dict):
        return {str(key): without_nan(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_nan(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
