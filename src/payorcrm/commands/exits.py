"""What the exit codes mean, for scripts."""

from enum import IntEnum


class Exit(IntEnum):
    """2 is also what a misspelt command line exits with."""

    OK = 0
    REFUSED = 1
    USAGE = 2
    UNAVAILABLE = 3
    INTERRUPTED = 130
