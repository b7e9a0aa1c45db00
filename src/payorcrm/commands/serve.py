"""Run the web server. In production it refuses to start on a missing secret or an insecure setting."""

import argparse
import os

from payorcrm.commands.exits import Exit
from payorcrm.commands.installation import opened
from payorcrm.commands.lifeline import hold_lifeline

# One slow or locked table must not take all threads from the pages that do not need it.
NO_ENDLESS_WAITING = "-c lock_timeout=10s -c statement_timeout=30s -c idle_in_transaction_session_timeout=60s"
SUMMARY = "run the web server"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where to listen, and with how many at once."""
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8000, help="the port to listen on (default: %(default)s)")
    parser.add_argument("--workers", type=int, default=1, help="how many share the port (default: %(default)s)")
    parser.add_argument("--threads", type=int, help="requests at once in each process (default: DATABASE_POOL_SIZE)")


def run(arguments: argparse.Namespace) -> Exit:
    """Check, collect the static files, serve until told to stop."""
    from payorcrm.commands.free_port import refuse_busy_port

    with opened():
        from django.conf import settings

        from payorcrm.commands.static_files import collect_static_files
        from payorcrm.core.checks import refuse_unsafe_settings

        refuse_unsafe_settings()
        refuse_busy_port(arguments.host, arguments.port)
        collect_static_files()
        hold_lifeline()
        if not settings.BEHIND_PGBOUNCER:
            os.environ.setdefault("PGOPTIONS", NO_ENDLESS_WAITING)
        # A thread beyond the pool would only wait for a connection.
        _serve(arguments, threads=arguments.threads or settings.DATABASE_POOL_SIZE or 10)
    return Exit.OK


def _serve(arguments: argparse.Namespace, *, threads: int) -> None:
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    Granian(
        "payorcrm.config.wsgi:application",
        address=arguments.host,
        port=arguments.port,
        interface=Interfaces.WSGI,
        workers=arguments.workers,
        blocking_threads=threads,
        websockets=False,
        respawn_failed_workers=True,
        workers_kill_timeout=10,
        log_level=LogLevels.error,
    ).serve()
