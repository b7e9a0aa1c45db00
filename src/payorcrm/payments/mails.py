"""The mails of payments: queued with an id where something happened, composed when they are sent.

Each is in the language of its customer; those to the merchant's people are in English.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import OuterRef, Subquery
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from payorcrm.core.clock import day_in
from payorcrm.core.language import speaking
from payorcrm.core.money import Money
from payorcrm.core.write_dates import write_day, write_long_day, write_long_moment
from payorcrm.customers.models import Contact, Topic
from payorcrm.customers.queries import contact_on_file
from payorcrm.customers.recipients import Recipients, recipients_of, recipients_of_proof
from payorcrm.invoices.models import Invoice
from payorcrm.mail.compose import Composed, Unsendable, composer, queue_mail, render_draft
from payorcrm.mail.models import Mail
from payorcrm.merchants.models import Merchant
from payorcrm.merchants.queries import people_to_tell
from payorcrm.payment_methods.models import PaymentMethod
from payorcrm.payments.authorize import text_for_confirmation
from payorcrm.payments.buttons import Button, payment_buttons
from payorcrm.payments.draw_receipt import receipt_file
from payorcrm.payments.links import CARD, payment_link, payment_page_link
from payorcrm.payments.models import Allocation, Confirmation, Payment, PaymentRequest, PaymentState
from payorcrm.payments.queries import due_of
from payorcrm.payments.secrets import has_secrets, secrets_of
from payorcrm.payments.wording import decline_in_words, return_in_words

MOST_INVOICES_SHOWN = 50
ASKED_FOR_CONFIRMATION = gettext_noop(
    "You get this mail because someone pressed a payment button in a mail to you. It was sent for %(merchant)s."
)
ASKED_FOR_LINK = gettext_noop(
    "You get this mail because someone opened an old payment link from a mail to you. It was sent for %(merchant)s."
)
MADE_PAYMENT = gettext_noop("You get this mail because you made this payment. It was sent for %(merchant)s.")
WAS_PAID_FOR = gettext_noop(
    "You get this mail because a payment was made for %(customer)s. It was sent for %(merchant)s."
)


@dataclass(frozen=True, slots=True)
class PaidInvoice:
    """One line of the table in a mail."""

    invoice: Invoice
    amount: Money

    def due(self) -> str:
        return write_day(self.invoice.due_on)


def queue_receipt(payment: Payment, *, now: datetime) -> None:
    """Tell the customer that the money arrived."""
    queue_to_customer("receipt", payment, now)


def queue_submitted(payment: Payment, *, now: datetime) -> None:
    """Tell the customer that a debit is on its way, with a copy of the authorization."""
    queue_to_customer("payment_submitted", payment, now)


def queue_not_made(payment: Payment, *, now: datetime) -> None:
    """Tell the customer that a payment whose answer was lost did not happen."""
    queue_to_customer("payment_not_made", payment, now)


def queue_returned(payment: Payment, *, now: datetime) -> None:
    """Tell the customer and the merchant's people that a debit came back."""
    queue_to_customer("payment_returned", payment, now)
    for address in people_to_tell(payment.merchant):
        queue_mail(
            kind="payment_returned_to_merchant",
            about_id=payment.id,
            merchant=payment.merchant,
            customer_id=payment.customer_id,
            to_address=address,
            now=now,
        )


def queue_canceled(payment: Payment, *, now: datetime) -> None:
    """Tell the customer that a debit was called off."""
    queue_to_customer("payment_canceled", payment, now)


def queue_reversed(payment: Payment, *, now: datetime) -> None:
    """Tell the customer that an offline payment does not stand."""
    queue_to_customer("payment_reversed", payment, now)


def queue_to_contact(*, kind: str, about_id: UUID, merchant: Merchant, customer_id: UUID, now: datetime) -> Contact:
    """Queue a mail to the address on file, in the caller's transaction. Raises NoAddressOnFile."""
    contact = contact_on_file(customer_id)
    queue_mail(
        kind=kind,
        about_id=about_id,
        merchant=merchant,
        customer_id=customer_id,
        to_address=contact.email,
        to_name=str(contact),
        now=now,
    )
    return contact


def queue_to_customer(kind: str, payment: Payment, now: datetime, *, about_id: UUID | None = None) -> None:
    """Queue a mail about a payment, or about what `about_id` names, to whoever gets such mails of the customer.

    Money moves without a mail, too; the payment's own page shows the same.
    """
    for recipients in _recipients_of(kind, payment):
        queue_mail(
            kind=kind,
            about_id=about_id or payment.id,
            merchant=payment.merchant,
            customer_id=payment.customer_id,
            **recipients.as_fields(),
            now=now,
        )


def _recipients_of(kind: str, payment: Payment) -> list[Recipients]:
    payer = payment.made_by
    # Whoever authorizes a debit gets a copy of the authorization (Nacha Operating Rules, subsection 2.3.2).
    if payer is None and kind != "payment_submitted":
        return list(recipients_of([payment.customer_id], Topic.PAYMENTS).values())
    known_as = (payer.email, payer.name) if payer else None
    return recipients_of_proof(payment.customer_id, Topic.PAYMENTS, payer=known_as)


