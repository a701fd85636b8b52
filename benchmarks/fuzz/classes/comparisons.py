"""``nas compare``: a photo or a network that is broken, and pieces that are none."""

from __future__ import annotations

import random
from pathlib import Path

from benchmarks.fuzz import materials as m
from benchmarks.fuzz.case import Command
from benchmarks.fuzz.classes.given import bring
from benchmarks.fuzz.mutations.flatbuffer import other_flatbuffer, unsealed
from benchmarks.fuzz.mutations.header import other_tensors
from benchmarks.fuzz.mutations.images import write_image
from benchmarks.fuzz.mutations.places import displaced
from benchmarks.fuzz.mutations.raw import broken

__all__ = ["comparisons"]

_CROPS = (
    "0,0,64,64", "9,30,64,64", "0,0,7,7", "-1,0,64,64", "400,400,64,64", "0,0,1e3,64", "1,2,3", "",
    "0,0,64,64,", "0,0,99999999999999999999,8", "\u0663,0,64,64", "nan,0,8,8",
)  # fmt: skip
_NETS = (
    f"a={m.WEIGHTS}", f"={m.WEIGHTS}", "a=", "", "bicubic=net.safetensors", m.WEIGHTS, m.CONFIG,
    m.PHOTOS, "x4-310k", "x\n=net.safetensors", f"{'n' * 300}={m.WEIGHTS}", "a=nothing.tflite",
    f"original={m.WEIGHTS}", f"$x_$={m.WEIGHTS}", f"\x1b[31m={m.WEIGHTS}",
)  # fmt: skip
_OUTPUTS = ("out.png",) * 5 + ("out.pdf", "out.svg", "out.jpg", "out", "new/out.png")
_MORE = (
    (), (), ("--hr",), ("--hr",), ("--width", "column"), ("--width", "x"), ("--title", "$\\frac$"),
    ("--title", "x" * 3_000), ("--device", "nothing"), ("--trial", "9"),
)  # fmt: skip


def comparisons(rng: random.Random, place: Path, valid: Path) -> Command:
    """One of its inputs broken, or one of its options."""
    bring(place, valid, m.WEIGHTS, m.TFLITE, m.CONFIG, m.PHOTOS)
    photo, nets, what = f"{m.PHOTOS}/0.png", [m.WEIGHTS], "nothing"
    kind = rng.random()
    if kind < 0.3:
        path, what = write_image(rng, place, "given")
        photo = path.name
    elif kind < 0.6:
        nets, what = _net(rng, place)
    more = list(rng.choice(_MORE))
    if rng.random() < 0.3:
        more += ["--crop", rng.choice(_CROPS)]
    if kind >= 0.6:
        nets = [f"sound={m.WEIGHTS}", *rng.choices(_NETS, k=rng.choice((0, 0, 1, 2)))]
        what = "options"
    output = rng.choice(_OUTPUTS)
    words = [word for net in nets for word in ("--net", net)]
    argv = ("compare", photo, *words, "-o", output, *more)
    return Command(argv, what, (output,))


def _net(rng: random.Random, place: Path) -> tuple[list[str], str]:
    """A broken one beside a sound one."""
    name = rng.choice((m.WEIGHTS, m.TFLITE, m.TFLITE))
    other = m.TFLITE if name == m.WEIGHTS else m.WEIGHTS
    path, way = place / name, rng.random()
    if way < 0.2:
        what = displaced(rng, path)
    elif way < 0.5:
        content, what = broken(rng, path.read_bytes())
        path.write_bytes(content)
    elif name == m.WEIGHTS:
        what = other_tensors(rng, path)
    else:
        unsealed(path)
        what = other_flatbuffer(rng, path)
    return [f"a={name}", f"b={other}"], f"{name}: {what}"
