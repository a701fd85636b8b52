"""The best networks of a search, trained fully: ``nas search --train-best N``."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from search_spaces.errors import InputError

if TYPE_CHECKING:
    from nas.explore.settings import SearchSettings
    from nas.run import Run
    from nas.training.schedule import FullRecipe

__all__ = ["FinalistsTrained", "check_training", "train_best"]


@dataclass(frozen=True, slots=True)
class FinalistsTrained:
    """When the best of a search are trained.

    Attributes:
        weights: a copy of those of the best one; its configuration lies beside them.
        best: number of its trial.
        psnr_y_db: by the number of a trial, what it reached on the search's validation photos.
        proxy_psnr_y_db: likewise, what the search had made of it.
    """

    weights: str
    best: int
    psnr_y_db: Mapping[int, float]
    proxy_psnr_y_db: Mapping[int, float]


def check_training(count: int | None, recipe: str, steps: int | None, scale: int) -> None:
    """Raises InputError for options that make no sense, before the search begins."""
    if count is None:
        return
    if count < 1:
        raise InputError(f"--train-best: expected 1 or more networks, got {count}")
    _full_recipe(recipe, steps, scale)


def train_best(
    run: Run,
    settings: SearchSettings,
    count: int,
    recipe: str,
    steps: int | None,
    *,
    json_lines: bool = False,
) -> None:
    """Trains the ``count`` best networks fully, into RUN/trained/NUMBER, and tells which one leads.

    They go on from the search's weights, learn from its photos and are judged on its validation
    photos. Networks that are trained already are passed over; one that was stopped goes on. What is
    best then is copied to RUN/trained/best.safetensors and .yaml.

    Raises:
        InputError: a recipe that does not fit the photos, or a file that cannot be written.
    """
    from nas.cli.events import print_json
    from nas.cli.inherited import start_of
    from nas.cli.lines import one_line, say
    from nas.cli.train_progress import make_watcher
    from nas.evaluate.precision import best_device
    from nas.explore.trainer import dataset_of
    from nas.training.session import train_fully
    from nas.training.settings import TrainSettings
    from search_spaces import Architecture

    full = _full_recipe(recipe, steps, settings.scale)
    # As the search read them, so that its split is the same one; then those that are large enough.
    photos = dataset_of(settings).for_patches(full.lr_size)
    device = str(best_device(settings.device))
    reached: dict[int, float] = {}
    proxies: dict[int, float] = {}
    for record in run.finalists(count):
        folder = run.folder / "trained" / str(record.number)
        began = start_of(run, record, folder)
        wanted = TrainSettings(
            Architecture.from_dict(record.architecture), full, photos, folder, began.init,
            device=device, command=" ".join(["nas", *sys.argv[1:]]),
            places=settings.places, proxy=began.proxy,
            notes=(began.note,), teacher=full.teacher,
        )  # fmt: skip
        with make_watcher(json_lines) as watcher:
            done = train_fully(wanted, watcher)
        if done.best_psnr_y_db is not None and record.psnr_y_db is not None:
            reached[record.number] = done.best_psnr_y_db
            proxies[record.number] = record.psnr_y_db
    if not reached:
        return
    best = max(reached, key=lambda number: reached[number])
    weights = _kept(run.folder / "trained", best)
    ended = FinalistsTrained(str(weights), best, reached, proxies)
    if json_lines:
        print_json(ended)
        return
    for line in _lines(ended):
        say(one_line(line))


def _kept(folder: Path, number: int) -> Path:
    """Where the copy of a trained network's weights is."""
    from search_spaces import load
    from search_spaces.files import atomic_path

    weights = folder / "best.safetensors"
    with atomic_path(weights) as temporary:
        shutil.copyfile(folder / str(number) / "best.safetensors", temporary)
    load(weights).architecture.save(folder / "best.yaml")
    return weights


def _lines(ended: FinalistsTrained) -> list[str]:
    after, before = ended.psnr_y_db, ended.proxy_psnr_y_db
    ranked = sorted(after, key=lambda number: -after[number])
    earlier = sorted(before, key=lambda number: -before[number])
    return [
        f"Trained fully, the best first ({ended.weights} is the first one's):",
        *(
            f"  trial {number}: {after[number]:.3f} dB; in the search {before[number]:.3f} dB, "
            f"number {earlier.index(number) + 1} of these"
            for number in ranked
        ),
    ]


def _full_recipe(recipe: str, steps: int | None, scale: int) -> FullRecipe:
    from nas.training.schedule import load_full_recipe

    full = load_full_recipe(recipe, scale)
    return full if steps is None else full.stretched(steps)
