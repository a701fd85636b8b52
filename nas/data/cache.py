"""Photos prepared on disk (`nas.data.prepare`), read as a folder of photos is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from nas.data.cache_index import INDEX, UNFINISHED, Index, first_line, read_index
from nas.data.folder import FolderFiles, div2k_folders
from nas.data.image_file import Header, SkippedFile
from nas.data.photo import Photo
from nas.data.stored import Stored, StoredPhoto
from nas.data.strips import PixelFile, Strips
from search_spaces.errors import InputError

__all__ = ["VALIDATION", "CacheFiles", "cached_name", "halves", "is_cache", "open_cache"]

VALIDATION = "validation"
"""The folder inside that holds the photos of a ``DIV2K_valid_HR``, prepared likewise."""


@dataclass(frozen=True, slots=True)
class CacheFiles(FolderFiles):
    """Prepared photos, which were files of a folder.

    Attributes:
        stored: what each file came to.
        scales: at which their LR is there.
        own_lr: whether that is their own.
        stay: whether their pixels stay on disk.
    """

    stored: Mapping[Path, StoredPhoto | SkippedFile] = field(default_factory=dict)
    scales: tuple[int, ...] = ()
    own_lr: bool = False
    stay: bool = False

    def kept_on_disk(self, scale: int) -> FolderFiles:
        if scale not in self.scales and (scale > 1 or self.own_lr):
            raise InputError(
                f"{self.folder}: photos prepared with LR for x{', x'.join(map(str, self.scales))}, "
                f"not for x{scale}; prepare them with --scale {scale}"
            )
        return replace(self, stay=True)

    def photo(self, path: Path) -> Photo | SkippedFile:
        one = self.stored[path]
        return one if self.stay or isinstance(one, SkippedFile) else one.in_memory()

    def named_photo(self, name: str) -> Photo | SkippedFile | None:
        """The photo of that name, or why it was left out; None where there is no such name."""
        path = self.folder / name
        return self.photo(path) if path in self.stored else None

    def bytes_of(self, path: Path) -> int:
        if self.stay:
            return 0
        one = self.headers[path].rgb_bytes
        return one + (one // self.scales[0] ** 2 if self.own_lr else 0)


def is_cache(folder: Path) -> bool:
    """Whether a folder holds prepared photos.

    Raises:
        InputError: not yet: they were begun and not finished, or by another version.
    """
    if first_line(folder / INDEX) is not None:
        return True
    if first_line(folder / UNFINISHED) is None:
        return False
    raise InputError(
        f"{folder}: its photos are not all prepared yet; the command that began it, once more, "
        f"goes on"
    )


def cached_name(folder: Path) -> str:
    """The name of what was prepared there, or the folder's own."""
    making = first_line(folder / INDEX)
    return folder.resolve().name if making is None else making.name


def halves(folder: Path) -> tuple[Path, Path | None] | None:
    """As `nas.data.folder.div2k_folders`, of prepared photos too: those judge that did before."""
    if not is_cache(folder):
        return div2k_folders(folder)
    validation = folder / VALIDATION
    return folder, validation if is_cache(validation) else None


def open_cache(folder: Path) -> CacheFiles:
    """The photos that were prepared in a folder, none of which is read yet.

    Raises:
        InputError: the index or the pixels are damaged or not whole.
    """
    index = read_index(folder / INDEX)
    if index is None or index.skipped is None:
        line = 0 if index is None else len(index.entries) + 2
        raise InputError(f"{folder / INDEX}: damaged at line {line}; prepare the photos again")
    files = {name: _opened(folder / name, index, factor)
             for name, factor in index.making.parts.items()}  # fmt: skip
    places = dict.fromkeys(files, 0)
    making, stored, headers = index.making, dict[Path, StoredPhoto | SkippedFile](), {}
    own = making.scales[0] if making.own_lr else None
    for entry in index.entries:
        path = folder / entry.name
        headers[path] = Header(entry.size)
        if entry.digests is None:
            stored[path] = SkippedFile(entry.reason)
            continue
        hr, *lr = (
            Strips(files[name], places[name], *(side // factor for side in entry.size))
            for name, factor in making.parts.items()
        )
        for name, factor in making.parts.items():
            places[name] += entry.bytes_in(factor)
        by_scale = dict(zip(making.scales, lr, strict=True))
        stored[path] = StoredPhoto(entry.name, Stored(hr, by_scale, own, entry.digests))
    return CacheFiles(
        folder, headers, index.skipped, stored=stored, scales=making.scales, own_lr=making.own_lr
    )


def _opened(path: Path, index: Index, factor: int) -> PixelFile:
    needed = sum(entry.bytes_in(factor) for entry in index.entries)
    try:
        found = path.stat().st_size
        if found == needed:
            return PixelFile(path)
    except OSError as error:
        raise InputError(
            f"{path}: {(error.strerror or str(error)).lower()}; prepare the photos again"
        ) from error
    raise InputError(f"{path}: {found} bytes, expected {needed}; prepare the photos again")
