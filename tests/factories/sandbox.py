"""A sandbox processor of the tests' own, in a process of its own on a free port."""

import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import urllib3

SOURCE = Path(__file__).resolve().parent.parent.parent / "src"


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A running processor.

    Args:
        url: Where it listens.
        admin_key: Opens accounts.
        process_id: Of the server; its workers are in the process group of the same number.
    """

    url: str
    admin_key: str = field(repr=False)
    process_id: int


@contextmanager
def running_sandbox(
    database_url: str, *, port: int | None = None, admin_key: str = "", **env: str
) -> Iterator[Sandbox]:
    """Run a processor on a database until the block ends; `env` overrides its variables (`SANDBOX_SETTLE_SECONDS="1"`).

    Debits settle after an hour unless told otherwise, and the cards that time out hang for three seconds.
    """
    chosen = port or free_port()
    key, url = admin_key or secrets.token_urlsafe(16), f"http://127.0.0.1:{chosen}"
    usual = {"SANDBOX_SETTLE_SECONDS": "3600", "SANDBOX_HANG_SECONDS": "3", "SANDBOX_PUBLIC_URL": url}
    own = {"DATABASE_URL": database_url, "SANDBOX_ADMIN_KEY": key, "PYTHONPATH": str(SOURCE)}
    with tempfile.TemporaryFile() as output:
        server = subprocess.Popen(
            _command(chosen), env=os.environ | usual | own | env, stdout=output, stderr=output, start_new_session=True
        )
        try:
            _wait_until_ready(server, url, output)
            yield Sandbox(url, key, server.pid)
        finally:
            _stop(server)


def free_port() -> int:
    """Return a port on which nobody listens now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _command(port: int) -> list[str]:
    application = "payorcrm.gateways.sandbox.processor.app:app"
    options = ["--interface", "asgi", "--http", "1", "--no-ws", "--log-level", "warning", "--workers-kill-timeout", "1"]
    return [sys.executable, "-m", "granian", *options, "--host", "127.0.0.1", "--port", str(port), application]


def _wait_until_ready(server: "subprocess.Popen[bytes]", url: str, output: "tempfile._TemporaryFileWrapper") -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and server.poll() is None:
        try:
            if urllib3.request("GET", f"{url}/health", timeout=5, retries=False).status == 200:
                return
        except urllib3.exceptions.HTTPError:
            time.sleep(0.05)
    output.seek(0)
    raise RuntimeError(f"The sandbox processor does not start: {output.read().decode(errors='replace')}")


def _stop(server: "subprocess.Popen[bytes]") -> None:
    server.terminate()
    try:
        server.wait(timeout=10)
    except subprocess.TimeoutExpired:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()
