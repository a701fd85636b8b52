"""``nas search --compress``: from a search to compressed networks on its picture."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from nas.cli.main import main
from nas.compression import read_steps
from nas.run import open_run
from search_spaces import load, price


def nas(monkeypatch: pytest.MonkeyPatch, *words: Any) -> int:
    monkeypatch.setattr(sys, "argv", ["nas", *map(str, words)])
    with pytest.raises(SystemExit) as ending:
        main()
    code = ending.value.code
    assert isinstance(code, int)
    return code


def test_the_best_of_the_front_are_compressed_and_drawn(
    photo_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any,
    no_figures: None,
) -> None:  # fmt: skip
    run = tmp_path / "run"
    words: tuple[str, ...] = (
        "search",
        "--space",
        "tiny",
        "--profile",
        "smoke",
        "--trials",
        "2",
        "--scale",
        "2",
    )
    words += ("--budget", "30K-params", "--data", str(photo_folder), "--run", str(run))
    words += ("--latency-size", "64x36")
    assert nas(monkeypatch, *words) == 0
    plain = (run / "pareto.png").read_bytes()
    assert nas(monkeypatch, *words, "--compress", "1", "--compress-budget", "80%") == 0
    opened = open_run(run)
    best = opened.front_records()[0]
    steps = read_steps(run / "compressed" / "records.json")
    assert {step.parent for step in steps} == {best.number}
    assert opened.compressed() == tuple(step.record for step in steps)
    pruned = next(step for step in steps if step.name == "prune")
    assert pruned.kept
    small = load(run / "compressed" / f"{best.number}.safetensors")
    assert (
        price(small.architecture).params
        <= 0.8 * price(load(opened.weights(best)).architecture).params
    )
    assert (run / "compressed" / f"{best.number}.csv").is_file()
    drawn = (run / "pareto.png").read_bytes()
    assert drawn != plain
    capsys.readouterr()
    # The report draws them as well, and the same command again does nothing anew.
    (run / "pareto.png").unlink()
    assert nas(monkeypatch, "report", run) == 0
    assert (run / "pareto.png").read_bytes() == drawn
    before = (run / "compressed" / f"{best.number}.steps" / "steps.json").stat().st_mtime_ns
    assert nas(monkeypatch, *words, "--compress", "1", "--compress-budget", "80%") == 0
    after = (run / "compressed" / f"{best.number}.steps" / "steps.json").stat().st_mtime_ns
    assert before == after
    # A budget that no network can be pruned to is told for each, and the search stands.
    capsys.readouterr()
    assert nas(monkeypatch, *words, "--compress", "1", "--compress-budget", "100-params") == 0
    assert f"trial {best.number} is not compressed: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--compress", "0"), "1 or more networks"),
        (("--compress", "1", "--compress-budget", "120%"), "--compress-budget 120%: expected"),
        (("--compress", "1", "--compress-budget", "5ms-latency"), "expected one of these"),
    ],
)
def test_bad_options_are_told_before_the_search(
    options: tuple[str, ...],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Any,
) -> None:
    run = tmp_path / "run"
    assert nas(monkeypatch, "search", "--run", run, *options) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert said in lines[0]
    assert not run.exists()
