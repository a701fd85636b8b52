"""int8: a network as an ONNX file whose convolutions run in 8-bit integers."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from compress.calibration import METHODS, Array, Ranges, crops, ranges, watch
from compress.fold import fold
from compress.int8_graph import layer_names, prepared, write_int8
from compress.layer_choice import choose_float_layers
from nas.data.photo import Photo
from nas.deploy.onnx_file import export_onnx, open_session
from nas.deploy.parity import PARITY_SIZES
from nas.deploy.runtime import threads as with_threads
from nas.deploy.stopwatch import summary, time_in_turns
from nas.evaluate.validate import Quality, validate
from search_spaces.errors import InputError
from search_spaces.files import atomic_path
from search_spaces.network import Network

__all__ = ["QuantizeOptions", "Quantized", "quality_of", "quantize"]

OnStage = Callable[[str], None]

_DEFAULT_FLOAT = 0.12


@dataclass(frozen=True, slots=True)
class QuantizeOptions:
    """How a network is quantised.

    Attributes:
        calibration: one of `compress.calibration.METHODS`, or ``best``: all are tried, and what
            the validation photos like best is kept.
        keep_float: layers, or beginnings of their names, that stay in float32.
        max_drop_db: PSNR-Y that may be lost; where more is, the most sensitive layers stay in
            float32 as well, until it fits. None: what ``keep_float`` says, and no more.
        crops: LR crops to calibrate on.
        lr_size: (height, width) of the input that latency is measured at.
        threads: CPU threads of one operator; None is torch's number.
        rounds: timed; 0 measures no latency.
    """

    calibration: str = "best"
    keep_float: tuple[str, ...] = ()
    max_drop_db: float | None = _DEFAULT_FLOAT
    crops: int = 24
    lr_size: tuple[int, int] = (90, 160)
    threads: int | None = None
    rounds: int = 7

    def __post_init__(self) -> None:
        if self.calibration not in (*METHODS, "best"):
            raise InputError(
                f"calibration: expected {', '.join(METHODS)} or best, got {self.calibration!r}"
            )
        if self.max_drop_db is not None and not self.max_drop_db >= 0:
            raise InputError(f"max drop: expected 0 dB or more, got {self.max_drop_db}")
        if min(self.lr_size) < 1 or self.crops < 1 or self.rounds < 0:
            raise InputError(
                f"expected sizes and crops of 1 or more and rounds of 0 or more, got "
                f"{self.lr_size}, {self.crops} and {self.rounds}"
            )


@dataclass(frozen=True, slots=True)
class Quantized:
    """An int8 ONNX file and what it is worth, before and after.

    PSNR-Y in dB and SSIM-Y are means over the validation photos. Latency is ONNX Runtime's on
    the CPU, median of interleaved rounds in milliseconds, None where it was not measured;
    before is the network's plain float32 export. ``tried`` holds PSNR-Y by calibration method.
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
    on_stage: OnStage | None = None,
) -> Quantized:
    """Writes the network, folded, as an int8 ONNX file that takes any number and size of images.

    Static quantisation by ONNX Runtime: weights signed by output channel, activations unsigned
    by tensor. The file carries the same metadata as `nas.deploy.onnx_file.export_onnx`'s, and
    how it was quantised.

    Args:
        network: with its weights; it stays as it is.
        calibration: HR photos that ranges are read from; their LR is made here.
        validation: HR photos to measure on; never those of a test set.
        output: the file, ``.onnx``.
        options: see `QuantizeOptions`.
        on_stage: called with what is done next, one line each.

    Raises:
        InputError: the extra ``export`` is not installed, no photos, a photo too small to be
            measured, no layer of a name that shall stay in float32, or the folder cannot be
            written.
    """
    options = options or QuantizeOptions()
    if Path(output).suffix != ".onnx":
        raise InputError(f"output: expected a name that ends in .onnx, got {output}")
    if not validation:
        raise InputError("quantisation needs photos to validate on, got none")
    say = on_stage or (lambda line: None)
    arch = network.architecture
    images = crops(calibration, arch.scale, colors=arch.colors, count=options.crops)
    with tempfile.TemporaryDirectory() as name:
        work = _Work(Path(name), network, images, validation, options)
        say("exporting")
        work.export()
        fixed = _matching(options.keep_float, work.layers)
        best, tried = _best_calibration(work, fixed, say)
        layers = fixed
        drop = work.before.psnr_y_db - tried[best].psnr_y_db
        limit = options.max_drop_db
        if limit is not None and drop > limit:
            say(f"{drop:.3f} dB lost, more than {limit:g}: measuring each layer")

            def enough(chosen: Sequence[str]) -> bool:
                return work.before.psnr_y_db - work.quality(best, chosen).psnr_y_db <= limit

            layers = choose_float_layers(work.float_path, images, work.ranges[best], fixed, enough)
        after = work.quality(best, layers)
        say("measuring latency")
        with atomic_path(output) as temporary:
            notes = {"quantization": f"int8, {best} ranges of {len(images)} crops",
                     "float_layers": ", ".join(layers)}  # fmt: skip
            write_int8(work.float_path, temporary, work.ranges[best], float_layers=layers,
                       metadata=notes)  # fmt: skip
            _check_sizes(temporary, network)
            before_ms, after_ms = _latencies(work.plain_path, temporary, options, arch.colors)
            size = temporary.stat().st_size
        return Quantized(
            Path(output), work.before.psnr_y_db, after.psnr_y_db, work.before.ssim_y,
            after.ssim_y, before_ms, after_ms, work.plain_path.stat().st_size, size, best,
            tuple((k, q.psnr_y_db) for k, q in tried.items()), tuple(layers), len(work.layers),
        )  # fmt: skip


