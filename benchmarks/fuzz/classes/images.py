"""Images of every kind: enlarged, evaluated on, searched on."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

from benchmarks.fuzz import materials as m
from benchmarks.fuzz.case import Command
from benchmarks.fuzz.classes.given import bring
from benchmarks.fuzz.mutations.images import write_image

__all__ = ["images"]


def images(rng: random.Random, place: Path, valid: Path) -> Command:
    """One image or a few, by themselves or as a folder, perhaps among sound ones."""
    folder = place / "in"
    folder.mkdir()
    drawn = [write_image(rng, folder, f"{n}") for n in range(rng.choice((1, 1, 1, 2, 4)))]
    what = "; ".join(told for _, told in drawn)
    if rng.random() < 0.2:
        _among_sound(folder, valid)
    bring(place, valid, m.WEIGHTS)
    which = rng.random()
    if which < 0.6:
        return _upscaled(rng, what, [path.relative_to(place) for path, _ in drawn])
    if which < 0.78:
        argv: tuple[str, ...] = ("evaluate", m.WEIGHTS, "--set", "a=in")
        if rng.random() < 0.3:
            bring(place, valid, m.PHOTOS)
            argv = ("evaluate", m.WEIGHTS, "--set", f"a={m.PHOTOS}", "--lr", "a=in")
        more = rng.choice(((), ("--json",), ("--save", "out"), ("--csv", "out/a.csv")))
        return Command((*argv, *more), what, ("out",))
    if which < 0.9:
        _among_sound(folder, valid)
        short = "--profile smoke --trials 1 --workers 1 --latency-size 8x8 --timeout 5s"
        argv = ("search", "--space", "tiny", *short.split(), "--data", "in", "--run", "out")
        return Command(argv, what, ("out",), trains=True)
    _among_sound(folder, valid)
    argv = ("compress", "prune", m.WEIGHTS, "--budget", "80%", "--data", "in", "-o", "out")
    return Command(argv, what, ("out.safetensors", "out.yaml"), trains=True)


def _upscaled(rng: random.Random, what: str, paths: list[Path]) -> Command:
    inputs = ["in"] if rng.random() < 0.4 else [str(path) for path in paths]
    more: tuple[str, ...] = rng.choice(
        ((), (), ("--format", rng.choice(("png", "jpeg", "webp", "tiff", "bmp"))),
         ("--alpha", "network"), ("--tile", "32"), ("--memory", "1"), ("--max-megapixels", "0.001"))
    )  # fmt: skip
    output = "out" if len(paths) > 1 or rng.random() < 0.7 else "out.png"
    argv = ("upscale", *inputs, "--net", m.WEIGHTS, "-o", output, *more)
    return Command(argv, what, (output,) if output == "out.png" else ("out",))


def _among_sound(folder: Path, valid: Path) -> None:
    """Adds photos that are as they should be, enough to train on."""
    for path in (valid / m.PHOTOS).iterdir():
        shutil.copyfile(path, folder / f"sound-{path.name}")
