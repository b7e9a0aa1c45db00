"""Reminding 10,000 customers of 5 invoices each, beside handing the same messages to the same server by plain smtplib.

The reminders are selected, queued, claimed, composed from what is owed, sent and recorded by one real worker. The
server is aiosmtpd in a process of its own, which throws the mails away; plain smtplib gets finished messages.
"""

import smtplib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date, timedelta

from bench.harness import Bench, Target, Way

CUSTOMERS = 10_000
INVOICES_OF_A_CUSTOMER = 5
SENDER = "billing@payorcrm.example"
SLUG = "bench-reminders"


def measure(bench: Bench) -> None:
    """Compare a whole run with the mere handing over of its messages."""
    count = bench.scaled(CUSTOMERS)
    make_business(count)
    with mail_server() as port:
        messages = finished_messages()
        assert len(messages) == count, len(messages)
        ways = [
            Way("reminder run", lambda: remind(count), before=forget_reminders),
            Way("plain smtplib", lambda: hand_over(messages, port)),
        ]
        target = Target("reminder run", "plain smtplib", 0.5)
        bench.compare(f"Reminders to {count:,} customers", unit="mails", count=count, ways=ways, target=target)
        sizes = sum(len(message) for _, message in messages)
        bench.note(f"A mail has {sizes // count:,} bytes; every second customer has a saved card.")


def make_business(count: int) -> None:
    """Make a merchant and customers with a contact and overdue invoices; every second one has a saved card."""
    from payorcrm.core.clock import now
    from payorcrm.customers.models import Contact, Customer
    from payorcrm.invoices.models import Invoice
    from payorcrm.merchants.models import Merchant
    from payorcrm.payment_methods.models import PaymentMethod

    merchant = Merchant.objects.create(name="Harbor Supply Co.", slug=SLUG, address="1 Quay Street\nPortland, ME 04101")
    customers = [Customer(merchant=merchant, number=f"C{n:06}", company_name=f"Tools & Sons {n}") for n in range(count)]
    contacts = (
        Contact(
            merchant=merchant,
            customer=customer,
            first_name="Jo",
            last_name="Miller",
            email=f"jo@customer{n}.example",
            is_primary=True,
        )
        for n, customer in enumerate(customers)
    )
    today = now().date()
    invoices = (_invoice(merchant, customer, n, today) for n, customer in enumerate(customers * INVOICES_OF_A_CUSTOMER))
    cards = (_card(merchant, customer, now()) for customer in customers[::2])
    for model, rows in ((Customer, customers), (Contact, contacts), (Invoice, invoices), (PaymentMethod, cards)):
        model.objects.bulk_create(rows, batch_size=5_000)
    _execute("ANALYZE")


def _invoice(merchant: object, customer: object, place: int, today: date) -> object:
    from payorcrm.invoices.models import Invoice

    due = today - timedelta(days=1 + place % 300)
    total = 1_000 + place * 37 % 500_000
    return Invoice(
        merchant=merchant, customer=customer, number=f"INV-{place:06}", issued_on=due - timedelta(days=30), due_on=due,
        currency="USD", total=total, balance=total,
    )  # fmt: skip


def _card(merchant: object, customer: object, now: object) -> object:
    from payorcrm.payment_methods.models import PaymentMethod

    kept = {"created_at": now, "saved_at": now, "consent_text": "Keep this card."}
    card = {"kind": "card", "brand": "visa", "last4": "0027", "expiry_month": 12, "expiry_year": 2050}
    return PaymentMethod(merchant=merchant, customer=customer, gateway="sandbox", token="pm_bench", **card, **kept)


@contextmanager
def mail_server() -> Iterator[int]:
    """Run aiosmtpd in a process of its own, point the settings at it, and return its port."""
    from django.conf import settings

    with closing(socket.socket()) as trial:
        trial.bind(("127.0.0.1", 0))
        port = trial.getsockname()[1]
    server = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "aiosmtpd",
            "--nosetuid",
            "--listen",
            f"127.0.0.1:{port}",
            "--class",
            "aiosmtpd.handlers.Sink",
        ]
    )
    settings.MAIL_SERVER = {"host": "127.0.0.1", "port": port, "user": "", "password": "", "security": "none"}
    settings.MAIL_FROM = SENDER
    try:
        _wait_for(port)
        yield port
    finally:
        server.terminate()
        server.wait()


def _wait_for(port: int) -> None:
    for _ in range(100):
        with closing(socket.socket()) as trial:
            if trial.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError("the mail server did not start")


def start_run() -> None:
    """Select and queue all reminders."""
    from payorcrm.core.clock import now
    from payorcrm.merchants.models import Merchant
    from payorcrm.reminders.send import send_reminders

    send_reminders(merchant=Merchant.objects.get(slug=SLUG), now=now())


def finished_messages() -> list[tuple[str, bytes]]:
    """Return address and bytes of every message that a run sends."""
    from payorcrm.core.clock import now
    from payorcrm.mail.claim import WayOut
    from payorcrm.mail.prepare import prepare
    from payorcrm.mail.transport import Outgoing

    start_run()
    messages = []
    while mails := WayOut().claim(now=now()):
        batch = prepare(mails, now=now())
        messages += [
            (found.to_address, found.message) for found in map(batch.write, mails) if isinstance(found, Outgoing)
        ]
    return messages


def remind(count: int) -> None:
    """Queue the reminders and let one worker deliver them."""
    from procrastinate.contrib.django import app

    from payorcrm.mail.models import Mail, MailState

    start_run()
    app.with_connector(app.connector.get_worker_connector()).run_worker(
        wait=False, concurrency=1, install_signal_handlers=False
    )
    assert Mail.objects.filter(state=MailState.SENT).count() == count


def hand_over(messages: list[tuple[str, bytes]], port: int) -> None:
    """Send finished messages one after another on one connection."""
    with smtplib.SMTP("127.0.0.1", port) as connection:
        for address, message in messages:
            connection.sendmail(SENDER, [address], message)


def forget_reminders() -> None:
    """Take the last run away."""
    for table in ("reminders_reminderrun", "payments_paymentrequest", "mail_mail", "procrastinate_jobs"):
        _execute(f"TRUNCATE {table} CASCADE")
    _execute("UPDATE invoices_invoice SET last_reminded_at = NULL WHERE last_reminded_at IS NOT NULL")
    _execute("VACUUM ANALYZE invoices_invoice")


def _execute(statement: str) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement)
