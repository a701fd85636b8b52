"""What others named, as it comes to the terminal."""

from __future__ import annotations

import io
import re
import sys

import pytest
from rich.progress import Progress, TextColumn
from rich.table import Table
from rich.text import Text

from nas.cli.console import PlainConsole
from nas.cli.lines import always_printable, one_line, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, äöü × 漢字 🙂", "plain, äöü × 漢字 🙂"),
        ("\x1b[2J\x07\r\t", r"\x1b[2J\x07\r\t"),
        ("\x7f\x85\x9b", r"\x7f\x85\x9b"),
        ("\u2028\u2029\u202e\u200b\ufeff", r"\u2028\u2029\u202e\u200b\ufeff"),
        ("\udcff\ud800", r"\udcff\ud800"),
        ("\U000e0001", r"\U000e0001"),
        ("a\\nb", "a\\nb"),
    ],
)
def test_what_no_terminal_shows_is_written_out(text: str, shown: str) -> None:
    assert printable(text) == one_line(text) == shown


def test_lines() -> None:
    assert printable("two\nlines\x1b") == "two\nlines\\x1b"
    assert one_line("two\nlines\x1b") == "two\\nlines\\x1b"


def test_a_long_text_keeps_its_ends() -> None:
    assert one_line("x" * 1_000) == "x" * 1_000
    short = one_line(f"nas: {'n' * 50_000}: no such file; expected another")
    assert len(short) < 1_050
    assert short.startswith("nas: nnn")
    assert re.search(r"nnn \[\.\.\. 49,0\d\d characters \.\.\.\] nnn", short)
    assert short.endswith(": no such file; expected another")


def test_tables_and_progress_show_names_as_they_are() -> None:
    out = io.StringIO()
    console = PlainConsole(file=out, width=60, force_terminal=True, color_system=None)
    table = Table("Network")
    table.add_row("[red]a[/b]\x1b[31m\u202e :smile:")
    table.add_row(Text("ready-made\x1b[31m\u202e"))
    console.print(table)
    console.print("run [/x]\x07", highlight=False)
    with Progress(TextColumn("{task.description}", markup=False), console=console) as progress:
        progress.update(progress.add_task("photo\x1b[31m"), completed=1)
    text = out.getvalue()
    assert r"[red]a[/b]\x1b[31m\u202e :smile:" in text
    assert r"ready-made\x1b[31m\u202e" in text
    assert r"run [/x]\x07" in text
    assert "\x1b[31m" not in text
    assert "\u202e" not in text
    # What rich itself tells the terminal goes through.
    assert "\x1b[?25l" in text


def test_streams_that_lack_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii", errors="strict"))
    monkeypatch.setattr(sys, "stderr", None)
    always_printable()
    print("×–\udcff", flush=True)
    print("nobody hears it", file=sys.stderr, flush=True)
    assert raw.getvalue() == rb"\xd7\u2013\udcff" + b"\n"
    assert not sys.stderr.isatty()
    sys.stderr.close()
