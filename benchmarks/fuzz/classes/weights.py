"""Weights: our own files, published checkpoints, ONNX graphs, files of ncnn and of LiteRT."""

from __future__ import annotations

import random
from pathlib import Path

from benchmarks.fuzz import materials as m
from benchmarks.fuzz.case import Command
from benchmarks.fuzz.classes.given import bring
from benchmarks.fuzz.mutations.crafted import nested_checkpoint, unsafe_checkpoint
from benchmarks.fuzz.mutations.flatbuffer import other_flatbuffer, unsealed
from benchmarks.fuzz.mutations.graph import other_graph
from benchmarks.fuzz.mutations.header import other_architecture, other_header, other_tensors
from benchmarks.fuzz.mutations.places import displaced
from benchmarks.fuzz.mutations.raw import broken, shortened

__all__ = ["ncnn_files", "onnx_graphs", "pth", "safetensors", "tflite_files"]

_W, _PAIR = m.WEIGHTS, ("out.safetensors", "out.yaml")
_BRIEF: tuple[tuple[int, str, tuple[str, ...]], ...] = (
    (6, f"describe {_W} --no-latency", ()),
    (4, f"export {_W} -o out.yaml", ("out.yaml",)),
    (1, f"export {_W} -o out.pt", ("out.pt",)),
    (3, f"upscale {m.PHOTOS}/0.png --net {_W} -o out", ("out",)),
    (3, f"evaluate {_W} --set a={m.PHOTOS}", ()),
    (3, f"compress fold {_W} -o out", _PAIR),
    (1, f"latency {_W} --size 8x8 --rounds 1 --reference {_W}", ()),
)
_SHORT = f"--data {m.PHOTOS} --steps"
_TRAINING: tuple[tuple[int, str, tuple[str, ...]], ...] = (
    (2, f"compress prune {_W} --budget 80% --no-refit -o out", _PAIR),
    (2, f"compress auto {_W} --budget 80% --no-int8 --size 8x8 {_SHORT} 0 -o out",
     (*_PAIR, "out.csv", "out.steps")),
    (1, f"compress quantize {_W} --data {m.PHOTOS} --rounds 0 -o out.onnx", ("out.onnx",)),
    (1, f"compress distill {m.CONFIG} --teacher {_W} --profile smoke {_SHORT} 1 -o out", _PAIR),
    (1, f"train {_W} {_SHORT} 1 --batch 1 --patch 32 --no-tensorboard --run out", ("out",)),
)  # fmt: skip
"""(how often, the command, what it writes) for those that are over soon, and for the others."""


def safetensors(rng: random.Random, place: Path, valid: Path) -> Command:
    """A file of weights whose header, metadata, tensors or bytes are broken."""
    bring(place, valid, m.WEIGHTS, m.CONFIG, m.PHOTOS)
    path = place / m.WEIGHTS
    kind = rng.random()
    if kind < 0.3:
        what = other_header(rng, path)
    elif kind < 0.5:
        what = other_tensors(rng, path)
    elif kind < 0.65:
        what = other_architecture(rng, path)
    else:
        what = _broken_or_displaced(rng, path)
    chosen = rng.choices((*_BRIEF, *_TRAINING), [one[0] for one in (*_BRIEF, *_TRAINING)])[0]
    return Command(tuple(chosen[1].split()), what, chosen[2], trains=chosen in _TRAINING)


def pth(rng: random.Random, place: Path, valid: Path) -> Command:
    """A published checkpoint with code, odd tensors or broken bytes in it."""
    bring(place, valid, m.CHECKPOINT)
    path = place / m.CHECKPOINT
    kind = rng.random()
    if kind < 0.55:
        what = unsafe_checkpoint(rng, path)
    elif kind < 0.7:
        what = nested_checkpoint(rng, path)
    else:
        what = _broken_or_displaced(rng, path)
    said = rng.choice(("--preset rlfn --scale 4", "--preset rlfn", "--preset imdn --scale 4", ""))
    argv = ("import", m.CHECKPOINT, *said.split(), "-o", "out.safetensors")
    return Command(argv, what, ("out.safetensors",))


