"""The links behind the buttons of mails: signed, lasting 90 days, naming a request and a choice and nothing else."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from payorcrm.core.errors import Refused
from payorcrm.core.signing import NotGenuine, open_signed, sign
from payorcrm.payments.models import Payment

LINK_LIFE = timedelta(days=90)

CARD = "card"
BANK = "bank"

_NEW_METHODS = {CARD: b"c", BANK: b"b"}
_SAVED_METHOD = b"m"


@dataclass(frozen=True, slots=True)
class PaymentLink:
    """What a payment link says: the request, and `card`, `bank` or the id of a saved method."""

    request_id: UUID
    choice: str
    made_at: datetime

    def method_id(self) -> UUID | None:
        """Return the saved method that the button named; None for a new one."""
        return None if self.choice in _NEW_METHODS else UUID(self.choice)


class LinkExpired(Refused):
    """A payment link is older than 90 days."""

    code = "link_expired"
    status: ClassVar[int] = 410
    message = _("This link is too old to pay with.")


def payment_token(request_id: UUID, choice: str, now: datetime) -> str:
    """Return the token of a payment link; `choice` is `card`, `bank` or a saved method's id."""
    chosen = _NEW_METHODS.get(choice) or _SAVED_METHOD + UUID(choice).bytes
    return sign("payment-link", request_id.bytes + chosen, now=now)


def payment_link(request_id: UUID, choice: str, now: datetime) -> str:
    """Return the absolute address of a payment link."""
    return f"{settings.PUBLIC_URL}/pay/{payment_token(request_id, choice, now)}/"


def read_payment_token(token: str) -> PaymentLink:
    """Return what a genuine token says, expired or not. Raises NotGenuine."""
    payload, made_at = open_signed("payment-link", token)
    request, chosen = payload[:16], payload[16:]
    names = {mark: name for name, mark in _NEW_METHODS.items()}
    choice = names.get(chosen) or str(_uuid(chosen[1:]))
    return PaymentLink(request_id=_uuid(request), choice=choice, made_at=made_at)


def open_payment_link(token: str, *, now: datetime) -> PaymentLink:
    """Return what a token says if it may still be used. Raises NotGenuine, LinkExpired."""
    link = read_payment_token(token)
    if now - link.made_at > LINK_LIFE:
        raise LinkExpired
    return link


def payment_page_token(payment_id: UUID, now: datetime) -> str:
    """Return the token of the page that shows one payment to the person who made it."""
    return sign("payment-page", payment_id.bytes, now=now)


def payment_page_link(payment_id: UUID, now: datetime) -> str:
    """Return the absolute address of a payment's own page."""
    return f"{settings.PUBLIC_URL}/payment/{payment_page_token(payment_id, now)}/"


def page_of_payment(payment: Payment, now: datetime) -> str:
    """Return where the person who made a payment sees what became of it: in the portal if they were signed in."""
    if payment.made_by_id:
        return f"{settings.PUBLIC_URL}/portal/payments/{payment.id}/result/"
    return payment_page_link(payment.id, now)


def open_payment_page(token: str, *, now: datetime) -> UUID:
    """Return the id of the payment that a page's token names. Raises NotGenuine, LinkExpired."""
    payload, made_at = open_signed("payment-page", token)
    if now - made_at > LINK_LIFE:
        raise LinkExpired(_("This page is no longer shown here. Sign in to see your payments."))
    return _uuid(payload)


def invoice_pdf_link(request_id: UUID, invoice_id: UUID, now: datetime) -> str:
    """Return the absolute address of an invoice's PDF, behind the payment link of the mail that is about it."""
    return f"{payment_link(request_id, CARD, now)}invoices/{invoice_id}/pdf/"


def statement_link(request_id: UUID, now: datetime) -> str:
    """Return the absolute address of the statement of a request's customer.

    It shows all that is open, so a payment link does not open it: only a mail whose template offers it does.
    """
    return f"{settings.PUBLIC_URL}/statement/{statement_token(request_id, now)}/"


def statement_token(request_id: UUID, now: datetime) -> str:
    """Return the token of a statement's link."""
    return sign("statement-link", request_id.bytes, now=now)


def open_statement_link(token: str, *, now: datetime) -> UUID:
    """Return the request whose customer's statement a link shows. Raises NotGenuine, LinkExpired."""
    payload, made_at = open_signed("statement-link", token)
    if now - made_at > LINK_LIFE:
        raise LinkExpired(_("This link is too old to show a statement. Please ask for a new one."))
    return _uuid(payload)


def unsubscribe_link(customer_id: UUID, now: datetime) -> str:
    """Return the absolute address that ends reminders to a customer (RFC 8058 posts there); it never expires."""
    return f"{settings.PUBLIC_URL}/unsubscribe/{sign('unsubscribe', customer_id.bytes, now=now)}/"


def open_unsubscribe_link(token: str) -> UUID:
    """Return the customer whose reminders a link ends. Raises NotGenuine."""
    payload, _ = open_signed("unsubscribe", token)
    return _uuid(payload)


def _uuid(raw: bytes) -> UUID:
    if len(raw) != 16:
        raise NotGenuine
    return UUID(bytes=raw)