def language_of_customer(row: Any) -> str:
    return str(row.customer.language or row.merchant.language)


def write_each(
    mails: list[Mail],
    rows: Mapping[UUID, Any],
    write: Callable[[Any, Mail], Composed],
    language_of: Callable[[Any], str] = language_of_customer,
) -> dict[UUID, Composed]:
    written: dict[UUID, Composed] = {}
    for mail in mails:
        row = rows.get(mail.about_id) if mail.about_id else None
        if row is not None:
            with speaking(language_of(row)):
                written[mail.id] = write(row, mail)
    return written


@composer("confirmation")
def compose_confirmations(mails: list[Mail], now: datetime) -> Mapping[UUID, Composed]:
    """Write the mails that ask for confirmation; one that was used or replaced meanwhile is withdrawn."""
    rows = Confirmation.objects.select_related("merchant", "customer", "method", "request__merchant").prefetch_related(
        "lines__invoice"
    )
    waiting = rows.filter(id__in=subjects_of(mails), closed_at=None, expires_at__gt=now).in_bulk()

    def write(confirmation: Confirmation, _mail: Mail) -> Composed:
        if not has_secrets(confirmation):
            return Unsendable("The link key of this confirmation is not configured any more.")
        merchant = confirmation.merchant
        shown = {
            "amount": confirmation.amount_money(),
            "merchant": merchant.name,
            "method": confirmation.method.masked(),
        }
        return render_draft(
            "mail/confirmation",
            subject=_("Confirm your payment of %(amount)s to %(merchant)s") % shown,
            merchant=merchant,
            preheader=_("One click pays %(amount)s with %(method)s. Nothing is charged before.") % shown,
            reason=_(ASKED_FOR_CONFIRMATION) % shown,
            context=_confirmation_context(confirmation, now),
        )

    return write_each(mails, waiting, write)


def _confirmation_context(confirmation: Confirmation, now: datetime) -> dict[str, Any]:
    secrets, amount, method = secrets_of(confirmation), confirmation.amount_money(), confirmation.method
    lines = sorted(confirmation.lines.all(), key=lambda line: (line.invoice.due_on, line.invoice.number))
    button = _("Pay %(amount)s now") if method.is_card() else _("Authorize and pay %(amount)s now")
    return {
        "amount": amount,
        "method": on_one_line(method.masked()),
        "invoices": [
            PaidInvoice(line.invoice, Money(line.amount, confirmation.currency)) for line in lines[:MOST_INVOICES_SHOWN]
        ],
        "hidden_count": max(0, len(lines) - MOST_INVOICES_SHOWN),
        "link": f"{settings.PUBLIC_URL}/confirm/{secrets.token}/",
        "button": button % {"amount": amount},
        "code": f"{secrets.code[:3]} {secrets.code[3:]}",
        "expires": _moment(confirmation.expires_at, confirmation.merchant),
        "authorization": "" if method.is_card() else text_for_confirmation(confirmation, amount, now),
    }


@composer("fresh_link")
def compose_fresh_links(mails: list[Mail], now: datetime) -> Mapping[UUID, Composed]:
    """Write the mails that replace an expired payment link."""
    requests = PaymentRequest.objects.select_related("merchant", "customer").in_bulk(subjects_of(mails))

    def write(request: PaymentRequest, _mail: Mail) -> Composed:
        shown = {"merchant": request.merchant.name}
        return render_draft(
            "mail/fresh_link",
            subject=_("Your new payment link from %(merchant)s") % shown,
            merchant=request.merchant,
            reason=_(ASKED_FOR_LINK) % shown,
            context={"ways": _ways(request, now)},
        )

    return write_each(mails, requests, write)


def _ways(request: PaymentRequest, now: datetime) -> list[Button]:
    return payment_buttons(
        request_id=request.id,
        amount=due_of(request).total,
        methods=PaymentMethod.objects.filter(customer=request.customer).usable(
            currency=request.currency, today=day_in(request.merchant.time_zone, now)
        ),
        now=now,
    )


def _compose_payments(kind: str, state: Iterable[str], subject: str) -> None:
    """Register who writes the mails of a kind to customers, about payments that are in one of these states still."""

    def write(payment: Payment, allocations: list[Allocation], mail: Mail, now: datetime) -> Composed:
        shown = {
            "amount": payment.amount_money(),
            "merchant": payment.merchant.name,
            "customer": payment.customer.company_name,
        }
        return render_draft(
            f"mail/{kind}",
            subject=_(subject) % shown,
            merchant=payment.merchant,
            reason=_(MADE_PAYMENT if _is_to_payer(mail, payment) else WAS_PAID_FOR) % shown,
            context=_payment_context(payment, allocations, now),
            attachments=[receipt_file(payment, allocations)] if kind == "receipt" else [],
        )

    _register(kind, state, write, language_of_customer)


