"""What the steps of a compression made of a network: their records, and the file of them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge

from nas.plain import from_plain
from nas.records import TrialRecord
from search_spaces.errors import InputError
from search_spaces.files import atomic_path

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["GIVEN", "INT8", "CompressionStep", "read_steps", "to_table", "write_steps"]

GIVEN = "given"
INT8 = "int8"


@dataclass(frozen=True, slots=True)
class CompressionStep:
    """One step from a network to a smaller or faster one, and what came of it.

    Attributes:
        place: in the order of the steps, from 0, the network as it was given.
        name: ``"given"``, ``"fold"``, ``"prune"``, ``"distill"`` or ``"int8"``.
        kept: whether the next step went on from it.
        record: the network's figures as those of a trial. Its number is that of the trial
            that the network came from, its source ``"compressed:NAME"``; its reason says why a
            step was not kept.
        file: the weights or the graph, beside the file of records; ``""`` for none.
        file_bytes: how large that is.
        seconds: wall time of the step.
        note: what else is worth knowing of it, one line.
    """

    place: Annotated[int, Ge(0)]
    name: str
    kept: bool
    record: TrialRecord
    file: str = ""
    file_bytes: Annotated[int, Ge(0)] | None = None
    seconds: float = 0.0
    note: str = ""

    @property
    def parent(self) -> int:
        """Number of the trial that was compressed; 0 for a network that is of no trial."""
        return self.record.number


def write_steps(steps: Iterable[CompressionStep], path: Path) -> None:
    """Writes the records as JSON, whole or not at all.

    Raises:
        InputError: the folder cannot be written.
    """
    rows = []
    for step in steps:
        known = {"number": step.parent, "state": step.record.state, **step.record.to_attrs()}
        rows.append({**asdict(step), "record": known})
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def read_steps(path: Path) -> tuple[CompressionStep, ...]:
    """The records of a file, in its order; none where there is no such file.

    Raises:
        InputError: a file of something else.
    """
    if not path.is_file():
        return ()
    try:
        text = path.read_text(encoding="utf-8")
        steps = from_plain(tuple[CompressionStep, ...], json.loads(text), str(path))
        for step in steps:
            step.record.check(str(path))
            if step.file and Path(step.file).name != step.file:
                raise InputError(f"{path}: file: expected one beside it, got {step.file!r}")
        return steps
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError) as error:
        # Not JSON, or of another shape.
        told = str(error).removeprefix(f"{path}: ")
        raise InputError(
            f"{path}: no records of a compression ({told}); delete it and compress again"
        ) from None


def to_table(steps: Iterable[CompressionStep]) -> pd.DataFrame:
    """A row for each step: what it is, whether it was kept, its figures and why not."""
    import pandas as pd

    return pd.DataFrame(
        {
            "trial": step.parent,
            "step": step.name,
            "kept": step.kept,
            "params": step.record.params,
            "macs": step.record.macs,
            "activations": step.record.activations,
            "memory_mb": step.record.memory_mb,
            "latency_ms": step.record.latency_ms,
            "psnr_y_db": step.record.psnr_y_db,
            "ssim_y": step.record.ssim_y,
            "file": step.file,
            "file_bytes": step.file_bytes,
            "seconds": step.seconds,
            "reason": step.record.reason,
            "note": step.note,
        }
        for step in steps
    )
