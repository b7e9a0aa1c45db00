"""Run everything on this machine with an invented business: database, processor, web server and worker."""

import argparse
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from payorcrm.commands.children import Children, answers
from payorcrm.commands.exits import Exit
from payorcrm.commands.free_port import next_free_port, refuse_busy_port
from payorcrm.commands.installation import answering_database, close_connections, embedded_database, load_django
from payorcrm.config.env import Mode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from rich.console import Console

    from payorcrm.demo.sign_ins import SignIn

SUMMARY = "run everything on this machine with an invented business"
SETTLE_SECONDS = "45"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where the pages are."""
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8000, help="the port of the pages (default: %(default)s)")
    parser.add_argument(
        "--processor-port",
        type=int,
        help="the port of the sandbox processor (default: the next free one, from 8010 on)",
    )


def run(arguments: argparse.Namespace) -> Exit:
    """Start everything, say what to do first, and stop everything on Ctrl-C."""
    from rich.console import Console

    began = time.monotonic()
    console = Console()
    _choose_addresses(arguments)
    status = console.status("Starting the database")
    with _stopped_by_signals(), status, embedded_database(), Children() as children:
        status.update("Starting the sandbox processor")
        _start_processor(children, arguments)
        status.update("Preparing the demo business")
        sign_ins = _prepare_business()
        status.update("Starting web server and worker")
        _start_rest(children, arguments)
        status.stop()
        _greet(console, sign_ins, seconds=time.monotonic() - began)
        _watch(children)
    console.print("Stopped. Everything is kept for the next time.")
    return Exit.OK


def _choose_addresses(arguments: argparse.Namespace) -> None:
    refuse_busy_port(arguments.host, arguments.port, hint=f"Choose another one: make demo PORT={arguments.port + 100}")
    if arguments.processor_port is None:
        arguments.processor_port = next_free_port(arguments.host, 8010 if arguments.port < 8010 else arguments.port + 1)
    name = _name_of(arguments.host)
    os.environ["PAYORCRM_MODE"] = Mode.DEMO
    os.environ["PUBLIC_URL"] = f"http://{name}:{arguments.port}"
    os.environ["SANDBOX_URL"] = os.environ["SANDBOX_PUBLIC_URL"] = f"http://{name}:{arguments.processor_port}"
    os.environ.setdefault("SANDBOX_SETTLE_SECONDS", SETTLE_SECONDS)


def _name_of(host: str) -> str:
    """Return what a browser on this machine calls an address to listen on."""
    if host in {"127.0.0.1", "0.0.0.0", "::", "::1"}:  # noqa: S104
        return "localhost"
    return f"[{host}]" if ":" in host else host


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """Let Ctrl-C, a closed terminal and a polite kill end the block quietly, once everything in it has stopped."""

    def interrupt(number: int, frame: object) -> None:
        # A second, impatient Ctrl-C must not cut the stopping short and leave something running.
        for each in signals:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(each, interrupt) for each in signals]
    try:
        yield
    except KeyboardInterrupt:
        pass
    finally:
        for each, earlier in zip(signals, before, strict=True):
            signal.signal(each, earlier)


def _start_processor(children: Children, arguments: argparse.Namespace) -> None:
    url = os.environ["SANDBOX_URL"]
    words = ["sandbox", "--host", arguments.host, "--port", str(arguments.processor_port)]
    children.wait_until_ready(children.start("sandbox processor", *words, is_ready=lambda: answers(url)))


def _prepare_business() -> "Iterable[SignIn]":
    from payorcrm.commands.migrate import migrate

    load_django()
    with answering_database():
        from payorcrm.demo.load import load_demo_business

        migrate()
        return load_demo_business()


def _start_rest(children: Children, arguments: argparse.Namespace) -> None:
    url = os.environ["PUBLIC_URL"]
    words = ["serve", "--host", arguments.host, "--port", str(arguments.port)]
    web = children.start("web server", *words, is_ready=lambda: answers(f"{url}/mailbox/"))
    worker = children.start("worker", "worker", is_ready=_seen_since(time.time()))
    for child in (web, worker):
        children.wait_until_ready(child)
    close_connections()


def _seen_since(moment: float) -> "Callable[[], bool]":
    """Return a question: has any worker given a sign of life since a moment?"""

    def is_seen() -> bool:
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT EXISTS (SELECT 1 FROM procrastinate_workers WHERE last_heartbeat >= to_timestamp(%s))", [moment]
            )
            return bool(cursor.fetchone()[0])

    return is_seen


def _greet(console: "Console", sign_ins: "Iterable[SignIn]", *, seconds: float) -> None:
    from rich.panel import Panel
    from rich.table import Table

    url = os.environ["PUBLIC_URL"]
    people = Table(box=None, pad_edge=False)
    for heading in ("Sign in as", "E-mail", "Password"):
        people.add_column(heading, overflow="fold")
    for person in sign_ins:
        people.add_row(person.who, person.email, person.password)
    doors = dict.fromkeys(f"{person.who.split(',')[0]}: {url}{person.path}" for person in sign_ins)
    first = Panel.fit(
        f"[bold]Start here:[/bold] open {url}/mailbox/ and read the reminder.\n"
        "Press “Pay … with card •••• 0027” in it, open the confirmation mail that\n"
        "follows, and click its link.",
        title="PayorCRM",
        border_style="green",
    )
    console.print(first, people, *doors, "", sep="\n", highlight=False)
    console.print(f"Ready after {seconds:.1f} seconds. Ctrl-C stops everything.", highlight=False)


def _watch(children: Children) -> None:
    while True:
        children.refuse_dead()
        time.sleep(0.3)
