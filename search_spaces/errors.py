"""The exceptions that every package of the project raises for bad input and bad surroundings."""

__all__ = ["InputError", "MissingExtra", "WriteError"]


class InputError(ValueError):
    """Bad input from the user: says what was expected, what came, and what to do.

    The message is one line for a person; the command line prints it without a
    traceback and ends with exit code 2.
    """


class MissingExtra(InputError):
    """A package that one of the project's extras brings is not installed.

    Says nothing of the network at hand: the same call may work once it is there.
    """


class WriteError(InputError):
    """A file cannot be written, or the disk is full.

    Says nothing of the network at hand: the same call may work once there is room.
    """
