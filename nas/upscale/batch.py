"""Many image files, one after another; a bad one does not stop the others."""

from __future__ import annotations

import os
import queue
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from nas.data.image_file import FORMATS
from nas.upscale.image_io import ImageFile, Pixels, read_image
from nas.upscale.image_writer import Header, check_writable, write_image
from nas.upscale.upscaler import Upscaler
from search_spaces.errors import InputError
from search_spaces.files import check_free

__all__ = ["ImageJob", "Outcome", "jobs", "upscale_files"]


@dataclass(frozen=True, slots=True)
class ImageJob:
    """A file to enlarge, where to, and as what; ``file_format`` None keeps the input's."""

    source: Path
    target: Path
    file_format: str | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a job ended.

    Attributes:
        job: which.
        error: why it failed, in one line; None if it did not.
        lr_size: (height, width) of the input.
        sr_size: (height, width) of what was written.
        seconds: from reading to the last strip.
        notes: what a user may want to know, one line each.
    """

    job: ImageJob
    error: str | None = None
    lr_size: tuple[int, int] = (0, 0)
    sr_size: tuple[int, int] = (0, 0)
    seconds: float = 0.0
    notes: tuple[str, ...] = ()


def jobs(inputs: Sequence[Path], output: Path, file_format: str | None) -> list[ImageJob]:
    """What is to be done with files and folders.

    One input file and an output whose name ends as an image's does: that file. Else the output
    is a folder; files keep their names, files of an input folder their place in it. Of a
    folder, all files that are named as images are taken, subfolders included, hidden ones not.

    Args:
        inputs: files and folders.
        output: a file or a folder.
        file_format: PNG, JPEG, WEBP, TIFF or BMP; None: by the output's or input's name.

    Raises:
        InputError: a folder without images, or one file as the output of several inputs.
    """
    suffix = next((ending for ending, known in FORMATS.items() if known == file_format), None)
    single = output.suffix.lower() in FORMATS and not output.is_dir()
    if single and (len(inputs) > 1 or (inputs and inputs[0].is_dir())):
        raise InputError(f"--output: expected a folder for several images, got {output}")
    if single:
        named = FORMATS[output.suffix.lower()]
        if file_format not in (None, named):
            raise InputError(f"--output {output} is {named} by its name, but --format is another")
        return [ImageJob(inputs[0], output, named)]
    if output.exists() and not output.is_dir():
        raise InputError(f"--output: {output} is no folder and not named as an image")
    found: list[ImageJob] = []
    for given in inputs:
        files = [(given, Path(given.name))]
        if given.is_dir():
            files = [(path, path.relative_to(given)) for path in _images(given)]
        for path, name in files:
            ending = suffix or (name.suffix if name.suffix.lower() in FORMATS else ".png")
            kept = name.suffix.lower() in FORMATS
            target = output / (name.with_suffix(ending) if kept else Path(f"{name}{ending}"))
            found.append(ImageJob(path, target, FORMATS[ending.lower()]))
    return found


def upscale_files(
    todo: Sequence[ImageJob],
    upscaler: Upscaler,
    *,
    most_pixels: int,
    overwrite: bool = False,
    on_end: Callable[[Outcome], None] | None = None,
    on_rows: Callable[[ImageJob, float], None] | None = None,
) -> list[Outcome]:
    """Does the jobs in order; the next file is decoded while one is enlarged.

    Args:
        todo: from `jobs`.
        upscaler: the network.
        most_pixels: files whose header promises more are not decoded.
        overwrite: files that are there already; else their jobs fail.
        on_end: called after each job.
        on_rows: called after each strip with the share of the image that is done.

    Returns:
        An outcome for each job.
    """
    outcomes: list[Outcome] = []
    written: dict[Path, Path] = {}
    with ThreadPoolExecutor(1) as reader:
        ahead: Future[ImageFile] | None = None
        for number, job in enumerate(todo):
            current = ahead or reader.submit(read_image, job.source, most_pixels)
            ahead = None
            if number + 1 < len(todo):
                ahead = reader.submit(read_image, todo[number + 1].source, most_pixels)
            outcome = _done(job, current, upscaler, written, overwrite, on_rows)
            outcomes.append(outcome)
            if on_end is not None:
                on_end(outcome)
    return outcomes


def _done(
    job: ImageJob,
    current: Future[ImageFile],
    upscaler: Upscaler,
    written: dict[Path, Path],
    overwrite: bool,
    on_rows: Callable[[ImageJob, float], None] | None,
) -> Outcome:
    began = time.perf_counter()
    try:
        # Unlike Path.resolve, of links in a loop it says something, too.
        key = Path(os.path.realpath(job.target))
        if key == Path(os.path.realpath(job.source)):
            raise InputError(f"{job.source}: its result would replace it; choose another --output")
        if key in written:
            raise InputError(
                f"{job.source}: its result would replace that of {written[key]} at {job.target}"
            )
        check_free(job.target, force=overwrite)
        file = current.result()
        height, width, channels = file.pixels.shape
        sr_size = (height * upscaler.scale, width * upscaler.scale)
        file_format = job.file_format or file.format
        bits = file.pixels.dtype.itemsize * 8
        header = Header(*sr_size, channels, bits, file.exif, file.icc_profile)
        try:
            check_writable(header, file_format)
        except InputError as error:
            raise InputError(f"{job.source}: {error}") from None

        def shared(part: float) -> None:
            if on_rows is not None:
                on_rows(job, part)

        _write(job.target, file_format, header, upscaler, file.pixels, shared)
        written[key] = job.source
    except InputError as error:
        return Outcome(job, str(error))
    except RuntimeError as error:
        # torch has no one class for memory that the CPU could not give.
        if "memory" not in str(error):
            raise
        return Outcome(job, f"{job.source}: not enough memory; lower --memory or --tile")
    except (OSError, MemoryError) as error:
        reason = (getattr(error, "strerror", None) or str(error) or "out of memory").lower()
        return Outcome(job, f"{job.source}: cannot write {job.target} ({reason})")
    seconds = time.perf_counter() - began
    return Outcome(job, None, (height, width), sr_size, seconds, file.notes)


def _write(
    path: Path,
    file_format: str,
    header: Header,
    upscaler: Upscaler,
    pixels: Pixels,
    shared: Callable[[float], None],
) -> None:
    """The file is compressed in a second thread while the network works on the next strip."""
    strips: queue.Queue[Pixels | None] = queue.Queue(maxsize=1)

    def taken() -> Iterator[Pixels]:
        while (strip := strips.get()) is not None:
            yield strip
            del strip
        if not complete:
            # Nothing half done may take the target's place.
            raise _Abandoned

    complete = False
    with ThreadPoolExecutor(1) as writer:
        writing = writer.submit(write_image, path, file_format, header, taken())
        try:
            rows = 0
            for strip in upscaler.strips(pixels):
                rows += len(strip)
                if not _handed(strips, strip, writing):
                    break
                shared(rows / header.height)
                # A strip in the queue beside the two at work would be memory for nothing.
                while not strips.empty() and not writing.done():
                    time.sleep(0.002)
                del strip
            complete = rows == header.height
        finally:
            _handed(strips, None, writing)
        writing.result()


def _handed(
    strips: queue.Queue[Pixels | None], strip: Pixels | None, writing: Future[None]
) -> bool:
    """Waits for room; False once the writer has ended, be it by an error."""
    while not writing.done():
        try:
            strips.put(strip, timeout=0.1)
            return True
        except queue.Full:
            continue
    return False


class _Abandoned(Exception):
    """The network stopped before the last strip."""


def _images(folder: Path) -> list[Path]:
    found = []
    for place, subfolders, names in os.walk(folder):
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        found += [
            Path(place, name)
            for name in sorted(names)
            if not name.startswith(".") and Path(name).suffix.lower() in FORMATS
        ]
    if not found:
        raise InputError(
            f"{folder}: holds no images; expected names that end in {', '.join(FORMATS)}"
        )
    return found
