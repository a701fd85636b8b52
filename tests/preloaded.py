"""Commands that start at once: forked from a process that has loaded what they need.

Loading torch, Optuna and matplotlib costs a process three to five seconds of a core, more than all
that most tests make it do. Inside `fast_starts` one process loads them, and a command that is then
started through ``subprocess`` is a fork of it: a process of its own and a child of the tests, with
arguments, variables, folder, files, signals and an end like any other. So are the workers that it
starts. What needs an interpreter of its own (other variables, other code) is started as ever, and
so is everything where there is no Linux.
"""

from __future__ import annotations

import atexit
import ctypes
import gc
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from tests.quick_stores import make_stores_quick

__all__ = ["NAS", "fast_starts"]

NAS = (sys.executable, "-c", "from nas.cli.main import main; main()")

_LOADED = (
    "nas.cli.main", "nas.cli.report.main", "nas.workers.together", "nas.training.session",
    "nas.evaluate.memory", "torch._dynamo", "optuna.samplers", "sqlalchemy.dialects.sqlite",
    "scipy.ndimage", "matplotlib.figure", "pandas", "reports.figures", "skimage.metrics", "fsspec",
    "PIL.JpegImagePlugin",
)  # fmt: skip
_SUBREAPER = 36
"""PR_SET_CHILD_SUBREAPER of Linux: whose parent ends becomes a child of whoever has asked so."""

_AT_START = ("PYTHON", "OMP_", "MKL_", "LC_", "LANG", "LD_", "CUDA_")
"""Variables that an interpreter and its libraries read when they start."""

_NOT_AT_START = frozenset({"PYTHONPATH", "PYTHONWARNINGS"})
"""Of the path a fork takes what it has not yet; warnings are as strict as usual in all."""

_STARTS_OTHERS = frozenset({"--workers", "--processes"})
"""Options of commands that start processes of their own."""

_MOST_BYTES = 1 << 20


@contextmanager
def fast_starts(usual: Mapping[str, str]) -> Iterator[None]:
    """Forks commands whose variables that are read at the start are those of ``usual``."""
    real: Any = getattr(subprocess, "_fork_exec", None)
    if sys.platform != "linux" or real is None:
        yield
        return
    servers: list[subprocess.Popen[bytes]] = []
    line, far = socket.socketpair()

    def begin() -> None:
        if not servers:
            command = [sys.executable, "-m", "tests.preloaded", str(far.fileno())]
            servers.append(subprocess.Popen(command, env=dict(usual), pass_fds=[far.fileno()]))
            far.close()

    _fork_through(line, usual, begin)
    try:
        yield
    finally:
        subprocess._fork_exec = real  # type: ignore[attr-defined]
        line.close()
        far.close()
        for server in servers:
            server.kill()
            server.wait()


def _fork_through(
    line: socket.socket, usual: Mapping[str, str], begin: Callable[[], None] = lambda: None
) -> None:
    """Has ``subprocess`` ask the server at the other end of the line, which ``begin`` starts."""
    real: Any = subprocess._fork_exec  # type: ignore[attr-defined]
    line.settimeout(120)
    # One answer belongs to each question.
    turn = threading.RLock()

    def start(args: Sequence[Any], *more: Any) -> int:
        # CPython's order: [2] files to pass and one of its own, [3] folder, [4] variables, [5:11]
        # the ends of three pipes, [14] own session, [15] process group, [20] a function to call
        # before.
        words = [os.fsdecode(word) for word in args]
        passed, cwd, variables, pipes, group = more[2], more[3], more[4], more[5:11], more[15]
        told = dict(os.environ) if variables is None else dict(map(_pair, variables))
        apart = len(passed) > 1 or more[14] or more[20]
        if apart or not _known(words) or _at_start(told) != _at_start(usual):
            return int(real(args, *more))
        given = (pipes[0], pipes[3], pipes[5])
        files = [pipe if pipe != -1 else usually for usually, pipe in enumerate(given)]
        wanted = {
            "words": words[1:], "cwd": os.fsdecode(cwd or os.getcwd()), "environ": told,
            "parent": os.getpid(), "group": group,
        }  # fmt: skip
        with turn:
            begin()
            _set_subreaper(True)
            try:
                socket.send_fds(line, [json.dumps(wanted).encode()], files)
                return int(line.recv(32))
            finally:
                # Only what was forked here and now: orphans of others are no concern of ours.
                _set_subreaper(False)

    subprocess._fork_exec = start  # type: ignore[attr-defined]


