"""TensorBoard: scalars and images of a training."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from search_spaces.errors import MissingExtra, WriteError

__all__ = ["Board", "open_board"]

Pixels = npt.NDArray[np.uint8]


class Board:
    """What a training writes to.

    Args:
        writer: TensorBoard's; None: nothing is written.
    """

    def __init__(self, writer: Any = None) -> None:
        self._writer = writer

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Values by name."""
        if self._writer is not None:
            for name, value in values.items():
                self._writer.add_scalar(name, value, step)

    def image(self, step: int, name: str, pixels: Pixels) -> None:
        """An (h, w, 3) image."""
        if self._writer is not None:
            self._writer.add_image(name, pixels, step, dataformats="HWC")

    def close(self) -> None:
        """Writes what is left."""
        if self._writer is not None:
            self._writer.close()


def open_board(folder: Path, wanted: bool | None, step: int) -> tuple[Board, str]:
    """A board in ``folder``, and a line for the user where there is none.

    Args:
        folder: of the event files.
        wanted: False: no board. None: where TensorBoard is installed.
        step: what earlier starts wrote from this step on is dropped.

    Raises:
        MissingExtra: it is wanted and not installed.
        WriteError: the folder cannot be written.
    """
    if wanted is False:
        return Board(), ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from torch.utils.tensorboard.writer import SummaryWriter
    except ImportError:
        if wanted:
            told = "--tensorboard: TensorBoard is not installed; install the extra"
            raise MissingExtra(told, "tensorboard") from None
        note = "No TensorBoard files: it is not installed (pip install 'nas-sr[tensorboard]')"
        return Board(), note
    try:
        writer = SummaryWriter(str(folder), purge_step=step or None)
    except OSError as error:
        raise WriteError(f"cannot write {folder}: {error.strerror or error}") from error
    return Board(writer), ""
