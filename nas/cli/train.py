"""``nas train``: a network trained fully."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from nas.cli.options import (
    Device,
    JsonLines,
    Lr,
    OwnData,
    OwnDegradation,
    PresetScale,
    argument,
    option,
)
from nas.cli.targets import named_partners, named_paths
from search_spaces.errors import InputError

if TYPE_CHECKING:
    from nas.training.schedule import FullRecipe

__all__ = ["train"]


def train(
    network: Annotated[
        str,
        argument(
            "A preset, a .yaml config, or a run folder of nas search, a .safetensors file, a "
            "folder of nas export or a network that ships, from whose weights training goes on.",
            metavar="NET",
        ),
    ],
    trial: Annotated[
        str, argument("Of a run folder: best, or a trial's number.", metavar="[TRIAL]")
    ] = "best",
    data: OwnData = None,
    lr: Lr = None,
    val: Annotated[
        list[str] | None,
        option(
            "Folder of validation photos, FOLDER or NAME=FOLDER; repeatable, the first one "
            "chooses the best weights. Default: those of the network's search or training, else a "
            "tenth of the training photos, at most 20, which are not trained on."
        ),
    ] = None,
    val_lr: Annotated[
        list[str] | None,
        option(
            "Folder of their LR images, NAME=FOLDER, or FOLDER for a single set. Default: LR is "
            "made from HR."
        ),
    ] = None,
    degradation: OwnDegradation = None,
    recipe: Annotated[
        str,
        option(
            "fast; best, for an hour; the papers' imdn, rfdn, e_rfdn, ntire; a profile of the "
            "search (quick, standard, full); or a .yaml file."
        ),
    ] = "fast",
    steps: Annotated[
        int | None, option("Steps in all: the whole schedule is stretched in proportion.")
    ] = None,
    batch: Annotated[int | None, option("Patches a step, in every phase.")] = None,
    patch: Annotated[int | None, option("Side of the HR patches, in every phase.")] = None,
    run: Annotated[
        Path | None, option("Run folder. Default: runs/ and the network and recipe.")
    ] = None,
    precision: Annotated[str | None, option("auto, fp32 or bf16. Default: the recipe's.")] = None,
    seed: Annotated[int, option("Of the weights and of the patches.")] = 0,
    init: Annotated[
        Path | None,
        option(
            "Weights to begin with, .safetensors or a network that ships; of another scale: all "
            "but the upsampler's."
        ),
    ] = None,
    teacher: Annotated[
        Path | None,
        option(
            "A network to learn from beside the photos, .safetensors or one that ships, of the "
            "same scale. Default: the recipe's, if it names one."
        ),
    ] = None,
    fresh: Annotated[
        bool, option("New weights, where the network has some from its search.", "--fresh")
    ] = False,
    scale: PresetScale = 4,
    validate_every: Annotated[
        int | None, option("Steps between validations. Default: a twentieth of all, at least 20.")
    ] = None,
    checkpoint_seconds: Annotated[
        float, option("Time between checkpoints: the most that a crash costs.")
    ] = 60.0,
    memory: Annotated[
        float | None, option("GB of decoded photos to keep. Default: half of all.")
    ] = None,
    device: Device = None,
    processes: Annotated[
        int, option("Processes on this machine that share each batch, one a GPU.")
    ] = 1,
    tensorboard: Annotated[
        bool | None,
        option("Write for TensorBoard, into the run folder. Default: if installed."),
    ] = None,
    json_lines: JsonLines = False,
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

    from nas.cli.inherited import inherited_photos, start_of
    from nas.cli.train_progress import make_watcher
    from nas.data import load_dataset
    from nas.data.places import ONLY_SET, PhotoPlaces, degradation_of
    from nas.data.split import LR_SIZE
    from nas.evaluate.precision import best_device
    from nas.networks import architecture_of, is_run, weights_file
    from nas.run import open_run
    from nas.training.processes import joined
    from nas.training.session import train_fully
    from nas.training.settings import TrainSettings

    architecture = architecture_of(network, scale, trial=trial)
    # By the files that names of networks stand for; what is no such name is refused later.
    init, teacher = (one and (weights_file(one) or one) for one in (init, teacher))
    folder = run if run is not None else Path("runs") / _name(network, trial, recipe)
    if fresh and init is not None:
        raise InputError("--fresh and --init: expected new weights or those of a file, not both")
    proxy, notes = None, []
    if is_run(network):
        search = open_run(network)
        began = start_of(search, search.trial(trial), folder, fresh=fresh)
        proxy = began.proxy
        if init is None:
            init, notes = began.init, [began.note + " (new ones by --fresh)" * bool(began.init)]
    elif (own := weights_file(network)) is not None and not fresh:
        if init is not None:
            raise InputError("--init: the network has weights itself; give one of both")
        init = own
    full = _full_recipe(recipe, architecture.scale, steps, batch, patch, precision)
    if teacher is None and full.teacher is not None:
        teacher = full.teacher
        notes.append(f"Teacher, from recipe {full.name}: {teacher} (another by --teacher)")
    if seed < 0 or checkpoint_seconds < 0 or (validate_every or 1) < 1:
        raise InputError("expected --seed and --checkpoint-seconds of 0 or more, and "
                         "--validate-every of 1 or more")  # fmt: skip
    if memory is not None and not 0 < memory < math.inf:
        raise InputError(f"--memory: expected GB above 0, got {memory:g}")
    chosen = best_device(device)
    if chosen.type == "cuda" and count > 1:
        chosen = best_device(f"cuda:{local}")
    # Before photos are read, which may take minutes.
    for phase in full.phases:
        if phase.batch % count:
            raise InputError(f"--processes: a batch of {phase.batch} cannot be shared evenly by "
                             f"{count}; expected a number that divides it")  # fmt: skip
    sets = named_paths(val or [], "--val")
    lrs = named_partners(val_lr or [], "--val-lr", sets, ONLY_SET)
    given = PhotoPlaces(data, sets, lr, lrs, degradation_of(degradation))
    places, said = inherited_photos([network], given)
    # As a search reads them; then those that are large enough.
    photos = load_dataset(
        architecture.scale, places, lr_size=min(LR_SIZE, full.lr_size),
        memory_cap_bytes=_memory_bytes(memory, count),
    ).for_patches(full.lr_size)  # fmt: skip
    settings = TrainSettings(
        architecture, full, photos, folder, init, seed, validate_every, str(chosen),
        checkpoint_seconds, tensorboard, " ".join(["nas", *sys.argv[1:]]), places=places,
        proxy=proxy, notes=(*said, *notes), teacher=teacher,
    )  # fmt: skip
    with joined(rank, count, chosen) as together, make_watcher(json_lines) as watcher:
        train_fully(settings, watcher, processes=together)


def _full_recipe(
    name: str, scale: int, steps: int | None, batch: int | None, patch: int | None,
    precision: str | None,
) -> FullRecipe:  # fmt: skip
    from nas.training.schedule import load_full_recipe

    full = load_full_recipe(name, scale)
    if steps is not None:
        full = full.stretched(steps)
    if batch is not None:
        full = full.changed(batch=batch)
    if patch is not None:
        if patch < scale:
            raise InputError(f"--patch: expected at least {scale}, got {patch}")
        full = full.changed(lr_size=patch // scale)
    return full if precision is None else full.changed(precision=precision)


def _memory_bytes(given_gb: float | None, processes: int) -> int:
    import psutil

    if given_gb is not None:
        return int(given_gb * 1e9)
    # Of the machine, not of what is free just now: the same command finds the same photos again.
    return int(psutil.virtual_memory().total) // 2 // processes


def _name(network: str, trial: str, recipe: str) -> str:
    from nas.networks import is_run

    name = Path(network).stem if not is_run(network) else f"{Path(network).name}-{trial}"
    return f"{name}-{Path(recipe).stem}"
