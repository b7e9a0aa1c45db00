"""The demo as a person runs it: it comes up, says what to do, survives a kill -9, and stops all that it started."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import urllib3

from payorcrm.commands.exits import Exit
from tests.factories.inbox import free_port

NOT_INHERITED = {"DATABASE_URL", "DATABASE_POOL_SIZE", "PAYORCRM_MODE"}


class Demo:
    """One run of `payorcrm demo`, with all that it printed."""

    def __init__(self, var: Path, port: int) -> None:
        inherited = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
        var.mkdir(exist_ok=True)
        self.output = var / "output.txt"
        with self.output.open("w") as output:
            self.program = subprocess.Popen(
                [sys.executable, "-m", "payorcrm", "demo", "--port", str(port)],
                env=inherited | {"PAYORCRM_VAR": str(var), "COLUMNS": "200"},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self.url = f"http://localhost:{port}"

    def ready_seconds(self) -> float:
        """Wait for the ready message and return the seconds in it."""
        deadline = time.monotonic() + 90
        while not (said := re.search(r"Ready after ([\d.]+) seconds", self.output.read_text())):
            assert self.program.poll() is None, self.output.read_text()
            assert time.monotonic() < deadline, self.output.read_text()
            time.sleep(0.1)
        return float(said[1])

    def end(self, number: signal.Signals) -> int:
        """Send a signal and return the exit code."""
        self.program.send_signal(number)
        return self.program.wait(timeout=20)


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def running(var: Path, port: int) -> Iterator[Demo]:
    demo = Demo(var, port)
    yield demo
    if demo.program.poll() is None:
        demo.end(signal.SIGTERM)


def programs_of(var: Path) -> list[str]:
    """Return the command lines of all living programs that were started for a `var` folder."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if f"PAYORCRM_VAR={var}".encode() in (place / "environ").read_bytes():
                found.append((place / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
    return found


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.1)
    return False


def get(url: str) -> int:
    return urllib3.request("GET", url, timeout=10, retries=False, redirect=False).status


def test_demo_comes_up_says_what_to_do_survives_a_kill_and_stops_with_ctrl_c(
    running: Demo, var: Path, port: int
) -> None:
    seconds = running.ready_seconds()
    said = running.output.read_text()
    status = get(f"{running.url}/mailbox/")
    running.program.kill()
    running.program.wait()
    left_running = programs_of(var) if not wait_until(lambda: programs_of(var) == [], 15) else []
    again = Demo(var, port)
    seconds_again = again.ready_seconds()
    code = again.end(signal.SIGINT)

    assert seconds < 60
    assert f"{running.url}/mailbox/" in said
    assert "Sign in as" in said
    assert status == 200
    assert left_running == []
    assert seconds_again < 20
    assert code == Exit.OK
    assert wait_until(lambda: programs_of(var) == [], 5), programs_of(var)


def test_busy_port_is_named_with_a_way_out(tmp_path: Path, port: int) -> None:
    with socket.create_server(("127.0.0.1", port)):
        demo = Demo(tmp_path / "second", port)
        code = demo.program.wait(timeout=30)

    assert code == Exit.UNAVAILABLE
    assert f"Port {port} of 127.0.0.1 is in use" in demo.output.read_text()
    assert f"make demo PORT={port + 100}" in demo.output.read_text()
