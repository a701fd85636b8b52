"""``nas compress auto``: all steps at once."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from nas.cli.console import PlainConsole, figures_table
from nas.cli.lines import say
from nas.cli.options import (
    LIMIT,
    OUTPUT,
    Device,
    Force,
    LatencyCommand,
    LatencyLimit,
    LatencyPattern,
    LearningRate,
    Lr,
    OwnData,
    OwnDegradation,
    OwnValidation,
    Profile,
    QatSteps,
    RoundTo,
    Size,
    Threads,
    Trained,
    Trial,
    ValidationLr,
    option,
)
from nas.cli.targets import check_name

if TYPE_CHECKING:
    from compress.auto import Compressed
    from nas.compression import CompressionStep
    from nas.data.places import PhotoPlaces

__all__ = ["auto", "print_steps", "write_results"]


def auto(
    network: Trained,
    budget: Annotated[str, LIMIT],
    output: Annotated[
        Path,
        option(
            "NAME: writes NAME.safetensors, NAME.yaml, NAME.csv and, for int8, NAME.onnx or "
            "NAME.tflite; the steps are kept in NAME.steps.",
            *OUTPUT,
        ),
    ],
    steps: Annotated[
        int | None, option("Fine-tuning steps; by default the profile's; 0: none.")
    ] = None,
    int8: Annotated[bool, option("Take the last step, to int8.")] = True,
    int8_format: Annotated[
        str | None,
        option("onnx or tflite. Default: the one that --latency-command takes, else onnx."),
    ] = None,
    qat_steps: QatSteps = None,
    importance: Annotated[str, option("Of channels: lamp, l1, l2, group_norm or taylor.")] = "lamp",
    round_to: RoundTo = 4,
    trial: Trial = "best",
    data: OwnData = None,
    lr: Lr = None,
    val: OwnValidation = None,
    val_lr: ValidationLr = None,
    degradation: OwnDegradation = None,
    profile: Profile = "standard",
    learning_rate: LearningRate = 5e-4,
    size: Size = "160x90",
    threads: Threads = None,
    latency_command: LatencyCommand = None,
    latency_pattern: LatencyPattern = None,
    latency_limit: LatencyLimit = None,
    seed: Annotated[int, option("Of the order of patches.")] = 0,
    device: Device = None,
    force: Force = False,
) -> None:
    """Fold, prune, fine-tune with the network itself as teacher, fold, and go to int8.

    Every step is measured and checked; one that makes things worse is reported and not kept.
    The same command again goes on where it was stopped.
    """
    from compress.auto import CompressionPlan
    from compress.auto import auto as compress
    from compress.int8_step import usual_ending
    from compress.network_file import stem_of
    from compress.prune import Method, check_budget
    from compress.step import Judge
    from nas.cli.bars import bar
    from nas.cli.compress.limit import parse_limit
    from nas.cli.compress.training import dataset_of, places_of, recipe_of
    from nas.cli.latency_device import check_none
    from nas.data.places import PhotoPlaces
    from nas.evaluate.precision import best_device
    from nas.latency.command.clock import DeviceClock
    from nas.latency.command.setup import DeviceCommands
    from nas.latency.meter import Meter
    from nas.networks import trained_network
    from nas.size import parse_size
    from search_spaces.cost import HR_720P
    from search_spaces.errors import InputError

    lr_size = parse_size(size)
    setup = DeviceCommands.given(latency_command, latency_pattern, latency_limit)
    if setup is not None:
        check_none({"--threads": threads is not None})
    clock = None if setup is None else DeviceClock(setup, lr_size)
    if int8_format is not None and not int8:
        raise InputError("--int8-format: is of the step that --no-int8 leaves out; drop one")
    if qat_steps is not None and not int8:
        raise InputError("--qat-steps: is of the step that --no-int8 leaves out; drop one")
    ending = usual_ending(clock) if int8_format is None else f".{int8_format}"
    check_name(output, ".csv", *([ending] if int8 else []), force=force)
    given, output = trained_network(network, trial=trial), stem_of(output)
    figure, limit = parse_limit(budget, given.architecture)
    method = Method(importance, round_to)
    check_budget(given, figure, limit, method)
    recipe = recipe_of(profile, steps, learning_rate, seed)
    plan = CompressionPlan(
        figure, limit, method, recipe, int8=ending if int8 else None, qat_steps=qat_steps
    )
    meter = Meter(
        (), HR_720P, lr_size, str(best_device(device)), threads=threads, clock=clock
    )  # fmt: skip
    places = places_of([network], PhotoPlaces.of(data, val, lr, val_lr, degradation))
    judge = Judge(dataset_of(given.architecture.scale, places, recipe), meter)
    folder = output.with_name(f"{output.name}.steps")
    with bar("fine-tuning", 0 if recipe is None else recipe.steps) as advance:
        made = compress(
            given, plan, folder, judge, on_step=lambda step, loss: advance(step),
            on_record=_tell, on_stage=say,
        )  # fmt: skip
    print_steps(network.name, made.steps, meter.latency_place)
    for path in write_results(made, output):
        print(f"Written to {path}")
    if int8 and made.int8 is None:
        _tell_of_graphs(made, output, ending, places)


def write_results(made: Compressed, output: Path) -> list[Path]:
    """The network, its YAML, the table of steps and the int8 file, named after ``output``."""
    import shutil

    from compress.network_file import write_network
    from nas.compression import to_table
    from search_spaces.files import atomic_path

    table = output.with_name(f"{output.name}.csv")
    paths = [*write_network(made.network, output), table]
    with atomic_path(table) as temporary:
        to_table(made.steps).to_csv(temporary, index=False)
    if made.int8 is not None:
        paths.append(output.with_name(output.name + made.int8.suffix))
        with atomic_path(paths[-1]) as temporary:
            shutil.copyfile(made.int8, temporary)
    return paths


def print_steps(name: str, steps: Iterable[CompressionStep], latency_place: str) -> None:
    """The table of steps, and why those that were not kept were not."""
    from nas.objectives import OBJECTIVES

    shown = [OBJECTIVES[key] for key in ("params", "macs", "latency", "psnr", "ssim")]
    # Units beneath, or a terminal of 80 columns would have no room for the names of the steps.
    headings = [f"{one.label}\n[{one.unit}]" if one.unit else one.label for one in shown]
    table = figures_table("Step", *headings, title=f"{name}, latency of {latency_place}")
    table.add_column("Kept")
    console, reasons = PlainConsole(), []
    for step in steps:
        known = [(one, one.value(step.record)) for one in shown]
        cells = ["–" if v is None else f"{one.shown(v):,.{one.digits}f}" for one, v in known]
        table.add_row(step.name, *cells, "yes" if step.kept else "no")
        if step.note:
            reasons.append(f"{step.name}: {step.note}")
        if not step.kept:
            reasons.append(f"{step.name} is not kept: {step.record.reason}")
    console.print(table)
    for reason in reasons:
        console.print(reason, highlight=False, soft_wrap=True)


def _tell_of_graphs(made: Compressed, output: Path, ending: str, places: PhotoPlaces) -> None:
    """How to get the file that whoever asked for int8 may be waiting for."""
    weights, graph = (str(output.with_name(output.name + end)) for end in (".safetensors", ending))
    print(f"No {graph}, since int8 is not kept; use {weights}, or write it")
    print(f"  in float32: {shlex.join(['nas', 'export', weights, '-o', graph])}")
    if made.steps[-1].record.psnr_y_db is None:
        return  # It cannot be made: why is said above.
    command = ["nas", "compress", "quantize", weights, *places.options(), "-o", graph]
    print(f"  in int8 all the same: {shlex.join(command)}")


def _tell(step: CompressionStep) -> None:
    say(f"{step.name}: {'kept' if step.kept else 'not kept'}, {step.seconds:.0f} s")
