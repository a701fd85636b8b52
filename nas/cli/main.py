"""The ``nas`` command: its subcommands, and how errors reach a person."""

from __future__ import annotations

import errno
import os
import sys
import warnings
from contextlib import suppress
from importlib import import_module
from typing import Any, NoReturn

import typer

from nas.cli.compress.main import app as compress_app
from nas.cli.data.main import app as data_app
from nas.cli.groups import grouped
from nas.cli.interrupts import INTERRUPTED, SAID, ended_as_by_ctrl_c
from nas.cli.latency import app as latency_app
from nas.cli.lines import always_printable, one_line
from nas.cli.parts import load_parts
from search_spaces.errors import InputError

__all__ = ["COMMANDS", "app", "main"]

# Click's class, which newer versions of typer carry inside themselves.
_UsageError: Any = typer.BadParameter.__base__

COMMANDS = (
    "search", "train", "worker", "audit", "report", "dashboard", "export", "describe", "spaces",
    "presets", "published", "import", "evaluate", "upscale", "compare",
)  # fmt: skip
"""Each is the function of that name in the module of that name beside this one, but for `_PLACES`.

The modules import what is heavy inside their function, so that help comes at once.
"""

_PLACES = {"import": ("import_", "import_"), "report": ("report.main", "report")}
_UNUSABLE = (errno.ENAMETOOLONG, errno.ELOOP, errno.ENOTDIR, errno.EISDIR)
_UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EACCES, errno.EROFS, errno.EPERM)

app = typer.Typer(
    name="nas",
    help="Finds the best small super-resolution network for what fits your device.",
    epilog="With every command, --import FILE.py adds your own blocks, convolutions or "
    "attention to the space; installed packages do so by the entry point nas_sr.parts. A run "
    "remembers its files: --trust loads them without their names.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for _name in COMMANDS:
    _place, _function = _PLACES.get(_name, (_name, _name))
    _module = import_module(f"nas.cli.{_place}")
    _class = grouped(getattr(_module, "GROUPS", {}))
    app.command(_name, cls=_class)(getattr(_module, _function))
app.add_typer(latency_app, name="latency")
app.add_typer(compress_app, name="compress")
app.add_typer(data_app, name="data")


def main() -> None:
    """Runs the command; bad input is one line on standard error and exit code 2."""
    always_printable()
    _quiet_libraries()
    try:
        with ended_as_by_ctrl_c():
            code = _run()
    except KeyboardInterrupt:
        code = INTERRUPTED
    if code == INTERRUPTED:
        # The terminal may be what is gone.
        with suppress(OSError):
            print(SAID, file=sys.stderr, flush=True)
    sys.exit(code if isinstance(code, int) else 0)


def _run() -> object:
    """The command's own code; exits where there is something to tell."""
    try:
        _check_working_directory()
        arguments = load_parts(sys.argv[1:])
        # Not standalone: there, typer keeps Ctrl-C and bad options to itself.
        code: object = app(arguments, prog_name="nas", standalone_mode=False)
        sys.stdout.flush()
        return code
    except InputError as error:
        _fail(str(error))
    except _UsageError as error:
        _misused(error)
    except BrokenPipeError:
        _forget_output()
        sys.exit(1)
    except OSError as error:
        _fail(_said(error))
    except RuntimeError as error:
        # Until Python 3.13, Path.resolve tells so of links in a loop.
        if not str(error).startswith("Symlink loop"):
            raise
        _fail(f"{error}: too many levels of symbolic links; give another path")


def _check_working_directory() -> None:
    # Without one, libraries end the process in words of their own.
    try:
        os.getcwd()
    except FileNotFoundError:
        raise InputError("the working directory was removed; change to one that exists") from None


def _said(error: OSError) -> str:
    """What a person can do about it; raised again where only we can."""
    where = f" {error.filename}" if error.filename else ""
    if error.errno in _UNWRITABLE:
        if not where:
            _forget_output()
        return (
            f"cannot write{where}: {error.strerror}; what was finished is kept: make room or "
            f"choose another folder, then run the same command again"
        )
    if error.errno in _UNUSABLE and where:
        return f"{error.filename}: {error.strerror}; give another path"
    raise error


def _forget_output() -> None:
    """Leaves what standard output could not take, which Python would try to write at its end."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())


def _quiet_libraries() -> None:
    """What is wrong with an image is said by us; who asked Python for warnings gets them still."""
    if not sys.warnoptions:
        warnings.filterwarnings("ignore", module=r"PIL(\.|$)")
        # A letter that no font has is a box in the picture.
        warnings.filterwarnings("ignore", message=r"Glyph \d+ .*missing from")


def _misused(error: Any) -> NoReturn:
    """One line about a bad option or command; the help where there was neither."""
    message = error.format_message().strip()
    if type(error).__name__ == "NoArgsIsHelpError" or not message:
        error.show()
        sys.exit(error.exit_code)
    command = error.ctx.command_path if error.ctx is not None else "nas"
    _fail(f"{message.rstrip('.')}; see {command} --help")


def _fail(message: str) -> NoReturn:
    print(one_line(f"nas: {message}"), file=sys.stderr)
    sys.exit(2)


if __name__ == "__main__":
    main()
