"""The commands under ``nas data``."""

from __future__ import annotations

from importlib import import_module

import typer

__all__ = ["COMMANDS", "app"]

COMMANDS = ("prepare", "preview")
"""Each is the function of that name in the module of that name beside this one."""

app = typer.Typer(help="Photos: what networks are trained on.", no_args_is_help=True)


for _name in COMMANDS:
    app.command(_name)(getattr(import_module(f"nas.cli.data.{_name}"), _name))
