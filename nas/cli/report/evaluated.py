"""A run's front on a published test set: measured once, kept in the run folder, drawn."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nas.cli.bars import bars
from search_spaces.errors import InputError, NothingToDraw
from search_spaces.files import atomic_path
from search_spaces.regular import read_regular

if TYPE_CHECKING:
    from nas.evaluate.benchmark import TestSet
    from nas.records import TrialRecord
    from nas.run import Run
    from reports.plots.published import PublishedInfo
    from reports.published import PublishedResult
    from reports.summary import RunSummary

__all__ = ["Evaluated", "checked", "known_among", "write_published"]


@dataclass(frozen=True, slots=True)
class Evaluated:
    """One network on one test set: a row of RUN/evaluated/SET.csv.

    Attributes:
        number: the trial's.
        architecture_hash: of its network.
        psnr_y_db: mean over the images, dB.
        ssim_y: mean over the images.
        images: fingerprint of the folder's images (16 hex digits).
        weights: fingerprint of the weights file (16 hex digits).
    """

    number: int
    architecture_hash: str
    psnr_y_db: float
    ssim_y: float
    images: str
    weights: str


def checked(
    published: str, test_set: str | None, scale: int
) -> tuple[tuple[PublishedResult, ...], TestSet | None]:
    """The published results of a set, and the folder of its images where one is given.

    Args:
        published: the set's name; upper and lower case are one.
        test_set: ``NAME=FOLDER``.
        scale: the run's.

    Raises:
        InputError: no results of that name and scale, or results on RGB; a folder of another
            set, or one without images.
    """
    from nas.evaluate.benchmark import TestSet
    from reports.published import published_results

    results = published_results(published, scale)
    name = results[0].test_set
    if any(result.ssim is None and result.multi_adds_g is not None for result in results):
        known = dict.fromkeys(r.test_set for r in published_results(scale=scale))
        others = ", ".join(one for one in known if one != name)
        raise InputError(
            f"--published: the results on {name} are PSNR on RGB, which does not compare with "
            f"PSNR-Y; expected one of {others}"
        )
    if test_set is None:
        return results, None
    given, equals, folder = test_set.partition("=")
    if not equals or not folder or given.lower() != name.lower():
        raise InputError(f"--set: expected {name}=FOLDER for --published {name}, got {test_set!r}")
    return results, TestSet.open(name, Path(folder), scale)


def write_published(
    run: Run, summary: RunSummary, results: Sequence[PublishedResult], test_set: TestSet | None
) -> tuple[Path, Mapping[int, Evaluated]]:
    """Evaluates the front where ``test_set`` is given and needed; draws pareto-SET.png and .svg.

    Returns:
        The PNG and the figures of each network drawn, by trial number.

    Raises:
        InputError: nothing is evaluated and nothing can be; a damaged table of figures.
    """
    from reports.plots.published_figure import save_published

    name = results[0].test_set
    chosen = run.front_records()
    if not chosen:
        raise InputError(f"{run.folder}: no trial has finished; run its search first")
    table = _table(run, name)
    known = _valid(run, chosen, _read(table))
    if test_set is not None:
        known = _evaluate(run, chosen, known, test_set, table)
    if not known:
        if not any(run.weights(record).is_file() for record in chosen):
            raise InputError(f"{run.folder}: {_LOST}")
        raise InputError(
            f"{run.folder}: no network is evaluated on {name} yet; add --set {name}=FOLDER"
        )
    info = _among(run, summary, results, chosen, known)
    return save_published(info, run.folder / f"pareto-{name}")[0], known


def known_among(run: Run, summary: RunSummary, name: str) -> PublishedInfo | None:
    """The front among the published results on a test set, as far as it is evaluated there.

    Raises:
        InputError: a set without published results, or a damaged table.
    """
    results, _ = checked(name, None, run.about["identity"]["scale"])
    chosen = run.front_records()
    known = _valid(run, chosen, _read(_table(run, name)))
    try:
        return _among(run, summary, results, chosen, known) if known else None
    except NothingToDraw:
        return None


def _among(
    run: Run,
    summary: RunSummary,
    results: Sequence[PublishedResult],
    chosen: Sequence[TrialRecord],
    known: Mapping[int, Evaluated],
) -> PublishedInfo:
    from reports.plots.published import published_info

    records = [
        replace(record, psnr_y_db=known[record.number].psnr_y_db,
                ssim_y=known[record.number].ssim_y)
        for record in chosen if record.number in known
    ]  # fmt: skip
    winner = run.best()
    return published_info(
        records, results, summary,
        chosen=None if winner is None else winner.number, missing=len(chosen) - len(known),
    )  # fmt: skip


def _table(run: Run, name: str) -> Path:
    return run.folder / "evaluated" / f"{name}.csv"


_LOST = "the weights of its front are not kept (weights/*.safetensors); run its search again"


def _valid(
    run: Run, chosen: Sequence[TrialRecord], rows: Sequence[Evaluated]
) -> dict[int, Evaluated]:
    """The rows that still speak of the front's networks as they are."""
    hashes = {record.number: record.architecture_hash for record in chosen}
    files = {record.number: run.weights(record) for record in chosen}
    return {
        row.number: row
        for row in rows
        if hashes.get(row.number) == row.architecture_hash
        # A run without its weights can still show what was measured with them.
        and (not files[row.number].is_file() or _digest([files[row.number]]) == row.weights)
    }


