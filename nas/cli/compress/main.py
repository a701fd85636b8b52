"""The commands under ``nas compress``."""

from __future__ import annotations

from importlib import import_module

import typer

__all__ = ["COMMANDS", "app"]

COMMANDS = ("auto", "distill", "fold", "prune", "quantize")
"""Each is the function of that name in the module of that name beside this one."""

app = typer.Typer(
    help="Makes a network smaller or faster: it stays a config with weights.",
    no_args_is_help=True,
)
for _name in COMMANDS:
    app.command(_name)(getattr(import_module(f"nas.cli.compress.{_name}"), _name))
