"""The mails of payments: queued with an id where something happened, composed when they are sent."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime
from django.conf import settings

from payorcrm.core.clock import day_in
from payorcrm.core.money import Money
from payorcrm.customers.models import Contact
from payorcrm.customers.queries import NoAddressOnFile, contact_on_file
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


def queue_receipt(payment: Payment, *, now: datetime) -> None:
    """Tell the customer that the money arrived."""
    _queue_to_customer("receipt", payment, now)


def queue_submitted(payment: Payment, *, now: datetime) -> None:
    """Tell the customer that a debit is on its way, with a copy of the authorization."""
    _queue_to_customer("payment_submitted", payment, now)


def queue_not_made(payment: Payment, *, now: datetime) -> None:
    """Tell the customer that a payment whose answer was lost did not happen."""
    _queue_to_customer("payment_not_made", payment, now)


def queue_returned(payment: Payment, *, now: datetime) -> None:
    """Tell the customer and the merchant's people that a debit came back."""
    _queue_to_customer("payment_returned", payment, now)
    for address in people_to_tell(payment.merchant):
        queue_mail(
            kind="payment_returned_to_merchant",
            about_id=payment.id,
            merchant=payment.merchant,
            customer_id=payment.customer_id,
            to_address=address,
            now=now,
        )


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


def _queue_to_customer(kind: str, payment: Payment, now: datetime) -> None:
    # Money moves without a mail, too; the payment's own page shows the same.
    with suppress(NoAddressOnFile):
        queue_to_contact(
            kind=kind, about_id=payment.id, merchant=payment.merchant, customer_id=payment.customer_id, now=now
        )


@composer("confirmation")
def compose_confirmations(mails: list[Mail], now: datetime) -> Mapping[UUID, Composed]:
    """Write the mails that ask for confirmation; one that was used or replaced meanwhile is withdrawn."""
    rows = Confirmation.objects.select_related("merchant", "customer", "method", "request__merchant").prefetch_related(
        "lines__invoice"
    )
    waiting = rows.filter(id__in=_subjects(mails), closed_at=None, expires_at__gt=now).in_bulk()

    def write(mail: Mail, confirmation: Confirmation) -> Composed:
        if not has_secrets(confirmation):
            return Unsendable("The link key of this confirmation is not configured any more.")
        secrets = secrets_of(confirmation)
        amount, merchant, method = confirmation.amount_money(), confirmation.merchant, confirmation.method
        lines = sorted(confirmation.lines.all(), key=lambda line: (line.invoice.due_on, line.invoice.number))
        return render_draft(
            "mail/confirmation",
            subject=f"Confirm your payment of {amount} to {merchant.name}",
            merchant=merchant,
            preheader=f"One click pays {amount} with {method.masked()}. Nothing is charged before.",
            reason=_reason(merchant, "someone pressed a payment button in a mail to you"),
            context={
                "amount": amount,
                "method": _on_one_line(method),
                "invoices": [
                    (line.invoice, str(Money(line.amount, confirmation.currency)))
                    for line in lines[:MOST_INVOICES_SHOWN]
                ],
                "hidden_count": max(0, len(lines) - MOST_INVOICES_SHOWN),
                "link": f"{settings.PUBLIC_URL}/confirm/{secrets.token}/",
                "button": f"{'Pay' if method.is_card() else 'Authorize and pay'} {amount} now",
                "code": f"{secrets.code[:3]} {secrets.code[3:]}",
                "expires": _moment(confirmation.expires_at, merchant),
                "authorization": "" if method.is_card() else text_for_confirmation(confirmation, amount, now),
            },
        )

    return _write_each(mails, waiting, write)


@composer("fresh_link")
def compose_fresh_links(mails: list[Mail], now: datetime) -> Mapping[UUID, Composed]:
    """Write the mails that replace an expired payment link."""
    requests = PaymentRequest.objects.select_related("merchant", "customer").in_bulk(_subjects(mails))

    def write(mail: Mail, request: PaymentRequest) -> Composed:
        return render_draft(
            "mail/fresh_link",
            subject=f"Your new payment link from {request.merchant.name}",
            merchant=request.merchant,
            reason=_reason(request.merchant, "someone opened an old payment link from a mail to you"),
            context={"ways": _ways(request, now)},
        )

    return _write_each(mails, requests, write)


def _ways(request: PaymentRequest, now: datetime) -> list[Button]:
    return payment_buttons(
        request_id=request.id,
        amount=due_of(request).total,
        methods=PaymentMethod.objects.filter(customer=request.customer).usable(
            currency=request.currency, today=day_in(request.merchant.time_zone, now)
        ),
        now=now,
    )


