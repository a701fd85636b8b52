"""Options that many commands share, so that they mean the same everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["Trained", "Trial"]

Trained = Annotated[
    Path,
    typer.Argument(help="A .safetensors file, a run folder, or a folder of nas export."),
]
Trial = Annotated[str, typer.Option("--trial", help="Of a run: best, or a trial's number.")]
