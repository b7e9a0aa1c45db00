"""What journeys say again and again: a merchant with one customer to play, their mails, the processor's records."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from html.parser import HTMLParser
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F
from django.test import Client

from payorcrm.core.models import User
from payorcrm.customers.models import Contact, Customer
from payorcrm.gateways.base import MethodKind
from payorcrm.gateways.sandbox.provision import create_test_method, open_test_account
from payorcrm.invoices.models import Invoice
from payorcrm.ledger.check import check_books
from payorcrm.mail.models import Mail
from payorcrm.merchants.models import GatewayAccount, Merchant
from payorcrm.payment_methods.models import PaymentMethod
from payorcrm.payment_methods.save import Consent, record_saved_method
from payorcrm.payments.models import Payment
from payorcrm.reminders.send import send_reminders
from tests.factories.inbox import Inbox, html_of, text_of
from tests.factories.models import (
    CustomerFactory,
    GatewayAccountFactory,
    InvoiceFactory,
    MerchantFactory,
    PortalAccessFactory,
    StaffFactory,
    usd,
)
from tests.factories.system import RunningSystem

CARD = "4000000050000027"
ACCOUNT = "000123458820"  # stays pending until it is told to settle
AMOUNTS = ("120.00", "80.50", "45.25")
TOTAL = usd("245.75")


@dataclass(frozen=True)
class Charge:
    """One charge in the processor's own records."""

    id: str
    key: str
    amount: int
    status: str


@dataclass(frozen=True)
class Business:
    """A merchant, one customer with overdue invoices, and the people who may sign in."""

    inbox: Inbox
    merchant: Merchant
    customer: Customer
    owner: User
    payer: User

    @property
    def address(self) -> str:
        """The customer's address on file."""
        return Contact.objects.get(customer=self.customer, is_primary=True).email

    @property
    def account(self) -> GatewayAccount:
        """The merchant's account at the processor."""
        return GatewayAccount.objects.get(merchant=self.merchant)

    def save_card(self, number: str = CARD) -> PaymentMethod:
        """Save a card of the customer."""
        return self._save(MethodKind.CARD, number)

    def save_account(self, number: str = ACCOUNT) -> PaymentMethod:
        """Save a bank account of the customer."""
        return self._save(MethodKind.BANK_ACCOUNT, number)

    def bill(self, *amounts: str) -> list[Invoice]:
        """Make overdue invoices of the customer."""
        with transaction.atomic():  # an invoice and its ledger entry are checked together, when they are committed
            return [InvoiceFactory(customer=self.customer, amount=usd(amount)) for amount in amounts]

    def remind(self) -> EmailMessage:
        """Send the reminder through the worker and return what arrived, as if the last one were days ago."""
        Mail.objects.filter(merchant=self.merchant).update(queued_at=F("queued_at") - timedelta(days=3))
        send_reminders(merchant=self.merchant, now=datetime.now(UTC))
        return self.mail("is past due")

    def mail(self, subject: str) -> EmailMessage:
        """Return the oldest unread mail to the customer about a subject."""
        return self.inbox.wait_for_mail(to=self.address, subject=subject)

    def confirmation(self) -> EmailMessage:
        """Return the mail that asks for confirmation."""
        return self.mail("Confirm your payment")

    def mails_about(self, subject: str) -> int:
        """Return how many mails about a subject the customer has got so far."""
        return sum(subject in mail["Subject"] and self.address in mail["X-Envelope-To"] for mail in self.inbox.mails)

    def payments(self) -> list[Payment]:
        """Return the customer's payments, the first one first."""
        return list(Payment.objects.filter(customer=self.customer).select_related("method").order_by("submitted_at"))

    def payment(self) -> Payment:
        """Return the customer's only payment."""
        (payment,) = self.payments()
        return payment

    def charges(self) -> list[Charge]:
        """Return what the processor has recorded for the merchant, the first charge first."""
        with connection.cursor() as cursor:
            cursor.execute(
                """SELECT c.id, c.idempotency_key, c.amount, c.status FROM sandbox.charges c
                     JOIN sandbox.accounts a ON a.id = c.account_id WHERE a.name = %s ORDER BY c.created_at""",
                [_account_name(self.merchant)],
            )
            return [Charge(*row) for row in cursor.fetchall()]

    def statuses(self) -> set[tuple[str, int, int]]:
        """Return status, balance and amount in flight of the customer's invoices, without repetition."""
        return set(Invoice.objects.filter(customer=self.customer).values_list("status", "balance", "in_flight"))

    def _save(self, kind: MethodKind, number: str) -> PaymentMethod:
        expiry = (12, datetime.now(UTC).year + 3) if kind is MethodKind.CARD else None
        return record_saved_method(
            customer=self.customer,
            account=self.account,
            details=create_test_method(self.account.credentials(), kind, number, expiry=expiry),
            consent=Consent("Keep it.", None, datetime.now(UTC)),
        )


