"""``nas compare``: a picture of one photo by bicubic, or as it was, and by networks."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

from nas.cli.bars import bars
from nas.cli.console import PlainConsole, figures_table
from nas.cli.lines import printable
from nas.cli.options import (
    NET_FILE,
    OUTPUT,
    Degradation,
    Device,
    Force,
    Trial,
    argument,
    option,
)
from nas.cli.shipped import default_network
from nas.cli.targets import check_target, named_paths
from search_spaces.errors import InputError

if TYPE_CHECKING:
    from nas.evaluate.pieces import Piece, Pixels
    from nas.upscale.upscaler import Upscaler
    from reports.plots.side_by_side import Rendering

__all__ = ["compare"]

_TRUTH = "original"
_TAKEN = frozenset({"bicubic", "input", _TRUTH})
"""What networks cannot be called."""
# The side of a piece that is chosen: a share of the photo's shorter side, within these.
_SHARE, _LEAST_PX, _MOST_PX = 0.25, 64, 320
_WHOLE = ("PSNR-Y [dB]", "SSIM-Y")


class _Quality(NamedTuple):
    psnr_y_db: float
    ssim_y: float


def compare(
    photo: Annotated[Path, argument("The image to be enlarged; with --hr or --lr, the original.")],
    output: Annotated[Path, option("A .png, .pdf or .svg file.", *OUTPUT)],
    nets: Annotated[
        list[str] | None,
        option(
            f"[NAME=] {NET_FILE}, a run folder, a folder of nas export, or a "
            f"network that ships (nas presets); may be repeated. Default: the best one that ships.",
            "--net",
        ),
    ] = None,
    hr: Annotated[
        bool,
        option("The photo is the original: it is made small first, and all are measured.", "--hr"),
    ] = False,
    lr: Annotated[
        Path | None,
        option("The LR image of PHOTO, which is the original then: nothing is made small.", "--lr"),
    ] = None,
    degradation: Degradation = None,
    crop: Annotated[
        str | None,
        option("X,Y,W,H of the piece in the large image. Default: where they differ most."),
    ] = None,
    width: Annotated[str, option("page (7.16 inches) or column (3.5 inches).")] = "page",
    title: Annotated[str | None, option("Drawn over the picture. Default: none.")] = None,
    trial: Trial = "best",
    device: Device = None,
    force: Force = False,
) -> None:
    """Draw one photo side by side: bicubic, networks and, with --hr or --lr, the original.

    With --hr the photo is cut to a multiple of the scale and made small as MATLAB's imresize does
    it, or by --degradation; with --lr its LR is given. PSNR and SSIM on luma stand beneath each
    piece, and those of the whole photo are printed. At scale 1 the input takes bicubic's place.
    """
    from nas.data.degradation import bicubic_up
    from nas.evaluate.baseline import baseline
    from nas.evaluate.pieces import differing
    from reports.plots.sheet import FORMATS, Sheet
    from reports.plots.side_by_side import SideBySide
    from reports.plots.side_by_side_figure import draw_side_by_side
    from reports.plots.style import save_figure

    check_target(output, force=force)
    if output.suffix[1:] not in FORMATS:
        raise InputError(f"--output: expected a name in .{', .'.join(FORMATS)}, got {output}")
    sheet = Sheet.named(width, titled=title is not None)
    if degradation is not None and (lr is not None or not hr):
        raise InputError("--degradation: expected --hr beside it, and no --lr")
    asked = None if crop is None else _numbers(crop)
    upscalers = _upscalers(nets or [_shipped()], trial, device)
    scale = next(iter(upscalers.values())).scale
    small, truth = _read(photo, lr, scale, hr, degradation)
    large = small.shape[1] * scale, small.shape[0] * scale
    if asked is not None:
        _check_inside(asked, large)
    beside = baseline(scale)
    images = {beside: bicubic_up(small, scale)}
    with bars() as progress:
        task = progress.add_task("restoring" if scale == 1 else "enlarging", total=len(upscalers))
        for name, upscaler in upscalers.items():
            images[name] = upscaler.enlarge(small).astype("uint8")
            progress.advance(task)
    if asked is None:
        shown = [*images.values(), *([truth] if truth is not None else [])]
        side = min(max(round(_SHARE * min(large)), _LEAST_PX), _MOST_PX)
        piece = differing(shown, side, side)
    else:
        piece = asked
    place = f"{piece.width}x{piece.height} at {piece.left},{piece.top} of {large[0]}x{large[1]}"
    info = SideBySide(
        printable(title or f"{photo.name}, x{scale}: {place}"),
        images[beside] if truth is None else truth,
        printable(photo.stem),
        piece,
        tuple(_renderings(images, truth, piece)),
    )
    figure = draw_side_by_side(info, sheet)
    save_figure(figure, output.with_suffix(""), output.stem, (output.suffix[1:],), dpi=figure.dpi)
    if truth is not None:
        _print(photo, images, truth, piece, scale)
    PlainConsole(highlight=False).print(f"Picture {output}: {place}", soft_wrap=True)


def _shipped() -> str:
    from nas.shipped.catalog import shipped_weights

    name = default_network().name
    return f"{name}={shipped_weights(name)}"


def _upscalers(nets: list[str], trial: str, device: str | None) -> Mapping[str, Upscaler]:
    from nas.deploy.runtimes import read_endings
    from nas.networks import runnable
    from nas.upscale.upscaler import Upscaler

    named: dict[str, Upscaler] = {}
    for name, path in named_paths(nets, "--net", "NET").items():
        given = path.suffix.lower() in (".safetensors", *read_endings()) and name == path.name
        short = printable(path.stem if given else name)
        if short in (*named, *_TAKEN):
            raise InputError(f"--net: {short} is there twice; say NAME={path}")
        of_run = trial if (path / "run.yaml").is_file() else "best"
        named[short] = Upscaler(runnable(path, trial=of_run), device=device)
    scales = {name: upscaler.scale for name, upscaler in named.items()}
    if len(set(scales.values())) > 1:
        told = ", ".join(f"{name} x{scale}" for name, scale in scales.items())
        raise InputError(f"--net: expected networks of one scale, got {told}")
    return named


def _read(
    path: Path, lr: Path | None, scale: int, hr: bool, degradation: str | None
) -> tuple[Pixels, Pixels | None]:
    """What the networks are given, and the original where there is one."""
    from nas.data.aligned import aligned
    from nas.data.photo import Photo
    from nas.data.places import degradation_of

    pixels = _pixels(path)
    if lr is None and not hr:
        return pixels, None
    by = degradation_of(degradation)
    if by is not None:
        by.check(scale)
    small = None if lr is None else _pixels(lr)
    return aligned(Photo(path.name, pixels, small, by), scale)


def _pixels(path: Path) -> Pixels:
    from nas.data.image_file import read_rgb

    try:
        return read_rgb(path)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def _numbers(text: str) -> Piece:
    from nas.evaluate.pieces import Piece

    words = text.split(",")
    if len(words) != 4 or not all(word.strip().isdecimal() for word in words):
        raise InputError(f"--crop: expected X,Y,W,H in pixels of the large image, got {text!r}")
    return Piece(*map(int, words))


def _check_inside(piece: Piece, large: tuple[int, int]) -> None:
    across, down = piece.left + piece.width, piece.top + piece.height
    if min(piece.width, piece.height) < 8 or across > large[0] or down > large[1]:
        raise InputError(
            f"--crop: expected a piece of at least 8x8 pixels inside {large[0]}x{large[1]}, got "
            f"{piece.width}x{piece.height} at {piece.left},{piece.top}"
        )


def _quality(image: Pixels, truth: Pixels, shave: int) -> _Quality:
    """NaN for what is too small to be measured."""
    from nas.evaluate.quality import psnr_y_db, ssim_y

    found = []
    for measure in (psnr_y_db, ssim_y):
        try:
            found.append(measure(image, truth, shave))
        except InputError:
            found.append(math.nan)
    return _Quality(*found)


def _renderings(
    images: Mapping[str, Pixels], truth: Pixels | None, piece: Piece
) -> list[Rendering]:
    from reports.plots.side_by_side import Rendering

    if truth is None:
        return [Rendering(name, piece.of(image)) for name, image in images.items()]
    cut = piece.of(truth)
    figures = {name: _quality(piece.of(image), cut, 0) for name, image in images.items()}
    top = max(round(one.psnr_y_db, 2) for one in figures.values())
    made = [
        Rendering(
            name, piece.of(images[name]), f"{one.psnr_y_db:.2f} dB, {one.ssim_y:.3f}",
            # As shown: of two that read alike, neither is ahead.
            round(one.psnr_y_db, 2) == top,
        )
        for name, one in figures.items()
    ]  # fmt: skip
    return [*made, Rendering(_TRUTH, cut, "PSNR-Y, SSIM-Y")]


def _print(
    photo: Path, images: Mapping[str, Pixels], truth: Pixels, piece: Piece, scale: int
) -> None:
    from nas.evaluate.quality import shave_px

    table = figures_table(
        "", *_WHOLE, *(f"{one}, piece" for one in _WHOLE), title=f"{photo.name}, x{scale}"
    )
    for name, image in images.items():
        whole = _quality(image, truth, shave_px(scale))
        cut = _quality(piece.of(image), piece.of(truth), 0)
        table.add_row(name, *(f"{a:.3f}" for a in (*whole, *cut)))
    PlainConsole().print(table)
