"""The best networks of a search's front, compressed: ``nas search --compress N``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nas.cli.lines import say
from search_spaces.errors import InputError, MissingExtra, WriteError

if TYPE_CHECKING:
    from compress.auto import Compressed
    from compress.step import Judge
    from nas.compression import CompressionStep
    from nas.explore.settings import SearchSettings
    from nas.records import TrialRecord
    from nas.run import Run

__all__ = ["check_compression", "compress_front"]

_LEARNING_RATE = 5e-4


def check_compression(count: int | None, budget: str) -> None:
    """Raises InputError for options that make no sense, before the search begins."""
    from nas.cli.compress.limit import check_limit

    if count is not None and count < 1:
        raise InputError(f"--compress: expected 1 or more networks, got {count}")
    check_limit(budget, "--compress-budget")


def compress_front(
    run: Run, settings: SearchSettings, count: int, budget: str, *, quiet: bool = False
) -> None:
    """Takes the ``count`` best networks of the front through all steps of compression.

    What comes of each lies in RUN/compressed under its trial's number, the records of all in
    RUN/compressed/records.json. Networks that were compressed before are not compressed again.
    A network that cannot be pruned to the budget is told and passed over.
    """
    from compress.step import Judge
    from nas.cli.compress.auto import print_steps, write_results
    from nas.compression import write_steps
    from nas.explore.search import meter_of
    from nas.explore.study_settings import span_ms_of
    from nas.explore.trainer import dataset_of

    folder, dataset, meter = run.folder / "compressed", dataset_of(settings), meter_of(settings)
    meter.span_ms |= span_ms_of(run.opened_study())
    steps: list[CompressionStep] = []
    for record in run.leaders(count):
        judge = Judge(dataset, meter, record.number)
        name = f"trial {record.number}"
        try:
            made = _compressed(run, settings, judge, record, budget, folder, quiet)
        except (MissingExtra, WriteError):
            raise
        except InputError as error:
            # Also of weights that are lost or damaged: that says nothing of the other networks.
            say(f"{name} is not compressed: {error}")
            continue
        write_results(made, folder / str(record.number))
        steps += made.steps
        # After each network: the report shows what there is when a person stops here.
        write_steps(steps, folder / "records.json")
        if not quiet:
            print_steps(name, made.steps, meter.latency_place)


def _compressed(
    run: Run,
    settings: SearchSettings,
    judge: Judge,
    record: TrialRecord,
    budget: str,
    folder: Path,
    quiet: bool,
) -> Compressed:
    from compress.auto import CompressionPlan, auto
    from compress.int8_step import usual_ending
    from nas.cli.bars import bar
    from nas.cli.compress.limit import parse_limit
    from nas.networks import trained_network

    network = trained_network(run.weights(record))
    figure, limit = parse_limit(budget, network.architecture)
    rate = min(_LEARNING_RATE, settings.recipe.learning_rate)
    recipe = settings.recipe.slowed(rate / settings.recipe.learning_rate)
    steps = folder / f"{record.number}.steps"
    plan = CompressionPlan(figure, limit, recipe=recipe, int8=usual_ending(judge.meter.clock))
    with bar(f"trial {record.number}: fine-tuning", recipe.steps) as advance:
        return auto(
            network, plan, steps, judge, on_step=lambda step, loss: advance(step),
            on_stage=None if quiet else say,
        )  # fmt: skip
