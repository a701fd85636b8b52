from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NAS = Path(sys.executable).parent / "nas"


def nas(*arguments: str, fails: bool = False) -> str:
    done = subprocess.run(
        [str(NAS), *arguments],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == (2 if fails else 0), done.stderr
    return done.stderr if fails else done.stdout


def test_a_users_own_attention_is_searched_saved_and_described(tmp_path: Path) -> None:
    mine = ("--import", "examples/my_blocks.py")
    run = tmp_path / "run"
    search = (
        "search",
        "--space",
        "examples/my_space.yaml",
        "--profile",
        "smoke",
        "--run",
        str(run),
    )
    lines = nas(*mine, *search, "--trials", "3", "--budget", "60K-params", "--json").splitlines()
    ended = [json.loads(line) for line in lines if '"TrialEnded"' in line]
    assert len(ended) == 3
    number = next(e["record"]["number"] for e in ended if e["record"]["source"] == "preset:mine")
    net = tmp_path / "net.yaml"
    nas("export", str(run), "--trial", str(number), "-o", str(net), *mine)
    facts = json.loads(nas("describe", str(net), "--json", "--no-latency", *mine))
    assert facts["params"] == facts["thop"]["params"] <= 60_000
    assert any("squeeze" in layer["name"] for layer in facts["layers"])
    error = nas("describe", str(net), fails=True)
    assert "unknown attention 'max'" in error
    assert len(error.splitlines()) == 1