def _evaluate(
    run: Run,
    chosen: Sequence[TrialRecord],
    known: Mapping[int, Evaluated],
    test_set: TestSet,
    table: Path,
) -> dict[int, Evaluated]:
    """The figures of every network on these images; what is new is measured, then kept."""
    images = _digest([pair.hr for pair in test_set.pairs])
    done = {number: row for number, row in known.items() if row.images == images}
    missing = [record for record in chosen if record.number not in done]
    left = [record for record in missing if run.weights(record).is_file()]
    if not left and not done:
        raise InputError(f"{run.folder}: {_LOST}")
    with bars() as progress:
        task = progress.add_task(test_set.name, total=len(left) * len(test_set))
        for record in left:
            path = run.weights(record)
            psnr_y_db, ssim_y = _measure(path, test_set, lambda *_: progress.advance(task))
            done[record.number] = Evaluated(
                record.number, record.architecture_hash, psnr_y_db, ssim_y, images, _digest([path])
            )
            # After each network: who stops here goes on here.
            _write(table, done)
    return done


def _measure(
    weights: Path, test_set: TestSet, on_image: Callable[..., None]
) -> tuple[float, float]:
    from nas.evaluate.benchmark import evaluate_set, workers_on
    from nas.evaluate.exact import exact_convolutions
    from nas.evaluate.precision import best_device
    from nas.evaluate.upscale import enlarger
    from search_spaces import load

    device = best_device()
    network, workers = load(weights), workers_on(device.type)
    arch = network.architecture
    enlarge = enlarger(network, arch.scale, arch.colors, device=device)
    with exact_convolutions():
        quality = evaluate_set(enlarge, test_set, on_image=on_image, workers=workers)
    return quality.psnr_y_db, quality.ssim_y


def _digest(files: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for path in files:
        try:
            content = read_regular(path)
        except OSError as error:
            raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None
        digest.update(f"{path.name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:16]


def _read(path: Path) -> list[Evaluated]:
    if not path.is_file():
        return []
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return [_row(row) for row in csv.DictReader(file)]
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise InputError(
            f"{path}: not a table of evaluated networks ({error!r}); delete it and add --set"
        ) from None


def _row(row: Mapping[str, Any]) -> Evaluated:
    return Evaluated(
        int(row["number"]), row["architecture_hash"], float(row["psnr_y_db"]),
        float(row["ssim_y"]), row["images"], row["weights"],
    )  # fmt: skip


def _write(path: Path, done: Mapping[int, Evaluated]) -> None:
    names = [field.name for field in fields(Evaluated)]
    with atomic_path(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(done[number]) for number in sorted(done))
