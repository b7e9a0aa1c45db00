"""The same thing done at the same moment by several, each on a connection of its own."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from django.db import connection

Given = TypeVar("Given")
Answer = TypeVar("Answer")


def at_once(act: Callable[[Given], Answer], *each: Given) -> list[Answer]:
    """Call `act` with each of these at once, and return the answers; an error of any of them is raised."""
    ready = Barrier(len(each))

    def begin(given: Given) -> Answer:
        try:
            ready.wait()
            return act(given)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(each)) as pool:
        return list(pool.map(begin, each))
