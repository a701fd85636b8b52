"""Options of commands: those that several commands share are here, so that they mean the same."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from nas.deploy.runtimes import RUNTIMES, TORCH, read_endings

__all__ = [
    "BEST", "LIMIT", "NAME", "NET_FILE", "OUTPUT", "RUNTIME_NAMES", "Data", "Degradation", "Device",
    "Dtype", "Force", "Json", "JsonLines", "LatencyCommand", "LatencyLimit", "LatencyPattern",
    "LearningRate", "Lr", "OwnData", "OwnDegradation", "OwnValidation", "PresetScale", "Profile",
    "QatSteps", "RoundTo", "Rounds", "Runtime", "Scale", "Size", "Storage", "Threads", "TimedOn",
    "Timeout", "Trained", "Trial", "Validation", "ValidationLr", "argument", "option",
]  # fmt: skip


def option(about: str, *names: str, **more: Any) -> Any:
    """An option with its help; it has its parameter's name unless ``names`` are given."""
    return typer.Option(*names, help=about, **more)


def argument(about: str, **more: Any) -> Any:
    """The same for what is given without a name."""
    return typer.Argument(help=about, **more)


OUTPUT = ("--output", "-o")

# Where one command needs them and another does not.
NAME = option("NAME: writes NAME.safetensors and NAME.yaml.", *OUTPUT)
LIMIT = option("300K-params, 12G-flops, 60M-activations, or 70% of its own params.", "--budget")

BEST = (
    "Which network is the best: better, the highest PSNR, or cheaper, the cheapest of those that "
    "seeds alone may part from it."
)

NET_FILE = f"A .safetensors{', '.join(('', *read_endings()))} file"
RUNTIME_NAMES = ", ".join((TORCH, *RUNTIMES))

Data = Annotated[
    Path | None,
    option(
        "Folder of training photos, or of what nas data prepare made of them. Default: photos "
        "inside scikit-image."
    ),
]
OwnData = Annotated[
    Path | None,
    option(
        "Folder of training photos, or of what nas data prepare made of them. Default: those of "
        "the network's search or training, else photos inside scikit-image."
    ),
]
OwnValidation = Annotated[
    Path | None,
    option(
        "Folder of validation photos. Default: those of the network's search or training, else "
        "some of --data that are then not trained on.", "--val",
    ),
]  # fmt: skip
Degradation = Annotated[
    str | None,
    option(
        "What makes LR of HR: bicubic, jpeg, real_esrgan, or a .yaml file (docs/degradations.md). "
        "Default: bicubic, as MATLAB does it."
    ),
]
OwnDegradation = Annotated[
    str | None,
    option(
        "What makes LR of HR: bicubic, jpeg, real_esrgan, or a .yaml file (docs/degradations.md). "
        "Default: that of the network's search or training, else bicubic.", "--degradation",
    ),
]  # fmt: skip
Device = Annotated[str | None, option("As torch names it: cpu, cuda, ... Default: the best.")]
Dtype = Annotated[str, option("float32, bfloat16 or float16.")]
Force = Annotated[bool, option("Overwrite what is there already.", "--force")]
Json = Annotated[bool, option("JSON on standard output.", "--json")]
JsonLines = Annotated[bool, option("One JSON object a line on standard output.", "--json")]
LatencyCommand = Annotated[
    list[str] | None,
    option(
        "What tells milliseconds of a network's file on a device where nothing of ours runs: "
        "'./on_my_phone.sh {onnx}' (docs/devices.md). Repeatable, for devices of one kind. "
        "Default: none, latency is measured here."
    ),
]
LatencyLimit = Annotated[
    float | None,
    option("Seconds after which a call of --latency-command is ended. Default: 60."),
]
LatencyPattern = Annotated[
    str | None,
    option(
        "A regular expression whose one group is the time in what --latency-command prints; "
        "(?P<us>...) if in microseconds. Default: the last number."
    ),
]
LearningRate = Annotated[float, option("Of the fine-tuning.")]
Lr = Annotated[
    Path | None,
    option(
        "Folder of their LR images, of the same names or with x4, _LR behind. Default: LR is made "
        "from HR by MATLAB's bicubic.", "--lr",
    ),
]  # fmt: skip
PresetScale = Annotated[int, option("Scale of a preset: 2, 3 or 4, or 1 to restore.")]
Profile = Annotated[str, option("Recipe of the training: smoke, quick, standard or full.")]
QatSteps = Annotated[
    int | None,
    option(
        "Fine-tuning with rounding, where int8 loses more than it may. Default: 600 for .tflite, 0 "
        "for .onnx."
    ),
]
RoundTo = Annotated[int, option("Widths are multiples of it.")]
Rounds = Annotated[int, option("Timed rounds; each runs every network once.")]
Runtime = Annotated[str, option(f"{RUNTIME_NAMES}.")]
Scale = Annotated[
    int,
    option(
        "Upscaling factor: 2, 3 or 4; 1: better images of the same size, by --lr or --degradation."
    ),
]
Size = Annotated[str, option("WIDTHxHEIGHT that latency is timed at.")]
Storage = Annotated[str | None, option("URL of the run's store, if it needs a password.")]
Threads = Annotated[
    int | None,
    option(
        "CPU threads of a measured forward pass. Default: OMP_NUM_THREADS, else torch's own "
        "choice. On a loaded machine several wait for each other: two have taken 12 times as long "
        "as one."
    ),
]
TimedOn = Annotated[str, option("cpu or cuda.")]
Timeout = Annotated[
    str | None, option("Start no trial after this time: 90s, 5m, 2h. Default: no limit.")
]
Trained = Annotated[
    Path,
    argument("A .safetensors file, a run folder, a folder of nas export, or a network that ships."),
]
Trial = Annotated[str, option("Of a run: best, or a trial's number.")]
Validation = Annotated[
    Path | None, option("Folder of validation photos. Default: a seeded split.", "--val")
]
ValidationLr = Annotated[
    Path | None, option("Folder of their LR images, likewise. Default: likewise.", "--val-lr")
]
