"""``nas compress quantize``: a network as an int8 file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from nas.cli.console import PlainConsole, figures_table
from nas.cli.lines import say
from nas.cli.options import (
    OUTPUT,
    Force,
    Lr,
    OwnData,
    OwnDegradation,
    OwnValidation,
    QatSteps,
    Size,
    Threads,
    Trained,
    Trial,
    ValidationLr,
    option,
)
from nas.cli.targets import check_target

if TYPE_CHECKING:
    from compress.quantize import Quantized

__all__ = ["quantize"]


def quantize(
    network: Trained,
    output: Annotated[Path, option("The .onnx or .tflite to write.", *OUTPUT)],
    trial: Trial = "best",
    data: OwnData = None,
    lr: Lr = None,
    val: OwnValidation = None,
    val_lr: ValidationLr = None,
    degradation: OwnDegradation = None,
    calibration: Annotated[
        str, option("Ranges by percentile, entropy, minmax, mse, or the best of them.")
    ] = "best",
    keep_float: Annotated[
        str | None, option("Layers that stay in float32, or beginnings: a,b.c")
    ] = None,
    max_drop: Annotated[
        float | None,
        option("dB of PSNR-Y that may be lost; sensitive layers stay in float32."),
    ] = None,
    qat_steps: QatSteps = None,
    size: Size = "160x90",
    threads: Threads = None,
    rounds: Annotated[int, option("Timed rounds; 0 measures no latency.")] = 7,
    force: Force = False,
) -> None:
    """Quantise to int8, calibrated on photos: an ONNX or LiteRT file for images of any size.

    Without --keep-float, layers are kept in float32 by measured sensitivity until --max-drop
    (0.12 dB) is kept to, of .tflite files the first and the last ones before others.
    """
    from compress.quantize import QuantizeOptions
    from compress.quantize import quantize as quantize_network
    from nas.cli.compress.training import dataset_of, places_of
    from nas.data.places import PhotoPlaces
    from nas.deploy.int8_formats import int8_format
    from nas.networks import trained_network
    from nas.size import parse_size

    form = int8_format(output, "--output")
    steps = form.qat_steps if qat_steps is None else qat_steps
    check_target(output, force=force)
    kept = tuple(name.strip() for name in (keep_float or "").split(",") if name.strip())
    options = QuantizeOptions(
        calibration=calibration,
        keep_float=kept,
        max_drop_db=0.12 if max_drop is None and not kept else max_drop,
        lr_size=parse_size(size),
        threads=threads,
        rounds=rounds,
        qat_steps=steps,
    )
    given = trained_network(network, trial=trial)
    places = places_of([network], PhotoPlaces.of(data, val, lr, val_lr, degradation))
    photos = dataset_of(given.architecture.scale, places, None)
    result = quantize_network(
        given, photos.train, photos.validation, output, options=options,
        on_stage=say,
        on_step=lambda step, _: None if step % 20 else say(f"step {step}/{steps}"),
    )  # fmt: skip
    _print(network.name, result, options.max_drop_db)


def _print(name: str, result: Quantized, limit_db: float | None) -> None:
    table = figures_table("", "float32", "int8", "", title=name)
    drop = result.psnr_after_db - result.psnr_before_db
    table.add_row("PSNR-Y [dB]", f"{result.psnr_before_db:.3f}", f"{result.psnr_after_db:.3f}",
                  f"{drop:+.3f}")  # fmt: skip
    table.add_row("SSIM-Y", f"{result.ssim_before:.5f}", f"{result.ssim_after:.5f}",
                  f"{result.ssim_after - result.ssim_before:+.5f}")  # fmt: skip
    if result.latency_before_ms is not None and result.latency_after_ms is not None:
        before_ms, after_ms = result.latency_before_ms, result.latency_after_ms
        table.add_row("Latency [ms]", f"{before_ms:.2f}", f"{after_ms:.2f}",
                      f"{before_ms / after_ms:.2f} times as fast")  # fmt: skip
    table.add_row("File [KB]", f"{result.bytes_before / 1e3:,.0f}",
                  f"{result.bytes_after / 1e3:,.0f}",
                  f"{result.bytes_after / result.bytes_before:.1%}")  # fmt: skip
    PlainConsole().print(table)
    ways = ", ".join(f"{way} {psnr_db:.3f} dB" for way, psnr_db in result.tried)
    print(f"Ranges: {result.calibration} (all in int8: {ways})")
    kept = ", ".join(result.float_layers) or "none"
    print(f"Kept in float32, {len(result.float_layers)} of {result.layers} layers: {kept}")
    if result.qat_steps:
        print(f"Fine-tuned with rounding for {result.qat_steps} steps")
    if limit_db is not None and result.drop_db > limit_db:
        print(f"{result.drop_db:.3f} dB are lost, more than {limit_db:g}: try more --qat-steps, or "
              f"--keep-float")  # fmt: skip
    print(f"Written to {result.path}")
