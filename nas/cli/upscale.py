"""``nas upscale``: image files, enlarged or restored by a trained network."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nas.cli.bars import bars
from nas.cli.lines import one_line, say
from nas.cli.options import (
    NET_FILE,
    OUTPUT,
    RUNTIME_NAMES,
    Device,
    Force,
    Trial,
    argument,
    option,
)
from nas.cli.shipped import default_network
from search_spaces.errors import InputError

if TYPE_CHECKING:
    from nas.upscale.batch import ImageJob, Outcome
    from nas.upscale.upscaler import Upscaler

__all__ = ["upscale"]

_FORMATS = {"png": "PNG", "jpeg": "JPEG", "jpg": "JPEG", "webp": "WEBP", "tiff": "TIFF",
            "tif": "TIFF", "bmp": "BMP"}  # fmt: skip


def upscale(
    inputs: Annotated[list[Path], argument("Files and folders.", metavar="IN...")],
    output: Annotated[Path, option("A folder, or one image file.", *OUTPUT)],
    net: Annotated[
        str | None,
        option(
            f"{NET_FILE}, a run folder, a folder of nas export, or a network "
            f"that ships (nas presets). Default: the best one that ships at --scale."
        ),
    ] = None,
    trial: Trial = "best",
    file_format: Annotated[
        str | None, option("png, jpeg, webp, tiff, bmp; else the input's.", "--format")
    ] = None,
    runtime: Annotated[
        str | None,
        option(f"{RUNTIME_NAMES}: all but torch on the CPU. Default: the file's own."),
    ] = None,
    scale: Annotated[
        int | None,
        option(
            "2, 3 or 4; with --net, 1 to 4: fail if the network's is another. Default: the largest "
            "at which a network ships."
        ),
    ] = None,
    fast: Annotated[
        bool, option("Blocks in bfloat16 where the device has it: 0.003 dB off.", "--fast")
    ] = False,
    alpha: Annotated[str, option("Alpha is enlarged by: bicubic, network.")] = "bicubic",
    tile: Annotated[int | None, option("Side of a tile in input pixels.")] = None,
    overlap: Annotated[int | None, option("Input pixels that tiles share.")] = None,
    memory: Annotated[float, option("MB of live tensors; sets the tile's size.")] = 256.0,
    max_megapixels: Annotated[
        float, option("Larger inputs are refused as decompression bombs.")
    ] = 100.0,
    device: Device = None,
    force: Force = False,
) -> None:
    """Enlarge images: PNG, JPEG, WebP, TIFF and BMP, of any size, one by one or by folders.

    A network of scale 1 restores them: they keep their size.
    16-bit files stay 16-bit, gray stays gray, alpha is enlarged bicubically, the EXIF
    orientation is applied. A bad file does not stop the others, nor does one whose result is there
    already; failures are listed at the end.
    """
    from nas.networks import runnable
    from nas.shipped.catalog import shipped_weights
    from nas.upscale.batch import jobs, upscale_files
    from nas.upscale.upscaler import Upscaler

    if file_format is not None and file_format.lower() not in _FORMATS:
        raise InputError(f"--format: expected {', '.join(_FORMATS)}, got {file_format}")
    if alpha not in ("bicubic", "network"):
        raise InputError(f"--alpha: expected bicubic or network, got {alpha}")
    for name, value in (("--memory", memory), ("--max-megapixels", max_megapixels)):
        if not value > 0:
            raise InputError(f"{name}: expected a positive number, got {value:g}")
    if net is None:
        net = str(shipped_weights(default_network(scale).name))
    todo = jobs(inputs, output, _FORMATS[file_format.lower()] if file_format else None)
    upscaler = Upscaler(
        runnable(net, trial=trial, runtime=runtime), device=device, fast=fast, tile=tile,
        overlap=overlap, memory_mb=memory, alpha="network" if alpha == "network" else "bicubic",
    )  # fmt: skip
    if scale not in (None, upscaler.scale):
        raise InputError(f"{net} is of scale {upscaler.scale}, but --scale is {scale}")
    if fast and not upscaler.fast:
        say(f"nas: {upscaler.device} has no native bfloat16; --fast changes nothing")
    with _shown(len(todo), upscaler) as (on_end, on_rows):
        outcomes = upscale_files(
            todo, upscaler, most_pixels=int(max_megapixels * 1e6), overwrite=force,
            on_end=on_end, on_rows=on_rows,
        )  # fmt: skip
    failed = [outcome for outcome in outcomes if outcome.error is not None]
    if failed and len(todo) > 1:
        say(f"nas: {len(failed)} of {len(todo)} images failed:")
    for outcome in failed:
        say(f"{'  ' if len(todo) > 1 else 'nas: '}{one_line(str(outcome.error))}")
    if failed:
        raise typer.Exit(2)


@contextmanager
def _shown(
    count: int, upscaler: Upscaler
) -> Iterator[tuple[Callable[[Outcome], None], Callable[[ImageJob, float], None] | None]]:
    """A progress bar on a terminal, else one line for each file."""
    if not sys.stderr.isatty():
        numbers = itertools.count(1)

        def on_end(outcome: Outcome) -> None:
            failed = outcome.error is not None
            line = f"{outcome.job.source} failed" if failed else _line(outcome, upscaler)
            print(one_line(f"{next(numbers)}/{count}  {line}"), flush=True)

        yield on_end, None
        return
    from rich.markup import escape
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
               TimeElapsedColumn())  # fmt: skip
    with bars(*columns, transient=False) as progress:
        files = progress.add_task("images", total=count)
        rows = progress.add_task("", total=100)

        def ended(outcome: Outcome) -> None:
            progress.advance(files)
            if outcome.error is None:
                progress.console.print(_line(outcome, upscaler), highlight=False)

        def strip(job: ImageJob, share: float) -> None:
            progress.update(rows, description=escape(job.source.name), completed=int(100 * share))

        yield ended, strip


def _line(outcome: Outcome, upscaler: Upscaler) -> str:
    (h, w), (sr_h, sr_w) = outcome.lr_size, outcome.sr_size
    tiling = upscaler.plan(h, w)
    side = tiling.tile if upscaler.only is None else "{1}x{0}".format(*upscaler.only)
    how = f", tiles of {side} overlapping by {tiling.overlap}" if tiling.tile else ""
    if tiling.tile and upscaler.pools_globally:
        how += " (this network pools over its whole input: estimated from patches)"
    if tiling.tile and upscaler.shows_seams:
        how += " (each tile is computed by itself: seams may show)"
    if tiling.tile and upscaler.sees_beyond:
        how += " (a part of your own sees farther than tiles overlap: seams may show)"
    notes = "".join(f"; {note}" for note in outcome.notes)
    done = f"{w}x{h} restored" if upscaler.scale == 1 else f"{w}x{h} -> {sr_w}x{sr_h}"
    return (
        f"{outcome.job.source} -> {outcome.job.target}  {done}, {outcome.seconds:.1f} s{how}{notes}"
    )
