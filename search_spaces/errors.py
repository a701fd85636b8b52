"""The one exception that every package of the project raises for bad input."""

__all__ = ["InputError"]


class InputError(ValueError):
    """Bad input from the user: says what was expected, what came, and what to do.

    The message is one line for a person; the command line prints it without a
    traceback and ends with exit code 2.
    """