def onnx_graphs(rng: random.Random, place: Path, valid: Path) -> Command:
    """A graph with broken bytes, other metadata, or other contents."""
    bring(place, valid, m.GRAPH, m.PHOTOS)
    path = place / m.GRAPH
    kind = rng.random()
    # Broken bytes are seldom a message still.
    if kind < 0.6:
        what = other_graph(rng, path)
    elif kind < 0.7:
        path.write_bytes(shortened(rng, path.read_bytes()))
        what = "shortened"
    else:
        what = _broken_or_displaced(rng, path)
    which = rng.random()
    if which < 0.75:
        return Command(_upscaled(rng, m.GRAPH, "24"), what, ("out",))
    if which < 0.9:
        argv = _timed(m.GRAPH)
    else:
        argv = ("describe", m.GRAPH) if which < 0.95 else ("evaluate", m.GRAPH, "--set", m.PHOTOS)
    return Command(argv, what)


def ncnn_files(rng: random.Random, place: Path, valid: Path) -> Command:
    """One of the two files with broken bytes or lines, at times as if of another maker."""
    bring(place, valid, m.PARAM, m.BIN, m.PHOTOS)
    path = place / rng.choice((m.PARAM, m.PARAM, m.BIN))
    whose = rng.choice(("ours", "another maker's"))
    if whose != "ours":
        weights = (place / m.BIN).read_bytes()
        # Behind them stands what only ours say.
        (place / m.BIN).write_bytes(weights[: weights.rindex(b'{"scale"')])
    kind = rng.random()
    if path.name == m.PARAM and kind < 0.6:
        what = _other_line(rng, path)
    elif kind < 0.7:
        path.write_bytes(shortened(rng, path.read_bytes()))
        what = "shortened"
    else:
        what = _broken_or_displaced(rng, path)
    argv: tuple[str, ...] = ("upscale", f"{m.PHOTOS}/0.png", "--net", m.PARAM, "-o", "out")
    if rng.random() < 0.2:
        return Command(_timed(m.PARAM), f"{whose}: {what}")
    return Command(argv, f"{whose}: {what}", ("out",))


def tflite_files(rng: random.Random, place: Path, valid: Path) -> Command:
    """A file with broken bytes or other contents, at times as if of another maker."""
    bring(place, valid, m.TFLITE, m.PHOTOS)
    path = place / m.TFLITE
    kind = rng.random()
    whose = "ours" if kind >= 0.6 and rng.random() < 0.5 else "another maker's"
    if whose != "ours":
        unsealed(path)
    if kind < 0.6:
        what = other_flatbuffer(rng, path)
    elif kind < 0.7:
        path.write_bytes(shortened(rng, path.read_bytes()))
        what = "shortened"
    else:
        what = _broken_or_displaced(rng, path)
    which = rng.random()
    if which < 0.75:
        return Command(_upscaled(rng, m.TFLITE, "32"), f"{whose}: {what}", ("out",))
    argv = _timed(m.TFLITE) if which < 0.9 else ("evaluate", m.TFLITE, "--set", f"a={m.PHOTOS}")
    return Command(argv, f"{whose}: {what}")


def _upscaled(rng: random.Random, file: str, tile: str) -> tuple[str, ...]:
    more = rng.choice(((), (), ("--tile", tile), ("--alpha", "network"), ("--scale", "4")))
    return ("upscale", f"{m.PHOTOS}/0.png", "--net", file, "-o", "out", *more)


def _timed(file: str) -> tuple[str, ...]:
    return ("latency", file, "--size", "8x8", "--rounds", "1", "--reference", file)


def _other_line(rng: random.Random, path: Path) -> str:
    """A word of a layer that is another layer's, or another number, or gone."""
    lines = path.read_text("ascii").splitlines()
    words = [line.split() for line in lines]
    line = rng.choice(words[2:])
    at = rng.randrange(len(line))
    key, equals, _ = line[at].partition("=")
    numbers = ("0", "1", "2", "-1", "7", "-233", "1000", "2147483647", "1.5", "1e30", "1e999", "")
    if equals and rng.random() < 0.7:
        line[at] = f"{key}={rng.choice(numbers)}"
    elif rng.random() < 0.2:
        del line[at]
    else:
        line[at] = rng.choice(rng.choice(words[2:]))
    path.write_text("\n".join(" ".join(one) for one in words) + "\n", "ascii")
    return "another line"


def _broken_or_displaced(rng: random.Random, path: Path) -> str:
    if rng.random() < 0.2:
        return displaced(rng, path)
    content, what = broken(rng, path.read_bytes())
    path.write_bytes(content)
    return what
