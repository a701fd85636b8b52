"""``nas upscale``: files, folders, and what goes wrong with them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from search_spaces import Architecture, build, load, save_weights
from tests.made_up_shipped import ship
from tests.nas_tests.conftest import Finished, Outcome

Command = Callable[..., Outcome]


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("net") / "net.safetensors"
    block = {"kind": "distillation", "stages": 2, "distillation": "none"}
    arch = {"scale": 2, "channels": 4, "blocks": [block], "image_skip": "bilinear"}
    save_weights(build(Architecture.from_dict(arch)), path)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Images of every sort, and files that are none."""
    place = tmp_path / "in"
    (place / "sub").mkdir(parents=True)
    rgb = np.random.default_rng(0).integers(0, 256, (12, 18, 3)).astype(np.uint8)
    image = Image.fromarray(rgb)
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(place / "a.jpg", exif=exif)
    image.convert("RGBA").save(place / "b.png")
    image.convert("L").save(place / "c.webp")
    Image.fromarray(rgb[..., 0].astype(np.uint16) * 257).save(place / "d.tif")
    image.save(place / "sub" / "e.bmp")
    (place / "broken.png").write_bytes((place / "b.png").read_bytes()[:90])
    (place / "notes.txt").write_text("no image")
    (place / ".hidden.png").write_text("no image")
    return place


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_a_batch_goes_on_after_a_bad_file(
    command: Command, net: Path, folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    outcome = command("upscale", folder, tmp_path / "gone.png", "-o", out, "--net", net)
    assert outcome.code == 2
    assert files(out) == {"a.jpg", "b.png", "c.webp", "d.tif", "sub/e.bmp"}
    lines = outcome.err.splitlines()
    assert lines[0] == "nas: 2 of 7 images failed:"
    assert str(folder / "broken.png") in lines[1]
    assert str(tmp_path / "gone.png") in lines[2]
    assert len(lines) == 3
    assert len(outcome.out.splitlines()) == 7
    expected = {
        "a.jpg": ("RGB", (24, 36)),
        "b.png": ("RGBA", (36, 24)),
        "d.tif": ("I;16", (36, 24)),
    }
    for name, (mode, size) in expected.items():
        with Image.open(out / name) as image:
            assert (image.mode, image.size) == (mode, size)
            assert image.getexif().get(0x0112, 1) == 1


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="has no named pipes")
def test_a_batch_goes_on_after_what_is_no_file(
    command: Command, net: Path, folder: Path, tmp_path: Path
) -> None:
    (folder / "broken.png").unlink()
    os.mkfifo(folder / "pipe.png")
    (folder / "loop.png").symlink_to("loop.png")
    outcome = command("upscale", folder, "-o", tmp_path / "out", "--net", net)
    assert outcome.code == 2
    assert files(tmp_path / "out") == {"a.jpg", "b.png", "c.webp", "d.tif", "sub/e.bmp"}
    assert outcome.err.splitlines() == [
        "nas: 2 of 7 images failed:",
        f"  {folder}/loop.png: cannot be read (Too many levels of symbolic links); expected an "
        "image",
        f"  {folder}/pipe.png: cannot be read (a named pipe, not a regular file); expected an "
        "image",
    ]
    (tmp_path / "loop").symlink_to("loop")
    os.mkfifo(folder / "pipe.onnx")
    for image, by in (
        ("pipe.png", net),
        ("a.jpg", folder / "pipe.png"),
        ("a.jpg", folder / "pipe.onnx"),
    ):
        outcome = command("upscale", folder / image, "-o", tmp_path / "out", "--net", by)
        assert (outcome.code, outcome.err.count("\n")) == (2, 1)
        assert "a named pipe, not a regular file" in outcome.err


