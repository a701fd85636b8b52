"""How the command starts, helps and fails."""

from __future__ import annotations

import errno
from collections.abc import Callable

import pytest

from nas.cli.main import COMMANDS
from tests.nas_tests.conftest import Outcome

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


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EDQUOT])
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


def test_bugs_are_not_hidden(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **more: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("nas.run.open_run", fail)
    with pytest.raises(ZeroDivisionError):
        command("report", "anywhere")
