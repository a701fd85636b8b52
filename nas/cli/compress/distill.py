"""``nas compress distill``: a network that learns from others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from nas.cli.options import (
    NAME,
    Device,
    Force,
    Lr,
    OwnData,
    OwnDegradation,
    OwnValidation,
    Profile,
    Trial,
    ValidationLr,
    argument,
    option,
)
from nas.cli.targets import check_name
from search_spaces.errors import InputError

if TYPE_CHECKING:
    from compress.distill import Teaching
    from compress.finetune import Tuned
    from nas.data import Dataset

__all__ = ["distill"]


def distill(
    student: Annotated[
        str,
        argument(
            "A .safetensors file, run folder, folder of nas export or network that ships; or a "
            ".yaml file or preset, with fresh weights."
        ),
    ],
    teacher: Annotated[
        list[Path], option("A network with weights, of the same scale; may be repeated.")
    ],
    output: Annotated[Path, NAME],
    trial: Trial = "best",
    steps: Annotated[int | None, option("Training steps; by default the profile's.")] = None,
    photos_weight: Annotated[float, option("Weight of the difference from the photos.")] = 1.0,
    response_weight: Annotated[
        float, option("Weight of the difference from the teachers' outputs.")
    ] = 1.0,
    features_weight: Annotated[
        float, option("Weight of the difference from the teachers' block outputs.")
    ] = 0.1,
    comparison: Annotated[
        str, option("Of block outputs: l1, affinity of pixels, or gram of channels.")
    ] = "l1",
    teacher_weight: Annotated[
        list[float] | None,
        option("One for each teacher, in the same order; by default all equal."),
    ] = None,
    data: OwnData = None,
    lr: Lr = None,
    val: OwnValidation = None,
    val_lr: ValidationLr = None,
    degradation: OwnDegradation = None,
    profile: Profile = "standard",
    learning_rate: Annotated[
        float | None, option("By default the profile's; 2e-4 for a student with weights.")
    ] = None,
    scale: Annotated[
        int | None, option("Of a preset: 1, 2, 3 or 4; by default the teacher's.")
    ] = None,
    seed: Annotated[int, option("Of fresh weights and the order of patches.")] = 0,
    device: Device = None,
    force: Force = False,
) -> None:
    """Train a network on photos and on what better networks make of them.

    The same command again goes on with a training that was stopped.
    """
    from compress.distill import Lessons
    from compress.finetune import finetune, forget
    from compress.network_file import write_network
    from nas.cli.bars import bar
    from nas.cli.compress.training import dataset_of, places_of, recipe_of, teaching_of
    from nas.data.places import PhotoPlaces
    from nas.evaluate.precision import best_device
    from nas.networks import any_network, has_weights, trained_network
    from search_spaces import price

    if steps is not None and steps < 1:
        raise InputError(f"--steps: expected 1 or more, got {steps}")
    check_name(output, force=force)
    lessons = Lessons(photos_weight, response_weight, features_weight, comparison)
    if learning_rate is None and has_weights(student):
        learning_rate = 2e-4
    recipe = recipe_of(profile, steps, learning_rate, seed)
    assert recipe is not None
    scale = scale or trained_network(teacher[0]).architecture.scale
    network = any_network(student, scale, trial=trial, seed=seed)
    teaching = teaching_of(network, teacher, teacher_weight or (), lessons)
    assert teaching is not None
    places = places_of([student, *teacher], PhotoPlaces.of(data, val, lr, val_lr, degradation))
    dataset = dataset_of(network.architecture.scale, places, recipe)
    with bar("distilling", recipe.steps) as advance:
        tuned = finetune(
            network, dataset, recipe, device=best_device(device), teaching=teaching,
            checkpoint=output, on_step=lambda step, loss: advance(step),
        )  # fmt: skip
    if tuned.after_db is None:
        raise InputError("the training diverged: lower --learning-rate")
    weights, config = write_network(tuned.network, output)
    forget(output)
    cost = price(tuned.network.architecture)
    print(f"{Path(student).name}: {cost.params:,} parameters, {cost.macs / 1e9:.3f} G multi-adds")
    _print_quality(tuned, teacher, teaching, dataset)
    print(f"Written to {weights} and {config}")


def _print_quality(tuned: Tuned, names: list[Path], teaching: Teaching, dataset: Dataset) -> None:
    from compress.finetune import psnr_of

    print(f"Validation photos before: {tuned.before_db:.3f} dB PSNR-Y, after: {tuned.after_db:.3f}")
    for name, network in zip(names, teaching.teachers, strict=True):
        print(f"Teacher {name.name}: {psnr_of(network, dataset):.3f} dB")
    if not tuned.kept:
        print("That is no better, so the network is written as it was.")
