"""``nas compare``: one photo by bicubic and networks, side by side."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nas.cli.compare import _renderings
from nas.evaluate.pieces import Piece
from search_spaces import Architecture, build, load, save_weights
from tests.made_up_shipped import ship
from tests.nas_tests.conftest import Finished, Outcome

Command = Callable[..., Outcome]


def network(path: Path, scale: int = 2) -> Path:
    block = {"kind": "distillation", "stages": 2, "distillation": "none"}
    arch = {"scale": scale, "channels": 4, "blocks": [block], "image_skip": "bilinear"}
    save_weights(build(Architecture.from_dict(arch)), path)
    return path


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return network(tmp_path_factory.mktemp("net") / "small.safetensors")


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """Flat, but for a square of detail."""
    pixels = np.full((61, 81, 3), 128, np.uint8)
    pixels[20:44, 40:64] = np.random.default_rng(0).integers(0, 256, (24, 24, 3))
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def place(out: str) -> tuple[int, ...]:
    found = re.search(r"(\d+)x(\d+) at (\d+),(\d+) of (\d+)x(\d+)", " ".join(out.split()))
    assert found is not None
    return tuple(map(int, found.groups()))


def test_without_a_network_the_best_that_ships(
    command: Command, net: Path, photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nas.shipped.catalog.FOLDER", tmp_path / "shipped")
    ship(tmp_path / "shipped", "x2-seen", load(net))
    outcome = command("compare", photo, "--hr", "-o", tmp_path / "seen.png")
    assert outcome.code == 0
    assert outcome.err.startswith("Network x2-seen: x2, ")
    assert "x2-seen" in outcome.out


def test_an_original_is_made_small_enlarged_and_measured(
    command: Command, net: Path, photo: Path, tmp_path: Path
) -> None:
    target = tmp_path / "new" / "seen.png"
    outcome = command("compare", photo, "--hr", "--net", net, "--net", f"twin={net}", "-o", target)
    assert (outcome.code, outcome.err) == (0, "")
    for name in ("bicubic", "small", "twin"):
        (line,) = [line for line in outcome.out.splitlines() if line.split()[:1] == [name]]
        assert len(re.findall(r"\d+\.\d{3}", line)) == 4
    # Cut to a multiple of the scale.
    assert place(outcome.out)[4:] == (80, 60)
    with Image.open(target) as image:
        assert image.format == "PNG"
        assert image.width > 1500
    evaluated = command("evaluate", net, "--set", f"x={photo.parent}", "--json")
    assert evaluated.code == 0
    psnr = float(evaluated.out.split('"psnr_y_db": ')[1].split(",")[0])
    assert f"{psnr:.3f}" in outcome.out


def test_of_two_that_read_alike_neither_is_ahead() -> None:
    truth = np.random.default_rng(0).integers(0, 256, (48, 48, 3), dtype=np.uint8)
    near, far = truth // 2, truth // 4
    nearly = near.copy()
    nearly[0, 0] += 1
    images = {"bicubic": far, "one": near, "other": nearly}
    made = _renderings(images, truth, Piece(0, 0, 48, 48))
    assert made[1].figures == made[2].figures
    assert [one.name for one in made if one.best] == ["one", "other"]


def test_a_photo_alone_is_enlarged_and_the_piece_is_where_they_differ(
    command: Command, net: Path, photo: Path, tmp_path: Path
) -> None:
    target = tmp_path / "seen.svg"
    outcome = command("compare", photo, "--net", net, "-o", target, "--title", "Two ways")
    assert (outcome.code, outcome.err) == (0, "")
    assert "PSNR" not in outcome.out
    width, height, left, top, *large = place(outcome.out)
    assert large == [162, 122]
    # The square of detail lies at 80..128 and 40..88 of it.
    assert left < 104 < left + width
    assert top < 64 < top + height
    words = target.read_text("utf-8")
    for word in ("Two ways", "bicubic", "small", "photo"):
        assert f">{word}<" in words
    assert "original" not in words


def test_a_piece_of_ones_own_and_a_run(
    command: Command, finished: Finished, photo: Path, tmp_path: Path
) -> None:
    target = tmp_path / "seen.pdf"
    outcome = command(
        "compare", photo, "--hr", "--net", finished.folder, "-o", target, "--width", "column",
        "--crop", "3,5,20,12",
    )  # fmt: skip
    assert (outcome.code, outcome.err) == (0, "")
    assert place(outcome.out)[:4] == (20, 12, 3, 5)
    assert target.read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (["--crop", "1,2,3"], "--crop: expected X,Y,W,H"),
        (["--crop", "100,0,80,40"], "inside 162x122, got 80x40 at 100,0"),
        (["--crop", "0,0,4,40"], "at least 8x8 pixels"),
        (["-o", "seen.gif"], "--output: expected a name in .png, .svg, .pdf, got seen.gif"),
        (["--width", "wide"], "--width: expected column or page"),
        (["--net", "gone.safetensors"], "gone.safetensors: "),
        (["--net", "small={net}"], "--net: small is there twice"),
        (["--net", "three={three}"], "networks of one scale, got small x2, three x3"),
        (["--net", "=x"], "--net: expected NET or NAME=NET"),
    ],
)
def test_what_is_wrong_is_one_line_and_nothing_is_written(
    asked: list[str], told: str, command: Command, net: Path, photo: Path, tmp_path: Path
) -> None:
    three = network(tmp_path / "three.safetensors", 3)
    words = [word.format(net=net, three=three) for word in asked]
    before = set(tmp_path.iterdir())
    target = [] if "-o" in words else ["-o", tmp_path / "seen.png"]
    outcome = command("compare", photo, "--net", net, *target, *words)
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert told in outcome.err
    assert set(tmp_path.iterdir()) == before


def test_a_photo_that_is_none(command: Command, net: Path, tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_text("no image")
    outcome = command(
        "compare", tmp_path / "photo.png", "--net", net, "-o", tmp_path / "seen.png"
    )  # fmt: skip
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert "photo.png: cannot be used (not an image)" in outcome.err
