from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch

from compress.fold import difference, fold
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
        (("prune", "NET", "--budget", "9K-params", "-o", "x", "--steps", "-1"), "0 or more"),
        (("prune", "gone.safetensors", "--budget", "9K-params", "-o", "x"), "no such file"),
        (("fold", "gone.safetensors", "-o", "x"), "no such file"),
        (("fold", "NET", "-o", "x.onnx"), "ends in .onnx"),
        (("fold", "FOREIGN", "-o", "x"), "cannot be read as weights"),
        (("fold", "NET", "-o", ""), "expected a name for NAME.safetensors and NAME.yaml, got"),
        (("fold", "NET", "-o", ".."), "expected a name for NAME.safetensors and NAME.yaml, got"),
        (("fold", "NET", "-o", "TAKEN"), "expected the name of a file to write, got the folder"),
        (("fold", "PIPE", "-o", "x"), "a named pipe, not a regular file; expected a .saf"),
        (("prune", "NET", "--budget", "9K-params", "-o", ""), "got the folder ."),
        (("distill", "NET", "--teacher", "NET", "-o", ""), "got the folder ."),
        (("auto", "NET", "--budget", "9K-params", "-o", ""), "got the folder ."),
        (("auto", "NET", "--budget", "9K-params", "-o", "TAKEN"), "got the folder"),
        (("quantize", "NET", "-o", "TAKEN.onnx"), "expected the name of a file to write, got the"),
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
    os.mkfifo(tmp_path / "pipe.safetensors")
    for ending in ("safetensors", "onnx"):
        (tmp_path / f"taken.{ending}").mkdir()
    places = {name.upper(): tmp_path / f"{name}.safetensors" for name in ("net", "foreign", "pipe")}
    places |= {"TAKEN": tmp_path / "taken", "TAKEN.onnx": tmp_path / "taken.onnx"}
    assert nas(monkeypatch, *(places.get(word, word) for word in words)) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert said in lines[0]


@pytest.fixture
def teacher(tmp_path: Path, tiny_network: Any) -> Path:
    path = tmp_path / "teacher.safetensors"
    save_weights(tiny_network(seed=1), path)
    return path


def test_distill_a_fresh_network(
    teacher: Path, photo_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    config, out = tmp_path / "student.yaml", tmp_path / "made" / "taught"
    load(teacher).architecture.model_copy().save(config)
    words: tuple[Any, ...] = (
        "distill",
        config,
        "--teacher",
        teacher,
        "--teacher",
        teacher,
        "--steps",
        "3",
    )
    words += ("--profile", "smoke", "--data", photo_folder, "-o", out)
    assert nas(monkeypatch, *words) == 0
    taught = load(f"{out}.safetensors")
    assert taught.architecture == load(teacher).architecture == Architecture.load(f"{out}.yaml")
    assert sorted(path.name for path in out.parent.iterdir()) == [
        "taught.safetensors",
        "taught.yaml",
    ]
    said = capsys.readouterr().out
    assert said.count("Teacher teacher.safetensors: ") == 2


def test_prune_with_a_teacher(
    network: Network,
    teacher: Path,
    photo_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Any,
) -> None:
    out = tmp_path / "made" / "small"
    words: tuple[Any, ...] = (
        "prune",
        tmp_path / "net.safetensors",
        "--budget",
        "10K-params",
        "--steps",
        "4",
    )
    words += ("--teacher", teacher, "--profile", "smoke", "--data", photo_folder, "-o", out)
    assert nas(monkeypatch, *words) == 0
    assert price(load(f"{out}.safetensors").architecture).params <= 10_000
    assert "Round 2" in capsys.readouterr().out
    assert len(list(out.parent.iterdir())) == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("NET", "--teacher", "X4"), "is of scale 2, the teacher 4"),
        (("NET", "--teacher", "rfdn"), "presets have no trained weights"),
        (("NET", "--teacher", "YAML"), "a config without weights"),
        (("NET", "--teacher", "gone.safetensors"), "no such file"),
        (("NET", "--teacher", "net.pth"), "no such file"),
        (("rfdm", "--teacher", "NET"), "did you mean 'rfdn'"),
        (("gone.yaml", "--teacher", "NET"), "gone.yaml"),
        (("NET", "--teacher", "NET", "--steps", "0"), "1 or more"),
        (("NET", "--teacher", "NET", "--features-weight", "-1"), "weight of features"),
        (("NET", "--teacher", "NET", "--comparison", "mse"), "affinity, gram, l1"),
        (("NET", "--teacher", "NET", "--teacher-weight", "1", "--teacher-weight", "1"), "of 1 t"),
        (("NET",), "Missing option '--teacher'"),
    ],
)
def test_bad_distillation_is_one_line(
    words: tuple[str, ...],
    said: str,
    network: Network,
    tiny_network: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Any,
) -> None:
    save_weights(tiny_network(scale=4), tmp_path / "x4.safetensors")
    network.architecture.save(tmp_path / "net.yaml")
    places = {"NET": "net.safetensors", "X4": "x4.safetensors", "YAML": "net.yaml"}
    given = [tmp_path / places[word] if word in places else word for word in words]
    assert nas(monkeypatch, "distill", *given, "-o", tmp_path / "out") == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert said in lines[0]


