"""The command line as a whole: its parser, and how errors become one line and an exit code."""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from payorcrm import __version__
from payorcrm.commands.exits import Exit
from payorcrm.commands.visible import visible
from payorcrm.core.errors import Refused, Unavailable

COMMANDS = {
    "demo": "payorcrm.commands.demo",
    "serve": "payorcrm.commands.serve",
    "worker": "payorcrm.commands.worker",
    "sandbox": "payorcrm.commands.sandbox",
    "migrate": "payorcrm.commands.migrate",
    "add-merchant": "payorcrm.commands.add_merchant",
    "trust-merchant": "payorcrm.commands.trust_merchant",
    "reset-second-factor": "payorcrm.commands.reset_second_factor",
    "import": "payorcrm.commands.import_file",
    "remind": "payorcrm.commands.remind",
    "check-books": "payorcrm.commands.check_books",
    "rotate-keys": "payorcrm.commands.rotate_keys",
}
EXIT_CODES = """exit codes:
  0  done
  1  refused: bad rows, a missing setting, a rule that says no, or books that disagree
  2  the command line is not understood
  3  something needed does not answer: the database, a port, a processor; try again later
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    arguments = build_parser().parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except Refused as error:
        return _complain(error, Exit.REFUSED)
    except Unavailable as error:
        return _complain(error, Exit.UNAVAILABLE)
    except KeyboardInterrupt:
        return Exit.INTERRUPTED


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="payorcrm",
        description="Invoices get paid from the inbox.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"payorcrm {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for name, place in COMMANDS.items():
        module = import_module(place)
        command = commands.add_parser(
            name,
            help=module.SUMMARY,
            description=module.__doc__,
            epilog=EXIT_CODES,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    return parser


def _complain(error: Exception, code: Exit) -> Exit:
    lines = [visible(line) for line in str(error).split("\n")]
    print("payorcrm:", "\n".join(lines), file=sys.stderr)
    return code
