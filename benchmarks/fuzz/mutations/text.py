"""YAML that is broken as text: tags, anchors, keys given twice, depth, encodings."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import yaml

from benchmarks.fuzz.case import CANARY
from benchmarks.fuzz.mutations.raw import broken
from benchmarks.fuzz.mutations.values import broken_tree

__all__ = ["broken_json_bytes", "broken_yaml"]

_TOUCH = f"touch {CANARY}"
_TAGS = (
    f"!!python/object/apply:os.system ['{_TOUCH}']",
    f"!!python/object/new:os.system ['{_TOUCH}']",
    f"!!python/object/apply:subprocess.check_output [['touch', '{CANARY}']]",
    f"!!python/object/apply:builtins.open ['{CANARY}', 'w']",
    f"!!python/object/new:type\n  args: [z, !!python/tuple [], {{extend: !!python/name:exec }}]\n"
    f"  listitems: \"__import__('os').system('{_TOUCH}')\"",
    "!!python/name:os.system",
    "!!python/module:os",
    "!!binary aGVsbG8=",
    "!!binary ???",
    "!!set {a, b}",
    "!!omap [a: 1]",
    "!!timestamp 2001-99-99",
    "!!int 0x",
    "!!float nope",
    "!<tag:yaml.org,2002:python/object/apply:os.system> [true]",
    "!custom {a: 1}",
    "!!str [1]",
    "2001-12-14",
    "1:30:00",
    "0o17",
    "0b11",
    "1_000",
    ".inf",
    "-.NaN",
    "~",
)


def broken_yaml(rng: random.Random, text: str) -> tuple[bytes, str]:
    """A YAML file's content, broken in its values (most often), its text or its bytes."""
    kind = rng.random()
    if kind < 0.6:
        tree, what = broken_tree(rng, yaml.safe_load(text))
        return _dumped(tree).encode("utf-8", "surrogatepass"), what
    if kind < 0.85:
        way = rng.choice(tuple(_WAYS))
        return _WAYS[way](rng, text), way
    content, what = broken(rng, text.encode())
    return content, what


def broken_json_bytes(rng: random.Random, content: bytes) -> tuple[bytes, str]:
    """A JSON file's content, broken in its values or its bytes."""
    import json

    if rng.random() < 0.65:
        tree, what = broken_tree(rng, json.loads(content))
        return json.dumps(tree).encode(), what
    if rng.random() < 0.3:
        way = rng.choice(("deep", "a huge number", "a huge text", "NaN", "given twice"))
        return {
            "deep": b"[" * 100_000,
            "a huge number": b'{"networks": ' + b"9" * 100_000 + b"}",
            "a huge text": b'{"networks": "' + b"x" * 5_000_000 + b'"}',
            "NaN": b"NaN",
            "given twice": content.replace(b"{", b'{"networks": [], "networks": {}, ', 1),
        }[way], way
    return broken(rng, content)


def _dumped(tree: Any) -> str:
    class Plain(yaml.SafeDumper):
        def ignore_aliases(self, data: Any) -> bool:
            return True

    return yaml.dump(tree, Dumper=Plain, sort_keys=False, default_flow_style=None, width=10**9)


def _in_place_of_a_value(rng: random.Random, text: str, put: str) -> str:
    lines = text.split("\n")
    keys = [n for n, line in enumerate(lines) if ": " in line] or [0]
    number = rng.choice(keys)
    before, colon, _ = lines[number].partition(": ")
    lines[number] = f"{before}{colon or ': '}{put}" if colon else f"x: {put}"
    return "\n".join(lines)


def _tag(rng: random.Random, text: str) -> bytes:
    return _in_place_of_a_value(rng, text, rng.choice(_TAGS)).encode()


def _twice(rng: random.Random, text: str) -> bytes:
    lines = text.split("\n")
    number = rng.randrange(len(lines))
    return "\n".join([*lines[: number + 1], *lines[number:]]).encode()


