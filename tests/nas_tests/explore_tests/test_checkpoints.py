"""What a search keeps of its trainings, and what it clears away."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from nas.explore.checkpoints import Checkpoints
from nas.records import FINISHED
from nas.store.ledger import Ledger
from tests.nas_tests.explore_tests.made_up import MadeUp, kept, networks, study_of


def test_what_a_death_left_of_ended_networks_is_removed(tmp_path: Path) -> None:
    run = kept(tmp_path, 4, rungs=1)
    name = next(r.architecture_hash for r in networks(run) if r.state == FINISHED)
    (tmp_path / "checkpoints").mkdir(exist_ok=True)
    # Killed after the end of a training; in the middle of a write; and a stranger's.
    for file in (f"{name}.pt", f".{name}.abcd1234.pt", "0123456789abcdef.pt"):
        (tmp_path / "checkpoints" / file).write_bytes(b"half")
    trainer = MadeUp()
    context: Any = SimpleNamespace(settings=SimpleNamespace(run=tmp_path), trainer=trainer)
    Checkpoints(context).forget_ended(Ledger(study_of(run)).read())
    assert {path.name for path in trainer.forgotten} == {f"{name}.pt", f".{name}.abcd1234.pt"}
