"""Pieces of the validation photos as bicubic and the networks of the front make them."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search_spaces.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from nas.data.cache import CacheFiles
    from nas.data.photo import Photo
    from nas.records import TrialRecord
    from nas.run import Run
    from reports.account import PhotoCrops

    Pixels = npt.NDArray[np.uint8]

__all__ = ["crops"]

_PHOTOS, _NETWORKS = 3, 4
# A multiple of every scale.
_HR_SIDE_PX = 144
# Networks get the whole photo up to so many LR pixels, else the piece and this much around it.
_WHOLE_LR_PX, _AROUND_LR_PX = 256 * 256, 48


def crops(run: Run, records: Sequence[TrialRecord], gaps: list[str]) -> tuple[PhotoCrops, ...]:
    """Pieces of up to three validation photos; what cannot be shown goes into ``gaps``."""
    chosen = [record for record in _chosen(run, records) if run.weights(record).is_file()]
    if not chosen:
        gaps.append("Pictures are left out: the weights of the front are not in the run folder.")
        return ()
    photos = list(_photos(run))
    if not photos:
        gaps.append("Pictures are left out: the validation photos are not where they were.")
        return ()
    from search_spaces import load

    networks = []
    for record in chosen:
        try:
            networks.append((record, load(run.weights(record))))
        except InputError as error:
            gaps.append(f"Trial {record.number} is not in the pictures: {error}")
    return tuple(_piece(photo, run.about["identity"]["scale"], networks) for photo in photos)


def _chosen(run: Run, records: Sequence[TrialRecord]) -> list[TrialRecord]:
    """The best network and some of the front down to the cheapest, cheapest first."""
    from nas.objectives import OBJECTIVES
    from nas.pareto import front

    on_front = [
        r for r in front(records, [OBJECTIVES[name] for name in run.objectives])
        if run.weights(r).is_file()
    ]  # fmt: skip
    top = run.choice.best(records)
    ordered = sorted(on_front, key=lambda r: (r.params or 0, r.number))
    count = min(_NETWORKS - 1, len(ordered))
    spread = [ordered[round(i * (len(ordered) - 1) / max(count - 1, 1))] for i in range(count)]
    numbers = dict.fromkeys(r.number for r in [*spread, *([top] if top is not None else [])])
    by_number = {r.number: r for r in [*on_front, *([top] if top is not None else [])]}
    return sorted((by_number[n] for n in numbers), key=lambda r: (r.params or 0, r.number))


def _photos(run: Run) -> Iterator[Photo]:
    from nas.data.aligned import fits
    from nas.data.cache import halves
    from nas.data.embedded import embedded_photos
    from nas.data.image_file import SkippedFile, decode_rgb
    from nas.data.photo import Photo
    from nas.data.places import ONLY_SET
    from nas.run_file import photo_places

    scale = run.about["identity"]["scale"]
    told: dict[str, Any] = run.about.get("photos", {})
    names = told.get("validation", [])[:_PHOTOS]
    embedded = {}
    if run.about["identity"]["data"].split("+")[0] == "embedded":
        embedded = {photo.name: photo for photo in embedded_photos()[1]}
    places = photo_places(run.about)
    only, only_lr = next(iter(places.val.values()), None), places.val_lr.get(ONLY_SET)
    folders = []
    for folder, lr in ((only, only_lr), (places.data, places.lr)):
        if folder is not None:
            try:
                train, held = halves(folder) or (None, None)
            except InputError:
                # Being prepared anew.
                continue
            folders += [(folder, lr), (held, only_lr), (train, lr)]
    prepared = [one for folder, _ in folders if folder and (one := _prepared(folder))]
    for name in names:
        stored = (files.named_photo(name) for files in prepared)
        if photo := next((one for one in stored if isinstance(one, Photo)), None):
            yield photo if places.chain is None else photo.degraded(places.chain)
            continue
        found = [(f / name, lr) for f, lr in folders if f and (f / name).is_file()]
        if found:
            file, lr = found[0]
            try:
                own = None if lr is None else _lr(name, lr, scale)
                photo = Photo(name, decode_rgb(file), own, places.chain)
            except (SkippedFile, OSError, KeyError):
                continue
            if photo.lr is None or fits(photo.lr.shape[:2], photo.pixels.shape[:2], scale):
                yield photo
        elif name in embedded:
            yield replace(embedded[name], degradation=places.chain)


def _prepared(folder: Path) -> CacheFiles | None:
    from nas.data.cache import is_cache, open_cache

    try:
        return open_cache(folder) if is_cache(folder) else None
    except InputError:
        # Damaged.
        return None


def _lr(name: str, folder: Path, scale: int) -> Pixels:
    """The LR image of an HR image of this name; KeyError where there is none."""
    from nas.data.image_file import decode_rgb
    from nas.data.pairs import partners

    beside = (folder / name).parent
    there = sorted(path.relative_to(folder).as_posix() for path in beside.glob("*"))
    return decode_rgb(folder / partners([name], there, scale)[name])


def _piece(photo: Photo, scale: int, networks: Sequence[tuple[TrialRecord, Any]]) -> PhotoCrops:
    from nas.data.degradation import bicubic_up
    from nas.evaluate.baseline import baseline
    from nas.evaluate.upscale import upscale
    from nas.evaluate.validate import reference
    from nas.objectives import OBJECTIVES
    from reports.account import CropImage, PhotoCrops

    whole = reference(photo, scale)
    enlarged = bicubic_up(whole.lr, scale)
    side = min(_HR_SIDE_PX // scale, *whole.lr.shape[:2])
    top, left = _hardest(enlarged, whole.hr, side, scale)
    up, down, before, after = _context(whole.lr.shape[:2], top, left, side)
    seen = whole.lr[up:down, before:after]

    def cut(pixels: Pixels, at: tuple[int, int] = (0, 0)) -> Pixels:
        y, x = (top - at[0]) * scale, (left - at[1]) * scale
        return pixels[y : y + side * scale, x : x + side * scale]

    truth = cut(whole.hr)
    images = [CropImage(baseline(scale), _png(cut(enlarged)), _psnr(cut(enlarged), truth))]
    if scale > 1:
        small = _png(whole.lr[top : top + side, left : left + side])
        images.insert(0, CropImage(f"input, 1/{scale}", small))
    params = OBJECTIVES["params"]
    for record, network in networks:
        output = upscale(network, seen, scale, colors=network.architecture.colors)
        shown = cut(output, (up, before))
        name = record.preset or f"trial {record.number}"
        price = params.value(record)
        detail = "" if price is None else f"{params.text(price)} parameters"
        images.append(CropImage(name, _png(shown), _psnr(shown, truth), record.number, detail))
    images.append(CropImage("original", _png(truth)))
    place = (
        f"{side * scale}×{side * scale} pixels at {left * scale}, {top * scale} "
        f"of {whole.hr.shape[1]}×{whole.hr.shape[0]}"
    )
    return PhotoCrops(photo.name, place, tuple(images))


def _context(size: Sequence[int], top: int, left: int, side: int) -> tuple[int, int, int, int]:
    """What of the LR photo the networks are given: top, bottom, left, right."""
    height, width = size
    if height * width <= _WHOLE_LR_PX:
        return 0, height, 0, width
    return (
        max(top - _AROUND_LR_PX, 0),
        min(top + side + _AROUND_LR_PX, height),
        max(left - _AROUND_LR_PX, 0),
        min(left + side + _AROUND_LR_PX, width),
    )


def _hardest(enlarged: Pixels, truth: Pixels, side: int, scale: int) -> tuple[int, int]:
    """The LR place (top, left) of the square on which bicubic upscaling errs most."""
    import numpy as np

    from nas.evaluate.pieces import heaviest
    from nas.evaluate.quality import luma

    errors = np.square(luma(enlarged) - luma(truth))
    rows, columns = errors.shape[0] // scale, errors.shape[1] // scale
    coarse = errors[: rows * scale, : columns * scale]
    found = heaviest(coarse.reshape(rows, scale, columns, scale).sum(axis=(1, 3)), side, side)
    return found.top, found.left


def _psnr(shown: Pixels, truth: Pixels) -> float:
    from nas.evaluate.quality import psnr_y_db

    return min(psnr_y_db(shown, truth, 0), 99.0)


def _png(pixels: Pixels) -> bytes:
    import numpy as np
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(file, format="PNG", optimize=True)
    return file.getvalue()
