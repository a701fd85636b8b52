"""``nas export``: a network as a file of its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nas.cli.targets import check_target
from search_spaces.errors import InputError

if TYPE_CHECKING:
    from nas.deploy.parity import Parity
    from search_spaces import Architecture, Network

__all__ = ["export"]

_ENDINGS = {
    ".yaml": "yaml",
    ".yml": "yaml",
    ".safetensors": "safetensors",
    ".onnx": "onnx",
    ".pt": "torchscript",
    ".ts": "torchscript",
    ".torchscript": "torchscript",
    ".py": "ntire",
}
_FOLDERS = ("basicsr", "folder")


def export(
    source: Annotated[Path, typer.Argument(metavar="RUN|NET", help="Run folder or network file.")],
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            help="net.yaml, .safetensors, .onnx, .pt (TorchScript), .py; or a folder.",
        ),
    ],
    trial: Annotated[str, typer.Option(help="Of a run: best, or a trial's number.")] = "best",
    file_format: Annotated[
        str | None,
        typer.Option(
            "--format",
            help="yaml, safetensors, onnx, torchscript, ntire, basicsr, folder; else by the name.",
        ),
    ] = None,
    storage: Annotated[
        str | None, typer.Option(help="URL of the run's store, if it needs a password.")
    ] = None,
) -> None:
    """Write a network as a file of its own: config, weights, ONNX, TorchScript or plain Python.

    ONNX, TorchScript and Python take any number of images of any size, as RGB in 0..1, and are
    compared with the network at several sizes before they are written. ntire: NAME.py that
    needs torch alone, and NAME.pth. basicsr: a folder with an architecture, options and
    weights for BasicSR. folder: config, weights and README.
    """
    from nas.networks import is_run

    kind = _kind(output, file_format)
    if kind not in _FOLDERS:
        check_target(output)
    name = f"Trial {_number(source, trial, storage)}" if is_run(source) else str(source)
    remark = ""
    if kind == "yaml":
        _architecture(source, trial, storage).save(output)
    else:
        remark = _write(kind, source, trial, storage, output)
    print(f"{name} written to {output}{remark}")


def _kind(output: Path, file_format: str | None) -> str:
    named = _ENDINGS.get(output.suffix.lower())
    if file_format is None and named is None:
        raise InputError(
            f"{output}: expected a name that ends in {', '.join(_ENDINGS)}, or a --format"
            f" ({', '.join(_FOLDERS)} make a folder)"
        )
    kind = file_format or named
    if kind not in (*_ENDINGS.values(), *_FOLDERS):
        known = ", ".join((*dict.fromkeys(_ENDINGS.values()), *_FOLDERS))
        raise InputError(f"--format: expected {known}, got {file_format}")
    if named not in (None, kind):
        raise InputError(f"--output {output} is {named} by its name, but --format is {kind}")
    return str(kind)


def _number(source: Path, trial: str, storage: str | None) -> int:
    from nas.run import open_run

    return open_run(source, storage=storage).trial(trial).number


def _architecture(source: Path, trial: str, storage: str | None) -> Architecture:
    from nas.networks import is_run, trained_network
    from search_spaces import Architecture

    if is_run(source):
        from nas.run import open_run

        # Its weights may not have been kept, and are not needed.
        record = open_run(source, storage=storage).trial(trial)
        return Architecture.from_dict(record.architecture)
    if source.suffix.lower() in (".yaml", ".yml"):
        return Architecture.load(source)
    return trained_network(source).architecture


def _write(kind: str, source: Path, trial: str, storage: str | None, output: Path) -> str:
    from nas.networks import trained_network

    network = trained_network(source, trial=trial, storage=storage)
    if kind == "safetensors":
        from search_spaces import save_weights

        save_weights(network, output)
        return ""
    if kind == "folder":
        from nas.deploy.folder import export_folder

        export_folder(network, output, source=str(source), notes=_notes(source, trial, storage))
        return ""
    parity = _checked(kind, network, output)
    sizes = ", ".join(f"{width}x{height}" for _, height, width in parity.sizes)
    return f"; differs from the network by {parity.difference:.1e} at most ({sizes})"


def _notes(source: Path, trial: str, storage: str | None) -> list[str]:
    """How a run's network was trained and what it was worth."""
    from nas.networks import is_run

    if not is_run(source):
        return []
    from nas.run import open_run

    record = open_run(source, storage=storage).trial(trial)
    made = record.made_with
    return [
        f"trial {record.number} of the run, trained for {record.train_steps:,} steps, profile "
        f"`{made.get('profile')}`, on `{made.get('data')}` (fingerprint "
        f"{made.get('data_fingerprint')})",
        f"PSNR-Y {record.psnr_y_db:.3f} dB, SSIM-Y {record.ssim_y:.4f} on the validation photos, "
        f"which chose it: no figure to report",
        "a search trains for a short while only: train it fully before use",
    ]


def _checked(kind: str, network: Network, output: Path) -> Parity:
    if kind == "onnx":
        from nas.deploy.onnx_file import export_onnx

        return export_onnx(network, output)
    if kind == "torchscript":
        from nas.deploy.torchscript import export_torchscript

        return export_torchscript(network, output)
    if kind == "ntire":
        from nas.deploy.single_file import export_single_file

        if output.suffix != ".py":
            raise InputError(f"--output {output}: expected a name that ends in .py")
        return export_single_file(network, output)
    from nas.deploy.basicsr import export_basicsr

    return export_basicsr(network, output)
