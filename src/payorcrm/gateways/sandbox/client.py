"""One HTTP call to the processor: keep-alive, no retries, and a deadline for the whole call rather than each read."""

import http.client
import io
import json
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import urllib3
from django.conf import settings
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError


class NothingSent(Exception):
    """No connection came about, so not a byte of the request has left."""


class NoAnswer(Exception):
    """The request may have arrived; no complete and readable answer came back in time."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A status and a JSON object."""

    status: int
    body: dict[str, Any]


def call(
    method: str, path: str, *, key: str, body: Mapping[str, Any] | None = None, idempotency_key: str = ""
) -> Answer:
    """Send one request and return the answer, whatever its status. Raises NothingSent, NoAnswer."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    if idempotency_key:
        headers["Idempotency-Key"] = idempotency_key
    try:
        answer = _pools.request(
            method,
            settings.SANDBOX_URL + path,
            body=None if body is None else json.dumps(body).encode(),
            headers=headers,
            timeout=urllib3.Timeout(total=settings.GATEWAY_TIMEOUT_SECONDS),
            retries=False,
            redirect=False,
        )
        return Answer(answer.status, _json_object(answer.data))
    except (NewConnectionError, ConnectTimeoutError) as error:
        raise NothingSent(str(error)) from error
    except (HTTPError, http.client.HTTPException, OSError, ValueError) as error:
        raise NoAnswer(str(error)) from error


def _json_object(body: bytes) -> dict[str, Any]:
    read = json.loads(body)
    if not isinstance(read, dict):
        raise ValueError("The answer is no JSON object.")
    return read


class _DeadlineReader(io.RawIOBase):
    """Reads a socket until a moment; a peer that sends a byte now and then cannot keep it waiting for longer."""

    def __init__(self, connected: socket.socket, stream: io.BufferedIOBase) -> None:
        # http.client counts on this stream to keep the socket open for as long as the answer is being read.
        self._connected, self._stream = connected, stream
        timeout = connected.gettimeout()
        self._deadline = time.monotonic() + (timeout if timeout is not None else settings.GATEWAY_TIMEOUT_SECONDS)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("The whole answer did not come in time.")
        self._connected.settimeout(left)
        return self._connected.recv_into(buffer)

    def close(self) -> None:
        self._stream.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp: io.BufferedReader = io.BufferedReader(_DeadlineReader(sock, self.fp))


class _Connection(HTTPConnection):
    response_class = _Response


class _SecureConnection(HTTPSConnection):
    response_class = _Response


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


_pools = urllib3.PoolManager(num_pools=4, maxsize=32)
_pools.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
