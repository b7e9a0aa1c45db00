"""Stops reminders for a while, for a reason, and ends such a hold."""

from datetime import date, datetime
from typing import ClassVar

from django.db.models import Q, QuerySet

from payorcrm.core.clock import day_in
from payorcrm.core.errors import Refused
from payorcrm.core.models import User
from payorcrm.customers.models import Customer
from payorcrm.invoices.models import Invoice
from payorcrm.reminders.models import Hold, HoldReason


class HoldEndsTooEarly(Refused):
    """The last day of a hold has passed already."""

    code = "hold_ends_too_early"
    status: ClassVar[int] = 422
    message = "The last day of a hold is today or later."


def put_on_hold(
    *,
    customer: Customer,
    invoice: Invoice | None,
    reason: HoldReason,
    until: date | None,
    note: str,
    held_by: User | None,
    now: datetime,
) -> Hold:
    """Stop reminders to a customer, or about one invoice, at once, also those not sent yet. Raises HoldEndsTooEarly."""
    if until and until < day_in(customer.merchant.time_zone, now):
        raise HoldEndsTooEarly
    return Hold.objects.create(
        merchant_id=customer.merchant_id,
        customer=customer,
        invoice=invoice,
        reason=reason,
        until=until,
        note=note,
        held_by=held_by,
        held_at=now,
    )


def end_hold(hold: Hold, *, ended_by: User | None, now: datetime) -> None:
    """End a hold; one that has ended already stays as it is."""
    Hold.objects.filter(id=hold.id, ended_at__isnull=True).update(ended_at=now, ended_by=ended_by)


def holds_of(customer: Customer, *, today: date) -> QuerySet[Hold]:
    """Return what stops reminders to a customer today, as a whole or about one invoice."""
    holds = Hold.objects.filter(customer=customer).active(today=today)
    return holds.select_related("invoice", "held_by").order_by("id")


def holds_on(invoice: Invoice, *, today: date) -> QuerySet[Hold]:
    """Return what stops reminders about an invoice today."""
    return holds_of(invoice.customer, today=today).filter(Q(invoice=invoice) | Q(invoice=None))
