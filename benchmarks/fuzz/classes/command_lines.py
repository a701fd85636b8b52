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
from benchmarks.fuzz.classes.given import bring

__all__ = ["command_lines"]

_TINY = ("--profile", "smoke", "--data", m.PHOTOS)
_SMALL = ("--steps", "0", "--data", m.PHOTOS)
_BASES: dict[str, tuple[str, ...]] = {
    "search": ("--budget", "30K-params", "--space", "tiny", *_TINY, "--trials", "1", "--workers",
               "1", "--timeout", "5s", "--latency-size", "8x8", "--run", "out"),
    "train": (m.CONFIG, "--recipe", m.RECIPE, "--data", m.PHOTOS, "--steps", "2", "--batch", "1",
              "--patch", "32", "--no-tensorboard", "--run", "out"),
    "worker": ("--storage", f"sqlite:///{m.RUN}/study.db", "--study", m.RUN, "--data", m.PHOTOS,
               "--timeout", "5s"),
    "audit": (*m.AUDITED[1:], "--data", m.PHOTOS),
    "report": (m.RUN, "-o", "out"),
    "dashboard": (m.RUN, "--no-browser", "--port", "0"),
    "export": (m.WEIGHTS, "-o", "out.yaml"),
    "describe": (m.CONFIG, "--no-latency"),
    "import": (m.CHECKPOINT, "--preset", "rlfn", "-o", "out.safetensors"),
    "evaluate": (m.WEIGHTS, "--set", f"a={m.PHOTOS}"),
    "upscale": (f"{m.PHOTOS}/0.png", "--net", m.WEIGHTS, "-o", "out"),
    "latency measure": (m.CONFIG, "--size", "8x8", "--rounds", "1", "--reference", m.CONFIG),
    "latency fit": ("--space", "tiny", "--networks", "8", "--held-out", "1", "--rounds", "1",
                    "--size", "8x8", "-o", "out.yaml"),
    "compress auto": (m.WEIGHTS, "--budget", "80%", "--no-int8", "--size", "8x8", *_SMALL, "-o", "out"),
    "compress distill": (m.CONFIG, "--teacher", m.WEIGHTS, *_TINY, "--steps", "1", "-o", "out"),
    "compress fold": (m.WEIGHTS, "-o", "out"),
    "compress prune": (m.WEIGHTS, "--budget", "80%", "--data", m.PHOTOS, "-o", "out"),
    "compress quantize": (m.WEIGHTS, "--data", m.PHOTOS, "--rounds", "0", "--size", "8x8", "-o", "out.onnx"),
}  # fmt: skip
"""What makes a command short and sound; the drawn options come behind and take precedence."""

_BRIEF = ("describe", "export", "import", "evaluate", "upscale", "compress fold", "spaces",
          "presets", "published", "report")  # fmt: skip
_WRITTEN = ("output", "save", "csv", "run", "checkpoints", "storage", "study")

