"""``nas export``: a trial's network as a file of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["export"]


def export(
    run: Annotated[Path, typer.Argument(help="The run folder.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="net.yaml, or net.safetensors with weights.")
    ],
    trial: Annotated[str, typer.Option(help="best, or a trial's number.")] = "best",
    storage: Annotated[
        str | None, typer.Option(help="URL of the run's store, if it needs a password.")
    ] = None,
) -> None:
    """Write the network of a trial: its config, or config and trained weights in one file."""
    import shutil

    from nas.run import open_run
    from search_spaces.errors import InputError
    from search_spaces.files import atomic_path
    from search_spaces.yaml_file import to_yaml

    opened = open_run(run, storage=storage)
    record = opened.trial(trial)
    if output.suffix in (".yaml", ".yml"):
        with atomic_path(output) as temporary:
            temporary.write_text(to_yaml(dict(record.architecture)), encoding="utf-8")
    elif output.suffix == ".safetensors":
        weights = opened.weights(record)
        if not weights.exists():
            raise InputError(
                f"trial {record.number}: its weights were not kept; expected a trial on the "
                f"front (its config can be had as .yaml and trained again)"
            )
        with atomic_path(output) as temporary:
            shutil.copyfile(weights, temporary)
    else:
        raise InputError(f"{output}: expected a name that ends in .yaml or .safetensors")
    print(f"Trial {record.number} written to {output}")
