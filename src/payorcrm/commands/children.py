"""The programs that make a running system: each in a session of its own, on a lifeline, stopped together."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import ClassVar, Self

import urllib3

from payorcrm.commands.lifeline import VARIABLE
from payorcrm.core.errors import Unavailable

STOPPING_SECONDS = 6


class ChildDied(Unavailable):
    """A program that the others need ended by itself."""

    code: ClassVar[str] = "child_died"


@dataclass(frozen=True, slots=True)
class Child:
    """One started program, and how to see that it is ready."""

    name: str
    program: subprocess.Popen[bytes]
    is_ready: Callable[[], bool]


class Children:
    """All programs that one other program started. `environment` is added to its own."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._environment = environment or {}
        self._children: list[Child] = []
        self._lifeline, self._held = os.pipe()
        os.set_inheritable(self._lifeline, True)

    def start(self, name: str, *arguments: str, is_ready: Callable[[], bool]) -> Child:
        """Start `payorcrm` with these arguments; the terminal's Ctrl-C does not reach it, only our stop does."""
        program = subprocess.Popen(
            [sys.executable, "-m", "payorcrm", *arguments],
            env=os.environ | self._environment | {VARIABLE: str(self._lifeline)},
            stdin=subprocess.DEVNULL,
            pass_fds=[self._lifeline],
            start_new_session=True,
        )
        child = Child(name, program, is_ready)
        self._children.append(child)
        return child

    def wait_until_ready(self, child: Child, *, patience: float = 60) -> None:
        """Wait for a child. Raises ChildDied, Unavailable."""
        deadline = time.monotonic() + patience
        while not child.is_ready():
            self.refuse_dead()
            if time.monotonic() > deadline:
                raise Unavailable(f"The {child.name} has not answered for {patience:.0f} seconds.")
            time.sleep(0.1)

    def refuse_dead(self) -> None:
        """Raise ChildDied when a child has ended."""
        for child in self._children:
            code = child.program.poll()
            if code is not None:
                raise ChildDied(f"The {child.name} has stopped by itself (exit code {code}), so everything stops.")

    def kill(self, child: Child, number: signal.Signals = signal.SIGKILL) -> None:
        """End one child and all that it started, as abruptly as the signal is, and wait until it is gone."""
        _signal_group(child, number)
        child.program.wait()
        self._children.remove(child)

    def stop(self) -> None:
        """Ask all to stop, at once; end those that have not after a few seconds."""
        for child in self._children:
            _signal_group(child, signal.SIGTERM)
        deadline = time.monotonic() + STOPPING_SECONDS
        for child in reversed(self._children):
            try:
                child.program.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                _signal_group(child, signal.SIGKILL)
                child.program.wait()
        self._children.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        os.close(self._held)
        os.close(self._lifeline)


def answers(url: str) -> bool:
    """Say whether a web server answers, with anything but an error of its own."""
    try:
        return urllib3.request("GET", url, timeout=10, retries=False, redirect=False).status < 500
    except urllib3.exceptions.HTTPError:
        return False


def _signal_group(child: Child, number: signal.Signals) -> None:
    # The leader first gets the chance to stop its own children; SIGKILL goes to all of them.
    if number is signal.SIGTERM:
        child.program.terminate()
        return
    with suppress(ProcessLookupError):
        os.killpg(child.program.pid, number)