def _register(
    kind: str,
    state: Iterable[str],
    write: Callable[[Payment, list[Allocation], Mail, datetime], Composed],
    language_of: Callable[[Any], str],
) -> None:
    @composer(kind)
    def compose(mails: list[Mail], now: datetime) -> Mapping[UUID, Composed]:
        on_file = Contact.objects.filter(customer=OuterRef("customer"), is_primary=True).values("email")
        rows = Payment.objects.select_related("merchant", "customer", "method", "mandate", "made_by")
        rows = rows.annotate(address_on_file=Subquery(on_file[:1]))
        payments = rows.filter(id__in=subjects_of(mails), state__in=list(state)).in_bulk()
        allocations = _allocations_of(payments)
        return write_each(
            mails,
            payments,
            lambda payment, mail: write(payment, allocations.get(payment.id, []), mail, now),
            language_of,
        )


def _is_to_payer(mail: Mail, payment: Payment) -> bool:
    """Say whether a mail goes to nobody but who paid; for a payment from a mail that is the address on file."""
    payer = payment.made_by.email if payment.made_by else payment.address_on_file  # type: ignore[attr-defined]
    return not mail.also_to and not mail.cc and mail.to_address.lower() == (payer or "").lower()


def _payment_context(payment: Payment, allocations: list[Allocation], now: datetime) -> dict[str, Any]:
    merchant = payment.merchant
    expected = payment.expected_on
    return {
        "payment": payment,
        "customer": payment.customer,
        "amount": payment.amount_money(),
        "method": on_one_line(payment.way()),
        "invoices": [PaidInvoice(row.invoice, row.amount_money()) for row in allocations[:MOST_INVOICES_SHOWN]],
        "hidden_count": max(0, len(allocations) - MOST_INVOICES_SHOWN),
        "on_account": _on_account(payment, allocations),
        "paid_on": _paid_on(payment),
        "expected_on": write_long_day(expected) if expected else "",
        "authorization": payment.mandate.text if payment.mandate else "",
        "mandate_reference": payment.mandate.reference if payment.mandate else "",
        "decline": decline_in_words(payment),
        "return_reason": return_in_words(payment),
        "link": payment_page_link(payment.id, now),
        "again_link": payment_link(payment.request_id, CARD, now) if payment.request_id else "",
        "staff_link": f"{settings.PUBLIC_URL}/m/{merchant.slug}/payments/{payment.id}/",
    }


_compose_payments("receipt", [PaymentState.SUCCEEDED], gettext_noop("Receipt: %(amount)s paid to %(merchant)s"))
_compose_payments("payment_submitted", [PaymentState.PENDING], gettext_noop("On its way: %(amount)s to %(merchant)s"))
_compose_payments(
    "payment_not_made",
    [PaymentState.DECLINED, PaymentState.FAILED],
    gettext_noop("Not charged: your payment of %(amount)s to %(merchant)s"),
)
_compose_payments(
    "payment_canceled",
    [PaymentState.CANCELED],
    gettext_noop("Canceled: your payment of %(amount)s to %(merchant)s"),
)
_compose_payments(
    "payment_reversed",
    [PaymentState.REVERSED],
    gettext_noop("Not received after all: %(amount)s to %(merchant)s"),
)
_compose_payments(
    "payment_returned",
    [PaymentState.RETURNED],
    gettext_noop("Sent back by your bank: %(amount)s to %(merchant)s"),
)


def _write_return_to_merchant(payment: Payment, allocations: list[Allocation], _mail: Mail, now: datetime) -> Composed:
    merchant, customer = payment.merchant, payment.customer
    return render_draft(
        "mail/payment_returned_to_merchant",
        subject=f"Returned: {payment.amount_money()} from {customer.company_name} ({payment.return_code})",
        merchant=merchant,
        reason=f"You get this mail because you look after payments of {merchant.name}.",
        context=_payment_context(payment, allocations, now),
    )


_register("payment_returned_to_merchant", [PaymentState.RETURNED], _write_return_to_merchant, lambda _payment: "en")


def subjects_of(mails: list[Mail]) -> list[UUID]:
    return [mail.about_id for mail in mails if mail.about_id]


def _allocations_of(payments: Mapping[UUID, Payment]) -> dict[UUID, list[Allocation]]:
    found: dict[UUID, list[Allocation]] = {}
    rows = Allocation.objects.filter(payment_id__in=payments.keys()).select_related("invoice")
    for row in rows.order_by("invoice__due_on", "invoice__number"):
        found.setdefault(row.payment_id, []).append(row)
    return found


def _on_account(payment: Payment, allocations: list[Allocation]) -> Money:
    """Return what the lines of the invoices lack to the total."""
    return Money(payment.amount - payment.refunded - sum(row.amount for row in allocations), payment.currency)


def on_one_line(way: str) -> str:
    """Keep the dots of a card or account and its digits together."""
    return way.replace("•••• ", "••••\N{NO-BREAK SPACE}")


def _paid_on(payment: Payment) -> str:
    if payment.received_on:
        return write_long_day(payment.received_on)
    return _moment(payment.settled_at or payment.submitted_at, payment.merchant)


def _moment(moment: datetime, merchant: Merchant) -> str:
    return write_long_moment(moment.astimezone(ZoneInfo(merchant.time_zone)))
