from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.guide_files import tiny_photos
from tests.nas_tests.conftest import Outcome
from tests.tables import restored

ROOT = Path(__file__).resolve().parents[2]
Command = Callable[..., str]

SMOKE = ("--profile", "smoke", "--latency-size", "16x15")


@pytest.fixture
def nas(command: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs a command; what it imports is forgotten, as with a process of its own."""
    monkeypatch.chdir(ROOT)

    def run(*arguments: str, fails: bool = False) -> str:
        with restored():
            done = command(*arguments)
        assert done.code == (2 if fails else 0), done.err
        return done.err if fails else done.out

    return run


@pytest.mark.usefixtures("no_pictures")
def test_an_own_attention_is_searched_saved_and_described(nas: Command, tmp_path: Path) -> None:
    mine = ("--import", "examples/my_blocks.py")
    run = tmp_path / "run"
    search = ("search", "--space", "examples/my_space.yaml", *SMOKE, "--run", str(run))
    lines = nas(*mine, *search, "--trials", "3", "--budget", "60K-params", "--json").splitlines()
    ended = [json.loads(line) for line in lines if '"TrialEnded"' in line]
    assert len(ended) == 3
    number = next(e["record"]["number"] for e in ended if e["record"]["source"] == "start:mine")
    net = tmp_path / "net.yaml"
    nas("export", str(run), "--trial", str(number), "-o", str(net), *mine)
    facts = json.loads(nas("describe", str(net), "--json", "--no-latency", *mine))
    assert facts["params"] == facts["thop"]["params"] <= 60_000
    assert any("squeeze" in layer["name"] for layer in facts["layers"])
    error = nas("describe", str(net), fails=True)
    assert "unknown attention 'max'" in error
    assert len(error.splitlines()) == 1


@pytest.mark.usefixtures("no_figures")
def test_own_objectives_are_weighed_limited_and_reported(nas: Command, tmp_path: Path) -> None:
    mine = ("--import", "examples/my_objective.py")
    run = tmp_path / "run"
    tiny_photos(tmp_path / "photos")
    data = ("--data", str(tmp_path / "photos"))
    search = ("search", "--space", "tiny", *SMOKE, *data, "--run", str(run), "--json")
    weighed = ("--budget", "40KB-file", "--objectives", "psnr,worst,file", "--rungs", "2")
    lines = nas(*mine, *search, *weighed, "--trials", "4").splitlines()
    ended = [json.loads(line)["record"] for line in lines if '"TrialEnded"' in line]
    finished = [record for record in ended if record["state"] == "finished"]
    stopped = [record for record in ended if record["state"] == "stopped"]
    assert finished
    for record in finished:
        assert record["own"]["file"] == record["params"] / 500 <= 40
        assert record["own"]["worst"] <= record["psnr_y_db"]
    assert all("worst" in record["rungs"][0]["own"] for record in stopped)
    head = (run / "front.csv").read_text(encoding="utf-8").splitlines()[0]
    assert {"file", "worst"} <= set(head.split(","))
    nas(*mine, "report", str(run), "--output", str(tmp_path / "told"))
    page = (tmp_path / "told" / "report.html").read_text(encoding="utf-8")
    assert "Worst photo" in page
    error = nas("report", str(run), fails=True)
    assert "uses parts of" in error
    assert "my_objective.py, code that is not run unasked" in error
    nas("report", str(run), "--trust")
    assert len(error.splitlines()) == 1
