"""The ``nas`` command: its subcommands, and how errors reach a person."""

from __future__ import annotations

import errno
import sys
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

import typer

from nas.cli.compress.main import app as compress_app
from nas.cli.insisting import INTERRUPTED, SAID
from nas.cli.latency import app as latency_app
from search_spaces.errors import InputError
from search_spaces.extensions import GROUP, import_parts

__all__ = ["COMMANDS", "app", "main"]

# Click's class, which newer versions of typer carry inside themselves.
_UsageError: Any = typer.BadParameter.__base__

COMMANDS = (
    "search",
    "train",
    "worker",
    "audit",
    "report",
    "dashboard",
    "export",
    "describe",
    "spaces",
    "presets",
    "published",
    "import",
    "evaluate",
    "upscale",
)
"""Each is the function of that name in the module of that name beside this one.

The modules import what is heavy inside their function, so that help comes at once.
"""

_UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EACCES, errno.EROFS, errno.EPERM)

app = typer.Typer(
    name="nas",
    help="Finds the best small super-resolution network for what fits your device.",
    epilog="With every command, --import FILE.py adds your own blocks, convolutions or "
    "attention to the space; installed packages do so by the entry point nas_sr.parts.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for _name in COMMANDS:
    _module = import_module(f"nas.cli.{_name.replace('import', 'import_')}")
    app.command(_name)(getattr(_module, _module.__name__.rpartition(".")[2]))
app.add_typer(latency_app, name="latency")
app.add_typer(compress_app, name="compress")


def main() -> None:
    """Runs the command; bad input is one line on standard error and exit code 2."""
    try:
        arguments = _import_parts(sys.argv[1:])
        # Not standalone: there, typer keeps Ctrl-C and bad options to itself.
        code = app(arguments, prog_name="nas", standalone_mode=False)
    except InputError as error:
        _fail(str(error))
    except _UsageError as error:
        _misused(error)
    except KeyboardInterrupt:
        code = INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    except OSError as error:
        if error.errno not in _UNWRITABLE:
            raise
        where = f" {error.filename}" if error.filename else ""
        _fail(
            f"cannot write{where}: {error.strerror}; what was finished is kept: make room or "
            f"choose another folder, then run the same command again"
        )

    if code == INTERRUPTED:
        print(SAID, file=sys.stderr)
    sys.exit(code if isinstance(code, int) else 0)


def _misused(error: Any) -> None:
    """One line about a bad option or command; the help where there was neither."""
    message = error.format_message().strip()
    if "\n" in message or not message:
        error.show()
        sys.exit(error.exit_code)
    command = error.ctx.command_path if error.ctx is not None else "nas"
    _fail(f"{message.rstrip('.')}; see {command} --help")


def _import_parts(arguments: list[str]) -> list[str]:
    """Loads the user's own parts; returns the arguments without their ``--import FILE``."""
    rest, files = [], []
    words = iter(arguments)
    for word in words:
        if word == "--import":
            files.append(next(words, ""))
            if not files[-1]:
                raise InputError("--import: expected a Python file with parts behind it")
        elif word.startswith("--import="):
            files.append(word.removeprefix("--import="))
        else:
            rest.append(word)
    # Finding out about packages takes longer than help may.
    if "--help" not in rest and (files or entry_points(group=GROUP)):
        import_parts(files)
    return rest


def _fail(message: str) -> None:
    print(f"nas: {message}", file=sys.stderr)
    sys.exit(2)


if __name__ == "__main__":
    main()
