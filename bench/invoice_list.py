"""The portal's home page of a customer with 10,000 invoices, through a signed-in session over HTTP.

Beside it, in the same process of the web server and with the same session's cookie: the same page of a customer with
100 invoices, and `/bare/one/`, a Django view of one query (see `bench.bare`) behind the same middleware.
"""

import statistics
import time
from collections.abc import Callable

from bench.harness import Bench, Target, Way
from bench.web import Request, Web, send

MANY, FEW = 10_000, 100
REQUESTS = 300
CLIENTS = 4
SHARE = 0.45
MOST_TIMES_SLOWER = 1.3

LONG, SHORT, ONE = f"list of {MANY:,} invoices", f"list of {FEW} invoices", "view of one query"


def measure(bench: Bench) -> None:
    """Compare pages a second, and the slowest hundredth of the long list with that of the short one."""
    long, short = _Session(MANY), _Session(FEW)
    web = Web()
    try:
        _compare(bench, web, long, short)
        _note_other_pages(bench, web, long)
    finally:
        web.stop()


def _compare(bench: Bench, web: Web, long: "_Session", short: "_Session") -> None:
    count = bench.scaled(REQUESTS)
    taken: dict[str, list[float]] = {LONG: [], SHORT: [], ONE: []}
    requests = {LONG: long.get("/portal/invoices/"), SHORT: short.get("/portal/invoices/"), ONE: long.get(long.one)}
    for request in requests.values():
        send(web, [request] * 20, 200)

    def way(name: str) -> Way:
        return Way(name, lambda: taken[name].extend(send(web, [requests[name]] * count, 200, clients=CLIENTS)))

    title = f"{count} requests by {CLIENTS} clients"
    ways = [way(name) for name in taken]
    bench.compare(title, unit="requests", count=count, ways=ways, target=Target(LONG, ONE, SHARE))
    slowest = {}
    for name, seconds in taken.items():
        cuts = statistics.quantiles(seconds, n=100)
        slowest[name] = cuts[98]
        bench.note(f"{name}: p50 {cuts[49] * 1000:.1f} ms, p99 {cuts[98] * 1000:.1f} ms")
    times = slowest[LONG] / slowest[SHORT]
    bench.expect(
        times <= MOST_TIMES_SLOWER,
        f"p99 of {MANY:,} invoices is {times:.2f} times that of {FEW}; at most {MOST_TIMES_SLOWER} is wanted",
    )


def _note_other_pages(bench: Bench, web: Web, long: "_Session") -> None:
    """Say what pages cost that the comparison leaves out, one request after another."""
    from django.db import connection

    def change() -> None:
        with connection.cursor() as cursor:
            cursor.execute("UPDATE invoices_invoice SET due_on = due_on WHERE id = %s", [long.an_invoice])

    pages = {
        "first page": "/portal/invoices/",
        "last page": "/portal/invoices/?sort=-due",
        "by number": "/portal/invoices/?sort=number",
        "search": "/portal/invoices/?search=77",
    }
    for name, path in pages.items():
        bench.note(f"{name}: {_median_ms(web, long.get(path)):.1f} ms")
    bench.note(f"first page right after a change: {_median_ms(web, long.get('/portal/invoices/'), change):.1f} ms")


def _median_ms(web: Web, request: Request, before: Callable[[], None] = lambda: None) -> float:
    seconds = []
    for _ in range(30):
        before()
        start = time.perf_counter()
        send(web, [request], 200, clients=1)
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds) * 1000


class _Session:
    """Somebody signed in, whose customer has some invoices, four in five of them unpaid and half of those overdue."""

    def __init__(self, count: int) -> None:
        from django.conf import settings
        from django.db import connection
        from django.test import Client

        from tests.factories.models import PortalAccessFactory

        access = PortalAccessFactory()
        with connection.cursor() as cursor:
            cursor.execute(_INVOICES, [access.merchant.id, access.customer.id, f"{count}-", count])
            cursor.execute("SELECT id FROM invoices_invoice WHERE customer_id = %s LIMIT 1", [access.customer.id])
            (self.an_invoice,) = cursor.fetchone()
            cursor.execute("ANALYZE invoices_invoice")
        client = Client()
        client.force_login(access.user)
        self._headers = {"Cookie": f"{settings.SESSION_COOKIE_NAME}={client.session.session_key}"}
        self.one = f"/bare/one/?id={access.user.id}"

    def get(self, path: str) -> Request:
        """Return the request that this person's browser would send."""
        return path, b"", self._headers


_INVOICES = """
INSERT INTO invoices_invoice (id, merchant_id, customer_id, number, status, issued_on, due_on, currency, total, balance,
       in_flight, created_at)
SELECT gen_random_uuid(), %s, %s, 'INV-' || %s || n, CASE WHEN n %% 5 = 0 THEN 'paid' ELSE 'open' END,
       current_date - n %% 700 - 30, current_date - n %% 700 + 350, 'USD', 1000 + n,
       CASE WHEN n %% 5 = 0 THEN 0 ELSE 1000 + n END, 0, now()
  FROM generate_series(1, %s) n
"""
