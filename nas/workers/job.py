"""What a worker in another process or on another machine is told."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace

__all__ = ["WorkerJob"]


@dataclass(frozen=True)
class WorkerJob:
    """Where a worker finds its study, and what is its own; everything else is in the study.

    Attributes:
        storage: URL of the store, with its password if it needs one.
        study: the study's name.
        run: the run folder where the worker shares it with the search, else ``None``.
        checkpoints: folder or URL of checkpoints and weights, ``None`` for those that the
            study names.
        data: folder of training photos; ``None`` for what the study names.
        val: folder of validation photos, likewise.
        lr: folder of the training photos' LR, likewise.
        val_lr: folder of the validation photos' LR, likewise.
        device: as in the settings.
        timeout_s: no trial is started after so many seconds.
        imports: Python files with parts of the user's own.
        patient: whether to wait for a store that cannot be reached at first.
    """

    storage: str
    study: str
    run: str | None = None
    checkpoints: str | None = None
    data: str | None = None
    val: str | None = None
    lr: str | None = None
    val_lr: str | None = None
    device: str | None = None
    timeout_s: float | None = None
    imports: tuple[str, ...] = ()
    patient: bool = False

    def after(self, seconds: float) -> WorkerJob:
        """The same for a worker that starts so many seconds later."""
        if self.timeout_s is None:
            return self
        return replace(self, timeout_s=max(1e-3, self.timeout_s - seconds))

    def to_json(self) -> str:
        """One line, for a pipe: it may hold a password and so belongs on no command line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, line: str) -> WorkerJob:
        """The job again."""
        plain = json.loads(line)
        return cls(**{**plain, "imports": tuple(plain["imports"])})
