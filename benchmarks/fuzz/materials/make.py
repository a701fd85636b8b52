"""Makes all valid things once, with the project's own commands and functions."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from benchmarks.fuzz.materials import names
from benchmarks.fuzz.materials.pictures import write_photos
from benchmarks.fuzz.sandbox import Limits, Place, run_apart

__all__ = ["make_materials"]

_LIMITS = Limits(seconds=300.0, memory_mb=3_000.0)
_ROOT = Path(__file__).resolve().parents[3]


def make_materials(folder: Path) -> Path:
    """Makes them in a child process.

    Args:
        folder: that is there and empty.

    Returns:
        The folder that holds them.

    Raises:
        RuntimeError: one of the commands failed.
    """
    place = Place.make(folder)
    ended = run_apart(_make, place, _LIMITS)
    if ended.code != 0:
        raise RuntimeError(f"no materials: {ended.err or ended.killed}")
    return place.case


def _make() -> None:
    here = Path.cwd()
    write_photos(here / names.PHOTOS)
    _nas(*names.SEARCH, "--trials", "5")
    _nas(*names.AUDITED)
    run = here / names.RUN
    _evaluate(run)
    for heavy in (*run.rglob("*.png"), *run.rglob("*.svg")):
        heavy.unlink()
    shutil.copyfile(run / "best.safetensors", here / names.WEIGHTS)
    shutil.copyfile(run / "best.yaml", here / names.CONFIG)
    for target in (names.GRAPH, names.PARAM, names.TFLITE):
        _nas("export", names.WEIGHTS, "-o", target)
    spaces = _ROOT / "search_spaces"
    shutil.copyfile(spaces / "spaces" / "tiny.yaml", here / names.SPACE)
    shutil.copyfile(spaces / "keymaps" / "rlfn.yaml", here / names.KEY_MAP)
    _write_recipe(here / names.RECIPE)
    _write_checkpoint(here / names.CHECKPOINT)
    _write_compression(run)
    _write_noise(run)
    _write_model(here / names.MODEL)
    _train_a_little()


def _nas(*arguments: str) -> None:
    from nas.cli.main import main

    sys.argv = ["nas", *arguments]
    try:
        main()
    except SystemExit as ending:
        if ending.code:
            raise RuntimeError(f"nas {' '.join(arguments)} ended with {ending.code}") from None


def _evaluate(run: Path) -> None:
    """As ``nas report --published Set5`` does it, without the page."""
    from nas.cli.report.evaluated import checked, write_published
    from nas.cli.report.summarize import summarize
    from nas.run import open_run

    opened = open_run(run)
    results, test_set = checked("Set5", f"Set5={names.PHOTOS}", 4)
    write_published(opened, summarize(opened, opened.records()), results, test_set)


def _write_recipe(path: Path) -> None:
    phase = "{steps: 3, batch: 1, lr_size: 16, schedule: cosine, warmup_steps: 1}"
    path.write_text(
        f"source: this campaign\nabout: two short phases\nphases:\n  - {phase}\n  - {phase}\n"
    )


def _write_checkpoint(path: Path) -> None:
    """RLFN's weights under the names that its authors' code gives them."""
    import torch

    from search_spaces import build, preset
    from search_spaces.keymap import key_maps

    torch.manual_seed(0)
    network = build(preset("rlfn", 4))
    key_map = next(one for one in key_maps() if one.name == "rlfn")
    inner = [*(f"c{n}_r" for n in (1, 2, 3)), "c5"]
    inner += [f"esa.{name}" for name in ("conv1", "conv_f", "conv2", "conv3", "conv4")]
    layers = ["conv_1", "conv_2", "upsampler.0"]
    for block in range(len(network.architecture.blocks)):
        layers += [f"block_{block + 1}.{name}" for name in inner]
    keys = [f"{layer}.{leaf}" for layer in layers for leaf in ("weight", "bias")]
    state = network.state_dict()
    theirs = {key: state[name] for key in keys if (name := key_map.ours(key)) in state}
    assert len(theirs) == len(state)
    torch.save(theirs, path)


def _write_compression(run: Path) -> None:
    """Records as ``nas search --compress 1`` leaves them, without the hours of doing so."""
    from dataclasses import replace

    from nas.compression import CompressionStep, write_steps
    from nas.run import open_run

    best = open_run(run).best()
    assert best is not None
    assert best.params is not None
    number, folder = best.number, run / "compressed"
    folder.mkdir()
    shutil.copyfile(run / "best.safetensors", folder / f"{number}.safetensors")
    shutil.copyfile(run / "best.yaml", folder / f"{number}.yaml")
    given = replace(best, source="compressed:given", rungs=())
    pruned = replace(given, source="compressed:prune", params=best.params // 2)
    write_steps(
        [
            CompressionStep(0, "given", True, given, f"{number}.safetensors", 80_000, 1.0),
            CompressionStep(
                1, "prune", True, pruned, f"{number}.safetensors", 40_000, 2.0, "short"
            ),
        ],
        folder / "records.json",
    )


def _write_noise(run: Path) -> None:
    from nas.noise import Noise, write_noise

    write_noise(run, Noise(0.02, 0.001, 0.01, "this run's audit"))


def _write_model(path: Path) -> None:
    from functools import partial
    from itertools import islice

    from nas.evaluate.environment import environment
    from nas.latency.campaign import measure_networks
    from nas.latency.device import this_device
    from nas.latency.fit import fit_model
    from nas.latency.measure import measure_batch
    from nas.latency.samples import random_networks
    from search_spaces import Space

    space = Space.load("tiny")
    here = this_device(
        place="cpu", runtime="torch", dtype="float32", threads=1, lr_size=(16, 16), scale=4
    )
    drawn = list(islice(random_networks(space, 4, 0), 10))
    notes = path.with_name("measured.jsonl")
    measured = measure_networks(
        notes, drawn, here, measure=partial(measure_batch, device=here, rounds=1)
    )
    fit_model(measured, here, space=space.name, made_with=environment().to_dict(), held_out=0).save(
        path
    )
    notes.unlink()


def _train_a_little() -> None:
    """To a checkpoint in the middle of the recipe."""
    from nas.data import load_dataset
    from nas.data.places import PhotoPlaces
    from nas.training.events import TrainingEvent, TrainingStep
    from nas.training.schedule import load_full_recipe
    from nas.training.session import train_fully
    from nas.training.settings import TrainSettings
    from search_spaces import Architecture

    def stop(event: TrainingEvent) -> None:
        if isinstance(event, TrainingStep) and event.step == 4:
            raise KeyboardInterrupt

    recipe = load_full_recipe(names.RECIPE, 4)
    architecture = Architecture.load(names.CONFIG)
    photos = load_dataset(4, PhotoPlaces(Path(names.PHOTOS)), lr_size=recipe.lr_size)
    settings = TrainSettings(
        architecture, recipe, photos, Path(names.TRAINING), every=2, checkpoint_s=0.0,
        tensorboard=False,
    )  # fmt: skip
    try:
        train_fully(settings, stop)
    except KeyboardInterrupt:
        return
    raise RuntimeError("the training was to stop in the middle")
