from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from compress.fold import difference
from nas.cli.main import main
from search_spaces import Architecture, Network, build, load, price, save_weights


@pytest.fixture
def network(tmp_path: Path) -> Network:
    torch.manual_seed(0)
    block = {"kind": "distillation", "repeat": 2, "stages": 3, "distillation": "fdc"}
    block |= {"distilled": 8, "shallow_residual": True, "convolution": "rep"}
    arch = Architecture.from_dict({"scale": 2, "channels": 16, "blocks": [block]})
    made = build(arch).eval()
    save_weights(made, tmp_path / "net.safetensors")
    return made


def nas(monkeypatch: pytest.MonkeyPatch, *words: Any) -> int:
    monkeypatch.setattr(sys, "argv", ["nas", "compress", *map(str, words)])
    with pytest.raises(SystemExit) as ending:
        main()
    code = ending.value.code
    assert isinstance(code, int)
    return code


def test_fold(
    network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    out = tmp_path / "made" / "folded"
    assert nas(monkeypatch, "fold", tmp_path / "net.safetensors", "-o", out) == 0
    folded = load(f"{out}.safetensors")
    assert Architecture.load(f"{out}.yaml") == folded.architecture
    assert price(folded.architecture).params < price(network.architecture).params
    assert difference(network, folded) < 1e-5
    assert "Outputs differ by" in capsys.readouterr().out


def test_prune_twice(
    network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    given = tmp_path / "net.safetensors"
    for budget in ("12K-params", "8K-params"):
        out = tmp_path / f"{budget}.yaml"
        words = ("prune", given, "--budget", budget, "--no-refit", "-o", out)
        assert nas(monkeypatch, *words) == 0
        given = out.with_suffix(".safetensors")
        pruned = load(given)
        limit = float(budget.split("K")[0]) * 1000
        assert 0.95 * limit < price(pruned.architecture).params <= limit
        assert Architecture.load(out) == pruned.architecture
    assert "below" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("prune", "NET", "--budget", "9M-params", "-o", "x"), "above the network's own"),
        (("prune", "NET", "--budget", "9-params", "-o", "x"), "below the network's floor of"),
        (("prune", "NET", "--budget", "5ms-latency", "-o", "x"), "expected one of these"),
        (("prune", "NET", "--budget", "9K-params"), "expected -o NAME"),
        (("prune", "NET"), "expected --budget"),
        (("prune", "NET", "--budget", "9K-params", "-o", "x", "--importance", "taylor"), "--data"),
        (("prune", "NET", "--budget", "9K-params", "-o", "x", "--steps", "-1"), "0 or more"),
        (("prune", "gone.safetensors", "--budget", "9K-params", "-o", "x"), "no such file"),
        (("fold", "gone.safetensors", "-o", "x"), "no such file"),
        (("fold", "FOREIGN", "-o", "x"), "cannot be read as weights"),
    ],
)
def test_bad_input_is_one_line(
    words: tuple[str, ...],
    said: str,
    network: Network,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Any,
) -> None:
    (tmp_path / "foreign.safetensors").write_text("something else")
    places = {"NET": tmp_path / "net.safetensors", "FOREIGN": tmp_path / "foreign.safetensors"}
    assert nas(monkeypatch, *(places.get(word, word) for word in words)) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert said in lines[0]
