"""OpenVINO: running ONNX files with it, and nothing told to its makers."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nas.deploy.opened import Opened, Taken
from nas.deploy.parity import Array
from search_spaces.errors import InputError
from search_spaces.extras import need
from search_spaces.regular import irregular

__all__ = ["open_openvino"]

_TELEMETRY = "openvino_telemetry"


def open_openvino(path: Path | str, *, threads: int | None = None) -> Opened:
    """Any ONNX file in OpenVINO, on the CPU, float32 as float32.

    Raises:
        InputError: OpenVINO is missing, or the file is not one that it can load.
    """
    need("--runtime openvino", "openvino", "openvino")
    if problem := irregular(path):
        raise InputError(f"{path}: {problem}; expected an .onnx file")
    ov = _openvino()
    # Where a processor multiplies bfloat16, it would take that.
    settings: dict[str, Any] = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
    if threads is not None:
        settings |= {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1}
    try:
        # Asked for a file of any kind, it tries all its readers, which write to standard error.
        reader = ov.frontend.FrontEndManager().load_by_framework("onnx")
        model = reader.convert(reader.load(str(path)))
        if not model.outputs:
            # It takes an empty file for an empty graph.
            raise ValueError("no graph in it")
        compiled = ov.Core().compile_model(model, "CPU", settings)
    # Its errors share no class with a public name.
    except Exception as error:
        raise InputError(f"{path}: OpenVINO cannot load it ({_reason(error)})") from None

    def run(given: Mapping[str, Array]) -> Array:
        # A request each: one alone serves one thread.
        request = compiled.create_infer_request()
        try:
            request.infer(dict(given), share_inputs=True)
        except RuntimeError as error:
            raise RuntimeError(_reason(error)) from None
        return np.array(request.get_output_tensor(0).data, np.float32)

    inputs = tuple(
        Taken(one.any_name, one.element_type.to_dtype().name, _shape(one.partial_shape))
        for one in compiled.inputs
    )
    # Where an ONNX file's metadata are kept.
    said = model.get_rt_info("framework").value if model.has_rt_info("framework") else {}
    metadata = {key: str(text) for key, text in said.items()}
    return Opened(run, inputs, len(compiled.outputs), metadata)


def _shape(partial: Any) -> tuple[int | None, ...]:
    if partial.rank.is_dynamic:
        return ()
    return tuple(None if side.is_dynamic else side.get_length() for side in partial)


def _reason(error: Exception) -> str:
    # Of several lines the first ones name places in its sources.
    return [line.strip() for line in str(error).splitlines() if line.strip()][-1]


def _openvino() -> Any:
    """The package, without what it sends to its makers whenever it is imported.

    It says on import that it was imported, to Google Analytics, unless a file in the user's home
    forbids it. Where the package that sends is not there, it takes a stub of its own instead.
    """
    if "openvino" not in sys.modules and _TELEMETRY not in sys.modules:
        sys.modules[_TELEMETRY] = None  # type: ignore[assignment]
        try:
            import openvino
        finally:
            del sys.modules[_TELEMETRY]
        return openvino
    import openvino

    return openvino