def _deep(rng: random.Random, text: str) -> bytes:
    depth = rng.choice((30, 300, 3_000, 100_000))
    opening, closing = rng.choice((("[", "]"), ("{a: ", "}"), ("- ", ""), ("? ", "")))
    ended = closing if rng.random() < 0.7 else ""
    return _in_place_of_a_value(rng, text, opening * depth + ended * depth).encode()


def _aliases(rng: random.Random, text: str) -> bytes:
    height = rng.choice((3, 9, 30))
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{k}: &a{k} [{', '.join([f'*a{k - 1}'] * 9)}]" for k in range(1, height)]
    if rng.random() < 0.5:
        return (
            _in_place_of_a_value(rng, text, f"*a{height - 1}") + "\n".join(["", *lines])
        ).encode()
    body = _in_place_of_a_value(rng, text, f"*a{height - 1}")
    return "\n".join([*lines, body]).encode()


def _itself(rng: random.Random, text: str) -> bytes:
    put = rng.choice(("&a [*a]", "&a {b: *a}", "*nowhere", "&a", "&a [*a, *a, &b [*a, *b]]"))
    return _in_place_of_a_value(rng, text, put).encode()


def _merge(rng: random.Random, text: str) -> bytes:
    first = rng.choice(("<<: {scale: 3}", "<<: [1]", "<<: *x", "x: &x {scale: 3}\n<<: *x", "<<:"))
    return f"{first}\n{text}".encode()


def _large(rng: random.Random, text: str) -> bytes:
    return rng.choice(
        (
            text + "# comment\n" * 300_000,
            text + "x: [" + "1, " * 250_000 + "1]",
            _in_place_of_a_value(rng, text, "x" * 900_000),
            _in_place_of_a_value(rng, text, "9" * 900_000),
            text + "\n".join(f"k{n}: {n}" for n in range(60_000)),
            " " * 2_000_000,
        )
    ).encode()


def _documents(rng: random.Random, text: str) -> bytes:
    return rng.choice(
        (
            f"{text}\n---\n{text}",
            f"--- {text}",
            f"{text}\n...\nx",
            "---\n...",
            "%YAML 9.9\n---\n" + text,
        )
    ).encode()


def _whole(rng: random.Random, text: str) -> bytes:
    return rng.choice(
        (
            b"",
            b"\0",
            b"\n\n",
            b"-",
            b"[]",
            b"{}",
            b"null",
            b"scale",
            b": :",
            b"? ?",
            b"!!map",
            b"&a",
            b"\xff\xfe",
            b"\x89PNG\r\n\x1a\n",
            b"PK\x03\x04",
            b"%",
            b"@",
            b"`",
            b"{" + b"a" * 2000,
        )
    )


_WAYS: dict[str, Callable[[random.Random, str], bytes]] = {
    "a tag": _tag,
    "a line twice": _twice,
    "deep nesting": _deep,
    "aliases of aliases": _aliases,
    "an alias of itself": _itself,
    "a merge key": _merge,
    "a large file": _large,
    "several documents": _documents,
    "another file": _whole,
    "CRLF": lambda rng, text: text.replace("\n", "\r\n").encode(),
    "CR": lambda rng, text: text.replace("\n", "\r").encode(),
    "a byte order mark": lambda rng, text: b"\xef\xbb\xbf" + text.encode(),
    "UTF-16": lambda rng, text: text.encode("utf-16"),
    "Latin-1": lambda rng, text: text.replace("a", "ä").encode("latin-1"),
    "tabs": lambda rng, text: text.replace("  ", "\t").encode(),
    "control characters": lambda rng, text: _in_place_of_a_value(
        rng, text, rng.choice(('"\\e[31mred"', '"\\0"', '"a\\nb"', '"\\x9b31m"', "a\x1b[31mb"))
    ).encode(),
}
