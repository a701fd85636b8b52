"""How latency is measured by a command: everything that a user says of it, checked."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass

from nas.latency.command.answer import milliseconds, parse_pattern
from nas.latency.command.int8 import INT8_FILES
from nas.latency.command.process import Printed
from nas.latency.command.template import CommandTemplate
from search_spaces.errors import InputError

__all__ = ["USUAL_LIMIT_S", "DeviceCommands"]

USUAL_LIMIT_S = 60.0


@dataclass(frozen=True, slots=True)
class DeviceCommands:
    """The commands of one device, or of several of a kind, which share the work.

    Attributes:
        commands: each of a device of its own; what one prints the others would print, too.
        pattern: whose one group is the time; None: the last number is.
        limit_s: a call that takes longer is ended and counts as failed.
    """

    commands: tuple[CommandTemplate, ...]
    pattern: re.Pattern[str] | None = None
    limit_s: float = USUAL_LIMIT_S

    @classmethod
    def of(
        cls, texts: Sequence[str], pattern: str | None = None, limit_s: float | None = None
    ) -> DeviceCommands:
        """The commands as they are written.

        Raises:
            InputError: none, one that makes no sense or is given twice, or which takes networks
                in other formats than the first; a pattern without a group; a limit of 0 or less.
        """
        if not texts:
            raise InputError("--latency-command: expected a command, got none")
        if len(set(texts)) != len(texts):
            raise InputError("--latency-command: expected one for each device, got one twice")
        commands = tuple(map(CommandTemplate.parse, texts))
        for other in commands[1:]:
            if set(other.files) != set(commands[0].files):
                raise InputError(
                    f"--latency-command {other.text!r}: takes other files than "
                    f"{commands[0].text!r}; expected devices of one kind"
                )
        limit = USUAL_LIMIT_S if limit_s is None else limit_s
        if not limit > 0:
            raise InputError(f"--latency-limit: expected more than 0 s, got {limit:g}")
        return cls(commands, None if pattern is None else parse_pattern(pattern), limit)

    @classmethod
    def given(
        cls, texts: Sequence[str] | None, pattern: str | None, limit_s: float | None
    ) -> DeviceCommands | None:
        """The same, or None where no command is given.

        Raises:
            InputError: as `of`; a pattern or a limit without a command.
        """
        if texts:
            return cls.of(texts, pattern, limit_s)
        for option, value in (("--latency-pattern", pattern), ("--latency-limit", limit_s)):
            if value is not None:
                raise InputError(f"{option}: is of a --latency-command, and there is none")
        return None

    @property
    def formats(self) -> tuple[str, ...]:
        """What networks are written as."""
        return self.commands[0].formats

    @property
    def takes_int8(self) -> bool:
        """Whether networks are written in int8 and in nothing else."""
        return INT8_FILES.keys() >= set(self.formats)

    @property
    def name(self) -> str:
        """For people: the first command, and how many there are beside."""
        more = len(self.commands) - 1
        return self.commands[0].text + (f" (and {more} more)" if more else "")

    def check_programs(self) -> None:
        """Makes sure that what they start is on this machine.

        Raises:
            InputError: one is not.
        """
        for one in self.commands:
            if one.program is not None and shutil.which(one.program) is None:
                raise InputError(
                    f"--latency-command {one.text!r}: there is no program {one.program!r} here; "
                    f"install it, or give its whole path"
                )

    def milliseconds(self, printed: Printed) -> float:
        """What a call says: on standard output, or on standard error where that stays empty.

        Raises:
            NoTime: nothing that is a time.
        """
        # As benchncnn does.
        return milliseconds(printed.out if printed.out.strip() else printed.err, self.pattern)