def test_one_file_by_its_name(command: Command, net: Path, folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "deep" / "large.webp"
    outcome = command("upscale", folder / "a.jpg", "-o", target, "--net", net, "--tile", 32)
    assert (outcome.code, outcome.err) == (0, "")
    with Image.open(target) as image:
        assert (image.format, image.size) == ("WEBP", (24, 36))


def test_format_of_all(command: Command, net: Path, folder: Path, tmp_path: Path) -> None:
    (folder / "broken.png").unlink()
    outcome = command(
        "upscale", folder, "-o", tmp_path / "out", "--net", net, "--format", "png", "--fast"
    )
    assert outcome.code == 0
    assert files(tmp_path / "out") == {"a.png", "b.png", "c.png", "d.png", "sub/e.png"}


def test_without_a_network_the_best_that_ships(
    command: Command, net: Path, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = tmp_path / "shipped"
    monkeypatch.setattr("nas.shipped.catalog.FOLDER", shipped)
    small = load(net)
    ship(shipped, "x2-worse", small, psnr_y_db=25.0)
    ship(shipped, "x2-better", small, psnr_y_db=25.1)
    upscale = ("upscale", folder / "b.png", "-o")
    for options in ((), ("--scale", 2)):
        outcome = command(*upscale, tmp_path / "large.png", "--force", *options)
        assert outcome.code == 0
        assert outcome.err.startswith("Network x2-better: x2, ")
        with Image.open(tmp_path / "large.png") as image:
            assert image.size == (36, 24)
    outcome = command(*upscale, tmp_path / "none.png", "--scale", 3)
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert "no network of scale 3 ships; scales of those that ship: 2" in outcome.err
    outcome = command(*upscale, tmp_path / "named.png", "--net", "x2-worse")
    assert (outcome.code, outcome.err) == (0, "")
    outcome = command(*upscale, tmp_path / "none.png", "--net", "x2-best")
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert "no network 'x2-best' ships: did you mean 'x2-better'" in outcome.err
    assert not (tmp_path / "none.png").exists()


def test_net_of_a_run(command: Command, finished: Finished, folder: Path, tmp_path: Path) -> None:
    outcome = command(
        "upscale", folder / "b.png", "-o", tmp_path / "b.png", "--net", finished.folder
    )
    assert (outcome.code, outcome.err) == (0, "")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--scale", "4"], "is of scale 2, but --scale is 4"),
        (["--format", "gif"], "--format: expected png"),
        (["--alpha", "none"], "--alpha: expected bicubic or network"),
        (["--tile", "3"], "a tile needs 32 pixels or more, got 3"),
        (["--memory", "0"], "--memory: expected a positive number"),
        (["--device", "warp"], "device must be one that torch sees here"),
        (["--net", ""], "no run is there"),
        (["--net", "e_rfdn"], "presets have no trained weights"),
        (["--net", "no.yaml"], "a config without weights"),
    ],
)
def test_bad_options(
    options: list[str], told: str, command: Command, net: Path, folder: Path, tmp_path: Path
) -> None:
    given = options if "--net" in options else ["--net", net, *options]
    outcome = command("upscale", folder, "-o", tmp_path / "out", *given)
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert told in outcome.err
    assert not (tmp_path / "out").exists()


def test_outputs_in_the_way(command: Command, net: Path, folder: Path, tmp_path: Path) -> None:
    upscale = ["upscale", folder, "--net", net]
    (folder / "broken.png").unlink()
    before = (folder / "b.png").read_bytes()
    outcome = command(*upscale, "-o", folder)
    assert outcome.code == 2
    assert outcome.err.count("its result would replace it; choose another --output") == 5
    assert (folder / "b.png").read_bytes() == before
    assert "expected a folder for several images" in command(*upscale, "-o", "x.png").err
    (tmp_path / "file").write_text("in the way")
    assert "is no folder" in command(*upscale, "-o", tmp_path / "file").err
    Image.new("RGB", (9, 9)).save(folder / "a.png")
    outcome = command(*upscale, "-o", tmp_path / "out", "--format", "png")
    assert outcome.code == 2
    assert "its result would replace that of" in outcome.err
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "holds no images" in command("upscale", empty, "-o", "out", "--net", net).err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_read_only_output(command: Command, net: Path, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir(mode=0o500)
    outcome = command("upscale", folder / "a.jpg", "-o", out, "--net", net)
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert "cannot write" in outcome.err


def test_what_is_there_is_left_and_the_others_are_made(
    command: Command, net: Path, folder: Path, tmp_path: Path
) -> None:
    target = tmp_path / "out" / "b.png"
    target.parent.mkdir()
    target.write_text("what was there")
    words = ("upscale", folder / "a.jpg", folder / "b.png", "-o", target.parent, "--net", net)
    outcome = command(*words)
    assert outcome.code == 2
    assert f"{target} is there already; give another name, or --force to over" in outcome.err
    assert target.read_text() == "what was there"
    assert files(target.parent) == {"a.jpg", "b.png"}
    assert command(*words, "--force").code == 0
    with Image.open(target) as image:
        assert image.width > 1


def test_a_write_that_fails_leaves_nothing(
    command: Command, net: Path, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "out" / "b.png"
    target.parent.mkdir()
    target.write_text("what was there")

    def full(*arguments: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("nas.upscale.image_writer.putchunk", full)
    outcome = command("upscale", folder / "b.png", "-o", target.parent, "--net", net, "--force")
    assert outcome.code == 2
    assert "no space left on device" in outcome.err
    assert files(target.parent) == {"b.png"}
    assert target.read_text() == "what was there"


def test_a_network_that_fails_leaves_nothing(
    command: Command, net: Path, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nas.upscale.upscaler import Upscaler

    whole = Upscaler.strips

    def some(self: Upscaler, pixels: Any) -> Iterator[Any]:
        yield next(whole(self, pixels))[:5]
        raise RuntimeError("can't allocate memory: you tried to allocate too much")

    monkeypatch.setattr(Upscaler, "strips", some)
    outcome = command("upscale", folder / "b.png", "-o", tmp_path / "out", "--net", net)
    assert outcome.code == 2
    assert "not enough memory; lower --memory or --tile" in outcome.err
    assert not files(tmp_path / "out")
