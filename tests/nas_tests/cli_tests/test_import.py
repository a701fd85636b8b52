from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

from nas.cli.main import main
from search_spaces import load, preset


def nas(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    """The exit code of the command."""
    monkeypatch.setattr(sys, "argv", ["nas", *map(str, arguments)])
    with pytest.raises(SystemExit) as ending:
        main()
    return int(ending.value.code or 0)


def test_published_file(
    sr_data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file, out = sr_data / "checkpoints" / "RFDN_AIM.pth", tmp_path / "net.safetensors"
    for words in ((), ("--preset", "e_rfdn", "--scale", 4, "--force")):
        assert nas(monkeypatch, "import", file, "-o", out, *words) == 0
        found, written = capsys.readouterr().out.splitlines()
        assert found.startswith(f"{file}: e_rfdn x4, by the keys of rfdn: ")
        assert written.startswith(f"{out}: 433,448 parameters")
        assert load(out).architecture == preset("e_rfdn", 4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--preset", "imdn"), "follow no known layout"),
        (("--preset", "imdm"), "did you mean 'imdn'"),
        (("--preset", "imdn", "--scale", "5"), "scale"),
        (("--preset", "imdn", "--layout", "none.yaml"), "none.yaml: cannot be read"),
        (("--preset", "imdn", "--layout", "LAYOUT"), "must have the same numbers on both sides"),
    ],
)
def test_bad_input_is_one_line(
    arguments: tuple[str, ...],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    torch.save({"a": torch.ones(1)}, tmp_path / "a.pth")
    layout, out = tmp_path / "layout.yaml", tmp_path / "net.safetensors"
    layout.write_text("keys: {a: 'stem.{nothing}'}")
    words = [layout if word == "LAYOUT" else word for word in arguments]
    assert nas(monkeypatch, "import", tmp_path / "a.pth", "-o", out, *words) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not out.exists()


def test_an_output_that_is_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "net.safetensors").mkdir()
    out = tmp_path / "net.safetensors"
    assert nas(monkeypatch, "import", "a.pth", "--preset", "imdn", "-o", out) == 2
    assert "expected the name of a file to write, got the folder" in capsys.readouterr().err


def test_output_must_be_safetensors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert nas(monkeypatch, "import", "a.pth", "--preset", "imdn", "-o", tmp_path / "net.pth") == 2
    assert "ends in .safetensors" in capsys.readouterr().err
