from __future__ import annotations

import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from nas.latency.command.process import CommandFailed, run_command
from nas.latency.command.setup import DeviceCommands


def _run(*words: object, limit_s: float = 20.0, stop: threading.Event | None = None) -> str:
    return run_command([*map(str, words)], limit_s, stop or threading.Event()).out


def test_no_shell_and_no_terminal() -> None:
    assert _run("printf", "%s|", "$HOME", "a b;id", "`id`") == "$HOME|a b;id|`id`|"
    assert _run("cat") == ""


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("sh", "-c", "echo no route >&2; exit 7"), "ended with code 7: no route"),
        (("sh", "-c", "kill -9 $$"), "ended by signal 9: it says nothing"),
        (("/no/such/program",), "cannot be started (No such file or directory)"),
        (("a\0b",), "cannot be started (embedded null byte)"),
    ],
)
def test_a_failure_is_one_line(words: tuple[str, ...], told: str) -> None:
    with pytest.raises(CommandFailed) as failed:
        _run(*words)
    assert str(failed.value) == told


def test_what_takes_too_long_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    began = time.monotonic()
    script = f"(sleep 1; touch {tmp_path}/late) & sleep 60"
    with pytest.raises(CommandFailed, match=r"took more than 0\.3 s and was ended"):
        _run("sh", "-c", script, limit_s=0.3)
    assert time.monotonic() - began < 10
    time.sleep(1.0)
    assert not (tmp_path / "late").exists()


def test_a_child_that_does_not_end_when_asked_is_made_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nas.latency.command.process._END_S", 0.2)
    # The shell ends at once, so that nobody but its group is left to be asked.
    script = f"(trap '' TERM; sleep 1; touch {tmp_path}/late) & wait"
    with pytest.raises(CommandFailed, match="was ended"):
        _run("sh", "-c", script, limit_s=0.3)
    time.sleep(1.0)
    assert not (tmp_path / "late").exists()


def test_what_is_not_ours_to_end_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(group: int, number: int) -> None:
        raise PermissionError

    def begun(*words: Any, **options: Any) -> subprocess.Popen[bytes]:
        left.append(begin(*words, **options))
        return left[-1]

    begin, left = subprocess.Popen, list[subprocess.Popen[bytes]]()
    began = time.monotonic()
    with monkeypatch.context() as patched:
        patched.setattr("os.killpg", forbidden)
        patched.setattr("subprocess.Popen", begun)
        with pytest.raises(CommandFailed, match=r"took more than 0\.2 s and cannot be ended"):
            _run("sleep", 60, limit_s=0.2)
    assert time.monotonic() - began < 10
    left[0].kill()
    left[0].wait()


def test_what_closes_its_output_is_ended_as_well() -> None:
    with pytest.raises(CommandFailed, match="took more than"):
        _run("sh", "-c", "exec >&- 2>&-; sleep 60", limit_s=0.3)


def test_a_child_left_behind_is_not_waited_for() -> None:
    began = time.monotonic()
    assert _run("sh", "-c", "sleep 5 & echo 7") == "7\n"
    assert time.monotonic() - began < 4


def test_of_a_flood_the_end_is_kept() -> None:
    assert _run("sh", "-c", "head -c 3000000 /dev/zero | tr '\\0' x; echo; echo 7")[-3:] == "\n7\n"


def test_somebody_who_no_longer_wants_an_answer() -> None:
    stop = threading.Event()
    threading.Timer(0.2, stop.set).start()
    with pytest.raises(CommandFailed, match="no longer needed"):
        _run("sleep", 60, stop=stop)


def test_an_error_stream_counts_where_nothing_else_is_said() -> None:
    setup = DeviceCommands.of(["true {onnx}"])
    said = run_command(["sh", "-c", "echo 'avg = 2.5' >&2"], 20, threading.Event())
    assert setup.milliseconds(said) == 2.5
    both = run_command(["sh", "-c", "echo 3; echo 99 >&2"], 20, threading.Event())
    assert setup.milliseconds(both) == 3
