"""``nas upscale``: image files, enlarged by a trained network."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nas.cli.lines import one_line
from nas.cli.options import Trial
from search_spaces.errors import InputError

if TYPE_CHECKING:
    from nas.upscale.batch import Job, Outcome
    from nas.upscale.onnx_network import OnnxNetwork
    from nas.upscale.upscaler import Upscaler
    from search_spaces import Network

__all__ = ["upscale"]

_FORMATS = {"png": "PNG", "jpeg": "JPEG", "jpg": "JPEG", "webp": "WEBP", "tiff": "TIFF",
            "tif": "TIFF", "bmp": "BMP"}  # fmt: skip


def upscale(
    inputs: Annotated[list[Path], typer.Argument(metavar="IN...", help="Files and folders.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="A folder, or one image file.")],
    net: Annotated[
        str,
        typer.Option(help="A .safetensors or .onnx file, a run folder, or a folder of nas export."),
    ],
    trial: Trial = "best",
    file_format: Annotated[
        str | None, typer.Option("--format", help="png, jpeg, webp, tiff, bmp; else the input's.")
    ] = None,
    runtime: Annotated[
        str | None, typer.Option(help="torch or onnxruntime (CPU); default: the file's own.")
    ] = None,
    scale: Annotated[int | None, typer.Option(help="Fail if the network's is another.")] = None,
    fast: Annotated[
        bool,
        typer.Option("--fast", help="Blocks in bfloat16 where the device has it: 0.003 dB off."),
    ] = False,
    alpha: Annotated[str, typer.Option(help="Alpha is enlarged by: bicubic, network.")] = "bicubic",
    tile: Annotated[int | None, typer.Option(help="Side of a tile in input pixels.")] = None,
    overlap: Annotated[int | None, typer.Option(help="Input pixels that tiles share.")] = None,
    memory: Annotated[
        float, typer.Option(help="MB of live tensors; sets the tile's size.")
    ] = 256.0,
    max_megapixels: Annotated[
        float, typer.Option(help="Larger inputs are refused as decompression bombs.")
    ] = 100.0,
    device: Annotated[str | None, typer.Option(help="As torch names it: cpu, cuda, ...")] = None,
) -> None:
    """Enlarge images: PNG, JPEG, WebP, TIFF and BMP, of any size, one by one or by folders.

    16-bit files stay 16-bit, gray stays gray, alpha is enlarged bicubically, the EXIF
    orientation is applied. A bad file does not stop the others; failures are listed at the end.
    """
    from nas.upscale.batch import jobs, upscale_files
    from nas.upscale.upscaler import Upscaler

    if file_format is not None and file_format.lower() not in _FORMATS:
        raise InputError(f"--format: expected {', '.join(_FORMATS)}, got {file_format}")
    if alpha not in ("bicubic", "network"):
        raise InputError(f"--alpha: expected bicubic or network, got {alpha}")
    for option, value in (("--memory", memory), ("--max-megapixels", max_megapixels)):
        if not value > 0:
            raise InputError(f"{option}: expected a positive number, got {value:g}")
    todo = jobs(inputs, output, _FORMATS[file_format.lower()] if file_format else None)
    network = _network(net, trial, runtime)
    upscaler = Upscaler(
        network,
        device=device,
        fast=fast,
        tile=tile,
        overlap=overlap,
        memory_mb=memory,
        alpha="network" if alpha == "network" else "bicubic",
    )
    if scale not in (None, upscaler.scale):
        raise InputError(f"{net} enlarges {upscaler.scale} times, but --scale is {scale}")
    if fast and not upscaler.fast:
        print(f"nas: {upscaler.device} has no native bfloat16; --fast changes nothing",
              file=sys.stderr)  # fmt: skip

    def run(
        on_end: Callable[[Outcome], None], on_rows: Callable[[Job, float], None] | None
    ) -> list[Outcome]:
        return upscale_files(
            todo, upscaler, most_pixels=int(max_megapixels * 1e6), on_end=on_end, on_rows=on_rows
        )

    outcomes = _shown(run, len(todo), upscaler)
    failed = [outcome for outcome in outcomes if outcome.error is not None]
    if failed and len(todo) > 1:
        print(f"nas: {len(failed)} of {len(todo)} images failed:", file=sys.stderr)
    for outcome in failed:
        told = one_line(str(outcome.error))
        print(f"{'  ' if len(todo) > 1 else 'nas: '}{told}", file=sys.stderr)
    if failed:
        raise typer.Exit(2)


def _network(net: str, trial: str, runtime: str | None) -> Network | OnnxNetwork:
    from nas.networks import trained_network
    from nas.upscale.onnx_network import OnnxNetwork

    if runtime not in (None, "torch", "onnxruntime"):
        raise InputError(f"--runtime: expected torch or onnxruntime, got {runtime}")
    if Path(net).suffix.lower() == ".onnx":
        if runtime == "torch":
            raise InputError(f"{net}: an ONNX file; leave --runtime out, or say onnxruntime")
        return OnnxNetwork.of_file(net)
    network = trained_network(net, trial=trial)
    return OnnxNetwork.of_network(network) if runtime == "onnxruntime" else network


def _shown(
    run: Callable[[Callable[[Outcome], None], Callable[[Job, float], None] | None], list[Outcome]],
    count: int,
    upscaler: Upscaler,
) -> list[Outcome]:
    """A progress bar on a terminal, else one line for each file."""
    if not sys.stderr.isatty():
        number = 0

        def on_end(outcome: Outcome) -> None:
            nonlocal number
            number += 1
            line = (
                _line(outcome, upscaler)
                if outcome.error is None
                else (f"{outcome.job.source} failed")
            )
            print(one_line(f"{number}/{count}  {line}"), flush=True)

        return run(on_end, None)
    from rich.markup import escape
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from nas.cli.console import PlainConsole

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
               TimeElapsedColumn())  # fmt: skip
    with Progress(*columns, console=PlainConsole(stderr=True)) as progress:
        files = progress.add_task("images", total=count)
        rows = progress.add_task("", total=100)

        def ended(outcome: Outcome) -> None:
            progress.advance(files)
            if outcome.error is None:
                progress.console.print(_line(outcome, upscaler), highlight=False)

        def strip(job: Job, share: float) -> None:
            progress.update(rows, description=escape(job.source.name), completed=int(100 * share))

        return run(ended, strip)


def _line(outcome: Outcome, upscaler: Upscaler) -> str:
    (h, w), (sr_h, sr_w) = outcome.lr_size, outcome.sr_size
    plan = upscaler.plan(h, w)
    how = f", tiles of {plan.tile} overlapping by {plan.overlap}" if plan.tile else ""
    if plan.tile and upscaler.pools_globally:
        how += " (this network pools over its whole input: estimated from patches)"
    if plan.tile and upscaler.shows_seams:
        how += " (the file computes each tile by itself: seams may show)"
    if plan.tile and upscaler.sees_beyond:
        how += " (a part of your own sees farther than tiles overlap: seams may show)"
    notes = "".join(f"; {note}" for note in outcome.notes)
    return (
        f"{outcome.job.source} -> {outcome.job.target}  {w}x{h} -> {sr_w}x{sr_h}, "
        f"{outcome.seconds:.1f} s{how}{notes}"
    )
