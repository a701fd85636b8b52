"""Every command with every option, given values of every sort."""

from __future__ import annotations

import os
import random
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.fuzz import materials as m
from benchmarks.fuzz.case import Command
from benchmarks.fuzz.classes.arguments import BASES, BRIEF, FEW, KNOWN, NUMBERS, TEXTS, WRITTEN
from benchmarks.fuzz.classes.given import bring

__all__ = ["command_lines"]

_ENDINGS = (".safetensors", ".yaml", ".csv", ".onnx", ".steps", ".pth")


@dataclass(frozen=True, slots=True)
class _Leaf:
    """A command: its words, and its parameters as typer holds them."""

    words: tuple[str, ...]
    parameters: tuple[Any, ...]


def command_lines(rng: random.Random, place: Path, valid: Path) -> Command:
    """A command with one option above all, and some others."""
    bring(place, valid, m.RUN, m.PHOTOS, m.WEIGHTS, m.GRAPH, m.CHECKPOINT)
    bring(place, valid, m.CONFIG, m.SPACE, m.RECIPE, m.MODEL)
    (place / "empty").mkdir()
    (place / "loop").symlink_to("loop")
    os.mkfifo(place / "pipe")
    os.mkfifo(place / "pipe.yaml")
    if rng.random() < 0.04:
        return Command(rng.choice(_ODD), "no such command")
    leaf, focus = rng.choice(_all())
    name = " ".join(leaf.words)
    others = rng.sample(leaf.parameters, k=min(len(leaf.parameters), rng.choice((0, 0, 1, 3))))
    words, outputs = BASES.get(name, "").split(), ["out", "runs", "report", m.RUN]
    outputs += [word for word in words if word.startswith("out")]
    for parameter in dict.fromkeys([focus, *others]):
        option, values = _given(rng, parameter, sound=parameter is not focus)
        if option or not words or words[0].startswith("-"):
            words += option or values
        else:
            words[0:1] = values
        if parameter.name in WRITTEN:
            outputs += [value.removeprefix("sqlite:///") for value in values]
        if parameter.name == "storage":
            # Where the workers of a store in a file take turns.
            outputs += [os.path.join(os.path.dirname(path), "workers") for path in outputs[-1:]]
    if rng.random() < 0.03:
        words.append("--import=" + rng.choice(("nothing.py", m.CONFIG, "pipe", "")))
    return Command(
        (*leaf.words, *words), f"{focus.name} above all", _spread(outputs), trains=name not in BRIEF
    )


def _spread(outputs: list[str]) -> tuple[str, ...]:
    """What may be written for these names: themselves, and files that are named after them."""
    stems = [os.path.splitext(path)[0] for path in outputs]
    named = [f"{stem}{ending}" for stem in (*outputs, *stems) for ending in _ENDINGS]
    return tuple(dict.fromkeys(os.path.normpath(path) for path in (*outputs, *named)))


_ODD: tuple[tuple[str, ...], ...] = (
    *((), ("",), ("x",), ("--",), ("-h",), ("--version",), ("latency",), ("compress",)),
    *(("compress", "x"), ("--import",), ("--import", ""), ("Search",), ("describe",)),
    *(("search", "--", "x"), ("\x1b[31m",), ("a\nb",), ("--\udcff",), ("export", "--output")),
    *(("spaces", "x" * 9_999), ("--import", "nothing.py", "spaces"), ("report", "--", "-x")),
)
"""Command lines that name no command, or nothing behind one."""


def _given(rng: random.Random, parameter: Any, *, sound: bool) -> tuple[list[str], list[str]]:
    """(the words of an option, none for an argument; its values)."""
    name = rng.choice([*parameter.opts, *parameter.secondary_opts])
    if not name.startswith("-"):
        return [], _values(rng, parameter, sound=sound)
    if getattr(parameter, "is_flag", False) or "bool" in _type(parameter):
        return [name if rng.random() < 0.8 else f"{name}=x"], []
    if rng.random() < 0.03:
        return [name], []
    values = _values(rng, parameter, sound=sound)
    if rng.random() < 0.5 and name.startswith("--"):
        return [f"{name}={value}" for value in values], values
    return [word for value in values for word in (name, value)], values


def _values(rng: random.Random, parameter: Any, *, sound: bool) -> list[str]:
    several = parameter.nargs == -1 or getattr(parameter, "multiple", False)
    count = rng.choice((1, 1, 2)) if several else 1
    return [_value(rng, parameter, sound=sound and rng.random() < 0.85) for _ in range(count)]


def _value(rng: random.Random, parameter: Any, *, sound: bool) -> str:
    if parameter.name in FEW:
        return rng.choice(FEW[parameter.name])
    known = KNOWN.get(parameter.name, "").split()
    if known and (sound or rng.random() < 0.5):
        return rng.choice(known)
    if "int" in _type(parameter) or "float" in _type(parameter):
        return rng.choice(NUMBERS[:8] if sound else NUMBERS)
    return _any_characters(rng) if rng.random() < 0.1 else rng.choice((*TEXTS, *known))


def _any_characters(rng: random.Random) -> str:
    """All but those that end an argument or lead out of the folder."""
    ends = (0x7F, 0x2FFF, 0x1F900)
    points = (rng.randint(1, rng.choice(ends)) for _ in range(rng.choice((1, 5, 40))))
    text = "".join(chr(point) for point in points if not 0xD800 <= point < 0xE000)
    return text.replace("/", "").replace("..", "")


def _type(parameter: Any) -> str:
    descriptor = getattr(parameter, "type_descriptor", None)
    return str(getattr(descriptor, "annotation", getattr(parameter, "type", ""))).lower()


@cache
def _all() -> tuple[tuple[_Leaf, Any], ...]:
    """Every command with each of its parameters."""
    import typer

    from nas.cli.main import app

    leaves = _leaves(typer.main.get_command(app), ())
    return tuple((leaf, parameter) for leaf in leaves for parameter in leaf.parameters)


def _leaves(command: Any, words: tuple[str, ...]) -> list[_Leaf]:
    if hasattr(command, "commands"):
        inner = command.commands.items()
        return [leaf for name, one in inner for leaf in _leaves(one, (*words, name))]
    return [_Leaf(words, tuple(one for one in command.params if one.name != "help"))]
