"""``nas compress prune``: a network pruned to a budget."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from nas.cli.bars import bar
from nas.cli.console import PlainConsole, figures_table
from nas.cli.options import (
    LIMIT,
    NAME,
    Device,
    Force,
    LearningRate,
    Lr,
    OwnData,
    OwnDegradation,
    OwnValidation,
    Profile,
    RoundTo,
    Trained,
    Trial,
    ValidationLr,
    option,
)
from nas.cli.targets import check_name
from search_spaces.errors import InputError

if TYPE_CHECKING:
    from compress.prune import Method, Pruned
    from nas.data import Dataset
    from search_spaces import Network

__all__ = ["prune"]


def prune(
    network: Trained,
    budget: Annotated[str | None, LIMIT] = None,
    output: Annotated[Path | None, NAME] = None,
    steps: Annotated[int, option("Fine-tuning steps in all; 0 prunes only.")] = 0,
    rounds: Annotated[int | None, option("Rounds of pruning, with fine-tuning after each.")] = None,
    importance: Annotated[str, option("Of channels: lamp, l1, l2, group_norm or taylor.")] = "lamp",
    uniform: Annotated[
        bool, option("All widths by one ratio, not by importance.", "--uniform")
    ] = False,
    refit: Annotated[
        bool, option("Fit what is left to the network's own features, on photos.")
    ] = True,
    round_to: RoundTo = 4,
    floor: Annotated[float, option("No width falls below this share of what it is.")] = 0.25,
    trial: Trial = "best",
    data: OwnData = None,
    lr: Lr = None,
    val: OwnValidation = None,
    val_lr: ValidationLr = None,
    degradation: OwnDegradation = None,
    teacher: Annotated[
        list[Path] | None,
        option("A network that the fine-tuned one learns from; may be repeated."),
    ] = None,
    profile: Profile = "standard",
    learning_rate: LearningRate = 2e-4,
    seed: Annotated[int, option("Of the order of patches.")] = 0,
    device: Device = None,
    sensitivity: Annotated[
        bool, option("First show what halving each width costs.", "--sensitivity")
    ] = False,
    force: Force = False,
) -> None:
    """Prune a network to a budget, from below and as close as the rounding of widths lets it.

    Flops are multiply-adds, at 1280x720 of output.
    """
    from compress.distill import MIMICRY
    from compress.finetune import forget
    from compress.importance import NEEDS_GRADIENTS
    from compress.network_file import write_network
    from compress.prune import Method, check_budget
    from compress.prune import prune as prune_network
    from nas.cli.compress.limit import parse_limit
    from nas.cli.compress.price_table import print_prices
    from nas.cli.compress.training import dataset_of, places_of, recipe_of, teaching_of
    from nas.data.places import PhotoPlaces
    from nas.evaluate.precision import best_device
    from nas.networks import trained_network

    if budget is None and not sensitivity:
        raise InputError("expected --budget, such as 300K-params, or --sensitivity")
    if budget is not None and output is None:
        raise InputError("expected -o NAME, to write NAME.safetensors and NAME.yaml")
    if output is not None:
        check_name(output, force=force)
    method = Method(importance, round_to, uniform, rounds or (2 if steps else 1), refit, floor)
    given = trained_network(network, trial=trial)
    figure, limit = parse_limit(budget, given.architecture) if budget is not None else ("", 0.0)
    if budget is not None:
        check_budget(given, figure, limit, method)
    recipe = recipe_of(profile, steps, learning_rate, seed)
    teaching = teaching_of(given, teacher or (), (), MIMICRY)
    if teaching is not None and recipe is None:
        raise InputError("--teacher: expected --steps of the fine-tuning that it teaches")
    wanted = sensitivity or refit or data is not None or recipe is not None
    wanted |= importance in NEEDS_GRADIENTS
    dataset = None
    if wanted:
        places = places_of([network], PhotoPlaces.of(data, val, lr, val_lr, degradation))
        dataset = dataset_of(given.architecture.scale, places, recipe)
    if sensitivity:
        assert dataset is not None
        _show_sensitivity(given, dataset, method)
    if budget is None or output is None:
        return
    with bar("fine-tuning", 0 if recipe is None else recipe.steps) as advance:
        pruned = prune_network(
            given, figure, limit, method, dataset=dataset, recipe=recipe, teaching=teaching,
            checkpoint=output, device=best_device(device), on_step=lambda step, loss: advance(step),
        )  # fmt: skip
    weights, config = write_network(pruned.network, output)
    forget(output)
    print_prices(network.name, pruned.before, pruned.after)
    _print_rounds(pruned, figure, limit)
    print(f"Written to {weights} and {config}")


def _show_sensitivity(network: Network, dataset: Dataset, method: Method) -> None:
    from compress.sensitivity import sensitivity

    with bar("halving widths", None) as advance:
        rows = sensitivity(network, dataset, method, on_width=advance)
    table = figures_table(
        "Width halved alone", "From", "To", "Params saved", "Multi-Adds saved", "PSNR-Y lost [dB]"
    )
    table.columns[0].no_wrap = True
    for row in rows:
        table.add_row(
            row.name, str(row.width), str(row.halved), f"{row.params_saved:,}",
            f"{row.macs_saved / 1e9:.3f} G", f"{row.psnr_drop_db:.3f}",
        )  # fmt: skip
    PlainConsole().print(table)


def _print_rounds(pruned: Pruned, figure: str, limit: float) -> None:
    cost = getattr(pruned.after, figure)
    print(f"Budget {limit:,.0f} {figure}: {cost:,}, {1 - cost / limit:.2%} below")
    if pruned.before_db is not None:
        print(f"Validation photos before: {pruned.before_db:.3f} dB PSNR-Y")
    for k, one in enumerate(pruned.rounds):
        if one.pruned_db is None:
            continue
        line = f"Round {k + 1}: {one.price.params:,} parameters, pruned {one.pruned_db:.3f} dB"
        if one.tuned_db is not None:
            line += f", fine-tuned {one.tuned_db:.3f} dB"
            line += "" if one.kept else "; that is worse, so it is not kept"
        print(line)
