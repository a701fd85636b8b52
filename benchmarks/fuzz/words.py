"""What a command may say on standard error, and what nobody should ever see there."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["IN_CODE", "frames", "unfit", "unknown"]

IN_CODE = "Traceback (most recent call last)"

# Python's, the libraries', and what a terminal would take for orders.
_UNFIT = re.compile(
    r"Traceback \(most recent|^  File \"|\w*Warning: |^[\w.]*(?:Error|Exception)\b(?::|$)"
    r"|Exception ignored|\[[EWF]:onnx|^\[?[WEF]\d{4} |TIFF\w+: |^libpng|^Corrupt JPEG"
    r"|Segmentation fault|terminate called|malloc\(|free\(\)|corrupted "
    r"|[\x00-\x08\x0b-\x1f\x7f\x80-\x9f]"
)

# Progress and notes that may stand before an error.
_PROGRESS = tuple(
    re.compile(pattern)
    for pattern in (
        r"Run .*: [\d,]+ (?:networks|parameters), ",
        r"Photos: ",
        r"Going on",
        r"Early stopping: ",
        r"Image files left out: ",
        r"Note: ",
        r"\d+/\d+  ",
        r"\d+/\d+ trainings",
        r"\d+ trainings of \d+ steps, ",
        r"step +\d+  ",
        r"Trained \d+ steps",
        r"Stopped after \d+ of \d+",
        r"(?:fold|prune|distill|int8|given): (?:not )?kept, ",
        r"worker \S+ died: ",
        r"trial \d+ is not compressed: ",
        r"diverged",
        r"nas: \d+\.\d{3} dB lost: fine-tuning",
        r"nas: (?:exporting|calibrating|measuring|quantising|sensitivity|ranges)",
        r"nas: (?:step \d|keeping|fine-tuning)",
        r"nas: \S+ has no native bfloat16; ",
    )
)

# nas upscale lists the images that failed below a line of how many they are.
_LIST = re.compile(r"nas: (\d+) of (\d+) images failed:")

_FRAME = re.compile(r'^ *File "(.+?)", line (\d+), in (.+)$', re.MULTILINE)


def unfit(text: str) -> list[str]:
    """The lines that nobody should see."""
    return [line for line in text.split("\n") if _UNFIT.search(line)]


def unknown(err: str) -> list[str]:
    """The lines of a refusal beyond its one line of error and the progress before it.

    Returns:
        What is amiss: lines that are neither, or ``["no line of error"]``.
    """
    lines = [line for line in err.split("\n") if line]
    if not lines:
        return ["no line of error"]
    for number, line in enumerate(lines):
        listed = _LIST.match(line)
        if listed and len(lines) - number - 1 == int(listed[1]):
            return _before(lines[:number])
    if not lines[-1].startswith("nas: "):
        return ["no line of error", *lines[-3:]]
    return _before(lines[:-1])


def frames(text: str) -> list[tuple[str, int, str]]:
    """File, line and function of each frame of a traceback, outermost first."""
    return [(found[1], int(found[2]), found[3]) for found in _FRAME.finditer(text)]


def _before(lines: Sequence[str]) -> list[str]:
    return [line for line in lines if not any(known.match(line) for known in _PROGRESS)]