# Nothing absolute and nothing upwards: what is taken for an output must lie in the case's folder.
_TEXTS = (
    "", " ", "x", "0", "1", "-1", "2.5", "nan", "inf", "1e999", str(10**30), "9" * 5_000, "é", "😀",
    "\udcff", "\x1b[31mred", "a\nb", "a\tb", "\u202ex", "%s", "{}", "{0}", "$HOME", "*", "~x", "-", "--",
    "--help", "-o", "a=b", "=", "a=", f"a={m.PHOTOS}", f"={m.PHOTOS}", "a,b", ",", "1,2", "0x10", "1_000", "٣",
    "x" * 300, "x" * 5_000, "x=" * 2_000, "None", "true", "best", "[", "(", "\\", "'", '"', "CON", ".", "a/b/c",
    m.RUN, m.TRAINING, m.WEIGHTS, m.GRAPH, m.CHECKPOINT, m.CONFIG, m.SPACE, m.RECIPE, m.KEY_MAP, m.MODEL,
    m.PHOTOS, f"{m.PHOTOS}/0.png", f"{m.PHOTOS}/0.png/x", "nothing", "nothing.yaml", "nothing.safetensors",
    "empty", "empty/", "pipe", "pipe.yaml", "loop", "out", "out.yaml", "out.onnx", "out.py", "out.pt", "new/out.png",
)  # fmt: skip
_NUMBERS = (
    "0", "1", "2", "3", "4", "5", "7", "16", "-1", "-0", "100", "100000", str(2**31 - 1), str(2**31),
    str(2**63), str(2**64), str(10**30), str(-(10**30)), "0.5", "1e-9", "-0.5", "1e30", "1e999", "nan",
    "inf", "-inf", "", " ", " 3", "x", "0x10", "1_0", "٣", "1,5", "1e3", "9" * 5_000,
)  # fmt: skip
_KNOWN: dict[str, tuple[str, ...]] = {
    "budget": ("30K-params", "1G-flops", "80%", "0%", "100%", "-5%", "1e-9%", "nan%", "0-params", "-1K-params",
               "1e400G-macs", "nanK-params", "infM-params", "10ms-latency", "0ms-latency", "1MB-memory", "K-params",
               "30K", "5M-activations", "30k-PARAMS", "30 K-params", "1T-params", "30K-psnr"),
    "objectives": ("psnr", "psnr,params", "params", "psnr,psnr", "psnr,,", "ssim,psnr,macs,latency,memory"),
    "compress_budget": ("70%", "1K-params", "0%", "x"),
    "space": ("tiny", "distillation", "wide", m.SPACE),
    "profile": ("smoke", "quick", "full", "Smoke"),
    "timeout": ("1s", "1", "1h", "0s", "-1s", "1e3s", ".5m", "9" * 400 + "h", "1d", "1 s"),
    "prefer": ("better", "cheaper", "best"),
    "sampler": ("tpe", "nsga2", "nsga3", "gp", "random", "TPE"),
    "storage": ("sqlite:///out/x.db", f"sqlite:///{m.RUN}/study.db", "sqlite://", "memory", "x://y", "sqlite:",
                "postgresql://127.0.0.1:1/x", "mysql://127.0.0.1:1/x", "redis://127.0.0.1:1", "http://127.0.0.1:1",
                f"sqlite:///{m.PHOTOS}", f"sqlite:///{m.CONFIG}", "sqlite:///new/x.db", "postgresql://", "sqlite:///%"),
    "checkpoints": ("out/kept", "memory://x", "x://y", "http://127.0.0.1:1/x", "file:out", f"{m.PHOTOS}/0.png"),
    "device": ("cpu", "cuda", "cuda:0", "cuda:99", "cpu:7", "meta", "mps", "xla", "CPU"),
    "size": ("8x8", "1x1", "0x0", "-1x8", "8", "8x", "8X8", "8x8x8", "100000x100000", "1e3x8", "٣x٣", "8×8"),
    "latency_size": ("8x8", "0x5", "8", "30000x30000"),
    "runtime": ("torch", "onnxruntime", "ONNX"),
    "dtype": ("float32", "bfloat16", "float16", "int8", "float"),
    "file_format": ("png", "jpeg", "webp", "tiff", "bmp", "gif", "yaml", "onnx", "ntire", "basicsr", "folder",
                    "safetensors", "torchscript", "PNG"),
    "engine": ("local", "", "Local", "dask"),
    "host": ("127.0.0.1", "", "::1", "x y", "256.1.1.1"),
    "network": (m.WEIGHTS, m.CONFIG, m.RUN, "rlfn", "e_rfdn", "bicubic", m.GRAPH),
    "networks": (m.WEIGHTS, m.CONFIG, m.RUN, "rlfn", m.GRAPH),
    "source": (m.WEIGHTS, m.CONFIG, m.RUN, m.GRAPH),
    "net": (m.WEIGHTS, m.RUN, m.GRAPH),
    "teacher": (m.WEIGHTS, m.GRAPH, m.CONFIG),
    "init": (m.WEIGHTS, m.CHECKPOINT),
    "test_sets": (f"a={m.PHOTOS}", m.PHOTOS, "Set5=nothing", "a=pipe", "../a=x"),
    "test_set": ("Set5", f"Set5={m.PHOTOS}", f"set5={m.PHOTOS}", "Set14", "Urban100"),
    "published": ("Set5", "set5", "DIV2K", "Set14"),
    "data": (m.PHOTOS, "empty", f"{m.PHOTOS}/0.png", "pipe"),
    "val": (m.PHOTOS, f"a={m.PHOTOS}", "empty"),
    "recipe": ("fast", "imdn", "quick", m.RECIPE),
    "train_recipe": ("fast", m.RECIPE),
    "calibration": ("percentile", "entropy", "minmax", "mse", "best"),
    "importance": ("lamp", "l1", "l2", "group_norm", "taylor"),
    "comparison": ("l1", "affinity", "gram"),
    "precision": ("auto", "fp32", "bf16", "fp16"),
    "keep_float": ("stem", "stem,blocks", "blocks.0.", ",,,"),
    "preset": ("rlfn", "imdn", "e_rfdn", "RLFN"),
    "latency_model": (m.MODEL, m.CONFIG),
    "alpha": ("bicubic", "network"),
    "reference": ("e_rfdn", m.CONFIG, m.GRAPH),
    "trial": ("best", "0", "5", "05", "-1", "1e0"),
}  # fmt: skip

# A worker more is a process more, which this machine cannot spare by the hundred; a cluster neither.
_FEW = {
    "workers": ("0", "1", "2", "-1", "", "x", "1.5", "nan"),
    "processes": ("0", "1", "2", "-1", "", "x", "1.5", "3"),
    "engine": _KNOWN["engine"],
}


@dataclass(frozen=True, slots=True)
class _Leaf:
    """A command: its words, and its parameters as typer holds them."""

    words: tuple[str, ...]
    parameters: tuple[Any, ...]


