"""Photos decoded once, into files from which patches are read: for more than memory holds."""

from __future__ import annotations

import warnings
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from nas.data.aligned import aligned
from nas.data.cache_index import INDEX, Entry, Index, Making, read_index
from nas.data.cache_writer import CacheWriter, Pieces
from nas.data.folder import FolderFiles, Progress
from nas.data.image_file import SkippedFile
from nas.data.preparation_plan import Plan, no_photos, plan
from nas.data.strips import as_strips
from search_spaces.errors import InputError, WriteError
from search_spaces.files import make_folder, remove_empty

__all__ = ["Plan", "Prepared", "plan", "prepare"]

_THREADS = 2
# Decoded pixels under way at a time: copies of them are made, of 100 MB about half a gigabyte.
_AHEAD_BYTES = 100_000_000
_AHEAD = 4 * _THREADS
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Prepared:
    """What became of the files.

    Attributes:
        photos: that are prepared.
        before: how many of these were so already.
        nbytes: of their pixels on disk.
        left_out: how many files were left out, by reason.
        named: the first of them, by reason.
    """

    photos: int
    before: int
    nbytes: int
    left_out: Mapping[str, int]
    named: Mapping[str, Sequence[str]]


def prepare(plan: Plan, *, fresh: bool = False, progress: Progress | None = None) -> Prepared:
    """Decodes photos into folders that `nas.data.load_dataset` takes in place of theirs.

    Two threads decode and degrade. What is prepared when this ends, for whatever reason, is found
    there by the same call, which goes on behind it; until all is done nobody takes the folder for
    prepared photos.

    Args:
        plan: its folders are made if need be, and otherwise empty or begun by the same call.
        fresh: begin anew what is there already.
        progress: called with (files done, files in all).

    Raises:
        InputError: something else is in the folder, the files have changed meanwhile, another
            process is at it, or no file is a photo.
        OSError: the disk has too little room.
    """
    before, results = 0, []
    plan.check(fresh=fresh)
    for files, target in plan.folders:
        making = Making(plan.name, plan.scales, bool(files.lr))

        def advance(done: int, before: int = before) -> None:
            if progress is not None:
                progress(before + done, plan.files)

        results.append(_prepared(files, target, making, fresh, advance))
        before += len(files.headers)
    left_out = Counter[str]()
    named = dict[str, Sequence[str]]()
    for one in results:
        left_out.update(one.left_out)
        named = {**one.named, **named}
    photos, done, nbytes = (
        sum(getattr(one, of) for one in results) for of in ("photos", "before", "nbytes")
    )
    return Prepared(photos, done, nbytes, dict(sorted(left_out.items())), named)


def _prepared(
    files: FolderFiles, target: Path, making: Making, fresh: bool, advance: Callable[[int], None]
) -> Prepared:
    try:
        made = make_folder(target)
    except OSError as error:
        raise WriteError(
            f"cannot write {target}: {error.strerror or error}; choose another folder"
        ) from error
    if not fresh and (target / INDEX).exists():
        index = read_index(target / INDEX)
        if index is None or index.skipped is None or not _same(index, making, files):
            raise InputError(
                f"{target}: prepared from other files or for other scales; give another folder, "
                f"or --force to prepare it anew"
            )
        return _told(index.entries, len(index.entries), making, files)
    with CacheWriter.opened(target, making, fresh=fresh) as writer:
        done = _continued(writer, files, target)
        left = list(files.headers)[done:]
        # Pillow warns of large, oddly tagged and transparent images: all are dealt with already.
        with warnings.catch_warnings(action="ignore"):
            for number, (entry, pieces) in enumerate(_made(files, left, making.scales), done + 1):
                writer.add(entry, pieces)
                advance(number)
        told = _told(writer.entries, done, making, files)
        if told.photos:
            writer.finish(files.skipped)
        else:
            writer.remove()
    if not told.photos:
        remove_empty([target, *made[1:]])
        raise no_photos(files, told.left_out)
    return told


def _made(
    files: FolderFiles, paths: Sequence[Path], scales: Sequence[int]
) -> Iterator[tuple[Entry, Pieces]]:
    """The photos in turn, some of them ahead."""
    waiting = deque[tuple[Future[tuple[Entry, Pieces]], int]]()
    pool = ThreadPoolExecutor(_THREADS)
    try:
        for path in paths:
            size = files.bytes_of(path)
            while waiting and (
                len(waiting) == _AHEAD or size + sum(n for _, n in waiting) > _AHEAD_BYTES
            ):
                yield waiting.popleft()[0].result()
            waiting.append((pool.submit(_decoded, files, path, scales), size))
        while waiting:
            yield waiting.popleft()[0].result()
    finally:
        pool.shutdown(cancel_futures=True)


def _decoded(files: FolderFiles, path: Path, scales: Sequence[int]) -> tuple[Entry, Pieces]:
    name, stamp = path.relative_to(files.folder).as_posix(), _stamp(files, path)
    photo = files.photo(path)
    if isinstance(photo, SkippedFile):
        return Entry(name, files.headers[path].size, stamp, None, str(photo)), []
    size = (photo.height, photo.width)
    pieces = [as_strips(photo.pixels)]
    # Of a photo smaller than one LR pixel there is no LR; nobody trains on it.
    pieces += [as_strips(aligned(photo, scale).lr) for scale in scales if min(size) >= scale]
    return Entry(name, size, stamp, photo.digests()), pieces


def _continued(writer: CacheWriter, files: FolderFiles, target: Path) -> int:
    """How many of the files are done; what was begun must have been begun with the same ones."""
    for entry, path in zip(writer.entries, files.headers, strict=False):
        if not _is(entry, files, path):
            raise InputError(
                f"{target}: begun with other files in {files.folder} ({entry.name}); --force "
                f"begins anew"
            )
    return len(writer.entries)


def _same(index: Index, making: Making, files: FolderFiles) -> bool:
    return (
        index.making == making
        and len(index.entries) == len(files.headers)
        and all(_is(entry, files, path)
                for entry, path in zip(index.entries, files.headers, strict=True))
    )  # fmt: skip


def _is(entry: Entry, files: FolderFiles, path: Path) -> bool:
    name = path.relative_to(files.folder).as_posix()
    return (entry.name, entry.stamp) == (name, _stamp(files, path))


def _stamp(files: FolderFiles, path: Path) -> tuple[int, ...]:
    own = [files.lr[path]] if path in files.lr else []
    try:
        found = [one.stat() for one in (path, *own)]
    except OSError:
        return ()
    return tuple(number for one in found for number in (one.st_size, one.st_mtime_ns))


def _told(entries: Sequence[Entry], before: int, making: Making, files: FolderFiles) -> Prepared:
    left_out, named = Counter(files.skipped), {why: list(n) for why, n in files.named.items()}
    for entry in entries:
        if entry.reason is not None:
            left_out[entry.reason] += 1
            if len(one := named.setdefault(entry.reason, [])) < _NAMED:
                one.append(entry.name)
    nbytes = sum(entry.bytes_in(factor) for entry in entries for factor in making.parts.values())
    sound = [entry.digests is not None for entry in entries]
    return Prepared(sum(sound), sum(sound[:before]), nbytes, dict(sorted(left_out.items())), named)
