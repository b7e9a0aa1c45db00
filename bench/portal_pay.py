"""The pay button of a signed-in user with a saved card: from the POST to the paid invoices and the redirection.

Beside it, on the same server in the same run: `/bare/`, a Django view of four statements and one commit, and
`/bare/one/`, one of a single query (see `bench.bare`). The payment also calls the sandbox processor over HTTP, which
keeps its own books.
"""

import os
import statistics
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from bench.harness import Bench, Target, Way
from bench.web import CLIENTS, Request, Web, send
from tests.factories.sandbox import running_sandbox

if TYPE_CHECKING:
    from payorcrm.core.models import User

PAYMENTS = 400
PAYERS = 40
INVOICES_EACH = 3
CSRF = "b" * 32
# No promise: far less than this would be a mistake.
SHARE = 0.03

PAY, WRITES, ONE = "pay POST to paid", "bare view that writes", "view of one query"


def measure(bench: Bench) -> None:
    """Compare payments a second with requests of the bare views, and say what p50 and p99 are."""
    from django.conf import settings
    from django.db import connection

    from bench.bare import ROWS, TABLES

    with connection.cursor() as cursor:
        cursor.execute(TABLES.replace("%s", str(ROWS)))
    with running_sandbox(os.environ["DATABASE_URL"]) as processor:
        settings.SANDBOX_URL, settings.SANDBOX_ADMIN_KEY = processor.url, processor.admin_key
        web = Web(SANDBOX_URL=processor.url)
        try:
            _compare(bench, web, bench.scaled(PAYMENTS))
        finally:
            web.stop()


def _compare(bench: Bench, web: Web, count: int) -> None:
    prepared: list[Request] = []
    latencies: dict[str, list[float]] = {PAY: [], WRITES: [], ONE: []}

    def way(name: str, requests: list[Request], wanted: int) -> Way:
        return Way(name, lambda: latencies[name].extend(send(web, requests, wanted)))

    pay = Way(
        PAY,
        lambda: latencies[PAY].extend(send(web, prepared, 302)),
        before=lambda: prepared.__setitem__(slice(None), _presses(count)),
    )
    bench.compare(
        f"{count} requests by {CLIENTS} clients",
        unit="requests",
        count=count,
        ways=[
            pay,
            way(WRITES, [("/bare/", b"", {})] * count, 200),
            way(ONE, [("/bare/one/", b"", {})] * count, 200),
        ],
        target=Target(PAY, ONE, SHARE),
    )
    for name, seconds in latencies.items():
        cuts = statistics.quantiles(seconds, n=100)
        bench.note(f"{name}: p50 {cuts[49] * 1000:.1f} ms, p99 {cuts[98] * 1000:.1f} ms")
    _prove(bench)


def _prove(bench: Bench) -> None:
    from payorcrm.ledger.check import check_books
    from payorcrm.payments.models import Payment

    unpaid = Payment.objects.exclude(state="succeeded").count()
    bench.expect(unpaid == 0, f"every payment succeeded ({unpaid} did not)")
    bench.expect(check_books() == [], "the books are right afterwards")


def _presses(count: int) -> list[Request]:
    """Make `count` selections of three invoices, of some customers, and the presses of their pages' buttons."""
    from django.db import transaction

    from payorcrm.core.clock import now
    from payorcrm.merchants.models import GatewayAccount
    from payorcrm.payments.queries import due_of
    from payorcrm.payments.request_payment import request_from_portal
    from payorcrm.portal.forms import new_checkout
    from tests.factories.models import InvoiceFactory, PortalAccessFactory
    from tests.payments.kit import merchant_at_the_sandbox, save_method

    account = GatewayAccount.objects.first()
    merchant = account.merchant if account else merchant_at_the_sandbox()
    cards = [save_method(merchant, "4242424242424242") for _ in range(min(count, PAYERS))]
    payers = [(card, _headers_of(PortalAccessFactory(customer=card.customer).user)) for card in cards]
    presses: list[Request] = []
    for number in range(count):
        card, headers = payers[number % len(payers)]
        with transaction.atomic():
            chosen = {InvoiceFactory(customer=card.customer).id: None for _ in range(INVOICES_EACH)}
        user = card.customer.portal_accesses.get().user
        asked = request_from_portal(customer=card.customer, user=user, amounts=chosen, now=now())
        sent = {"csrfmiddlewaretoken": CSRF, "checkout": new_checkout(asked, due_of(asked).total, now())}
        presses.append((f"/portal/pay/{asked.id}/?with={card.id}", urlencode(sent).encode(), headers))
    return presses


def _headers_of(user: "User") -> dict[str, str]:
    """Return what the browser of somebody who has signed in sends with a form."""
    from django.conf import settings
    from django.test import Client

    client = Client()
    client.force_login(user)
    cookies = f"{settings.SESSION_COOKIE_NAME}={client.session.session_key}; {settings.CSRF_COOKIE_NAME}={CSRF}"
    return {"Content-Type": "application/x-www-form-urlencoded", "Cookie": cookies}
