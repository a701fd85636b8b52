"""How the command starts, helps and fails."""

from __future__ import annotations

import errno
import io
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer

from nas.cli.main import COMMANDS, app
from nas.cli.search import GROUPS
from nas.stopping import SIGNALS
from search_spaces.errors import InputError
from tests.nas_tests.conftest import TINY, Outcome
from tests.preloaded import NAS

Command = Callable[..., Outcome]


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_help(name: str, command: Command) -> None:
    outcome = command(name, "--help")
    assert (outcome.code, outcome.err) == (0, "")
    assert f"nas {name}" in outcome.out


def test_help_names_every_command(command: Command) -> None:
    out = command("--help").out
    assert all(name in out for name in COMMANDS)


def test_without_a_command_comes_the_help(command: Command) -> None:
    outcome = command()
    assert outcome.code in (0, 2)
    assert "Usage" in outcome.out + outcome.err


def test_budgets_are_explained(command: Command) -> None:
    out = " ".join(command("search", "--help").out.split())
    assert "600K-params" in out
    assert "multiply-adds" in out


def test_options_of_a_search_are_grouped_with_their_defaults(command: Command) -> None:
    from nas.explore.settings import _TRIALS

    made: Any = typer.main.get_command(app)
    params = {one.name: one for one in made.commands["search"].params}
    assert set(params) - {name for names in GROUPS.values() for name in names} == {"json_lines"}
    assert [name for name, one in params.items()
            if one.default is None and "Default: " not in one.help] == []  # fmt: skip
    out = command("search", "--help").out
    places = [out.index(f"─ {title} ─") for title in GROUPS]
    assert places == sorted(places)
    text = ", ".join(f"{profile} {trials}" for profile, trials in _TRIALS.items())
    assert text in params["trials"].help
    # The same option of another command is in no group.
    assert "─ How long ─" not in command("worker", "--help").out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["serch"], "No such command 'serch'. Did you mean 'search'?; see nas --help"),
        (["search", "--bugdet", "1"], "No such option: --bugdet"),
        (["report"], "Missing argument"),
        (["search", "stray"], "unexpected extra argument"),
        (["search", "--import"], "--import: expected a Python file with parts behind it"),
    ],
)
def test_misuse_is_one_line(words: list[str], told: str, command: Command) -> None:
    outcome = command(*words)
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert outcome.err.startswith("nas: ")
    assert told in outcome.err


@pytest.mark.parametrize(
    "number", [errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EDQUOT, errno.EFBIG]
)
def test_files_that_cannot_be_written(
    number: int, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **more: object) -> None:
        raise OSError(number, "of the system", "/some/file")

    monkeypatch.setattr("nas.run.open_run", fail)
    outcome = command("report", "anywhere")
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert outcome.err.startswith("nas: cannot write /some/file: of the system; what was finished")


