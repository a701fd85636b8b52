"""How a network comes into the package."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from benchmarks import ship as shipping
from nas.data import Photo
from nas.shipped import catalog
from nas.shipped.card import Quality, Training, read_card
from search_spaces import Architecture, Network, build, load
from search_spaces.errors import InputError
from tests.made_up_shipped import ship as made_up

BLOCK = {"kind": "distillation", "stages": 2, "distillation": "none"}
TRAINING = Training(data="squares", photos=3, recipe="smoke", steps=4, seed=0, revision="0123")
QUALITY = Quality(psnr_y_db=25.0, ssim_y=0.8, bicubic_psnr_y_db=24.0, bicubic_ssim_y=0.7)


def network(channels: int = 4, **changes: object) -> Network:
    data = {"scale": 2, "channels": channels, "blocks": [BLOCK], "image_skip": "bilinear"}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        made = build(Architecture.from_dict(data | changes))
        # Fresh ones are the bilinear enlargement alone.
        for tensor in made.parameters():
            torch.nn.init.normal_(tensor, std=0.05)
    return made.eval()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty one in the place of the package's, and quick measurements."""
    monkeypatch.setattr(catalog, "FOLDER", tmp_path)
    noise = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    monkeypatch.setattr(shipping, "photos", lambda scale: ((), (Photo("noise", noise),)))
    monkeypatch.setattr(shipping, "tested", lambda network: {"Set5": QUALITY, "Set14": QUALITY})
    monkeypatch.setattr(shipping, "lr_size", lambda scale, hr: (16, 16))
    return tmp_path


def test_a_network_ships_with_its_card(folder: Path) -> None:
    made_up(folder, "x2-before", network())
    trained = network(8)
    card = shipping.ship("x2-new", trained, TRAINING, about="New.", made_by="nas train")
    assert catalog.card_of("x2-new") == card
    assert (card.training, card.test["Set14"], card.licence) == (TRAINING, QUALITY, "MIT")
    assert card.params == sum(p.numel() for p in trained.parameters())
    # Halves suffice, and what is loaded computes in float32 all the same.
    assert card.weights == "float16"
    found = load(catalog.shipped_weights("x2-new"))
    for name, tensor in found.state_dict().items():
        assert tensor.dtype == torch.float32
        assert tensor.equal(trained.state_dict()[name].half().float())
    # Both were timed in turns, in the same place.
    before = read_card(folder / "x2-before.yaml").latency
    assert before.lr_size == card.latency.lr_size == (16, 16)
    assert {path.suffix for path in folder.iterdir()} == {".yaml", ".safetensors"}


def test_training_forms_are_folded(folder: Path) -> None:
    rep = network(blocks=[{"kind": "plain", "convolution": {"kind": "rep"}}])
    card = shipping.ship("x2-rep", rep, TRAINING, about="Folded.", made_by="nas train")
    assert card.params < sum(p.numel() for p in rep.parameters())


def test_float32_where_halves_cost_quality(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipping, "MOST_LOST_DB", -100.0)
    card = shipping.ship("x2-whole", network(), TRAINING, about="Whole.", made_by="nas train")
    assert card.weights == "float32"


def test_what_may_not_ship_leaves_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="the network enlarges 2 times; say so in its name"):
        shipping.ship("x4-new", network(), TRAINING, about="New.", made_by="nas train")
    monkeypatch.setattr(shipping, "MOST_BYTES", 1000)
    with pytest.raises(InputError, match=r"bytes in float16; expected at most 1,000: prune"):
        shipping.ship("x2-new", network(), TRAINING, about="New.", made_by="nas train")
    assert list(folder.iterdir()) == []


def test_names(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made_up(folder, "x2-before", network())
    with pytest.raises(InputError, match="ships already; give another name, or --replace"):
        shipping.check_name("x2-before", replace=False)
    shipping.check_name("x2-before", replace=True)
    with pytest.raises(InputError, match=r"is such as x4-320k, got 'My net'"):
        shipping.check_name("My net", replace=True)
    monkeypatch.setattr(shipping, "preset_names", lambda: ["x2-taken"])
    with pytest.raises(InputError, match="x2-taken is a preset"):
        shipping.check_name("x2-taken", replace=True)


def test_what_a_training_tells(tmp_path: Path) -> None:
    told: dict[str, object] = {
        "recipe": {"name": "fast", "phases": [{"steps": 3, "batch": 8}, {"steps": 4}]}, "seed": 1,
        "data": "T91", "train_photos": 91, "environment": {"revision": "0123", "cores": 2},
        "teacher": "somewhere/deep/e_rfdn-x4.safetensors", "init": None,
        "result": {"last": {"step": 7, "phase": 1}},
    }  # fmt: skip
    (tmp_path / "train.yaml").write_text(yaml.safe_dump(told))
    found = shipping.training_of(tmp_path)
    assert (found.steps, found.recipe, found.photos, found.seed) == (7, "fast", 91, 1)
    assert (found.teacher, found.begun_with) == ("e_rfdn-x4", None)
    weights = tmp_path / "best.safetensors"
    assert shipping.places(tmp_path, None) == (tmp_path / "last.safetensors", tmp_path)
    assert shipping.places(weights, None) == (weights, tmp_path)
    assert shipping.places(weights, tmp_path / "other") == (weights, tmp_path / "other")
    for unfinished, done in (({"result": {"last": {"step": 3}}}, 3), ({"result": None}, 0)):
        (tmp_path / "train.yaml").write_text(yaml.safe_dump(told | unfinished))
        with pytest.raises(InputError, match=f"trained for {done} of 7 steps; train to the end"):
            shipping.training_of(tmp_path)
    with pytest.raises(InputError, match=r"train\.yaml: cannot be read"):
        shipping.training_of(tmp_path / "none")
