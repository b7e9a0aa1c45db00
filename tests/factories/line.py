"""The command line inside of a test's own process: no start of Python, and the test's own database."""

from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO

from payorcrm.commands.line import main


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command said and what it ended with."""

    returncode: int
    stdout: str
    stderr: str


def payorcrm_here(*words: str) -> Answer:
    """Run a command line; nobody is at its terminal."""
    said, complained = StringIO(), StringIO()
    with redirect_stdout(said), redirect_stderr(complained):
        try:
            code = main(words)
        except SystemExit as end:
            code = int(end.code or 0)
    return Answer(code, said.getvalue(), complained.getvalue())
