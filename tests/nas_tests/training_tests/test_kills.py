from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no fork and no SIGKILL there")

ROOT = Path(__file__).resolve().parents[3]


def test_a_killed_training_loses_nothing_but_the_steps_since_its_checkpoint(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    # In a process of its own: a fork of this one, which may have trained before, could not.
    output = tmp_path / "result.json"
    command = ["-m", "benchmarks.kill_training", "--kills", "3", "--output", str(output)]
    done = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT, env=environ, capture_output=True, text=True, timeout=400, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(output.read_text())
    assert found["kills"] >= 3
    assert found["equal_to_the_last_bit"]
    assert found["lost_saved_steps"] <= 0