def test_auto_writes_the_network_its_steps_and_their_table(
    network: Network,
    photo_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Any,
) -> None:
    out = tmp_path / "made" / "small"
    words: tuple[Any, ...] = (
        "auto",
        tmp_path / "net.safetensors",
        "--budget",
        "70%",
        "--steps",
        "2",
        "--no-int8",
    )
    words += ("--profile", "smoke", "--data", photo_folder, "--size", "16x9", "--threads", "1")
    words += ("-o", f"{out}.yaml")
    for more in ((), ("--force",)):
        assert nas(monkeypatch, *words, *more) == 0
        said = capsys.readouterr().out
        assert "there was nothing to fold" in said
        assert "[dB]" in said
        assert "[ms]" in said
        assert "latency of 16×9 input, cpu, 1 thread" in " ".join(said.split())
        # A terminal of 80 columns has room for names and figures.
        assert re.search(r"^ +prune +\d.*yes *$", said, re.M)
    small = load(f"{out}.safetensors")
    # Shares are of the folded network's parameters.
    own = price(fold(network).network.architecture).params
    assert 0.65 * own < price(small.architecture).params <= 0.7 * price(network.architecture).params
    table = pd.read_csv(f"{out}.csv")
    assert list(table["step"]) == ["given", "fold", "prune", "distill", "fold"]
    assert table["params"][2] == price(small.architecture).params
    other = [word if word != "2" else "3" for word in (*words, "--force")]
    assert nas(monkeypatch, *other) == 2
    assert "steps of another compression (its plan differs)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("NET", "--budget", "100%"), "between 0% and 100%"),
        (("NET", "--budget", "x%"), "between 0% and 100%"),
        (("NET", "--budget", "1%"), "below the network's floor of"),
        (("NET", "--budget", "5ms-latency"), "expected one of these"),
        (("NET", "--budget", "9M-params"), "above the network's own"),
        (("NET", "--budget", "70%", "--steps", "-1"), "0 or more"),
        (("NET", "--budget", "70%", "--importance", "x"), "importance: expected one of"),
        (("NET", "--budget", "70%", "--size", "0x9"), "expected WIDTHxHEIGHT"),
        (("NET", "--budget", "70%", "--int8-format", "ncnn"), "onnx or tflite, got ncnn"),
        (("NET", "--budget", "70%", "--no-int8", "--int8-format", "onnx"), "drop one"),
        (("NET", "--budget", "70%", "--no-int8", "--qat-steps", "9"), "--qat-steps: is of the"),
        (("NET", "--budget", "70%", "--data", "EMPTY"), "0 usable"),
        (("net.pth", "--budget", "70%"), "no such file"),
    ],
)
def test_bad_input_of_auto_is_one_line(
    words: tuple[str, ...],
    said: str,
    network: Network,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Any,
) -> None:
    (tmp_path / "empty").mkdir()
    places = {"NET": "net.safetensors", "EMPTY": "empty"}
    given = [tmp_path / places[word] if word in places else word for word in words]
    assert nas(monkeypatch, "auto", *given, "-o", tmp_path / "out") == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert said in lines[0]
