"""The figures of a campaign, ready for JSON and for a screen."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.fuzz.journal import Line
from benchmarks.fuzz.known import KNOWN
from benchmarks.fuzz.verdict import ACCEPTED, RAN, REFUSED

__all__ = ["figures", "table"]

# Where this checkout and its Python lie is nobody's concern.
_FOLDERS = re.compile(
    rf"{re.escape(str(Path(__file__).parents[2]))}/|/\S*/(?=site-packages/|python3\.)"
)


def figures(lines: Iterable[Line]) -> dict[str, Any]:
    """Cases by class and by how they ended; failures by name, with examples to run again."""
    by_class: dict[str, list[Line]] = defaultdict(list)
    by_name: dict[str, list[tuple[Line, str]]] = defaultdict(list)
    for line in lines:
        by_class[line.kind].append(line)
        for name, detail in line.failures:
            by_name[name].append((line, detail))
    return {
        "cases": sum(map(len, by_class.values())),
        "failed": sum(bool(line.failures) for some in by_class.values() for line in some),
        "classes": {kind: _of_class(some) for kind, some in by_class.items()},
        "failures": [
            {
                "name": name,
                "known": name in KNOWN,
                "cases": len({(line.kind, line.number) for line, _ in found}),
                "examples": [f"{line.kind}:{line.number}" for line, _ in found[:5]],
                "commands": dict(Counter(line.command for line, _ in found)),
                "detail": _FOLDERS.sub("", found[0][1]),
            }
            for name, found in sorted(by_name.items(), key=lambda item: -len(item[1]))
        ],
        "known_but_not_seen": sorted(KNOWN - by_name.keys()),
    }


def _of_class(lines: Sequence[Line]) -> dict[str, Any]:
    refused = sorted(line.seconds for line in lines if line.state == REFUSED)
    return {
        "cases": len(lines),
        **{state: sum(line.state == state for line in lines) for state in (ACCEPTED, REFUSED, RAN)},
        "failed": sum(bool(line.failures) for line in lines),
        "median_refusal_s": refused[len(refused) // 2] if refused else None,
        "longest_refusal_s": refused[-1] if refused else None,
        "most_memory_mb": max(line.peak_mb for line in lines),
    }


def table(told: dict[str, Any]) -> str:
    """The classes, a line each, then the failures."""
    head = ("class", "cases", "accepted", "refused", "ran", "failed", "longest s", "most MB")
    rows: list[Sequence[object]] = [head]
    for kind, one in told["classes"].items():
        longest = one["longest_refusal_s"]
        rows.append(
            (kind, one["cases"], one[ACCEPTED], one[REFUSED], one[RAN], one["failed"],
             "-" if longest is None else f"{longest:.1f}", f"{one['most_memory_mb']:.0f}")
        )  # fmt: skip
    lines = [f"{row[0]!s:<16}" + "".join(f"{cell!s:>10}" for cell in row[1:]) for row in rows]
    for one in told["failures"]:
        again = f"python -m benchmarks.fuzz --case {one['examples'][0]}"
        known = ", known" if one["known"] else ""
        lines += [
            f"{one['cases']:>4}  {one['name']}{known}",
            f"      {again}",
            f"      {one['detail']}",
        ]
    return "\n".join(lines)
