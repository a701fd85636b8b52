"""HR and LR images of the same photos, found in two folders by their names and sizes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path, PurePath

from nas.data.aligned import fits
from nas.data.folder import MISFITS, FolderFiles, probe_folder
from nas.data.image_file import Header
from search_spaces.errors import InputError

__all__ = ["paired_folder", "partners"]

_SHOWN = 3

_NO_LR, _NO_HR = "without LR", "LR without HR"


def partners(hr: Iterable[str], lr: Iterable[str], scale: int) -> dict[str, str]:
    """The LR image of each HR image that has one.

    Both are in the same subfolder and of the same name, but for the type of image, and for
    endings: ``x4``, ``_LR``, ``LRx4``, ``_LRBI_x4``, ``_bicubic`` and their like of LR; ``_HR``,
    ``_GT`` and the scale of HR. Names that are the same without that come first.

    Args:
        hr: names with ``/`` between parts.
        lr: likewise.
        scale: the one whose ending may be left out.
    """
    waiting, free = {_key(name): name for name in hr}, {_key(name): name for name in lr}
    found: dict[str, str] = {}
    for hr_kinds, lr_kinds in ((None, None), (None, "lr"), ("hr", None), ("hr", "lr")):
        short = {_short(key, hr_kinds, scale): key for key in reversed(waiting)}
        for key in list(free):
            one = short.pop(_short(key, lr_kinds, scale), None)
            if one is not None:
                found[waiting.pop(one)] = free.pop(key)
    return found


def paired_folder(hr: Path, lr: Path, scale: int) -> FolderFiles:
    """The files of a folder of HR images that have an LR image in another folder.

    All others are left out: ``without LR``, ``LR without HR``, and those whose sizes do not match
    the scale (``MISFITS``), the first of each named, and what cannot be used in the LR folder.

    Raises:
        InputError: no such folder, or no two files that belong together.
    """
    large, small = probe_folder(hr), probe_folder(lr)
    names, lr_names = ({path.relative_to(files.folder).as_posix(): path for path in files.headers}
                       for files in (large, small))  # fmt: skip
    by_name = partners(names, lr_names, scale)
    matched = {
        name: other
        for name, other in by_name.items()
        if _may_fit(small.headers[lr_names[other]], large.headers[names[name]], scale)
    }
    misfits = [name for name in by_name if name not in matched]
    if names and not matched:
        _refuse(large, small, list(by_name.items())[:1], scale)
    skipped = Counter(large.skipped)
    skipped.update({f"{reason} (of LR)": count for reason, count in small.skipped.items()})
    used = set(by_name.values())
    for reason, left in (
        (_NO_LR, [name for name in names if name not in by_name]),
        (_NO_HR, [name for name in lr_names if name not in used]),
        (MISFITS, misfits),
    ):
        if left:
            more = ", ..." if len(left) > _SHOWN else ""
            skipped[f"{reason} ({', '.join(sorted(left)[:_SHOWN])}{more})"] = len(left)
    headers = {path: large.headers[path] for name, path in names.items() if name in matched}
    lr_files = {names[name]: lr_names[other] for name, other in matched.items()}
    return replace(large, headers=headers, skipped=skipped, lr=lr_files, scale=scale)


def _key(name: str) -> str:
    """The name without its type."""
    return PurePath(name).with_suffix("").as_posix()


def _short(key: str, kinds: str | None, scale: int) -> str:
    if kinds is None:
        return key.casefold()
    words = {"hr": "hr|gt", "lr": "lr(?:bi|bicubic)?|bicubic"}[kinds]
    ending = rf"(?<=[^/])(?:[-_. ]?(?:{words}))?(?:[-_. ]?(?:x{scale}|{scale}x))?$"
    return re.sub(ending, "", key.casefold(), count=1)


def _may_fit(small: Header, large: Header, scale: int) -> bool:
    # A photo may yet be turned by what EXIF says, which takes reading it whole.
    return fits(sorted(small.size), sorted(large.size), scale)


def _refuse(
    large: FolderFiles, small: FolderFiles, named: Sequence[tuple[str, str]], scale: int
) -> None:
    if named:
        (name, other), sizes = named[0], []
        for files, one in ((large, name), (small, other)):
            height, width = files.headers[files.folder / one].size
            sizes.append(f"{one} is {width} x {height}")
        raise InputError(
            f"no HR image in {large.folder} is {scale} times as large as its LR image in "
            f"{small.folder}: {sizes[0]} pixels (width x height), LR {sizes[1]}; give the LR "
            f"images of scale {scale}"
        )
    first = min(path.relative_to(large.folder).as_posix() for path in large.headers)
    stem = _key(first)
    raise InputError(
        f"no LR image in {small.folder} ({len(small.headers)} images) has the name of an HR image "
        f"in {large.folder} ({len(large.headers)}); expected for {first}: {stem}.png, "
        f"{stem}x{scale}.png or {stem}_LR.png"
    )
