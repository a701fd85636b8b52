"""A chain of degradations, from the search to the evaluation."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import yaml

import nas
from nas.audit.settings import AuditSettings
from nas.audit.trainers import make_trainers, proxy_recipe
from nas.cli.inherited import inherited_photos
from nas.cli.report.crops import crops
from nas.data import Photo
from nas.data.aligned import aligned
from nas.data.degradations import Chain, load_chain
from nas.data.image_file import decode_rgb
from nas.data.places import PhotoPlaces
from search_spaces.errors import InputError
from tests.guide_files import tiny_photos
from tests.nas_tests.conftest import Outcome

Command = Callable[..., Outcome]
SAME: Any = {"space": "tiny", "profile": "smoke", "scale": 2}


class Place(NamedTuple):
    """A search by a chain that darkens nothing and blurs all; read only."""

    run: Path
    photos: Path
    file: Path
    bicubic_db: float

    @property
    def chain(self) -> Chain:
        return load_chain(self.file)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, own_lock: Path) -> Place:
    folder = tmp_path_factory.mktemp("chains")
    tiny_photos(folder / "photos", 6)
    file = folder / "blurred.yaml"
    file.write_text(
        "steps:\n- blur: {sigma: 4, size: 15}\n- resize: {of: lr}\n"
        "- gaussian_noise: {sigma: [1, 9]}\n"
    )
    run = nas.search(
        "30K-params", **SAME, trials=2, data=folder / "photos", degradation=file,
        run=folder / "run",
    )  # fmt: skip
    return Place(run.folder, folder / "photos", file, run.about["bicubic"]["psnr_y_db"])


def test_a_search_trains_and_judges_by_the_chain(place: Place) -> None:
    clean = place.run.parent / "clean"
    run = nas.search("30K-params", trials=1, data=place.photos, **SAME, run=clean)
    assert place.bicubic_db < run.about["bicubic"]["psnr_y_db"] - 1
    about = nas.open_run(place.run).about
    assert about["identity"]["data"] == "photos+by:blurred"
    assert about["photos"]["degradation"] == place.chain.to_plain()
    # It goes on, and the chain is part of what must be the same.
    same: Any = {"trials": 2, "data": place.photos, "run": place.run, **SAME}
    assert len(nas.search("30K-params", degradation=place.chain, **same).records()) == 2
    with pytest.raises(InputError, match="data"):
        nas.search("30K-params", degradation="jpeg", **same)
    with pytest.raises(InputError, match="data"):
        nas.search("30K-params", **same)
    # By its name, the default is the default.
    again = nas.search(
        "30K-params", trials=1, data=place.photos, degradation="bicubic", **SAME, run=clean
    )
    assert len(again.records()) == 1


def test_training_goes_on_with_the_chain(place: Place, command: Command, tmp_path: Path) -> None:
    short = ("--recipe", "smoke", "--steps", "2", "--no-tensorboard", "--json", "--run")
    done = command("train", place.run, *short, tmp_path / "full")
    assert done.code == 0, done.err
    started = json.loads(done.out.splitlines()[0])
    assert started["bicubic_psnr_y_db"] == {"validation": pytest.approx(place.bicubic_db)}
    assert any(note.startswith("Degradation, from ") for note in started["notes"])
    about = yaml.safe_load((tmp_path / "full/train.yaml").read_text())
    assert about["photos"]["degradation"] == place.chain.to_plain()
    weights = [tmp_path / "full/best.safetensors"]
    assert inherited_photos(weights, PhotoPlaces())[0] == PhotoPlaces(
        place.photos, degradation=place.chain
    )
    # Other photos are degraded alike; another chain or LR of one's own takes its place.
    other = inherited_photos(weights, PhotoPlaces.of(Path("a"), Path("b")))[0]
    assert other == PhotoPlaces.of(Path("a"), Path("b"), degradation=place.chain)
    other = inherited_photos(weights, PhotoPlaces.of(degradation="jpeg"))[0]
    assert other == PhotoPlaces.of(place.photos, degradation="jpeg")
    other = inherited_photos(weights, PhotoPlaces.of(Path("a"), lr=Path("b")))[0]
    assert other.degradation is None
    done = command("train", place.run, "--degradation", "bicubic", *short, tmp_path / "clean")
    assert done.code == 0, done.err
    clean = json.loads(done.out.splitlines()[0])["bicubic_psnr_y_db"]["validation"]
    assert clean > place.bicubic_db + 1


def test_compression_calibrates_by_the_chain(
    place: Place, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def quantize(network: Any, train: Any, judging: Any, *_: Any, **__: Any) -> None:
        raise InputError(f"by { ({one.degradation.name for one in (*train, *judging)}) }")

    monkeypatch.setattr("compress.quantize.quantize", quantize)
    done = command("compress", "quantize", place.run, "-o", tmp_path / "net.onnx")
    assert f"bicubic on validation {place.bicubic_db:.3f} dB" in done.err
    assert "by {'blurred'}" in done.err


def test_an_audit_takes_the_chain_of_the_run(place: Place) -> None:
    run = nas.open_run(place.run)
    recipe = proxy_recipe(run)
    make_trainers(run, recipe, recipe.steps, AuditSettings())(0)


def test_pictures_show_what_the_chain_made(place: Place) -> None:
    run, gaps = nas.open_run(place.run), list[str]()
    (photo,) = crops(run, run.records(), gaps)
    assert gaps == []
    by_bicubic = next(one for one in photo.images if one.name == "bicubic")
    assert by_bicubic.psnr_y_db is not None
    assert by_bicubic.psnr_y_db < place.bicubic_db + 3


def test_evaluating_by_a_chain(place: Place, command: Command) -> None:
    words = ("evaluate", "bicubic", "--scale", 2, "--set", f"A={place.photos}", "--json")
    found = []
    for chain in ((), ("--degradation", "bicubic"), ("--degradation", place.file)):
        done = command(*words, *chain)
        assert done.code == 0, done.err
        found.append(json.loads(done.out)["sets"][0])
    assert found[0] == found[1]
    assert found[2]["psnr_y_db"] < found[0]["psnr_y_db"] - 1
    done = command(*words, "--degradation", "jpg")
    assert (done.code, done.out) == (2, "")
    assert "expected bicubic, jpeg, real_esrgan or a .yaml file, got 'jpg'" in done.err


def test_lr_of_a_photo_has_the_seed_of_its_name(place: Place) -> None:
    pixels = decode_rgb(place.photos / "0.png")
    one, same, other = (
        aligned(Photo(name, pixels, degradation=place.chain), 2).lr for name in "aab"
    )
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()