def _compose_payments(
    kind: str, state: Iterable[str], subject: Callable[[Payment], str], because: str = "you made this payment"
) -> None:
    @composer(kind)
    def compose(mails: list[Mail], now: datetime) -> Mapping[UUID, Composed]:
        rows = Payment.objects.select_related("merchant", "customer", "method", "mandate")
        payments = rows.filter(id__in=_subjects(mails), state__in=list(state)).in_bulk()
        allocations = _allocations_of(payments)

        def write(mail: Mail, payment: Payment) -> Composed:
            return render_draft(
                f"mail/{kind}",
                subject=subject(payment),
                merchant=payment.merchant,
                reason=_reason(payment.merchant, because),
                context=_payment_context(payment, allocations.get(payment.id, []), now),
                attachments=[receipt_file(payment, allocations.get(payment.id, []))] if kind == "receipt" else [],
            )

        return _write_each(mails, payments, write)


def _payment_context(payment: Payment, allocations: list[Allocation], now: datetime) -> dict[str, Any]:
    merchant = payment.merchant
    expected = payment.expected_on
    return {
        "payment": payment,
        "customer": payment.customer,
        "amount": payment.amount_money(),
        "method": _on_one_line(payment.method),
        "invoices": [(row.invoice, str(row.amount_money())) for row in allocations[:MOST_INVOICES_SHOWN]],
        "hidden_count": max(0, len(allocations) - MOST_INVOICES_SHOWN),
        "paid_on": _moment(payment.settled_at or payment.submitted_at, merchant),
        "expected_on": format_date(expected, "long", locale="en_US") if expected else "",
        "authorization": payment.mandate.text if payment.mandate else "",
        "mandate_reference": payment.mandate.reference if payment.mandate else "",
        "decline": decline_in_words(payment),
        "return_reason": return_in_words(payment),
        "link": payment_page_link(payment.id, now),
        "again_link": payment_link(payment.request_id, CARD, now) if payment.request_id else "",
        "staff_link": f"{settings.PUBLIC_URL}/m/{merchant.slug}/payments/{payment.id}/",
    }


_compose_payments(
    "receipt",
    [PaymentState.SUCCEEDED],
    lambda payment: f"Receipt: {payment.amount_money()} paid to {payment.merchant.name}",
)
_compose_payments(
    "payment_submitted",
    [PaymentState.PENDING],
    lambda payment: f"On its way: {payment.amount_money()} to {payment.merchant.name}",
)
_compose_payments(
    "payment_not_made",
    [PaymentState.DECLINED, PaymentState.FAILED],
    lambda payment: f"Not charged: your payment of {payment.amount_money()} to {payment.merchant.name}",
)
_compose_payments(
    "payment_returned",
    [PaymentState.RETURNED],
    lambda payment: f"Sent back by your bank: {payment.amount_money()} to {payment.merchant.name}",
)
_compose_payments(
    "payment_returned_to_merchant",
    [PaymentState.RETURNED],
    lambda payment: f"Returned: {payment.amount_money()} from {payment.customer.company_name} ({payment.return_code})",
    because="you look after payments there",
)


def _subjects(mails: list[Mail]) -> list[UUID]:
    return [mail.about_id for mail in mails if mail.about_id]


def _write_each(
    mails: list[Mail], rows: Mapping[UUID, Any], write: Callable[[Mail, Any], Composed]
) -> dict[UUID, Composed]:
    return {mail.id: write(mail, rows[mail.about_id]) for mail in mails if mail.about_id and mail.about_id in rows}


def _allocations_of(payments: Mapping[UUID, Payment]) -> dict[UUID, list[Allocation]]:
    found: dict[UUID, list[Allocation]] = {}
    rows = Allocation.objects.filter(payment_id__in=payments.keys()).select_related("invoice")
    for row in rows.order_by("invoice__due_on", "invoice__number"):
        found.setdefault(row.payment_id, []).append(row)
    return found


def _on_one_line(method: PaymentMethod) -> str:
    return method.masked().replace("•••• ", "••••\N{NO-BREAK SPACE}")


def _reason(merchant: Merchant, because: str) -> str:
    return f"You get this mail because {because}. It was sent for {merchant.name}."


def _moment(moment: datetime, merchant: Merchant) -> str:
    return format_datetime(moment, "MMMM d, y 'at' h:mm a zzz", tzinfo=ZoneInfo(merchant.time_zone), locale="en_US")