def _known(words: Sequence[str]) -> bool:
    module = words[2] if words[:2] == [sys.executable, "-m"] else ""
    ours = module.startswith(("tests.", "benchmarks.kill_", "nas."))
    return tuple(words[:3]) == NAS or (ours and module != "tests.preloaded")


def _pair(variable: bytes) -> tuple[str, str]:
    name, _, value = os.fsdecode(variable).partition("=")
    return name, value


def _at_start(variables: Mapping[str, str]) -> dict[str, str]:
    read = {
        name: value
        for name, value in variables.items()
        if name.startswith(_AT_START) and name not in _NOT_AT_START
    }
    # MKL does as OpenMP where it is told nothing of its own.
    return {"MKL_NUM_THREADS": read.get("OMP_NUM_THREADS", ""), **read}


def _set_subreaper(whether: bool) -> None:
    ctypes.CDLL(None, use_errno=True).prctl(_SUBREAPER, int(whether), 0, 0, 0)


def _serve(line: socket.socket) -> list[str]:
    """Forks for whoever asks; returns, in each fork, the words of its command."""
    while True:
        message, files, _, _ = socket.recv_fds(line, _MOST_BYTES, 3)
        if not message:
            os._exit(0)
        wanted = json.loads(message)
        ours, theirs = os.pipe()
        between = os.fork()
        if between:
            os.close(theirs)
            child_of_theirs = os.read(ours, 32)
            os.close(ours)
            os.waitpid(between, 0)
            line.send(child_of_theirs)
            for file in files:
                os.close(file)
            continue
        child = os.fork()
        if child:
            os.write(theirs, str(child).encode())
            os._exit(0)
        line.close()
        os.close(theirs)
        if wanted["group"] != -1:
            os.setpgid(0, wanted["group"])
        # Its end is to be told to the tests, so it begins when it is theirs.
        while os.getppid() != wanted["parent"]:
            time.sleep(0.001)
        os.read(ours, 1)
        os.close(ours)
        if _STARTS_OTHERS.intersection(wanted["words"]):
            # A server of its own, since one can fork only for those that it descends from.
            near, far = socket.socketpair()
            if os.fork() == 0:
                near.close()
                for file in files:
                    os.close(file)
                line = far
                continue
            far.close()
            _fork_through(near, dict(os.environ))
        _become(files, wanted["cwd"], wanted["environ"])
        return list(wanted["words"])


def _become(files: Sequence[int], cwd: str, environ: Mapping[str, str]) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, file in enumerate(files):
        os.dup2(file, number, inheritable=True)
    for file in set(files) - {0, 1, 2}:
        os.close(file)
    for name, number, mode in (("stdin", 0, "r"), ("stdout", 1, "w"), ("stderr", 2, "w")):
        old = getattr(sys, name)
        new = open(number, mode,  # noqa: SIM115
                    encoding=old.encoding, errors=old.errors, closefd=False,
                   buffering=1 if name == "stderr" or os.isatty(number) else -1)  # fmt: skip
        setattr(sys, name, new)
        setattr(sys, f"__{name}__", new)
    os.environ.clear()
    os.environ.update(environ)
    path = environ.get("PYTHONPATH", "").split(os.pathsep)
    sys.path[:0] = [entry for entry in path if entry not in sys.path]
    os.chdir(cwd)
    tempfile.tempdir = None


def _end_at_once() -> None:
    """Ends a command that has ended well, or in an error of its own, after all else that is to be
    done at the end: to take all that is loaded apart would take longer than most commands do."""
    if _ended is None:
        return
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        # The interpreter has its own way to say that.
        return
    os._exit(_ended)


def _run(words: Sequence[str]) -> None:
    global _ended
    # Nothing of ours stands around it: it ends as an interpreter of its own does.
    sys.argv = list(words[1:] if words[0] == "-m" else ["-c", *words[2:]])
    try:
        if words[0] == "-m":
            runpy.run_module(words[1], run_name="__main__", alter_sys=True)
        else:
            exec(compile(words[1], "<string>", "exec"), {"__name__": "__main__"})
    except SystemExit as ending:
        _ended = ending.code if isinstance(ending.code, int) else int(ending.code is not None)
        raise
    _ended = 0


if __name__ == "__main__":
    _ended: int | None = None
    # The first of all is the last to be called.
    atexit.register(_end_at_once)
    for _name in _LOADED:
        import_module(_name)
    make_stores_quick()
    # One that is opened and left, since the first one takes longest.
    import_module("optuna.storages").RDBStorage("sqlite://").engine.dispose()
    assert threading.active_count() == 1
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _run(_serve(socket.socket(fileno=int(sys.argv[1]))))
