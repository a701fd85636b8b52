"""``nas compress prune``: a network pruned to a budget."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nas.cli.compress.options import Data, Device, Profile, Validation
from nas.cli.options import Trained, Trial
from nas.cli.targets import check_name
from search_spaces.errors import InputError

if TYPE_CHECKING:
    from compress.distill import Teaching
    from compress.prune import Method, Pruned
    from nas.data import Dataset
    from nas.training.recipe import Recipe
    from search_spaces import Network

__all__ = ["prune"]


def prune(
    network: Trained,
    budget: Annotated[
        str | None,
        typer.Option(help="300K-params, 12G-flops, 60M-activations, or 70% of its own params."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="NAME: writes NAME.safetensors and NAME.yaml."),
    ] = None,
    steps: Annotated[int, typer.Option(help="Fine-tuning steps in all; 0 prunes only.")] = 0,
    rounds: Annotated[
        int | None, typer.Option(help="Rounds of pruning, with fine-tuning after each.")
    ] = None,
    importance: Annotated[
        str, typer.Option(help="lamp, l1, l2, group_norm, or taylor (needs --data).")
    ] = "lamp",
    uniform: Annotated[
        bool, typer.Option("--uniform", help="All widths by one ratio, not by importance.")
    ] = False,
    refit: Annotated[
        bool, typer.Option(help="Fit what is left to the network's own features, on photos.")
    ] = True,
    round_to: Annotated[int, typer.Option(help="Widths are multiples of it.")] = 4,
    floor: Annotated[
        float, typer.Option(help="No width falls below this share of what it is.")
    ] = 0.25,
    trial: Trial = "best",
    data: Data = None,
    val: Validation = None,
    teacher: Annotated[
        list[Path] | None,
        typer.Option(help="A network that the fine-tuned one learns from; may be repeated."),
    ] = None,
    profile: Profile = "standard",
    learning_rate: Annotated[float, typer.Option(help="Of the fine-tuning.")] = 2e-4,
    seed: Annotated[int, typer.Option(help="Of the order of patches.")] = 0,
    device: Device = None,
    sensitivity: Annotated[
        bool, typer.Option("--sensitivity", help="First show what halving each width costs.")
    ] = False,
) -> None:
    """Prune a network to a budget, from below and as close as the rounding of widths lets it.

    Flops are multiply-adds, at 1280x720 of output.
    """
    from compress.distill import MIMICRY
    from compress.finetune import forget
    from compress.network_file import write_network
    from compress.prune import Method, check_budget
    from nas.cli.compress.limit import parse_limit
    from nas.cli.compress.price_table import print_prices
    from nas.cli.compress.training import dataset_of, recipe_of, teaching_of
    from nas.networks import trained_network

    if budget is None and not sensitivity:
        raise InputError("expected --budget, such as 300K-params, or --sensitivity")
    if budget is not None and output is None:
        raise InputError("expected -o NAME, to write NAME.safetensors and NAME.yaml")
    if output is not None:
        check_name(output)
    method = Method(importance, round_to, uniform, rounds or (2 if steps else 1), refit, floor)
    if importance == "taylor" and data is None:
        raise InputError("importance taylor needs photos for its gradients: give --data FOLDER")
    given = trained_network(network, trial=trial)
    figure, limit = parse_limit(budget, given.architecture) if budget is not None else ("", 0.0)
    if budget is not None:
        check_budget(given, figure, limit, method)
    recipe = recipe_of(profile, steps, learning_rate, seed)
    teaching = teaching_of(given, teacher or (), (), MIMICRY)
    if teaching is not None and recipe is None:
        raise InputError("--teacher: expected --steps of the fine-tuning that it teaches")
    wanted = sensitivity or refit or data is not None or recipe is not None
    scale = given.architecture.scale
    dataset = dataset_of(scale, data, val, recipe, seed) if wanted else None
    if sensitivity:
        assert dataset is not None
        _show_sensitivity(given, dataset, method)
    if budget is None or output is None:
        return
    pruned = _pruned(given, figure, limit, method, dataset, recipe, teaching, output, device)
    weights, config = write_network(pruned.network, output)
    forget(output)
    print_prices(network.name, pruned.before, pruned.after)
    _print_rounds(pruned, figure, limit)
    print(f"Written to {weights} and {config}")


def _pruned(
    network: Network,
    figure: str,
    limit: float,
    method: Method,
    dataset: Dataset | None,
    recipe: Recipe | None,
    teaching: Teaching | None,
    output: Path,
    device: str | None,
) -> Pruned:
    from compress.prune import prune as prune_network
    from nas.cli.bars import bar
    from nas.evaluate.precision import best_device

    with bar("fine-tuning", 0 if recipe is None else recipe.steps) as advance:
        return prune_network(
            network, figure, limit, method, dataset=dataset, recipe=recipe, teaching=teaching,
            checkpoint=output, device=best_device(device), on_step=lambda step, loss: advance(step),
        )  # fmt: skip


def _show_sensitivity(network: Network, dataset: Dataset, method: Method) -> None:
    from rich import box
    from rich.table import Table

    from compress.sensitivity import sensitivity
    from nas.cli.bars import bar
    from nas.cli.console import PlainConsole

    with bar("halving widths", None) as advance:
        rows = sensitivity(
            network, dataset, method, on_width=lambda done, total: advance(done, total)
        )
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("Width halved alone", no_wrap=True)
    for heading in ("From", "To", "Params saved", "Multi-Adds saved", "PSNR-Y lost [dB]"):
        table.add_column(heading, justify="right")
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
