"""Pillow and libtiff without their own messages: what is wrong with a file is said once, by us."""

from __future__ import annotations

import ctypes
import logging
from functools import cache

from PIL import _imaging

__all__ = ["quiet_decoders"]

_OF_LIBTIFF = ("TIFFSetErrorHandler", "TIFFSetWarningHandler")


@cache
def quiet_decoders() -> None:
    """From now on, in this process, libtiff writes nothing to standard error, nor does Pillow.

    Handlers that a program has for the logger ``PIL`` or its parents go on.
    """
    # Python prints what no handler takes.
    logging.getLogger("PIL").addHandler(logging.NullHandler())
    try:
        library = ctypes.CDLL(_imaging.__file__)
        # Looked for in what Pillow is linked with, too. Both take a function, or NULL for none.
        for name in _OF_LIBTIFF:
            function = getattr(library, name)
            function.argtypes, function.restype = [ctypes.c_void_p], ctypes.c_void_p
            function(None)
    except (OSError, AttributeError):
        # A Pillow without libtiff, or with one that hides its names.
        return
