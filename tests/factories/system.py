"""The whole product, running: processor, web server and worker as programs of their own, and an SMTP server."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from payorcrm.commands.children import Child, Children, answers
from tests.factories.inbox import Inbox, free_port

PATIENT = {"GATEWAY_TIMEOUT_SECONDS": "3", "RESOLVE_GRACE_SECONDS": "4", "SANDBOX_SETTLE_SECONDS": "2"}


class RunningSystem:
    """A system on one database. Names of its programs: `processor`, `web`, `worker`."""

    def __init__(self, database_url: str, **environment: str) -> None:
        """Start everything; `environment` overrides what the programs are told."""
        self.database_url = database_url
        self.inbox = Inbox()
        self.url = f"http://localhost:{free_port()}"
        self.processor_url = f"http://localhost:{free_port()}"
        self._children = Children(self._environment() | environment)
        self._running: dict[str, Child] = {}
        try:
            for name in ("processor", "web", "worker"):
                self.start(name)
        except BaseException:
            self.stop()
            raise

    def start(self, name: str) -> None:
        """Start one program that is not running, and wait until it is ready."""
        words, is_ready = self._ways()[name]
        child = self._children.start(name, *words, is_ready=is_ready)
        self._running[name] = child
        self._children.wait_until_ready(child)

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> None:
        """End one program, and all that it had started, by a signal."""
        self._children.kill(self._running.pop(name), number)

    def pause(self, name: str) -> None:
        """Stop one program in the middle of whatever it does, until `resume`."""
        os.killpg(self._running[name].program.pid, signal.SIGSTOP)

    def resume(self, name: str) -> None:
        """Let a paused program go on."""
        os.killpg(self._running[name].program.pid, signal.SIGCONT)

    @contextmanager
    def paused(self, name: str) -> Iterator[None]:
        """Stop one program for as long as the block lasts."""
        self.pause(name)
        try:
            yield
        finally:
            self.resume(name)

    def start_what_is_missing(self) -> None:
        """Start the programs that were killed."""
        for name in self._ways():
            if name not in self._running:
                self.start(name)

    def restart(self, name: str) -> None:
        """Kill a program if it runs, and start it again."""
        if name in self._running:
            self.kill(name)
        self.start(name)

    def stop(self) -> None:
        """Stop everything."""
        self._children.stop()
        self.inbox.stop()

    def _environment(self) -> dict[str, str]:
        return PATIENT | {
            "DATABASE_URL": self.database_url,
            "DATABASE_POOL_SIZE": "8",
            "EMAIL_URL": self.inbox.url,
            "PUBLIC_URL": self.url,
            "SANDBOX_URL": self.processor_url,
            "SANDBOX_PUBLIC_URL": self.processor_url,
        }

    def _ways(self) -> dict[str, tuple[list[str], Callable[[], bool]]]:
        web, processor = (url.rsplit(":", 1)[1] for url in (self.url, self.processor_url))
        return {
            "processor": (["sandbox", "--port", processor], lambda: answers(self.processor_url)),
            "web": (["serve", "--port", web], lambda: answers(self.url)),
            "worker": (["worker"], self._question_for_a_new_worker()),
        }

    def _question_for_a_new_worker(self) -> Callable[[], bool]:
        def newest() -> int:
            with psycopg.connect(self.database_url) as connection:
                row = connection.execute("SELECT coalesce(max(id), 0) FROM procrastinate_workers").fetchone()
            return int(row[0]) if row else 0

        before = newest()
        return lambda: newest() > before


def fresh_database(name: str, *, template: str = "template1") -> str:
    """Make a database on the server of `DATABASE_URL`, empty or as another one is, and return its address."""
    drop_database(name)
    with psycopg.connect(administration(), autocommit=True) as connection:
        names = (sql.Identifier(name), sql.Identifier(template))
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*names))
    return _url(name)


def drop_database(name: str) -> None:
    """Remove a database, whoever is connected to it."""
    with psycopg.connect(administration(), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def administration() -> str:
    """Return the address of the server's own database, from which others are made."""
    return make_conninfo(os.environ["DATABASE_URL"], dbname="postgres")


def _url(name: str) -> str:
    parts = conninfo_to_dict(os.environ["DATABASE_URL"])
    return make_conninfo(**{**parts, "dbname": name})