def open_business(system: RunningSystem, *amounts: str) -> Business:
    """Make a merchant at the running processor, and a customer with overdue invoices of these amounts."""
    merchant = MerchantFactory()
    webhook = f"{system.url}/webhooks/sandbox/{merchant.slug}/"
    keys = open_test_account(_account_name(merchant), webhook)
    GatewayAccountFactory(
        merchant=merchant, public_key=keys.public_key, secret_key=keys.secret_key, webhook_secret=keys.webhook_secret
    )
    customer = CustomerFactory(merchant=merchant)
    business = Business(
        inbox=system.inbox,
        merchant=merchant,
        customer=customer,
        owner=StaffFactory(merchant=merchant).user,
        payer=PortalAccessFactory(customer=customer).user,
    )
    business.bill(*amounts or AMOUNTS)
    return business


def _account_name(merchant: Merchant) -> str:
    return f"{merchant.name} {merchant.id}"


def session_of(user: User) -> str:
    """Return a session cookie of a user who has signed in."""
    client = Client()
    client.force_login(user)
    return client.cookies["session"].value


def link_in(mail: EmailMessage, label: str) -> str:
    """Return the address of the only link of a mail whose text contains a label."""
    links = {address for address, text in labelled_links(mail) if label in text}
    assert len(links) == 1, f"{len(links)} links say “{label}”: {labelled_links(mail)}"
    return links.pop()


def words_of(mail: EmailMessage) -> str:
    """Return the text part of a mail in one line."""
    return " ".join(text_of(mail).split())


def code_in(mail: EmailMessage) -> str:
    """Return the six digits of a mail that asks for confirmation."""
    found = re.search(r"\b(\d{3}) (\d{3})\b", text_of(mail))
    assert found, "the mail has no code"
    return "".join(found.groups())


def labelled_links(mail: EmailMessage) -> list[tuple[str, str]]:
    """Return address and text of every link in a mail's HTML part, if it has one."""
    reader = _LinkReader()
    if mail.get_body(("html",)):
        reader.feed(html_of(mail))
    return reader.links


class _LinkReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[tuple[str, str]] = []
        self._address: str | None = None
        self._text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self._address, self._text = dict(attrs)["href"], ""

    def handle_data(self, data: str) -> None:
        self._text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._address:
            self.links.append((self._address, " ".join(self._text.split())))
            self._address = None


def assert_charged_once(business: Business) -> None:
    """Check the processor's records against the customer's only payment that took money, and check the books."""
    taken = [payment for payment in business.payments() if payment.state in ("succeeded", "pending")]
    charged = [charge for charge in business.charges() if charge.status in ("succeeded", "pending")]

    assert [(payment.idempotency_key, payment.amount) for payment in taken] == [(c.key, c.amount) for c in charged]
    assert len(charged) == 1
    assert check_books() == []


def wait_until(is_so: Callable[[], Any], what: str, *, patience: float = 60) -> Any:
    """Look again and again until something is so, and return it."""
    deadline = time.monotonic() + patience
    while not (found := is_so()):
        assert time.monotonic() < deadline, f"not within {patience} s: {what}"
        time.sleep(0.1)
    return found


def state_of(payment_id: UUID) -> str:
    """Return where a payment stands."""
    return Payment.objects.get(id=payment_id).state
