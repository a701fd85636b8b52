"""Every network that ships: it is what its card says, and as good."""

from __future__ import annotations

import subprocess
from functools import partial
from importlib import resources
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

import nas
from nas.evaluate.benchmark import TestSet, evaluate_set
from nas.evaluate.upscale import upscale
from nas.shipped.catalog import FOLDER, best_at, card_of, cards, shipped_names, shipped_weights
from search_spaces import folded, load, preset_names, price

ROOT = Path(__file__).resolve().parents[3]
MOST_BYTES = 1_000_000
GAINS_DB = {2: 3.0, 3: 2.0, 4: 1.5}
"""Over bicubic upscaling on Set5, at the least."""


@pytest.mark.parametrize("name", shipped_names())
def test_is_what_its_card_says(name: str) -> None:
    card, path = card_of(name), shipped_weights(name)
    assert path.stat().st_size <= MOST_BYTES
    network = load(path)
    arch = network.architecture
    cost = price(arch)
    assert (card.scale, card.colors, card.hash) == (arch.scale, arch.colors, arch.hash)
    assert (card.params, card.macs) == (cost.params, cost.macs)
    assert folded(arch) == arch, "in the form in which it is used"
    assert {"Set5", "Set14"} <= card.test.keys()
    assert card.licence == "MIT"


@pytest.mark.parametrize("name", shipped_names())
def test_is_as_good_as_its_card_says(name: str, sr_data: Path, one_thread: None) -> None:
    card, network = card_of(name), load(shipped_weights(name))
    enlarge = partial(upscale, network, scale=card.scale, colors=card.colors)
    found = evaluate_set(enlarge, TestSet.open("Set5", sr_data / "test" / "Set5", card.scale))
    assert found.psnr_y_db == pytest.approx(card.test["Set5"].psnr_y_db, abs=0.002)
    assert found.ssim_y == pytest.approx(card.test["Set5"].ssim_y, abs=1e-4)


@pytest.mark.parametrize("scale", GAINS_DB)
def test_out_of_the_box_is_well_above_bicubic(scale: int, sr_data: Path, one_thread: None) -> None:
    if scale not in {card.scale for card in cards()}:
        pytest.skip(f"no network of x{scale} ships yet")

    def enlarge(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        return nas.enlarge(pixels, scale).astype(np.uint8)

    found = evaluate_set(enlarge, TestSet.open("Set5", sr_data / "test" / "Set5", scale))
    told = best_at(scale).test["Set5"]
    assert found.psnr_y_db - told.bicubic_psnr_y_db >= GAINS_DB[scale]
    # Colours go another way there than in an evaluation, large images in tiles.
    assert found.psnr_y_db == pytest.approx(told.psnr_y_db, abs=0.02)


def test_the_readme_tells_of_each() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8").split("\n## Out of the box\n")[1]
    rows = [line for line in text.split("\n## ")[0].splitlines() if line.startswith("| `x")]
    assert len(rows) == len(shipped_names())
    for row, card in zip(rows, cards(), strict=True):
        told = [f"`{card.name}`", f"{card.params / 1e3:.1f} K", f"{card.macs / 1e9:.2f} G"]
        told += [f"{quality.psnr_y_db:.2f} dB" for quality in card.test.values()]
        assert [one for one in told if one not in row] == []


def test_no_name_is_that_of_a_preset() -> None:
    assert not set(shipped_names()) & set(preset_names())


def test_each_has_both_files_and_the_packages_hold_them() -> None:
    found = resources.files("nas") / "shipped" / "networks"
    assert Path(str(found)) == FOLDER
    assert {path.name for path in FOLDER.iterdir() if not path.name.startswith(".")} == {
        f"{name}{ending}" for name in shipped_names() for ending in (".yaml", ".safetensors")
    }


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="no checkout")
def test_git_does_not_ignore_them() -> None:
    # What git ignores is not built into the wheel.
    files = list(map(str, FOLDER.iterdir()))
    done = subprocess.run(
        ["git", "-C", str(ROOT), "check-ignore", *files],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
