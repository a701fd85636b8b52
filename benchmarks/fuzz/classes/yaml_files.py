"""YAML files of every sort: configs, spaces, recipes, degradations, run.yaml, key maps, latency."""

from __future__ import annotations

import random
from pathlib import Path

from benchmarks.fuzz import materials as m
from benchmarks.fuzz.case import Command
from benchmarks.fuzz.classes.given import bring
from benchmarks.fuzz.classes.on_a_run import on_a_run
from benchmarks.fuzz.mutations.places import displaced
from benchmarks.fuzz.mutations.text import broken_yaml

__all__ = ["configs", "degradations", "key_maps", "latency_models", "recipes", "run_yaml", "spaces"]

_ROOT = Path(__file__).resolve().parents[3]
_DISPLACED = 0.06
_TINY_SEARCH = (
    "--profile", "smoke", "--trials", "1", "--timeout", "5s", "--workers", "1",
    "--latency-size", "8x8", "--data", m.PHOTOS,
)  # fmt: skip
_TINY_TRAINING = ("--batch", "1", "--patch", "32", "--data", m.PHOTOS, "--no-tensorboard")


def _break(rng: random.Random, path: Path, text: str) -> str:
    """Writes a broken form of a text, or puts something else in its place; returns what."""
    if rng.random() < _DISPLACED:
        path.write_text(text, "utf-8")
        return displaced(rng, path)
    content, what = broken_yaml(rng, text)
    path.write_bytes(content)
    return what


def configs(rng: random.Random, place: Path, valid: Path) -> Command:
    """An architecture: a small one of a search, or a published system."""
    presets = sorted((_ROOT / "search_spaces" / "presets").glob("*.yaml"))
    source = valid / m.CONFIG if rng.random() < 0.5 else rng.choice(presets)
    name = rng.choice(("net.yaml", "net.yaml", "net.yml"))
    what = _break(rng, place / name, source.read_text("utf-8"))
    which = rng.random()
    if which < 0.55:
        json_or_not = rng.choice(((), ("--json",)))
        return Command(("describe", name, "--no-latency", *json_or_not), what)
    if which < 0.85:
        return Command(("export", name, "-o", "out/copy.yaml"), what, ("out/copy.yaml",))
    if which < 0.93:
        timed = ("--size", "8x8", "--rounds", "1", "--warmup", "0", "--reference", name)
        return Command(("latency", name, *timed), what)
    bring(place, valid, m.PHOTOS)
    argv = ("train", name, *_TINY_TRAINING, "--steps", "2", "--run", "out")
    return Command(argv, what, ("out",), trains=True)


def spaces(rng: random.Random, place: Path, valid: Path) -> Command:
    """A search space, by itself the tiny one; searched for one network."""
    folder = _ROOT / "search_spaces" / "spaces"
    source = folder / rng.choice(("tiny.yaml", "tiny.yaml", "distillation.yaml", "wide.yaml"))
    what = _break(rng, place / m.SPACE, source.read_text("utf-8"))
    bring(place, valid, m.PHOTOS)
    budget = rng.choice((("--budget", "30K-params"), ("--budget", "1G-flops"), ()))
    argv = ("search", *budget, "--space", m.SPACE, *_TINY_SEARCH, "--run", "out")
    return Command(argv, what, ("out",), trains=True)


def recipes(rng: random.Random, place: Path, valid: Path) -> Command:
    """A recipe of full training."""
    folder = _ROOT / "nas" / "training" / "recipes"
    papers = sorted(folder.glob("*.yaml"))
    source = valid / m.RECIPE if rng.random() < 0.5 else rng.choice(papers)
    what = _break(rng, place / m.RECIPE, source.read_text("utf-8"))
    bring(place, valid, m.CONFIG, m.PHOTOS)
    # The papers' patches are larger than our photos, and their trainings last for days.
    longest = ("--steps", "2", "--batch", "1", "--patch", "32")
    short = longest if source in papers else rng.choice(((), longest[:2], longest))
    argv = ("train", m.CONFIG, "--recipe", m.RECIPE, "--data", m.PHOTOS, "--no-tensorboard")
    return Command((*argv, *short, "--run", "out"), what, ("out",), trains=True)


def degradations(rng: random.Random, place: Path, valid: Path) -> Command:
    """A chain of degradations."""
    source = rng.choice(sorted((_ROOT / "nas/data/degradations/shipped").glob("*.yaml")))
    what = _break(rng, place / "chain.yaml", source.read_text("utf-8"))
    bring(place, valid, m.PHOTOS)
    words = ("data", "preview", "--data", m.PHOTOS, "--patch", "32", "--samples", "2")
    argv = (*words, "--degradation", "chain.yaml", "-o", "out.png")
    return Command(argv, what, ("out.png",))


def run_yaml(rng: random.Random, place: Path, valid: Path) -> Command:
    """The run.yaml of a finished search."""
    bring(place, valid, m.RUN, m.PHOTOS)
    file = place / m.RUN / "run.yaml"
    what = _break(rng, file, file.read_text("utf-8"))
    return on_a_run(rng, what)


def key_maps(rng: random.Random, place: Path, valid: Path) -> Command:
    """A key map for published weights that no map of the package fits."""
    bring(place, valid, m.CHECKPOINT)
    what = _break(rng, place / m.KEY_MAP, (valid / m.KEY_MAP).read_text("utf-8"))
    argv = ("import", m.CHECKPOINT, "--preset", "rlfn", "--layout", m.KEY_MAP)
    return Command((*argv, "-o", "out.safetensors"), what, ("out.safetensors",))


def latency_models(rng: random.Random, place: Path, valid: Path) -> Command:
    """A model of latency, in whose words a search prices networks."""
    bring(place, valid, m.PHOTOS)
    what = _break(rng, place / m.MODEL, (valid / m.MODEL).read_text("utf-8"))
    argv = ("search", "--budget", "25ms-latency", "--space", "tiny", "--latency-model", m.MODEL)
    short = [word for word in _TINY_SEARCH if word not in ("--latency-size", "8x8")]
    return Command((*argv, *short, "--run", "out"), what, ("out",), trains=True)
