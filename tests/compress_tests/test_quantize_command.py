"""``nas compress quantize``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from nas.cli.main import main
from nas.data import Photo
from tests.compress_tests.quantized import Made


def nas(monkeypatch: pytest.MonkeyPatch, *words: Any) -> int:
    monkeypatch.setattr(sys, "argv", ["nas", "compress", "quantize", *map(str, words)])
    with pytest.raises(SystemExit) as ending:
        main()
    code = ending.value.code
    assert isinstance(code, int)
    return code


def test_command(
    made: Made,
    photos: tuple[list[Photo], list[Photo]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Any,
) -> None:
    for folder, group in zip(("train", "val"), photos, strict=True):
        (tmp_path / folder).mkdir()
        for photo in group:
            Image.fromarray(photo.pixels).save(
                tmp_path / folder / Path(photo.name).with_suffix(".png")
            )
    out = tmp_path / "new" / "net.onnx"
    words: tuple[Any, ...] = (
        "--data",
        tmp_path / "train",
        "--val",
        tmp_path / "val",
        "--rounds",
        1,
    )
    words += ("--size", "16x16", "--calibration", "minmax")
    words += ("--keep-float", "upsampler,blocks.0.attention")
    assert nas(monkeypatch, made.file / "net.safetensors", *words, "-o", out) == 0
    said = capsys.readouterr().out
    assert out.is_file()
    assert "times as fast" in said
    assert "9 of 16 layers: image_skip.conv, upsampler.conv, blocks.0.attention." in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("gone.safetensors", "-o", "x.onnx"), "no such file"),
        (("net.yaml", "-o", "x.onnx"), "a config without weights"),
        (("NET", "-o", "x"), "--output: expected a name that ends in .onnx or .tflite, got x"),
        (("NET", "-o", "x.onnx", "--data", "EMPTY"), "0 files found"),
        (("NET", "-o", "x.onnx", "--data", "SMALL"), "1 too small"),
        (("NET", "-o", "x.onnx", "--calibration", "best of all"), "expected minmax"),
        (("NET", "-o", "x.onnx", "--max-drop", "-1"), "0 dB or more"),
        (("NET", "-o", "x.onnx", "--keep-float", "body.5"), "no layer body.5"),
        (("NET", "-o", "x.onnx", "--size", "big"), "WIDTHxHEIGHT"),
    ],
)
def test_bad_input_is_one_line(
    words: tuple[str, ...],
    said: str,
    made: Made,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Any,
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "small").mkdir()
    Image.new("RGB", (20, 20)).save(tmp_path / "small" / "a.png")
    made.network.architecture.save(tmp_path / "net.yaml")
    monkeypatch.chdir(tmp_path)
    places = {"NET": made.file / "net.safetensors", "EMPTY": "empty", "SMALL": "small"}
    assert nas(monkeypatch, *(places.get(word, word) for word in words)) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if said in line]
    assert len(lines) == 1
    assert not (tmp_path / "x.onnx").exists()


def test_a_missing_extra_is_named(
    made: Made, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Any
) -> None:
    import importlib.util

    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *a: None if name == "onnxruntime" else find(name)
    )
    words = (made.file / "net.safetensors", "-o", tmp_path / "x.onnx")
    assert nas(monkeypatch, *words) == 2
    assert "nas-sr[export]" in capsys.readouterr().err
