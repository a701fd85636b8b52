"""``nas export``: a network as a file of its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from nas.cli.options import OUTPUT, Force, PresetScale, Storage, Trial, argument, option
from nas.cli.shipped import card_rows
from nas.cli.targets import check_folder, check_target
from nas.deploy.formats import FORMATS, format_for
from nas.size import parse_size
from search_spaces.errors import InputError

if TYPE_CHECKING:
    from nas.records import TrialRecord

__all__ = ["export"]

_NAMES = ", ".join(one.endings[0] for one in FORMATS.values() if one.endings and one.by_name)
_SIZED = ", ".join(name for name, one in FORMATS.items() if one.is_sized)
_ABOUT = "; ".join(
    f"{name}: {one.about}{f' (extra {one.extra})' if one.extra else ''}"
    for name, one in FORMATS.items()
)


def export(
    source: Annotated[
        Path,
        argument(
            "A run folder, a .safetensors file, a folder of nas export or a network that ships; "
            "for a config also a .yaml file or a preset's name.",
            metavar="RUN|NET",
        ),
    ],
    output: Annotated[Path, option(f"A name that ends in {_NAMES}; or a folder.", *OUTPUT)],
    trial: Trial = "best",
    file_format: Annotated[str | None, option(f"Else by the name. {_ABOUT}.", "--format")] = None,
    size: Annotated[
        str | None,
        option(
            f"WIDTHxHEIGHT of the one image that the file is to take ({_SIZED}), which GPUs of "
            f"phones need for networks with ESA. Default: any size."
        ),
    ] = None,
    scale: PresetScale = 4,
    storage: Storage = None,
    force: Force = False,
) -> None:
    """Write a network as a file of its own: config, weights, ONNX, ncnn, TorchScript or Python.

    All but the config and our own weights take any number of images of any size, as RGB in 0..1,
    unless --size says one, and are compared with the network at several sizes before they are
    written.
    """
    from nas.networks import architecture_of, is_run, shipped_card, trained_network
    from nas.run import open_run

    made = format_for(output, file_format)
    lr_size = None if size is None else parse_size(size)
    if lr_size is not None and not made.is_sized:
        raise InputError(f"--size: expected an output for {_SIZED}; {output} takes any size")
    if made.endings:
        for path in (output, *(output.with_suffix(ending) for ending in made.beside)):
            check_target(path, force=force)
    else:
        check_folder(output, force=force)
    record = open_run(source, storage=storage).trial(trial) if is_run(source) else None
    if made.weights:
        network = trained_network(source, trial=trial, storage=storage)
        notes = _notes(record) if made.is_told and record is not None else []
        if (card := shipped_card(source)) is not None:
            notes = [f"{label}: {text}" for label, text in card_rows(card)]
        parity = made.write(network, output, str(source), notes, lr_size=lr_size)
    else:
        arch = architecture_of(source, scale, trial=trial, storage=storage)
        parity = made.write(arch, output)
    remark = ""
    if parity is not None:
        sizes = ", ".join(f"{width}x{height}" for _, height, width in parity.sizes)
        by = f" in {parity.by}" if parity.by else ""
        remark = f"; differs from the network by {parity.difference:.1e} at most{by} ({sizes})"
    name = str(source) if record is None else f"Trial {record.number}"
    print(f"{name} written to {output}{remark}")


def _notes(record: TrialRecord) -> list[str]:
    """How a run's network was trained and what it was worth."""
    made = record.made_with
    return [
        f"trial {record.number} of the run, trained for {record.train_steps:,} steps, profile "
        f"`{made.get('profile')}`, on `{made.get('data')}` (fingerprint "
        f"{made.get('data_fingerprint')})",
        f"PSNR-Y {record.psnr_y_db:.3f} dB, SSIM-Y {record.ssim_y:.4f} on the validation photos, "
        f"which chose it: no figure to report",
        "a search trains for a short while only: train it fully before use",
    ]
