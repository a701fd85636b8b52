"""Every command in docs/cluster.md, in its order, as far as one machine goes.

What is put in for the guide's addresses, sizes and times stands in ``instead``. The commands of
``ray``, ``createdb`` and ``sbatch`` are others' and are looked at only.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

import nas
from nas.records import FINISHED
from nas.workers.shares import Share
from tests.nas_tests.conftest import Outcome

GUIDE = Path(__file__).parents[3] / "docs" / "cluster.md"


def commands() -> list[str]:
    """The guide's own commands."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", GUIDE.read_text("utf-8"), re.M | re.S)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    return [line.removeprefix("srun ") for line in lines if re.match(r"(srun )?nas ", line)]


def test_there_are_some() -> None:
    assert len(commands()) >= 8
    assert all(line.split()[1] in ("search", "worker") for line in commands())


@pytest.mark.parametrize("part", ["several machines", "checkpoints"])
def test_they_run(
    part: str,
    database: str,
    command: Callable[..., Outcome],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NAS_STORAGE", database)
    # A worker with a thread for each core crawls where other tests run beside.
    monkeypatch.setattr("nas.workers.local.shares", lambda count, machine: [Share(1)] * count)
    shared = tmp_path / "shared"
    instead = {
        "/shared": str(shared),
        "runs/remote": str(tmp_path / "remote"),
        "--budget 600K-params": "--budget 30K-params --space tiny --profile smoke --trials 2",
        "7h": "60s",
    }
    chosen = {
        "several machines": [c for c in commands() if "large" in c and "--data" not in c],
        "checkpoints": [c for c in commands() if "remote" in c],
    }[part]
    assert len(chosen) >= 2
    for line in chosen:
        for old, new in instead.items():
            line = line.replace(old, new)
        outcome = command(*shlex.split(line)[1:])
        assert outcome.code == 0, f"{line}: {outcome.err}"
    run = shared / "runs" / "large" if "several" in part else tmp_path / "remote"
    records = nas.open_run(run, storage=database).records()
    assert sum(record.state == FINISHED for record in records) == 2


def test_the_others_are_taken(command: Callable[..., Outcome]) -> None:
    """Those that need more machines than there are here: their options are known."""
    helps = {name: command(name, "--help").out for name in ("search", "worker")}
    for line in commands():
        arguments = shlex.split(line)[1:]
        for option in [word for word in arguments if word.startswith("--")]:
            assert option in helps[arguments[0]], f"{line}: {option}"
