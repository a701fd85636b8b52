"""int8: a network as an ONNX or a .tflite file whose convolutions run in 8-bit integers."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from compress.calibration import METHODS, crops
from compress.int8_candidate import Candidate
from compress.layer_choice import choose_float_layers
from compress.qat import need_litert
from nas.data.photo import Photo
from nas.deploy.int8_formats import Int8Format, int8_format
from nas.deploy.int8_graph import EXACT
from nas.deploy.onnx_file import export_onnx
from nas.deploy.parity import PARITY_SIZES
from nas.evaluate.threads import threads as with_threads
from nas.evaluate.validate import validate
from nas.latency.clock import best_ms, time_until_settled
from nas.latency.runtime import file_runner
from nas.training.loop import Diverged, OnStep
from nas.training.recipe import Recipe
from search_spaces.errors import InputError, NotPossible
from search_spaces.files import atomic_path
from search_spaces.network import Network

__all__ = ["QuantizeOptions", "Quantized", "quantize"]

OnStage = Callable[[str], None]

# An attention that pools sees on small patches what it never sees on photos.
_QAT_SIDE_PX = 48
_QAT_PIXELS = 2 * _QAT_SIDE_PX**2


@dataclass(frozen=True, slots=True)
class QuantizeOptions:
    """How a network is quantised.

    Attributes:
        calibration: one of `compress.calibration.METHODS`, or ``best``: all are tried, and what
            the validation photos like best is kept.
        keep_float: layers, or beginnings of their names, that stay in float32; an image skip's
            filters do in any case.
        max_drop_db: PSNR-Y that may be lost; where more is, the first and the last layers of
            .tflite files stay in float32, then the most sensitive ones, until it fits. None: what
            ``keep_float`` says, and no more.
        crops: LR crops to calibrate on.
        lr_size: (height, width) of the input that latency is measured at.
        threads: CPU threads of one operator; None is torch's number.
        rounds: timed; 0 measures no latency.
        qat_steps: of fine-tuning with rounding, where more than ``max_drop_db`` is lost with the
            first and the last layers in float32, in .tflite files; 0: none, None: what the format
            has (`nas.deploy.int8_formats`).
        qat_learning_rate: of that, in steps of 8 bits.
    """

    calibration: str = "best"
    keep_float: tuple[str, ...] = ()
    max_drop_db: float | None = 0.12
    crops: int = 24
    lr_size: tuple[int, int] = (90, 160)
    threads: int | None = None
    rounds: int = 7
    qat_steps: int | None = None
    qat_learning_rate: float = 0.012

    def __post_init__(self) -> None:
        if self.calibration not in (*METHODS, "best"):
            raise InputError(
                f"calibration: expected {', '.join(METHODS)} or best, got {self.calibration!r}"
            )
        if self.max_drop_db is not None and not self.max_drop_db >= 0:
            raise InputError(f"max drop: expected 0 dB or more, got {self.max_drop_db}")
        if min(self.lr_size) < 1 or self.crops < 1 or min(self.rounds, self.qat_steps or 0) < 0:
            raise InputError(
                f"expected sizes and crops of 1 or more, rounds and steps of 0 or more, got "
                f"{self.lr_size}, {self.crops}, {self.rounds} and {self.qat_steps}"
            )


@dataclass(frozen=True, slots=True)
class Quantized:
    """An int8 file and what it is worth, before and after.

    PSNR-Y in dB and SSIM-Y are means over the validation photos. Latency is on the CPU, ONNX
    Runtime's of .onnx files and LiteRT's of .tflite files, the best of interleaved rounds in
    milliseconds, None where it was not measured; before is the network's plain float32 export in
    the same format. ``tried`` holds PSNR-Y by calibration method,
    ``qat_steps`` is 0 where fine-tuning was not needed or made nothing better.
    """

    path: Path
    psnr_before_db: float
    psnr_after_db: float
    ssim_before: float
    ssim_after: float
    latency_before_ms: float | None
    latency_after_ms: float | None
    bytes_before: int
    bytes_after: int
    calibration: str
    tried: tuple[tuple[str, float], ...]
    float_layers: tuple[str, ...]
    layers: int
    qat_steps: int = 0

    @property
    def drop_db(self) -> float:
        """PSNR-Y lost; negative where something was won."""
        return self.psnr_before_db - self.psnr_after_db


def quantize(
    network: Network,
    calibration: Sequence[Photo],
    validation: Sequence[Photo],
    output: Path | str,
    *,
    options: QuantizeOptions | None = None,
    to_time: Path | None = None,
    on_stage: OnStage | None = None,
    on_step: OnStep | None = None,
) -> Quantized:
    """Writes the network, folded, as an int8 file that takes any number and size of images.

    Static quantisation: weights signed by output channel and rounded by `compress.rounding`,
    activations by tensor, float32 images in and out. What is chosen on the validation photos is
    chosen by what the very sort of file gives in its runtime. The file carries the same metadata
    as the format's float export, and how it was quantised.

    Args:
        network: with its weights; it stays as it is.
        calibration: HR photos that ranges are read from; their LR is made here.
        validation: HR photos to measure on; never those of a test set.
        output: the file, of an ending in `nas.deploy.int8_formats.INT8_FORMATS`.
        options: see `QuantizeOptions`.
        to_time: a further file to write for whoever times it: the same, of a format that can for
            images of ``options.lr_size`` alone.
        on_stage: called with what is done next, one line each.
        on_step: called with the steps of fine-tuning done, and the loss.

    Raises:
        InputError: an extra (``export`` or ``litert``) is not installed, no photos, a
            photo too small to be measured, no layer of a name that shall stay in float32, or the
            folder cannot be written.
    """
    options = options or QuantizeOptions()
    form = int8_format(output)
    if not validation:
        raise InputError("quantisation needs photos to validate on, got none")
    if options.qat_steps is None:
        options = replace(options, qat_steps=form.qat_steps)
    if options.qat_steps:
        need_litert()
    say = on_stage or (lambda line: None)
    arch = network.architecture
    images = crops(calibration, arch.scale, colors=arch.colors, count=options.crops)
    with tempfile.TemporaryDirectory() as name:
        plain = Path(name) / "plain.onnx"
        say("exporting")
        export_onnx(network, plain)
        floats = plain if form.ending == plain.suffix else Path(name) / f"plain{form.ending}"
        if floats != plain:
            form.in_float.write(network, floats)
        before = validate(network, validation, arch.scale, colors=arch.colors)
        chosen = Candidate(network, Path(name) / "ptq", images, validation, form, exported=plain)
        skip = [name for name in chosen.layers if name.startswith(EXACT)]
        fixed = tuple(dict.fromkeys((*skip, *chosen.matching(options.keep_float))))
        _calibrate(chosen, options.calibration, fixed, say)
        limit = math.inf if options.max_drop_db is None else options.max_drop_db
        goal_db = before.psnr_y_db - limit
        layers, best_db, taught = fixed, chosen.best_db, None
        if best_db < goal_db and form.equalized:
            say(f"{before.psnr_y_db - best_db:.3f} dB lost: the ends in float32")
            layers = tuple(dict.fromkeys((*fixed, *chosen.ends)))
            best_db = chosen.quality(chosen.best, layers).psnr_y_db
        if best_db < goal_db and options.qat_steps:
            say(f"{before.psnr_y_db - best_db:.3f} dB lost: fine-tuning with rounding")
            try:
                taught = chosen.taught(
                    Path(name) / "qat", calibration, _recipe(options, calibration, arch.scale),
                    layers, on_step=on_step,
                )  # fmt: skip
            except (Diverged, NotPossible) as reason:
                say(f"{reason}; the weights stay as they were")
        ends = layers
        if max(best_db, taught.best_db if taught is not None else best_db) < goal_db:
            say(f"{before.psnr_y_db - best_db:.3f} dB lost: measuring each layer")
            # Of the weights as they were: those that were taught are used to their rounding, and
            # lose where some of it goes.
            layers = choose_float_layers(
                chosen.path, images, chosen.ranges[chosen.best], ends,
                lambda names: chosen.quality(chosen.best, names).psnr_y_db >= goal_db,
                form, rounded=chosen.rounded,
            )  # fmt: skip
            best_db = chosen.quality(chosen.best, layers).psnr_y_db
        tuned = taught is not None and taught.best_db > best_db
        if taught is not None and tuned:
            chosen, layers = taught, ends
        after = chosen.quality(chosen.best, layers)
        say("measuring latency")
        with atomic_path(output) as temporary:
            notes = {
                "quantization": f"int8, {chosen.best} ranges of {len(images)} crops"
                + (f", {options.qat_steps} steps of fine-tuning" if tuned else ""),
                "calibration_photos": ", ".join(sorted({photo.name for photo in calibration})[:50]),
                "float_layers": ", ".join(layers),
            }
            chosen.write(temporary, layers, notes)
            if to_time is not None:
                chosen.write(to_time, layers, notes, lr_size=options.lr_size)
            _check_sizes(form, temporary, network)
            before_ms, after_ms = _latencies(form, floats, temporary, options, arch.colors)
            size = temporary.stat().st_size
        return Quantized(
            Path(output), before.psnr_y_db, after.psnr_y_db, before.ssim_y, after.ssim_y,
            before_ms, after_ms, floats.stat().st_size, size, chosen.best,
            tuple((k, q.psnr_y_db) for k, q in chosen.tried.items()), tuple(layers),
            len(chosen.layers), (options.qat_steps or 0) if tuned else 0,
        )  # fmt: skip


def _calibrate(one: Candidate, wanted: str, fixed: Sequence[str], say: OnStage) -> None:
    methods = METHODS if wanted == "best" else (wanted,)
    say(f"calibrating on {len(one.images)} crops: {', '.join(methods)}")
    one.calibrate(methods, fixed)


def _recipe(options: QuantizeOptions, photos: Sequence[Photo], scale: int) -> Recipe:
    shortest, steps = min(photo.short_side for photo in photos), options.qat_steps or 0
    side = max(1, min(_QAT_SIDE_PX, shortest // scale))
    return Recipe(
        steps=steps,
        batch=min(8, _QAT_PIXELS // side**2),
        lr_size=side,
        learning_rate=options.qat_learning_rate,
        schedule="cosine",
        warmup_steps=min(10, steps // 4),
    )


def _check_sizes(form: Int8Format, path: Path, network: Network) -> None:
    run, arch = form.open(path), network.architecture
    for n, height, width in PARITY_SIZES:
        out = run(np.full((n, arch.colors, height, width), 0.5, np.float32))
        expected = (n, arch.colors, height * arch.scale, width * arch.scale)
        if out.shape != expected or not np.isfinite(out).all():
            raise NotPossible(f"int8 file: expected finite {expected}, got {out.shape}")


def _latencies(
    form: Int8Format, before: Path, after: Path, options: QuantizeOptions, colors: int
) -> tuple[float | None, float | None]:
    if options.rounds == 0:
        return None, None
    with with_threads(options.threads):
        entrants = {
            name: file_runner(path, colors, options.lr_size, form.runtime)
            for name, path in (("before", before), ("after", after))
        }
    laps = time_until_settled(entrants, rounds=options.rounds, warmup=2, device="cpu")
    return best_ms(laps["before"].worked_ms), best_ms(laps["after"].worked_ms)
