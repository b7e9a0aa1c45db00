"""Run the sandbox processor alone: pretended cards and banks, for demo and tests."""

import argparse
import os

from payorcrm.commands.exits import Exit
from payorcrm.commands.installation import embedded_database
from payorcrm.commands.lifeline import hold_lifeline
from payorcrm.config.env import secret

SUMMARY = "run the sandbox processor alone"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where to listen, and how long a bank takes."""
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8010, help="the port to listen on (default: %(default)s)")
    parser.add_argument("--settle-seconds", type=float, help="how long its bank debits stay pending")


def run(arguments: argparse.Namespace) -> Exit:
    """Serve until told to stop."""
    from payorcrm.commands.free_port import refuse_busy_port

    with embedded_database():
        refuse_busy_port(arguments.host, arguments.port)
        os.environ.setdefault("SANDBOX_ADMIN_KEY", secret("SANDBOX_ADMIN_KEY"))
        os.environ.setdefault("SANDBOX_PUBLIC_URL", f"http://{arguments.host}:{arguments.port}")
        if arguments.settle_seconds is not None:
            os.environ["SANDBOX_SETTLE_SECONDS"] = str(arguments.settle_seconds)
        hold_lifeline()
        _serve(arguments)
    return Exit.OK


def _serve(arguments: argparse.Namespace) -> None:
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    Granian(
        "payorcrm.gateways.sandbox.processor.app:app",
        address=arguments.host,
        port=arguments.port,
        interface=Interfaces.ASGI,
        websockets=False,
        respawn_failed_workers=True,
        workers_kill_timeout=5,
        log_level=LogLevels.error,
    ).serve()
