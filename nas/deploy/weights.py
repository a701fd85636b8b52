"""What runs a network in our own files: its config, its weights."""

from __future__ import annotations

from pathlib import Path

from nas.deploy.parity import Run, runner
from search_spaces import Architecture, build, load

__all__ = ["open_config", "open_weights"]


def open_config(path: Path) -> Run:
    """The network of a config, with random weights."""
    return runner(build(Architecture.load(path)))


def open_weights(path: Path) -> Run:
    """The network of a weights file or of a folder with one."""
    return runner(load(path))
