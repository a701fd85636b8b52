"""``nas train``: a network trained fully."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from search_spaces.errors import InputError

if TYPE_CHECKING:
    from nas.training.schedule import Plan
    from search_spaces import Architecture

__all__ = ["train"]


def train(
    network: Annotated[
        str,
        typer.Argument(
            metavar="NET",
            help="A preset, a .yaml config, a run folder of nas search, or a .safetensors file or "
            "folder of nas export, from whose weights training goes on.",
        ),
    ],
    trial: Annotated[
        str, typer.Argument(metavar="[TRIAL]", help="Of a run folder: best, or a trial's number.")
    ] = "best",
    data: Annotated[
        Path | None,
        typer.Option(help="Folder of training photos. Default: photos inside scikit-image."),
    ] = None,
    val: Annotated[
        list[str] | None,
        typer.Option(
            help="Folder of validation photos, FOLDER or NAME=FOLDER; repeatable, the first one "
            "chooses the best weights. Default: as a search does, a tenth of the training "
            "photos, at most 20, which are not trained on."
        ),
    ] = None,
    recipe: Annotated[
        str,
        typer.Option(
            help="fast; the papers' imdn, rfdn, e_rfdn, ntire; a profile of the search (quick, "
            "standard, full); or a .yaml file."
        ),
    ] = "fast",
    steps: Annotated[
        int | None,
        typer.Option(help="Steps in all: the whole schedule is stretched in proportion."),
    ] = None,
    batch: Annotated[int | None, typer.Option(help="Patches a step, in every phase.")] = None,
    patch: Annotated[
        int | None, typer.Option(help="Side of the HR patches, in every phase.")
    ] = None,
    run: Annotated[
        Path | None, typer.Option(help="Run folder. Default: runs/ and the network and recipe.")
    ] = None,
    precision: Annotated[
        str | None, typer.Option(help="auto, fp32 or bf16. Default: the recipe's.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the weights and of the patches.")] = 0,
    init: Annotated[
        Path | None,
        typer.Option(
            help="Weights to begin with, .safetensors; of another scale: all but the upsampler's."
        ),
    ] = None,
    scale: Annotated[int, typer.Option(help="Scale of a preset: 2, 3 or 4.")] = 4,
    validate_every: Annotated[
        int | None, typer.Option(help="Steps between validations. Default: a twentieth of all.")
    ] = None,
    checkpoint_seconds: Annotated[
        float, typer.Option(help="Time between checkpoints: the most that a crash costs.")
    ] = 60.0,
    memory: Annotated[
        float | None, typer.Option(help="GB of decoded photos to keep. Default: half of all.")
    ] = None,
    device: Annotated[str | None, typer.Option(help="cpu or cuda. Default: the best.")] = None,
    processes: Annotated[
        int, typer.Option(help="Processes on this machine that share each batch, one a GPU.")
    ] = 1,
    tensorboard: Annotated[
        bool | None,
        typer.Option(help="Write for TensorBoard, into the run folder. Default: if installed."),
    ] = None,
    json_lines: Annotated[
        bool, typer.Option("--json", help="One JSON object a line on standard output.")
    ] = False,
) -> None:
    """Train a network to the end, fast or as the papers do.

    The same command again goes on with a training that was stopped, by whatever means: on a
    processor to the same bits as without the stop.
    """
    from nas.training.launch import launch, place

    if processes < 1:
        raise InputError(f"--processes: expected at least 1, got {processes}")
    rank, count, local = place()
    if processes > 1 and count == 1:
        # The processes have said what there is to say.
        sys.exit(launch(sys.argv[1:], processes))

    from nas.cli.train_progress import make_watcher
    from nas.data.dataset import LR_SIZE, load_dataset
    from nas.evaluate.precision import best_device
    from nas.networks import architecture_of, weights_file
    from nas.training.processes import joined
    from nas.training.session import train_fully
    from nas.training.settings import TrainSettings

    architecture = architecture_of(network, scale, trial=trial)
    if (own := weights_file(network)) is not None:
        if init is not None:
            raise InputError("--init: the network has weights itself; give one of both")
        init = own
    plan = _plan(recipe, architecture, steps, batch, patch, precision)
    if seed < 0 or checkpoint_seconds < 0 or (validate_every or 1) < 1:
        raise InputError("expected --seed and --checkpoint-seconds of 0 or more, and "
                         "--validate-every of 1 or more")  # fmt: skip
    if memory is not None and not 0 < memory < math.inf:
        raise InputError(f"--memory: expected GB above 0, got {memory:g}")
    chosen = best_device(device)
    if chosen.type == "cuda" and count > 1:
        chosen = best_device(f"cuda:{local}")
    # Before photos are read, which may take minutes.
    for phase in plan.phases:
        if phase.batch % count:
            raise InputError(f"--processes: a batch of {phase.batch} cannot be shared evenly by "
                             f"{count}; expected a number that divides it")  # fmt: skip
    # As a search reads them, so that both split them alike; then those that are large enough.
    photos = load_dataset(
        architecture.scale, data=data, validation=_sets(val or []),
        lr_size=min(LR_SIZE, plan.lr_size), memory_cap_bytes=_memory_bytes(memory, count),
    ).for_patches(plan.lr_size)  # fmt: skip
    folder = run if run is not None else Path("runs") / _name(network, trial, recipe)
    settings = TrainSettings(
        architecture, plan, photos, folder, init, seed, validate_every, str(chosen),
        checkpoint_seconds, tensorboard, " ".join(["nas", *sys.argv[1:]]),
    )  # fmt: skip
    with joined(rank, count, chosen) as together, make_watcher(json_lines) as watcher:
        train_fully(settings, watcher, processes=together)


def _plan(
    name: str,
    architecture: Architecture,
    steps: int | None,
    batch: int | None,
    patch: int | None,
    precision: str | None,
) -> Plan:
    from nas.training.schedule import load_plan

    plan = load_plan(name, architecture.scale)
    if steps is not None:
        plan = plan.stretched(steps)
    if batch is not None:
        plan = plan.changed(batch=batch)
    if patch is not None:
        if patch < architecture.scale:
            raise InputError(f"--patch: expected at least {architecture.scale}, got {patch}")
        plan = plan.changed(lr_size=patch // architecture.scale)
    return plan if precision is None else plan.changed(precision=precision)


def _memory_bytes(given_gb: float | None, processes: int) -> int:
    import psutil

    if given_gb is not None:
        return int(given_gb * 1e9)
    # Of the machine, not of what is free just now: the same command finds the same photos again.
    return int(psutil.virtual_memory().total) // 2 // processes


def _sets(given: list[str]) -> dict[str, Path]:
    sets: dict[str, Path] = {}
    for text in given:
        name, equals, folder = text.partition("=")
        if not equals:
            name, folder = Path(text).resolve().name, text
        if not name or not folder or name in sets:
            raise InputError(f"--val: expected FOLDER or NAME=FOLDER, each once, got {text!r}")
        sets[name] = Path(folder)
    return sets


def _name(network: str, trial: str, recipe: str) -> str:
    from nas.networks import is_run

    name = Path(network).stem if not is_run(network) else f"{Path(network).name}-{trial}"
    return f"{name}-{Path(recipe).stem}"
