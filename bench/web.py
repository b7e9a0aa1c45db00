"""The web server with the bare views beside the product's own, and clients that ask it."""

import http.client
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import urllib3

from tests.factories.sandbox import free_port

CLIENTS = 8
_ROOT = Path(__file__).resolve().parent.parent

# Path, body, headers; a request without a body is a GET.
Request = tuple[str, bytes, dict[str, str]]


class Web:
    """One process of the web server, as `payorcrm serve` starts it; `settings` go to its environment."""

    def __init__(self, **settings: str) -> None:
        self.port = free_port()
        words = ["granian", "--interface", "wsgi", "--port", str(self.port), "--host", "127.0.0.1", "--workers", "1"]
        words += ["--blocking-threads", "8", "--no-ws", "--log-level", "error", "bench.bare_server:application"]
        environment = os.environ | {
            **settings,
            "PUBLIC_URL": f"http://127.0.0.1:{self.port}",
            "PYTHONPATH": os.pathsep.join(["src", "."]),
        }
        self._server = subprocess.Popen([sys.executable, "-m", *words], env=environment, cwd=_ROOT)
        self._wait()

    def stop(self) -> None:
        """End the server."""
        self._server.terminate()
        self._server.wait(timeout=20)

    def _wait(self) -> None:
        for _ in range(200):
            try:
                if urllib3.request("GET", f"http://127.0.0.1:{self.port}/bare/one/", retries=False).status == 200:
                    return
            except urllib3.exceptions.HTTPError:
                time.sleep(0.1)
        raise RuntimeError("the web server does not start")


def send(web: Web, requests: list[Request], wanted: int, *, clients: int = CLIENTS) -> list[float]:
    """Send all requests by some threads, each on one connection; return the seconds each took."""
    queue, taken = iter(requests), []
    lock, wrong = threading.Lock(), []

    def client() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", web.port)
        while True:
            with lock:
                request = next(queue, None)
            if request is None:
                return connection.close()
            path, body, headers = request
            start = time.perf_counter()
            connection.request("POST" if body else "GET", path, body or None, headers)
            answer = connection.getresponse()
            answer.read()
            taken.append(time.perf_counter() - start)
            if answer.status != wanted:
                wrong.append(answer.status)

    _run_all(client for _ in range(clients))
    if wrong:
        raise RuntimeError(f"{len(wrong)} answers were not {wanted}: {wrong[:5]}")
    return taken


def _run_all(clients: Iterable[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=client) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
