"""What the commands of the guides under docs/ name: tiny networks, photos, and what guides show."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from search_spaces import Architecture, build, save_weights
from tests.made_up_board import make_boards

DOCS = Path(__file__).resolve().parents[1] / "docs"


def tiny_network(path: Path, *, seed: int = 0, **changes: Any) -> None:
    """A network of 15,000 parameters, x4, as a safetensors file."""
    block = {"kind": "distillation", "stages": 2, "distillation": "fdc"}
    data = {"scale": 4, "channels": 16, "image_skip": "bilinear"}
    data["blocks"] = [{**block, "distilled": 8, "shallow_residual": True}]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        save_weights(build(Architecture.from_dict({**data, **changes})), path)


def tiny_photos(folder: Path, count: int = 4, side: int = 96) -> None:
    """Photos of coloured squares."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for k in range(count):
        coarse = rng.integers(0, 256, (side // 8, side // 8, 3), dtype=np.uint8)
        Image.fromarray(np.kron(coarse, np.ones((8, 8, 1), np.uint8))).save(folder / f"{k}.png")


def for_compress(folder: Path) -> None:
    """A network, a better one, and photos."""
    tiny_network(folder / "net.safetensors")
    tiny_network(folder / "better.safetensors", seed=1)
    tiny_photos(folder / "photos")


def for_audit(folder: Path) -> None:
    """Photos."""
    tiny_photos(folder / "photos")


def needs_export() -> None:
    """Skips the test where the extra is not installed."""
    if os.environ.get("CI_REQUIRES_ALL") != "1":
        pytest.importorskip("onnxscript", reason="the extra export is not installed")


def for_deploy(folder: Path) -> None:
    """Networks, and photos in folders."""
    needs_export()
    tiny_network(folder / "net.safetensors")
    tiny_network(folder / "small_span.safetensors", activation="silu", fusion="span",
                 image_skip="none", blocks=[{"repeat": 5, "kind": "spab"}])  # fmt: skip
    tiny_photos(folder / "photos", 2, 32)
    (folder / "photos" / "0.png").rename(folder / "photo.png")
    tiny_photos(folder / "photos" / "more", 2, 32)


def for_latency(folder: Path) -> None:
    """A network and photos."""
    needs_export()
    tiny_network(folder / "net.safetensors")
    tiny_photos(folder / "photos")


def for_devices(folder: Path) -> None:
    """A network, photos, and the boards that stand in for devices."""
    tiny_network(folder / "net.safetensors")
    tiny_photos(folder / "photos")
    make_boards((DOCS / "devices.md").read_text(encoding="utf-8"), folder)


def for_search(folder: Path) -> None:
    """Photos to train on and to judge by."""
    tiny_photos(folder / "photos", 5)
    tiny_photos(folder / "judges", 2)


def for_pairs(folder: Path) -> None:
    """Photos of which the guide makes pairs."""
    needs_export()
    tiny_photos(folder / "photos", 4)
    tiny_photos(folder / "others", 1)


def for_large(folder: Path) -> None:
    """Photos, and pairs."""
    tiny_photos(folder / "photos", 4)
    tiny_photos(folder / "pairs/hr", 2)
    tiny_photos(folder / "pairs/lr", 2, 48)


def for_report(folder: Path) -> None:
    """Photos, and a test set."""
    tiny_photos(folder / "photos")
    tiny_photos(folder / "Set5" / "HR", 1, 64)


def for_extend(folder: Path) -> None:
    """The parts and spaces that the guide shows."""
    text = (DOCS / "extend.md").read_text(encoding="utf-8")
    files = (
        ("mine.py", "python", 1),
        ("mine.yaml", "yaml", 1),
        ("my_sampler.py", "python", 3),
        ("mine_too.py", "python", 5),
    )
    for name, kind, at in files:
        block = text.split(f"```{kind}\n")[at].split("```")[0]
        (folder / name).write_text(block, encoding="utf-8")
    tiny_photos(folder / "photos")


def for_train(folder: Path) -> None:
    """A network, photos in three folders, and the recipe that the guide shows."""
    tiny_network(folder / "net.safetensors")
    for name in ("photos", "held_out", "others"):
        tiny_photos(folder / name, count=3)
    # Not the same ones as those to train on.
    for name in ("held_out", "others"):
        for path in (folder / name).iterdir():
            Image.open(path).rotate(90).save(path)
    guide = (DOCS / "train.md").read_text(encoding="utf-8")
    recipe = re.search(r"^```yaml\n(.*?)^```$", guide, re.M | re.S)
    assert recipe is not None
    (folder / "mine.yaml").write_text(recipe[1])


def for_degradations(folder: Path) -> None:
    """Photos, and the chain that the guide shows."""
    needs_export()
    tiny_photos(folder / "photos")
    tiny_photos(folder / "judges", 2, 32)
    guide = (DOCS / "degradations.md").read_text(encoding="utf-8")
    (folder / "phone.yaml").write_text(guide.split("```yaml\n")[1].split("```")[0])
