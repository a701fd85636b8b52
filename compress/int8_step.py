"""The last step of a pipeline: the network as an int8 graph, and whether that pays."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from compress.quantize import Quantized, QuantizeOptions, quantize
from compress.step import Judge
from nas.compression import INT8, CompressionStep
from nas.deploy.int8_formats import INT8_FORMATS, int8_format
from nas.deploy.runtimes import RUNTIMES
from nas.latency.command.clock import DeviceClock
from nas.records import REJECTED, TrialRecord
from search_spaces.errors import NotPossible
from search_spaces.network import Network

__all__ = ["to_int8", "usual_ending"]

_TOLD_EVERY = 20


def usual_ending(clock: DeviceClock | None) -> str:
    """Of the int8 file that a device takes; ONNX's where it takes none, or there is no device."""
    able = (one for one in INT8_FORMATS if clock is not None and clock.takes(Path(f"net{one}")))
    return next(able, ".onnx")


def to_int8(
    network: Network,
    before: TrialRecord,
    place: int,
    file: Path,
    judge: Judge,
    most_drop_db: float,
    *,
    qat_steps: int | None = None,
    on_stage: Callable[[str], None] | None = None,
) -> CompressionStep:
    """Quantises the network, and keeps the file where it is smaller, faster and good enough.

    Times are those of the file's runtime here, or of the device that the judge's meter asks, if
    that takes such files and no others. A device that was given every network in int8 so far does
    not tell what int8 gains.

    Args:
        network: it stays as it is.
        before: its figures; those of int8 are the same but for quality and latency.
        place: of the step.
        file: to write, of an ending in `INT8_FORMATS`; gone again where it is not kept.
        judge: its photos are calibrated and measured on.
        most_drop_db: PSNR-Y that may be lost.
        qat_steps: see `compress.quantize.QuantizeOptions`.
        on_stage: called with what is done next and how far it is, one line each.

    Raises:
        InputError: what says nothing of the network, such as a package that is not installed.
    """
    began = time.perf_counter()
    source = f"compressed:{INT8}"
    clock, form = judge.meter.clock, int8_format(file)
    steps = form.qat_steps if qat_steps is None else qat_steps
    options = QuantizeOptions(
        max_drop_db=most_drop_db, lr_size=judge.meter.latency_lr, threads=judge.meter.threads,
        qat_steps=steps,
    )  # fmt: skip
    if clock is not None:
        options = replace(options, rounds=0)
    photos = judge.dataset

    def told(line: str) -> None:
        if on_stage is not None:
            on_stage(f"{INT8}: {line}")

    try:
        with tempfile.TemporaryDirectory() as name:
            timed = Path(name) / file.name if clock is not None and form.is_sized else file
            made = quantize(
                network, photos.train, photos.validation, file, options=options,
                to_time=None if timed == file else timed, on_stage=told,
                on_step=lambda step, _: (
                    None if step % _TOLD_EVERY else told(f"step {step}/{steps}")
                ),
            )  # fmt: skip
            if clock is not None and clock.takes(file):
                before_ms = None if clock.setup.takes_int8 else before.latency_ms
                after_ms = clock.measure_file(timed, network.architecture).latency_ms
                made = replace(made, latency_before_ms=before_ms, latency_after_ms=after_ms)
    except NotPossible as error:
        file.unlink(missing_ok=True)
        record = TrialRecord(judge.trial, REJECTED, source, reason=str(error))
        return CompressionStep(place, INT8, False, record, seconds=_since(began))
    where = f"in {RUNTIMES[form.runtime].title}" if clock is None else "on the device"
    reason = _worse(made, most_drop_db, where)
    record = replace(
        before,
        source=source,
        state=REJECTED if reason else before.state,
        reason=reason,
        # What a model foretells of another device says nothing of int8 on it.
        latency_ms=None if judge.meter.latency_model else made.latency_after_ms,
        latency_min_ms=None,
        # SPAN was not timed in int8.
        esr_score=None,
        memory_mb=None,
        psnr_y_db=made.psnr_after_db,
        ssim_y=made.ssim_after,
    )
    if reason:
        file.unlink(missing_ok=True)
    return CompressionStep(
        place, INT8, not reason, record, "" if reason else file.name,
        None if reason else made.bytes_after, _since(began), _note(made, where),
    )  # fmt: skip


def _worse(made: Quantized, most_drop_db: float, where: str) -> str:
    """Why int8 is not worth keeping, one line; ``""`` where it is."""
    if made.drop_db > most_drop_db:
        return f"int8 costs {made.drop_db:.3f} dB, more than {most_drop_db:g}"
    if made.bytes_after >= made.bytes_before:
        return f"the int8 file has {made.bytes_after:,} bytes, float32 {made.bytes_before:,}"
    after_ms, before_ms = made.latency_after_ms, made.latency_before_ms
    if after_ms is not None and before_ms is not None and after_ms >= before_ms:
        return f"int8 takes {after_ms:.2f} ms, float32 {before_ms:.2f} ms, both {where}"
    return ""


def _note(made: Quantized, where: str) -> str:
    parts = [f"{made.calibration} ranges, {len(made.float_layers)} of {made.layers} layers float"]
    if made.qat_steps:
        parts[0] += f", {made.qat_steps} steps of fine-tuning with rounding"
    if made.latency_before_ms is not None and made.latency_after_ms is not None:
        times = made.latency_before_ms / made.latency_after_ms
        parts.append(f"{times:.2f} times as fast as float32 {where}")
    parts.append(f"{made.bytes_after / made.bytes_before:.0%} of its file")
    return "; ".join(parts)


def _since(began: float) -> float:
    return round(time.perf_counter() - began, 1)
