"""Enlarging with what ships, in Python."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import nas
from nas.upscale.upscaler import Upscaler
from search_spaces import Architecture, build, load
from search_spaces.errors import InputError
from tests.made_up_shipped import ship

BLOCK = {"kind": "distillation", "stages": 2, "distillation": "none"}


def test_enlarges_by_the_best_of_a_scale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nas.shipped.catalog.FOLDER", tmp_path)
    for scale in (2, 3):
        arch = {"scale": scale, "channels": 4, "blocks": [BLOCK], "image_skip": "bilinear"}
        ship(tmp_path, f"x{scale}-box", build(Architecture.from_dict(arch)))
    pixels = np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype=np.uint8)
    for scale, asked in ((2, 2), (3, None)):
        large = nas.enlarge(pixels, asked)
        assert large.shape == (6 * scale, 9 * scale, 3)
        assert large.dtype == np.uint8
        own = Upscaler(load(tmp_path / f"x{scale}-box.safetensors")).enlarge(pixels)
        assert np.array_equal(large, own)
    with pytest.raises(InputError, match="no network of scale 4 ships"):
        nas.enlarge(pixels, 4)