def test_ctrl_c(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*args: object, **more: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("nas.run.open_run", stop)
    outcome = command("report", "anywhere")
    assert outcome == (130, "", "nas: interrupted; the same command goes on where it stopped\n")


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_other_ways_to_be_stopped_say_so_too(
    name: str, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = getattr(signal, name)
    before = [signal.getsignal(one) for one in SIGNALS]

    def stop(*args: object, **more: object) -> None:
        signal.raise_signal(number)

    monkeypatch.setattr("nas.run.open_run", stop)
    outcome = command("report", "anywhere")
    assert outcome == (130, "", "nas: interrupted; the same command goes on where it stopped\n")
    assert before == [signal.getsignal(one) for one in SIGNALS]


def test_what_nohup_has_ignored_stays_ignored(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*args: object, **more: object) -> None:
        signal.raise_signal(signal.SIGHUP)
        raise InputError("the terminal is gone, the command goes on")

    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        monkeypatch.setattr("nas.run.open_run", stop)
        outcome = command("report", "anywhere")
    finally:
        signal.signal(signal.SIGHUP, before)
    assert outcome == (2, "", "nas: the terminal is gone, the command goes on\n")


HOSTILE = "\x1b]0;owned\x07\x1b[31mred\nnas: all is well\r\u202egpj.\x9b2J"


@pytest.mark.parametrize(
    "words",
    [
        ["describe", f"{HOSTILE}.yaml"],
        ["report", HOSTILE],
        ["upscale", HOSTILE, "-o", "x.png", "--net", HOSTILE],
        [HOSTILE],
        ["search", f"--{HOSTILE}"],
        ["--import", HOSTILE, "describe", "rlfn"],
    ],
)
def test_names_cannot_speak_for_the_program(
    words: list[str], command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = command(*words)
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert outcome.err.removesuffix("\n").isprintable()
    # Typer writes the option's control characters out itself.
    told = outcome.err.replace(r"\x0a", r"\n").replace(r"\x0d", r"\r")
    assert r"\x1b[31mred\nnas: all is well\r\u202egpj.\x9b2J" in told


@pytest.mark.parametrize(
    "words",
    [
        ["describe", "{}.yaml"],
        ["describe", "{}.safetensors"],
        ["describe", "{}"],
        ["report", "{}"],
        ["export", "{}", "-o", "x.yaml"],
        ["export", "rlfn", "-o", "{}.yaml"],
        ["import", "{}.pth", "--preset", "rlfn", "-o", "x.safetensors"],
        ["upscale", "x.png", "-o", "{}", "--net", "x.onnx"],
        ["compress", "fold", "{}", "-o", "x"],
        ["search", "--space", "{}.yaml"],
        ["{}"],
    ],
    ids=" ".join,
)
def test_a_very_long_name_is_one_short_line(
    words: list[str], command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = command(*(word.replace("{}", "n" * 50_000) for word in words))
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert len(outcome.err) < 1_100
    assert not list(tmp_path.iterdir())


def test_loops_of_links_are_one_line(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("loop").symlink_to("loop")
    for words in (
        ("report", "loop"),
        ("search", *TINY, "--run", "loop"),
        ("search", *TINY, "--data", "loop", "--run", "run"),
        ("describe", "loop"),
        ("export", "loop", "-o", "x.yaml"),
    ):
        outcome = command(*words)
        assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1), words
        assert "loop" in outcome.err


def test_an_encoding_that_lacks_characters(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "net.yaml").write_text("{scale: 4, channels: 4, blocks: [spab]}")
    # As an interpreter opens them that is told to by PYTHONIOENCODING.
    out, err = io.BytesIO(), io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(out, encoding="ascii"))
    monkeypatch.setattr("sys.stderr", io.TextIOWrapper(err, encoding="ascii"))
    assert command("describe", tmp_path / "net.yaml", "--no-latency").code == 0
    assert err.getvalue() == b""
    assert rb"input 320\xd7180" in out.getvalue()


def test_a_working_directory_that_was_removed(environ: dict[str, str], tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    outcome = subprocess.run(
        ["sh", "-c", 'rmdir "$PWD" && exec "$@"', "sh", *NAS, "describe", "imdn"],
        env=environ, cwd=gone, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert (outcome.returncode, outcome.stdout) == (2, "")
    assert outcome.stderr == "nas: the working directory was removed; change to one that exists\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="has no /dev/full")
def test_an_output_that_takes_nothing(environ: dict[str, str]) -> None:
    with open("/dev/full", "w") as full:
        outcome = subprocess.run(
            [*NAS, "presets"],
            env=environ, stdout=full, stderr=subprocess.PIPE, text=True, check=False, timeout=120,
        )  # fmt: skip
    assert (outcome.returncode, outcome.stderr.count("\n")) == (2, 1)
    assert outcome.stderr.startswith("nas: cannot write: No space left on device; ")


def test_bugs_are_not_hidden(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **more: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("nas.run.open_run", fail)
    with pytest.raises(ZeroDivisionError):
        command("report", "anywhere")
