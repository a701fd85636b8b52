"""``nas import``: a published checkpoint as a network of ours."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nas.cli.targets import check_target
from search_spaces.errors import InputError

__all__ = ["import_"]


def import_(
    file: Annotated[Path, typer.Argument(help="The checkpoint, a .pth file.")],
    preset: Annotated[str, typer.Option(help="Which published system it is: see nas presets.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The .safetensors to write.")],
    scale: Annotated[int, typer.Option(help="2, 3 or 4.")] = 4,
    layout: Annotated[
        list[Path] | None,
        typer.Option(help="A key map (YAML) for weights that other code names; may be repeated."),
    ] = None,
) -> None:
    """Import published weights: every one is used, nothing in the file is run."""
    if output.suffix != ".safetensors":
        raise InputError(f"--output: expected a name that ends in .safetensors, got {output}")
    check_target(output)
    from search_spaces import price, save_weights
    from search_spaces.checkpoints import import_checkpoint

    network = import_checkpoint(file, preset, scale, layouts=layout or ())
    save_weights(network, output)
    arch = network.architecture
    print(f"{output}: {preset} x{scale}, {price(arch).params:,} parameters, hash {arch.hash}")
