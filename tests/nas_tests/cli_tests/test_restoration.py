"""Networks of scale 1: commands hold them against the input in place of bicubic."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from PIL import Image

from nas.cli.report.crops import _piece
from nas.data.image_file import read_rgb
from nas.data.photo import Photo
from search_spaces import Architecture, build, save_weights
from tests.nas_tests.conftest import Outcome

Command = Callable[..., Outcome]


class Place(NamedTuple):
    """A network, and two photos as they were and darker; read only."""

    net: Path
    hr: Path
    lr: Path


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    folder = tmp_path_factory.mktemp("restoration")
    block = {"kind": "distillation", "stages": 2, "distillation": "none"}
    arch: dict[str, Any] = {"scale": 1, "channels": 4, "blocks": [block], "image_skip": "nearest"}
    save_weights(build(Architecture.from_dict(arch)), folder / "net.safetensors")
    for number in range(2):
        pixels = np.random.default_rng(number).integers(0, 256, (6, 7, 3), dtype=np.uint8)
        large = np.kron(pixels, np.ones((8, 8, 1), np.uint8))
        for kind, image in (("hr", large), ("lr", large // 2 + 40)):
            (folder / kind).mkdir(exist_ok=True)
            Image.fromarray(image).save(folder / kind / f"{number}.png")
    return Place(folder / "net.safetensors", folder / "hr", folder / "lr")


def test_evaluation_stands_beside_the_input(place: Place, command: Command, tmp_path: Path) -> None:
    pairs = ("--set", f"A={place.hr}", "--lr", place.lr)
    shown = command("evaluate", place.net, *pairs, "--csv", tmp_path / "a.csv")
    assert shown.code == 0, shown.err
    assert "Input [dB]" in shown.out
    with (tmp_path / "a.csv").open() as file:
        mean = list(csv.DictReader(file))[-1]
    assert list(mean) == ["set", "image", "psnr_y_db", "ssim_y", "input_psnr_y_db", "input_ssim_y"]
    # A fresh network gives its input.
    assert mean["psnr_y_db"] == mean["input_psnr_y_db"]
    own = json.loads(command("evaluate", "bicubic", "--scale", 1, *pairs, "--json").out)
    assert own["network"] == "input"
    told = json.loads(command("evaluate", place.net, *pairs, "--json").out)
    assert told["sets"][0]["input"]["psnr_y_db"] == own["sets"][0]["psnr_y_db"]
    assert command("evaluate", place.net, *pairs, "--scale", 2).err.endswith(
        "net.safetensors is of scale 1, but --scale is 2\n"
    )


def test_upscale_restores(place: Place, command: Command, tmp_path: Path) -> None:
    done = command("upscale", place.lr, "-o", tmp_path / "out", "--net", place.net)
    assert done.code == 0, done.err
    assert done.out.count("  56x48 restored, ") == 2
    done = command("upscale", place.lr, "-o", tmp_path / "out", "--scale", 1)
    assert done.code == 2
    assert "no network of scale 1 ships" in done.err


def test_compare_shows_a_given_input(place: Place, command: Command, tmp_path: Path) -> None:
    photo, words = place.hr / "0.png", ("--net", place.net, "-o")
    lr = ("--lr", place.lr / "0.png")
    done = command("compare", photo, *lr, *words, tmp_path / "a.svg")
    assert (done.code, done.err) == (0, "")
    (line,) = [one for one in done.out.splitlines() if one.split()[:1] == ["input"]]
    (own,) = [one for one in done.out.splitlines() if one.split()[:1] == ["net"]]
    assert line.split()[1:] == own.split()[1:]
    assert "bicubic" not in done.out + (tmp_path / "a.svg").read_text("utf-8")
    for refused, told in (
        (("--hr",), "at scale 1 the LR that bicubic makes is the photo itself"),
        ((*lr, "--degradation", "jpeg"), "--degradation: expected --hr beside it, and no --lr"),
        (("--degradation", "jpeg"), "--degradation: expected --hr beside it, and no --lr"),
        (("--lr", tmp_path / "gone.png"), "gone.png: "),
    ):
        done = command("compare", photo, *refused, *words, tmp_path / "b.svg")
        assert (done.code, done.err.count("\n")) == (2, 1)
        assert told in done.err
    assert not (tmp_path / "b.svg").exists()


def test_training_is_held_against_the_input(place: Place, command: Command, tmp_path: Path) -> None:
    words = ("--recipe", "smoke", "--steps", 1, "--batch", 1, "--data", place.hr, "--lr", place.lr)
    done = command("train", place.net, *words, "--run", tmp_path / "run")
    assert done.code == 0, done.err
    said = done.out + done.err
    assert "1 to train; input on validation " in said
    assert said.rstrip().endswith(" input")
    assert "bicubic" not in said


def test_pictures_of_a_report_show_the_input_once(place: Place) -> None:
    photo = Photo("0.png", read_rgb(place.hr / "0.png"), read_rgb(place.lr / "0.png"))
    made = _piece(photo, 1, [])
    assert [one.name for one in made.images] == ["input", "original"]
    assert made.images[0].psnr_y_db is not None