def quality_of(path: Path, photos: Sequence[Photo], scale: int, *, colors: int = 3) -> Quality:
    """PSNR-Y and SSIM-Y of an ONNX file of ours."""
    return validate(_Session(path), photos, scale, colors=colors)


class _Session(torch.nn.Module):
    """An ONNX file as a module."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.run = open_session(path, threads=torch.get_num_threads())

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """(N, colors, h, w) to (N, colors, H, W)."""
        return torch.from_numpy(self.run(image.contiguous().numpy()))


class _Work:
    """Files and figures of one quantisation, each made once."""

    def __init__(
        self,
        folder: Path,
        network: Network,
        images: Sequence[Array],
        validation: Sequence[Photo],
        options: QuantizeOptions,
    ) -> None:
        self.network, self.images, self.validation = network, images, validation
        self.options = options
        self.plain_path, self.float_path = folder / "plain.onnx", folder / "float.onnx"
        self.trial_path = folder / "trial.onnx"
        self.ranges: dict[str, Ranges] = {}
        self.layers: tuple[str, ...] = ()

    def export(self) -> None:
        """The network as it is and as it will be quantised, and what it is worth."""
        export_onnx(self.network, self.plain_path)
        lean, source = fold(self.network).network, self.plain_path
        if lean.architecture != self.network.architecture:
            source = self.float_path.with_name("folded.onnx")
            export_onnx(lean, source)
        self.model = prepared(source, self.float_path)
        self.layers = tuple(layer_names(self.model))
        arch = self.network.architecture
        self.before = validate(self.network, self.validation, arch.scale, colors=arch.colors)

    def calibrate(self, methods: Sequence[str]) -> None:
        """Ranges by every method."""
        seen = watch(self.float_path, self.images, entropy="entropy" in methods)
        for method in methods:
            self.ranges[method] = ranges(seen, method, self.model)

    def quality(self, method: str, float_layers: Sequence[str]) -> Quality:
        """On the validation photos, in int8."""
        arch = self.network.architecture
        write_int8(self.float_path, self.trial_path, self.ranges[method], float_layers=float_layers)
        return quality_of(self.trial_path, self.validation, arch.scale, colors=arch.colors)


def _best_calibration(
    work: _Work, float_layers: Sequence[str], say: OnStage
) -> tuple[str, dict[str, Quality]]:
    wanted = work.options.calibration
    methods = METHODS if wanted == "best" else (wanted,)
    say(f"calibrating on {len(work.images)} crops")
    work.calibrate(methods)
    tried = {}
    for method in methods:
        say(f"validating {method} ranges")
        tried[method] = work.quality(method, float_layers)
    return max(tried, key=lambda method: tried[method].psnr_y_db), tried


def _matching(wanted: Sequence[str], layers: Sequence[str]) -> tuple[str, ...]:
    chosen: list[str] = []
    for name in wanted:
        found = [one for one in layers if one == name or one.startswith(f"{name}.")]
        if not found:
            raise InputError(
                f"no layer {name}; expected one, or the beginning of one, of: {', '.join(layers)}"
            )
        chosen += [one for one in found if one not in chosen]
    return tuple(chosen)


def _check_sizes(path: Path, network: Network) -> None:
    run, arch = open_session(path), network.architecture
    for n, height, width in PARITY_SIZES:
        out = run(np.full((n, arch.colors, height, width), 0.5, np.float32))
        expected = (n, arch.colors, height * arch.scale, width * arch.scale)
        if out.shape != expected or not np.isfinite(out).all():
            raise InputError(f"int8 graph: expected finite {expected}, got {out.shape}")


def _latencies(
    before: Path, after: Path, options: QuantizeOptions, colors: int
) -> tuple[float | None, float | None]:
    if options.rounds == 0:
        return None, None
    image = np.random.default_rng(0).random((1, colors, *options.lr_size), np.float32)
    with with_threads(options.threads) as count:
        sessions = [open_session(path, threads=count) for path in (before, after)]
    times = time_in_turns(
        {"before": lambda: sessions[0](image), "after": lambda: sessions[1](image)},
        rounds=options.rounds, warmup=2,
    )  # fmt: skip
    return summary(times["before"]).median_ms, summary(times["after"]).median_ms
