"""Options that several compress commands share, so that they mean the same everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["Data", "Device", "Profile", "Size", "Validation"]

Data = Annotated[
    Path | None, typer.Option("--data", help="Folder of HR photos; else a few that come along.")
]
Validation = Annotated[
    Path | None,
    typer.Option("--val", help="Folder of validation photos; else some of the others."),
]
Profile = Annotated[
    str, typer.Option("--profile", help="Recipe of the training: smoke, quick, standard or full.")
]
Size = Annotated[str, typer.Option("--size", help="WIDTHxHEIGHT that latency is timed at.")]
Device = Annotated[str | None, typer.Option("--device", help="As torch names it: cpu, cuda, ...")]
