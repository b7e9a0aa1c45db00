"""The mails of refunds: to the customer when money is on its way back, and to staff when it did not go."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext as _

from payorcrm.core.money import Money
from payorcrm.mail.compose import Composed, composer, queue_mail, render_draft
from payorcrm.mail.models import Mail
from payorcrm.merchants.queries import people_to_tell
from payorcrm.payments.give_back import parts_of
from payorcrm.payments.links import payment_page_link
from payorcrm.payments.mails import (
    WAS_PAID_FOR,
    language_of_customer,
    on_one_line,
    queue_to_customer,
    subjects_of,
    write_each,
)
from payorcrm.payments.models import Refund, RefundState


def queue_refund(refund: Refund, *, now: datetime) -> None:
    """Tell the customer that money was given back, or is on its way."""
    queue_to_customer("refund", refund.payment, now, about_id=refund.id)


def queue_not_made(refund: Refund, *, was_promised: bool, now: datetime) -> None:
    """Tell staff that a refund did not go, and the customer, too, who was told that it was on its way."""
    if was_promised:
        queue_to_customer("refund_not_made", refund.payment, now, about_id=refund.id)
    for address in people_to_tell(refund.payment.merchant):
        queue_mail(
            kind="refund_not_made_to_merchant",
            about_id=refund.id,
            merchant=refund.payment.merchant,
            customer_id=refund.payment.customer_id,
            to_address=address,
            now=now,
        )


def _compose(
    kind: str,
    states: list[RefundState],
    write: Callable[[Refund, datetime], Composed],
    language_of: Callable[[Refund], str],
) -> None:
    @composer(kind)
    def compose(mails: list[Mail], now: datetime) -> Mapping[UUID, Composed]:
        rows = Refund.objects.select_related("payment__merchant", "payment__customer", "payment__method")
        refunds = rows.filter(id__in=subjects_of(mails), state__in=states).in_bulk()
        return write_each(mails, refunds, lambda refund, _mail: write(refund, now), language_of)


def _language(refund: Refund) -> str:
    return language_of_customer(refund.payment)


def _write_refund(refund: Refund, now: datetime) -> Composed:
    subject = _("Refund: %(amount)s from %(merchant)s")
    return _draft("mail/refund", subject, refund, now)


def _write_not_made(refund: Refund, now: datetime) -> Composed:
    subject = _("Refund not made: %(amount)s from %(merchant)s")
    return _draft("mail/refund_not_made", subject, refund, now)


def _draft(template: str, subject: str, refund: Refund, now: datetime) -> Composed:
    payment = refund.payment
    shown = {
        "amount": refund.amount_money(),
        "merchant": payment.merchant.name,
        "customer": payment.customer.company_name,
    }
    return render_draft(
        template,
        subject=subject % shown,
        merchant=payment.merchant,
        reason=_(WAS_PAID_FOR) % shown,
        context=_context(refund, now),
    )


def _context(refund: Refund, now: datetime) -> dict[str, Any]:
    payment = refund.payment
    return {
        "refund": refund,
        "payment": payment,
        "customer": payment.customer,
        "amount": refund.amount_money(),
        "paid": payment.amount_money(),
        "method": on_one_line(payment.way()),
        "owed": _owed_again(refund),
        "is_bank": payment.method is not None and not payment.method.is_card(),
        "link": payment_page_link(payment.id, now),
        "staff_link": f"{settings.PUBLIC_URL}/m/{payment.merchant.slug}/payments/{payment.id}/",
    }


def _owed_again(refund: Refund) -> Money | None:
    """Return how much is owed again by a refund, or will be once it has arrived."""
    if not refund.is_owed_again:
        return None
    if refund.state == RefundState.SUCCEEDED:
        minor = -sum(refund.changes.values_list("change", flat=True))
    else:
        minor = sum(parts_of(refund).values())
    return Money(minor, refund.currency) if minor else None


def _write_to_merchant(refund: Refund, now: datetime) -> Composed:
    payment = refund.payment
    return render_draft(
        "mail/refund_not_made_to_merchant",
        subject=f"Refund not made: {refund.amount_money()} to {payment.customer.company_name}",
        merchant=payment.merchant,
        reason=f"You get this mail because you look after payments of {payment.merchant.name}.",
        context=_context(refund, now),
    )


_compose("refund", [RefundState.PENDING, RefundState.SUCCEEDED], _write_refund, _language)
_compose("refund_not_made", [RefundState.FAILED], _write_not_made, _language)
_compose(
    "refund_not_made_to_merchant", [RefundState.DECLINED, RefundState.FAILED], _write_to_merchant, lambda _refund: "en"
)
