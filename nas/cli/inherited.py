"""What a command takes over from where its network was made: photos, what judges, weights."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nas.data.places import PhotoPlaces
from search_spaces.errors import InputError

if TYPE_CHECKING:
    from nas.records import TrialRecord
    from nas.run import Run
    from nas.training.settings import Proxy

__all__ = ["Start", "inherited_photos", "start_of"]


@dataclass(frozen=True, slots=True)
class Start:
    """What the training of a search's network begins with, and what it is compared with.

    Attributes:
        init: the weights of the search; None for fresh ones.
        proxy: what the network was worth there, as far as that is known.
        note: a line that says which weights.
    """

    init: Path | None
    proxy: Proxy | None
    note: str


def inherited_photos(
    names: Sequence[Path | str], given: PhotoPlaces
) -> tuple[PhotoPlaces, tuple[str, ...]]:
    """The photos given, else those that the networks of these names were made on.

    Args:
        names: of networks, as the user gives them. The first counts that is a run folder of a
            search, or a file in the folder of a search or a training.
        given: folders that the user names. To train on and to judge by, each wins, as does the LR
            of either, and what makes it.

    Returns:
        Where the photos are, and a line for the user about each thing that was taken over.

    Raises:
        InputError: a damaged run, or its photos are no longer there.
    """
    found = next((one for name in names if (one := _made_on(Path(name)))), None)
    if found is None:
        return given, ()
    folder, known = found
    notes = []
    data, lr, val, val_lr = given.data, given.lr, given.val, given.val_lr
    degradation = given.degradation
    if data is None:
        data, lr = known.data, lr or (known.lr if degradation is None else None)
        _check(folder, [data], "--data")
        _check(folder, [lr], "--lr")
        where = f"{data or 'those that come along'}{'' if lr is None else f', their LR {lr}'}"
        notes.append(f"Photos to train on, from {folder}: {where} (others by --data)")
    if not val and (known.val or given.data is None):
        val, val_lr = known.val, {**known.val_lr, **val_lr}
        _check(folder, val.values(), "--val")
        _check(folder, val_lr.values(), "--val-lr")
        where = ", ".join(map(str, val.values())) or "the same ones of these"
        where += f", their LR {', '.join(map(str, val_lr.values()))}" if val_lr else ""
        notes.append(f"Photos that judge, from {folder}: {where} (others by --val)")
    if degradation is None and lr is None and known.chain is not None:
        degradation = known.chain
        notes.append(f"Degradation, from {folder}: {degradation.name} (another by --degradation)")
    return PhotoPlaces(data, val, lr, val_lr, degradation), tuple(notes)


def start_of(run: Run, record: TrialRecord, folder: Path, *, fresh: bool = False) -> Start:
    """What training a trial of a run begins with.

    Args:
        run: of a search.
        record: the trial.
        folder: of the training, which may have begun while the search still kept the weights.
        fresh: whether the weights are to be new ones.
    """
    from nas.training.folder import RunFolder
    from nas.training.settings import Proxy

    bicubic_db = run.about.get("bicubic", {}).get("psnr_y_db")
    proxy = None
    if record.psnr_y_db is not None and bicubic_db is not None:
        proxy = Proxy(record.psnr_y_db, bicubic_db)
    places = (run.weights(record), RunFolder(folder).init)
    init = next((path for path in places if path.is_file()), None)
    which = f"those of trial {record.number} of {run.folder}"
    if fresh:
        return Start(None, proxy, "Weights: fresh ones")
    if init is None:
        return Start(None, proxy, f"Weights: fresh ones, since {which} were not kept")
    return Start(init, proxy, f"Weights: {which}")


def _made_on(path: Path) -> tuple[Path, PhotoPlaces] | None:
    """The folder of the search or training that a network is of, and its photos."""
    from nas.run_file import RUN_FILE, read_run_file
    from nas.run_file import photo_places as of_run
    from nas.training.folder import TRAIN_FILE
    from nas.training.folder import photo_places as of_training

    if not path.suffix and not path.is_dir():
        return None  # a preset, or a network that ships
    folder = path if path.is_dir() else path.parent
    if (folder / RUN_FILE).is_file():
        return folder, of_run(read_run_file(folder))
    return (folder, of_training(folder)) if (folder / TRAIN_FILE).is_file() else None


def _check(folder: Path, places: Iterable[Path | None], option: str) -> None:
    for place in places:
        if place is not None and not place.is_dir():
            raise InputError(
                f"{folder}: its photos were in {place}, which is no folder here; say with "
                f"{option} where they are"
            )
