from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from nas.cli.main import main
from search_spaces import Architecture, build, save_weights
from tests.nas_tests.foreign_graph import write_resize


@pytest.fixture
def hr(tmp_path: Path) -> Path:
    folder = tmp_path / "HR"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for name in ("a", "b"):
        coarse = Image.fromarray(rng.integers(0, 256, (6, 6, 3), np.uint8))
        coarse.resize((48, 42), Image.Resampling.BICUBIC).save(folder / f"{name}.png")
    return folder


@pytest.fixture
def network(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    block = {"kind": "distillation", "stages": 2, "distillation": "fdc", "distilled": 4}
    arch = {"scale": 2, "channels": 8, "blocks": [block], "image_skip": "bilinear"}
    net = build(Architecture.from_dict(arch))
    with torch.no_grad():
        net.upsampler.conv.weight.normal_(std=0.002)  # type: ignore[union-attr, operator]
    save_weights(net, tmp_path / "net.safetensors")
    return tmp_path / "net.safetensors"


class Nas:
    """The command, its exit code and what it printed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.monkeypatch, self.capsys = monkeypatch, capsys

    def __call__(self, *arguments: object) -> tuple[int, str, str]:
        self.monkeypatch.setattr(sys, "argv", ["nas", "evaluate", *map(str, arguments)])
        with pytest.raises(SystemExit) as ending:
            main()
        captured = self.capsys.readouterr()
        return int(ending.value.code or 0), captured.out, captured.err


@pytest.fixture
def nas(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Nas:
    return Nas(monkeypatch, capsys)


def as_json(told: tuple[int, str, str]) -> dict[str, Any]:
    code, out, err = told
    assert code == 0, err
    assert err == ""
    plain: dict[str, Any] = json.loads(out)
    return plain


def test_json_alone_on_standard_output(nas: Nas, hr: Path, network: Path) -> None:
    facts = as_json(nas(network, "--set", f"Mine={hr}", "--set", f"Again={hr}", "--json"))
    assert (facts["scale"], facts["device"], facts["self_ensemble"]) == (2, "cpu", False)
    assert facts["params"] > 0
    mine, again = facts["sets"]
    assert (mine["name"], again["name"]) == ("Mine", "Again")
    assert [image["name"] for image in mine["images"]] == ["a.png", "b.png"]
    assert mine["images"] == again["images"]
    mean = sum(image["psnr_y_db"] for image in mine["images"]) / 2
    assert mine["psnr_y_db"] == pytest.approx(mean)


def test_bicubic_beside_the_network(nas: Nas, hr: Path, network: Path, tmp_path: Path) -> None:
    arguments = ("--set", f"Mine={hr}")
    (bicubic,) = as_json(nas("bicubic", "--scale", 2, *arguments, "--json"))["sets"]
    (mine,) = as_json(nas(network, *arguments, "--json"))["sets"]
    assert "bicubic" not in bicubic
    assert mine["bicubic"] == {key: bicubic[key] for key in ("psnr_y_db", "ssim_y")}
    assert [one["bicubic"]["psnr_y_db"] for one in mine["images"]] == [
        one["psnr_y_db"] for one in bicubic["images"]
    ]
    code, out, _ = nas(network, *arguments, "--csv", tmp_path / "figures.csv")
    assert code == 0
    assert out.count(f"{bicubic['psnr_y_db']:.4f}") == 1
    with (tmp_path / "figures.csv").open() as file:
        mean = list(csv.DictReader(file))[-1]
    assert mean["image"] == "mean"
    assert float(mean["bicubic_psnr_y_db"]) == pytest.approx(bicubic["psnr_y_db"], abs=1e-6)
    assert float(mean["psnr_y_db"]) == pytest.approx(mine["psnr_y_db"], abs=1e-6)


def test_an_onnx_file_of_another_maker(nas: Nas, hr: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime", reason="the extra export is not installed")
    net, saved = tmp_path / "double.onnx", tmp_path / "sr"
    write_resize(net)
    words = (net, "--set", f"Mine={hr}")
    facts = as_json(nas(*words, "--save", saved, "--json"))
    assert (facts["scale"], facts["runtime"], facts["device"]) == (2, "onnxruntime", "cpu")
    assert "params" not in facts
    (mine,) = facts["sets"]
    # Repeated pixels.
    assert 20 < mine["psnr_y_db"] < mine["bicubic"]["psnr_y_db"]
    with Image.open(saved / "Mine" / "a.png") as image:
        pixels = np.asarray(image)
    assert np.array_equal(pixels[::2, ::2].repeat(2, 0).repeat(2, 1), pixels)
    again = as_json(nas(*words, "--self-ensemble", "--json"))
    assert again["sets"][0]["psnr_y_db"] == pytest.approx(mine["psnr_y_db"])
    assert "double.onnx, x2" in nas(*words)[1]
    for more, said in (
        (("--device", "cuda"), "runs in ONNX Runtime, on the CPU"),
        (("--trial", "3"), "only a run folder has trials"),
        (("--scale", "3"), "is of scale 2, but --scale is 3"),
    ):
        code, _, err = nas(*words, *more)
        assert (code, err.count("\n")) == (2, 1)
        assert said in err


def test_an_onnx_file_that_fails(nas: Nas, hr: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime", reason="the extra export is not installed")
    write_resize(tmp_path / "fixed.onnx", height=32)
    code, _, err = nas(tmp_path / "fixed.onnx", "--set", hr)
    assert (code, err.count("\n")) == (2, 1)
    assert "an image of 24x21 cannot be enlarged" in err


def test_table_csv_and_images(nas: Nas, hr: Path, tmp_path: Path) -> None:
    table, saved = tmp_path / "out" / "figures.csv", tmp_path / "sr"
    code, out, _ = nas("bicubic", "--scale", 3, "--set", hr, "--csv", table, "--save", saved)
    assert code == 0
    assert "bicubic, x3" in out
    with table.open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["set"], row["image"]) for row in rows] == [
        ("HR", "a.png"),
        ("HR", "b.png"),
        ("HR", "mean"),
    ]
    assert f"{float(rows[2]['psnr_y_db']):.4f}" in out
    assert sorted(path.name for path in (saved / "HR").iterdir()) == ["a.png", "b.png"]
    with Image.open(saved / "HR" / "a.png") as image:
        assert image.size == (48, 42)


def test_more_figures_in_every_form(nas: Nas, hr: Path, network: Path, tmp_path: Path) -> None:
    words = (network, "--set", f"Mine={hr}", "--metrics", "psnr_rgb")
    (mine,) = as_json(nas(*words, "--json"))["sets"]
    shown = f"{mine['psnr_rgb_db']:.4f}", f"{mine['bicubic']['psnr_rgb_db']:.4f}"
    assert "psnr_rgb_db" in mine["images"][0]
    table = tmp_path / "figures.csv"
    code, out, _ = nas(*words, "--csv", table)
    assert code == 0
    assert out.count("PSNR-RGB [dB]") == 1
    # No name gets lost beside the figures, and bicubic's stand below the network's.
    lines = [line.split() for line in out.splitlines()]
    own = next(n for n, line in enumerate(lines) if line[:3] == ["Mine", "mean", "network"])
    assert (lines[own][-1], lines[own + 1][0], lines[own + 1][-1]) == (
        shown[0],
        "bicubic",
        shown[1],
    )
    with table.open() as file:
        mean = list(csv.DictReader(file))[-1]
    assert list(mean) == [
        "set", "image", "psnr_y_db", "ssim_y", "psnr_rgb_db",
        "bicubic_psnr_y_db", "bicubic_ssim_y", "bicubic_psnr_rgb_db",
    ]  # fmt: skip
    assert float(mean["bicubic_psnr_rgb_db"]) == pytest.approx(
        mine["bicubic"]["psnr_rgb_db"], abs=1e-6
    )


def test_identical_images_are_valid_json(nas: Nas, tmp_path: Path) -> None:
    (tmp_path / "flat").mkdir()
    Image.new("RGB", (40, 40), (90, 90, 90)).save(tmp_path / "flat" / "a.png")
    facts = as_json(nas("bicubic", "--scale", 2, "--set", tmp_path / "flat", "--json"))
    assert facts["sets"][0]["psnr_y_db"] is None
    assert facts["sets"][0]["ssim_y"] == pytest.approx(1)


def test_self_ensemble_changes_the_result(nas: Nas, hr: Path, network: Path) -> None:
    plain = as_json(nas(network, "--set", hr, "--json"))
    ensemble = as_json(nas(network, "--set", hr, "--self-ensemble", "--json"))
    assert ensemble["self_ensemble"] is True
    assert ensemble["sets"][0]["psnr_y_db"] != plain["sets"][0]["psnr_y_db"]
    assert ensemble["sets"][0]["psnr_y_db"] > 25


def test_ready_lr_is_used(nas: Nas, hr: Path, tmp_path: Path) -> None:
    lr = tmp_path / "LR"
    lr.mkdir()
    for name in ("a", "b"):
        Image.new("RGB", (24, 21)).save(lr / f"{name}x2.png")
    arguments = ("bicubic", "--scale", 2, "--set", f"Mine={hr}", "--json")
    made, given = as_json(nas(*arguments)), as_json(nas(*arguments, "--lr", f"Mine={lr}"))
    assert given["sets"][0]["psnr_y_db"] < made["sets"][0]["psnr_y_db"] - 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("{net}", "--set", "{hr}", "--scale", "4"), "is of scale 2, but --scale is 4"),
        (("{net}", "--set", "{hr}", "--scale", "5"), "expected 1, 2, 3 or 4, got 5"),
        (("none.safetensors", "--set", "{hr}"), "none.safetensors: no such file"),
        (("{hr}/a.png", "--set", "{hr}"), "expected a .safetensors file"),
        (("{net}", "--set", "{hr}/none"), "no such file or directory"),
        (("{net}", "--set", "{tmp}/empty"), "holds no images"),
        (("{net}", "--set", "A={hr}", "--set", "A={hr}"), "A is given twice"),
        (("{net}", "--set", "A="), "expected FOLDER or NAME=FOLDER"),
        (("{net}", "--set", "../x={hr}"), "expected NAME=FOLDER"),
        (("{net}", "--set", "A={hr}", "--lr", "B={hr}"), "no set is called B"),
        (("{net}", "--set", "A={hr}", "--lr", "A={hr}"), "expected 21 x 24"),
        (("{net}", "--set", "{hr}", "--device", "abacus"), "device"),
        (("bicubic", "--set", "{hr}"), "give --scale"),
        (("{net}", "--set", "{hr}", "--metrics", "psnr_rbg"), "did you mean 'psnr_rgb'"),
        (("{net}", "--set", "{hr}", "--metrics", ""), "--metrics: expected of psnr_rgb, ms_ssim_y"),
        (("{net}", "--set", "{hr}", "--metrics", "psnr_rgb,psnr_rgb"), "psnr_rgb is given twice"),
        (("{net}", "--set", "{hr}", "--metrics", "ms_ssim_y"), "a.png: ms_ssim_y: images must be"),
        (("{net}", "--set", "{hr}", "--metrics", "lpips"), "alex.pth (from https://github.com/"),
        (
            ("{net}", "--set", "{hr}", "--metrics", "dists", "--weights", "{tmp}"),
            "vgg16-397923af.pth: no such file; expected in the --weights folder vgg16-397923af.pth",
        ),
        (("{net}", "--set", "{hr}", "--weights", "{tmp}"), "--weights: expected --metrics"),
        (("{net}", "--set", "{hr}", "--csv", "{tmp}"), "--csv: expected the name of a file"),
        (("{net}", "--set", "{hr}", "--csv", ""), "--csv: expected the name of a file to write"),
        (("bicubic", "--set", "{hr}", "--scale", "2", "--self-ensemble"), "got bicubic"),
    ],
)
def test_bad_input_is_one_line(
    arguments: tuple[str, ...], message: str, nas: Nas, hr: Path, network: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    filled = (one.format(net=network, hr=hr, tmp=tmp_path) for one in arguments)
    code, out, err = nas(*filled)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1
