"""The dashboard of a merchant with 1,000,000 open invoices of 100,000 customers.

Beside it: the aggregate that adds up the same invoices by age and nothing else.
"""

import statistics
import time

from bench.harness import Bench, Target, Way

INVOICES, CUSTOMERS = 1_000_000, 100_000
SHARE = 0.5  # at most twice the time of the bare aggregate
MOST_MS = 100
PAGES = 20

BARE, AGING, ALL_DEBTORS = "bare aggregate", "ageing", "debtors without kept sums"


def measure(bench: Bench) -> None:
    """Compare the ageing with the bare aggregate, and say how long the page takes, at rest and right after changes."""
    from payorcrm.core import clock
    from payorcrm.invoices.aging import agings_of, fold_days
    from payorcrm.invoices.debtors import keep_debtors, top_debtors

    count = bench.scaled(INVOICES)
    merchant, page = _fill(count, bench.scaled(CUSTOMERS))
    now = clock.now()
    today = clock.day_in(merchant.time_zone, now)

    def debtors() -> None:
        top_debtors(merchant.id, currency="USD", count=5, now=now, today=today)

    ways = [
        Way(BARE, lambda: _bare(merchant.id, today)),
        Way(AGING, lambda: agings_of(merchant.id, today=today) and None),
        Way(ALL_DEBTORS, debtors),
    ]
    title = f"{count:,} open invoices"
    bench.compare(title, unit="invoices", count=count, ways=ways, target=Target(AGING, BARE, SHARE))
    start = time.perf_counter()
    keep_debtors(merchant.id, now=now, today=today)
    bench.note(f"the job that keeps all debtors' sums: {time.perf_counter() - start:.2f} s the first time")
    fold_days()
    _expect_quick(bench, "the dashboard", [_taken(page) for _ in range(PAGES)])
    _change(count // 100)
    _expect_quick(bench, f"the dashboard right after {count // 100:,} changes", [_taken(page) for _ in range(PAGES)])


def _expect_quick(bench: Bench, what: str, seconds: list[float]) -> None:
    median = statistics.median(seconds) * 1000
    bench.expect(
        median < MOST_MS, f"{what} takes {median:.1f} ms ({max(seconds) * 1000:.1f} at most); under {MOST_MS} is wanted"
    )


def _taken(page) -> float:  # type: ignore[no-untyped-def]
    start = time.perf_counter()
    assert page().status_code == 200
    return time.perf_counter() - start


def _fill(count: int, customers: int):  # type: ignore[no-untyped-def]
    from django.db import connection
    from django.test import Client
    from django.urls import reverse

    from tests.factories.models import StaffFactory

    staff = StaffFactory()
    with connection.cursor() as cursor:
        cursor.execute(_CUSTOMERS, [staff.merchant.id, customers])
        cursor.execute(_INVOICES, [staff.merchant.id, count, customers])
        cursor.execute("VACUUM ANALYZE invoices_invoice")
    client = Client(headers={"host": "localhost"})
    client.force_login(staff.user, backend="allauth.account.auth_backends.AuthenticationBackend")
    address = reverse("backoffice:dashboard", args=[staff.merchant.slug])
    client.get(address)
    return staff.merchant, lambda: client.get(address)


def _change(count: int) -> None:
    """Let payments go under way one after another, as customers make them."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM invoices_invoice WHERE status = 'open' LIMIT %s", [min(count, 2000)])
        for (invoice,) in cursor.fetchall():
            cursor.execute("UPDATE invoices_invoice SET in_flight = 1 WHERE id = %s", [invoice])


def _bare(merchant_id, today) -> None:  # type: ignore[no-untyped-def]
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(_AGGREGATE, {"merchant": merchant_id, "today": today})
        cursor.fetchall()


_AGGREGATE = """
SELECT currency, width_bucket(%(today)s::date - due_on, ARRAY[1, 31, 61, 91]), sum(balance), sum(in_flight), count(*)
  FROM invoices_invoice WHERE merchant_id = %(merchant)s AND status = 'open' GROUP BY 1, 2
"""
_CUSTOMERS = """
INSERT INTO customers_customer (id, merchant_id, number, company_name, category, phone, address, language, is_reminded,
       created_at)
SELECT gen_random_uuid(), %s, 'C' || n, 'Company ' || n, '', '', '', '', true, now() FROM generate_series(1, %s) n
"""
_INVOICES = """
WITH numbered AS (
  SELECT id, merchant_id, row_number() OVER () AS place FROM customers_customer WHERE merchant_id = %s
)
INSERT INTO invoices_invoice (id, merchant_id, customer_id, number, status, issued_on, due_on, currency, total, balance,
       in_flight, created_at)
SELECT gen_random_uuid(), numbered.merchant_id, numbered.id, 'INV-' || n, 'open', current_date - n %% 400,
       current_date - n %% 400 + 30, 'USD', 1000 + n, 1000 + n, 0, now()
  FROM generate_series(1, %s) n JOIN numbered ON numbered.place = n %% %s + 1
"""