def command_lines(rng: random.Random, place: Path, valid: Path) -> Command:
    """A command with one option above all, and some others."""
    for name in (
        m.RUN,
        m.WEIGHTS,
        m.CONFIG,
        m.PHOTOS,
        m.GRAPH,
        m.CHECKPOINT,
        m.SPACE,
        m.RECIPE,
        m.MODEL,
    ):
        bring(place, valid, name)
    (place / "empty").mkdir()
    (place / "loop").symlink_to("loop")
    os.mkfifo(place / "pipe")
    os.mkfifo(place / "pipe.yaml")
    if rng.random() < 0.04:
        return Command(_no_command(rng), "no such command")
    leaf, focus = rng.choice(_all())
    others = rng.sample(leaf.parameters, k=min(len(leaf.parameters), rng.choice((0, 0, 1, 3))))
    base = list(_BASES.get(" ".join(leaf.words), ()))
    outputs = ["out", "runs", "report", m.RUN]
    added: list[str] = []
    for parameter in dict.fromkeys([focus, *others]):
        words, values = _given(rng, parameter, sound=parameter is not focus and rng.random() < 0.6)
        if words:
            added += words
        elif base and not base[0].startswith("-"):
            base[0:1] = values
        else:
            added += values
        if parameter.name in _WRITTEN:
            outputs += [value.removeprefix("sqlite:///") for value in values]
    if rng.random() < 0.03:
        added.append("--import=" + rng.choice(("nothing.py", m.CONFIG, "pipe", "")))
    argv = (*leaf.words, *base, *added)
    outputs += [word for word in base if word.startswith("out")]
    endings = (".safetensors", ".yaml", ".csv", ".onnx", ".steps", ".pth")
    stems = [os.path.splitext(path)[0] for path in outputs]
    outputs += [f"{stem}{ending}" for stem in (*outputs, *stems) for ending in endings]
    brief = " ".join(leaf.words) in _BRIEF
    return Command(argv, f"{focus.name} and others", tuple(_normal(outputs)), trains=not brief)


def _normal(paths: list[str]) -> list[str]:
    return list(dict.fromkeys(os.path.normpath(path) for path in paths))


def _no_command(rng: random.Random) -> tuple[str, ...]:
    return rng.choice(
        ((), ("",), ("x",), ("--",), ("-h",), ("--version",), ("latency",), ("compress",),
         ("compress", "x"), ("--import",), ("--import", ""), ("--import", "nothing.py", "spaces"),
         ("Search",), ("search", "--", "x"), ("\x1b[31m",), ("a\nb",), ("--\udcff",), ("describe",),
         ("export", "--output"), ("spaces", "x" * 10_000), ("report", "--", "-x"))
    )  # fmt: skip


def _given(rng: random.Random, parameter: Any, *, sound: bool) -> tuple[list[str], list[str]]:
    """(the words of an option, or none for an argument; its values)."""
    option = parameter.opts[0].startswith("-")
    name = rng.choice([*parameter.opts, *parameter.secondary_opts])
    if option and (getattr(parameter, "is_flag", False) or "bool" in _type(parameter)):
        return ([name] if rng.random() < 0.8 else [f"{name}=x"]), []
    values = [_value(rng, parameter, sound=sound)]
    if parameter.multiple or parameter.nargs == -1:
        values += [_value(rng, parameter, sound=sound) for _ in range(rng.choice((0, 0, 1)))]
    if not option:
        return [], values
    if rng.random() < 0.03:
        return [name], []
    joined = rng.random() < 0.5 and name.startswith("--")
    return [
        w for value in values for w in ([f"{name}={value}"] if joined else [name, value])
    ], values


def _value(rng: random.Random, parameter: Any, *, sound: bool) -> str:
    name = parameter.name
    if name in _FEW:
        return rng.choice(_FEW[name])
    known = _KNOWN.get(name, ())
    number = "int" in _type(parameter) or "float" in _type(parameter)
    if known and (sound or rng.random() < 0.5):
        return rng.choice(known)
    if number:
        return rng.choice(_NUMBERS[:8] if sound else _NUMBERS)
    if rng.random() < 0.1:
        return _noise(rng)
    return rng.choice((*_TEXTS, *known))


def _noise(rng: random.Random) -> str:
    """Any characters but those that end an argument or lead out of the folder."""
    points = (rng.choice((rng.randint(1, 0x7F), rng.randint(0x80, 0x2FFF), rng.randint(0x1F300, 0x1F900)))
              for _ in range(rng.choice((1, 5, 40))))  # fmt: skip
    return "".join(map(chr, points)).replace("/", "").replace("..", "")


def _type(parameter: Any) -> str:
    descriptor = getattr(parameter, "type_descriptor", None)
    return str(getattr(descriptor, "annotation", getattr(parameter, "type", ""))).lower()


@cache
def _all() -> tuple[tuple[_Leaf, Any], ...]:
    """Every command with each of its parameters."""
    import typer

    from nas.cli.main import app

    def walk(command: Any, words: tuple[str, ...]) -> list[_Leaf]:
        if hasattr(command, "commands"):
            return [
                leaf for name, one in command.commands.items() for leaf in walk(one, (*words, name))
            ]
        shown = tuple(p for p in command.params if p.name != "help")
        return [_Leaf(words, shown)]

    leaves = walk(typer.main.get_command(app), ())
    return tuple((leaf, parameter) for leaf in leaves for parameter in leaf.parameters)
