"""``nas export``: a network as a file of its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nas.cli.options import Trial
from nas.cli.targets import check_target
from nas.deploy.formats import FORMATS, format_for

if TYPE_CHECKING:
    pass

__all__ = ["export"]

_NAMES = ", ".join(one.endings[0] for one in FORMATS.values() if one.endings)
_ABOUT = "; ".join(
    f"{name}: {one.about}{f' (extra {one.extra})' if one.extra else ''}"
    for name, one in FORMATS.items()
)


def export(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="RUN|NET",
            help="A run folder, a .safetensors file or a folder of nas export; for a config also a "
            ".yaml file or a preset's name.",
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help=f"A name that ends in {_NAMES}; or a folder.")
    ],
    trial: Trial = "best",
    file_format: Annotated[
        str | None, typer.Option("--format", help=f"Else by the name. {_ABOUT}.")
    ] = None,
    scale: Annotated[int, typer.Option(help="Scale of a preset: 2, 3 or 4.")] = 4,
    storage: Annotated[
        str | None, typer.Option(help="URL of the run's store, if it needs a password.")
    ] = None,
) -> None:
    """Write a network as a file of its own: config, weights, ONNX, TorchScript or plain Python.

    All but the config and our own weights take any number of images of any size, as RGB in 0..1,
    and are compared with the network at several sizes before they are written.
    """
    from nas.networks import architecture_of, is_run, trained_network

    made = format_for(output, file_format)
    if made.endings:
        check_target(output)
    name = f"Trial {_number(source, trial, storage)}" if is_run(source) else str(source)
    if made.weights:
        network = trained_network(source, trial=trial, storage=storage)
        notes = _notes(source, trial, storage) if made.is_told else []
        parity = made.write(network, output, str(source), notes)
    else:
        arch = architecture_of(source, scale, trial=trial, storage=storage)
        parity = made.write(arch, output)
    remark = ""
    if parity is not None:
        sizes = ", ".join(f"{width}x{height}" for _, height, width in parity.sizes)
        remark = f"; differs from the network by {parity.difference:.1e} at most ({sizes})"
    print(f"{name} written to {output}{remark}")


def _number(source: Path, trial: str, storage: str | None) -> int:
    from nas.run import open_run

    return open_run(source, storage=storage).trial(trial).number


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
