"""The data of a search or a training: photos to train on, photos that judge, their fingerprint."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from nas.data.aligned import check_lr
from nas.data.cache import CacheFiles, halves, is_cache, open_cache
from nas.data.embedded import embedded_photos
from nas.data.folder import FolderFiles, Progress, probe_folder
from nas.data.pairs import paired_folder
from nas.data.photo import Photo
from nas.data.places import ONLY_SET, PhotoPlaces
from nas.data.split import LR_SIZE, apart, draw, least_side_px
from search_spaces.errors import InputError

__all__ = ["Dataset", "load_dataset"]

_JUDGING_BYTES = 250_000_000
"""Of decoded photos in each validation set, whatever there is room for: all judge on the same."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """Photos for training and validation; no photo is in both.

    Attributes:
        name: ``"embedded"`` or the folder's name, ``+val:NAME`` added for each validation folder,
            ``+lr:NAME`` behind those that have LR of their own, ``+by:NAME`` behind those whose LR
            a chain of degradations makes.
        scale: the factor the photos were chosen for: 1, 2, 3 or 4.
        train: photos to train on, HR, not cropped to a multiple of the scale.
        sets: photos to validate on, likewise, by the set's name; the first set decides.
        fingerprint: 16 hex digits over the scale and the names and pixels of all parts, their own
            LR too; the same on every machine that decodes the same files to the same pixels.
        skipped: files of the folders that were left out, by reason.
    """

    name: str
    scale: int
    train: tuple[Photo, ...]
    sets: Mapping[str, tuple[Photo, ...]]
    fingerprint: str
    skipped: Mapping[str, int]

    @property
    def validation(self) -> tuple[Photo, ...]:
        """The photos of the first set."""
        return next(iter(self.sets.values()))

    def for_patches(self, lr_size: int) -> Dataset:
        """The same without the training photos that hold no patch; what judges stays.

        Args:
            lr_size: side of the LR patches, pixels.

        Raises:
            InputError: no training photo holds one.
        """
        least_px = lr_size * self.scale
        large = tuple(photo for photo in self.train if photo.short_side >= least_px)
        if not large:
            raise InputError(
                f"patches of {least_px} x {least_px} pixels are larger than all "
                f"{len(self.train)} training photos; give larger photos, or a recipe with a "
                f"smaller hr_size"
            )
        skipped = Counter(self.skipped)
        skipped["too small"] += len(self.train) - len(large)
        return replace(self, train=large, skipped=dict(+skipped))


def load_dataset(
    scale: int,
    places: PhotoPlaces | None = None,
    *,
    lr_size: int = LR_SIZE,
    memory_cap_bytes: int = 10**9,
    progress: Progress | None = None,
) -> Dataset:
    """The photos of a search or a training, read into memory, or kept on disk where prepared.

    Without a folder, the photos that ship inside scikit-image. With one, what
    :func:`nas.data.folder.read_folder` reads there; the validation photos come from the first of
    these that is there: the folders of ``places.val``, a ``DIV2K_valid_HR`` beside
    ``DIV2K_train_HR``, those to train on that :func:`nas.data.split.draw` draws. They are the same
    whatever the patches and the memory. A training photo that equals a validation photo pixel by
    pixel is left out (``also in validation``). Where there are folders of LR, only photos that
    have both count, and a ``DIV2K_valid_HR`` only with its own. Photos to train on that
    `nas.data.prepare` has prepared stay on disk, whatever the memory; patches are the same.

    Args:
        scale: upscaling factor, 2, 3 or 4; 1, for photos with LR of their own or a
            chain of degradations.
        places: the folders; by default none.
        lr_size: side of the LR training patches in pixels; photos that hold no patch of
            ``lr_size * scale`` pixels are too small to train on.
        memory_cap_bytes: most bytes of decoded folder photos to keep; those that judge take up to
            250 MB a set, and leave three quarters at least to those to train on.
        progress: called with (files read, files to read) while a folder is read.

    Raises:
        InputError: a folder is missing or holds too few usable photos, LR without HR, a chain of
            degradations that ends at another size than LR, neither a chain nor LR at scale 1, or a
            bad ``scale``.
    """
    if scale not in (1, 2, 3, 4):
        raise InputError(f"scale must be 1, 2, 3 or 4, got {scale}")
    places = places or PhotoPlaces()
    places.check()
    data = places.data
    folders = {key: (halves(place) or (None, None))[1] or place
               for key, place in places.val.items()}  # fmt: skip
    if data is not None and (layout := halves(data)):
        data, beside = layout
        # Whoever trains on pairs is to be judged on pairs.
        if beside is not None and not folders and (places.lr is None or places.val_lr):
            folders = {ONLY_SET: beside}
    if places.val_lr and not folders:
        raise InputError("--val-lr: LR of which photos? give their HR with --val")

    skipped: Counter[str] = Counter()
    sets: dict[str, tuple[Photo, ...]] = {}
    for key, folder in folders.items():
        read = _files(folder, places.val_lr.get(key), scale).read(
            min_side_px=least_side_px(scale),
            memory_cap_bytes=_JUDGING_BYTES,
            progress=progress,
        )
        sets[key] = read.photos
        skipped.update(read.skipped)
    if data is None:
        train, embedded_validation = embedded_photos()
        sets = sets or {ONLY_SET: embedded_validation}
    else:
        files = _files(data, places.lr, scale)
        if places.degradation is not None and isinstance(files, CacheFiles) and files.own_lr:
            raise InputError(
                f"{data}: these photos have LR, which --degradation {places.degradation.name} "
                f"would make: leave it out"
            )
        drawn = {} if sets else _drawn(files, scale)
        if drawn:
            sets[ONLY_SET] = tuple(drawn[path] for path in files.headers if path in drawn)
        judging_bytes = sum(photo.nbytes for photos in sets.values() for photo in photos)
        read = files.kept_on_disk(scale).read(
            min_side_px=scale * lr_size if sets else max(scale * lr_size, least_side_px(scale)),
            at_least=1 if sets else 2,
            memory_cap_bytes=max(memory_cap_bytes - judging_bytes, memory_cap_bytes * 3 // 4),
            without=drawn,
            progress=progress,
        )
        skipped.update(read.skipped)
        train = read.photos
    if (chain := places.chain) is not None:
        chain.check(scale)
        train, *judging = (tuple(photo.degraded(chain) for photo in some)
                           for some in (train, *sets.values()))  # fmt: skip
        sets = dict(zip(sets, judging, strict=True))
    fresh, fingerprint = apart(scale, train, sets)
    if not fresh:
        raise InputError(
            f"all {len(train)} training photos are validation photos too;"
            " give other photos for validation"
        )
    if len(fresh) < len(train):
        skipped["also in validation"] = len(train) - len(fresh)
    for photo in (*fresh, *(one for photos in sets.values() for one in photos)):
        check_lr(photo, scale)
    return Dataset(places.name, scale, fresh, sets, fingerprint, dict(skipped))


def _files(folder: Path, lr: Path | None, scale: int) -> FolderFiles:
    if is_cache(folder):
        if lr is not None:
            raise InputError(
                f"{folder}: photos that are prepared with their LR; leave out {lr}, or prepare "
                f"them again with that"
            )
        return open_cache(folder)
    return probe_folder(folder) if lr is None else paired_folder(folder, lr, scale)


def _drawn(files: FolderFiles, scale: int) -> Mapping[Path, Photo]:
    """The photos of a folder that judge; none where fewer than two could."""
    paths = list(files.headers)
    order, count = draw([files.headers[path].short_side_px for path in paths], scale)
    if len(order) < 2:
        return {}
    return files.first(count, (paths[index] for index in order), _JUDGING_BYTES)
