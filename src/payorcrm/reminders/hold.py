"""Stops reminders for a while, for a reason, and ends such a hold.

Paid invoices and those that a payment under way has reserved need no hold: nobody is ever reminded of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import ClassVar
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from payorcrm.core.clock import day_in
from payorcrm.core.errors import Refused
from payorcrm.core.models import User
from payorcrm.customers.models import Customer, Topic
from payorcrm.customers.recipients import recipients_of
from payorcrm.invoices.models import Invoice
from payorcrm.merchants.models import Merchant
from payorcrm.reminders.models import REASONS_WITH_A_DAY, REVIEWED_AFTER, Hold, HoldReason


class HoldEndsTooEarly(Refused):
    """The last day of a hold has passed already."""

    code = "hold_ends_too_early"
    status: ClassVar[int] = 422
    message = "The last day of a hold is today or later."


class HoldNeedsADay(Refused):
    """A promise or a pause without a last day would never end."""

    code = "hold_needs_a_day"
    status: ClassVar[int] = 422
    message = "A promise to pay and a pause need a last day; reminders go on after it."


class HoldHasEnded(Refused):
    """A hold that was to be prolonged has ended already, by somebody or because what it was about is settled."""

    code = "hold_has_ended"
    status: ClassVar[int] = 409
    message = "This hold has ended: somebody ended it, or what it was about is settled. Nothing was changed."


@dataclass(frozen=True, slots=True)
class Terms:
    """Why nobody is reminded, and for how long; without a last day, for as long as is usual for the reason."""

    reason: HoldReason
    until: date | None = None
    note: str = ""
    address: str = ""

    def from_day(self, today: date) -> "Terms":
        """Return them with a last day. Raises HoldEndsTooEarly, HoldNeedsADay."""
        if self.until and self.until < today:
            raise HoldEndsTooEarly
        if self.reason in REASONS_WITH_A_DAY and not self.until:
            raise HoldNeedsADay
        usual = REVIEWED_AFTER.get(self.reason)
        return self if self.until or usual is None else replace(self, until=today + timedelta(days=usual))

    def no_shorter_than(self, hold: Hold) -> "Terms":
        """Return them with the last day of a hold, if that one is later."""
        return replace(self, until=max(self.until, hold.until)) if self.until and hold.until else self


@dataclass(frozen=True, slots=True)
class Held:
    """A hold as it is now, and the terms of the same hold before; none if it is new."""

    hold: Hold
    before: Terms | None


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
    """Stop reminders to a customer, or about one invoice, at once, also those not sent yet.

    A second hold for the same reason changes the first, but shortens it only if a last day is named.
    Raises HoldEndsTooEarly, HoldNeedsADay.
    """
    terms = Terms(reason, until, note)
    (held,) = _hold(customer.merchant, [(customer.id, invoice.id if invoice else None)], terms, held_by, now)
    return held.hold


def put_several_on_hold(
    *,
    merchant: Merchant,
    customer_ids: Sequence[UUID] = (),
    invoice_ids: Sequence[UUID] = (),
    reason: HoldReason,
    until: date | None,
    note: str,
    held_by: User | None,
    now: datetime,
) -> list[Held]:
    """Hold several customers and invoices of a merchant for one reason, and return the holds; others' are passed over.

    Raises HoldEndsTooEarly, HoldNeedsADay.
    """
    customers = Customer.objects.filter(merchant=merchant, id__in=customer_ids).values_list("id", flat=True)
    invoices = Invoice.objects.filter(merchant=merchant, id__in=invoice_ids).values_list("customer_id", "id")
    held = [*((customer_id, None) for customer_id in customers), *invoices]
    return _hold(merchant, held, Terms(reason, until, note), held_by, now)


def hold_for_bounce(*, customer: Customer, now: datetime, address: str = "") -> Hold:
    """Hold a customer whose address does not work, until mails go to another one.

    Without `address` it is the one that reminders go to now.
    """
    if not address:
        recipients = recipients_of([customer.id], Topic.REMINDERS).get(customer.id)
        address = recipients.to[0][0] if recipients else ""
    terms = Terms(HoldReason.BOUNCED, note=f"Mail to {address} came back."[:300] if address else "", address=address)
    (held,) = _hold(customer.merchant, [(customer.id, None)], terms, None, now)
    return held.hold


Target = tuple[UUID, UUID | None]


def _hold(
    merchant: Merchant, targets: Sequence[Target], terms: Terms, held_by: User | None, now: datetime
) -> list[Held]:
    today = day_in(merchant.time_zone, now)
    is_day_named, terms = terms.until is not None, terms.from_day(today)
    customer_ids = {customer_id for customer_id, _ in targets}
    with transaction.atomic():
        # Two presses at once wait for each other here, and the second finds the first one's hold.
        list(Customer.objects.filter(id__in=customer_ids).order_by("id").select_for_update(no_key=True).only("id"))
        same = Hold.objects.filter(customer_id__in=customer_ids, reason=terms.reason).active(today=today)
        known = {(hold.customer_id, hold.invoice_id): hold for hold in same}
        new = [_new_hold(merchant, target, terms, held_by, now) for target in targets if target not in known]
        again = [known[target] for target in targets if target in known]
        before = [_terms_of(hold) for hold in again]
        changed = [_with_terms(hold, terms if is_day_named else terms.no_shorter_than(hold)) for hold in again]
        if terms.reason == HoldReason.BOUNCED and not terms.address:
            _name_addresses(new + changed)
        Hold.objects.bulk_create(new, batch_size=1000)
        Hold.objects.bulk_update(changed, ["until", "note", "address"], batch_size=1000)
    return [*(Held(hold, None) for hold in new), *map(Held, changed, before)]


def _new_hold(merchant: Merchant, target: Target, terms: Terms, held_by: User | None, now: datetime) -> Hold:
    customer_id, invoice_id = target
    hold = Hold(merchant=merchant, customer_id=customer_id, invoice_id=invoice_id, reason=terms.reason)
    hold.held_by, hold.held_at = held_by, now
    return _with_terms(hold, terms)


def _with_terms(hold: Hold, terms: Terms) -> Hold:
    hold.until, hold.note, hold.address = terms.until, terms.note, terms.address
    return hold


def _terms_of(hold: Hold) -> Terms:
    return Terms(HoldReason(hold.reason), hold.until, hold.note, hold.address)


def _name_addresses(holds: Sequence[Hold]) -> None:
    """Say of each customer which address does not work: the one that reminders go to now."""
    recipients = recipients_of([hold.customer_id for hold in holds], Topic.REMINDERS)
    for hold in holds:
        found = recipients.get(hold.customer_id)
        hold.address = found.to[0][0] if found else ""


def prolong_hold(hold: Hold, *, now: datetime) -> date:
    """Let a hold that is looked at last for as long as is usual, from today on, and return its new last day.

    One whose last day has just passed is in force again. Raises HoldHasEnded.
    """
    with transaction.atomic():
        held = Hold.objects.select_for_update(of=("self",)).select_related("merchant").get(id=hold.id)
        usual = REVIEWED_AFTER.get(HoldReason(held.reason))
        if held.ended_at or usual is None:
            raise HoldHasEnded
        until = day_in(held.merchant.time_zone, now) + timedelta(days=usual)
        held.until = max(until, held.until or until)
        held.save(update_fields=["until"])
    return held.until


def end_hold(hold: Hold, *, ended_by: User | None, now: datetime) -> bool:
    """End a hold, and say whether that changed anything; one that has ended already stays as it is."""
    return bool(Hold.objects.filter(id=hold.id, ended_at__isnull=True).update(ended_at=now, ended_by=ended_by))


def holds_of(customer: Customer, *, today: date) -> QuerySet[Hold]:
    """Return what stops reminders to a customer today, as a whole or about one invoice."""
    holds = Hold.objects.filter(customer=customer).active(today=today)
    return holds.select_related("invoice", "held_by").order_by("id")


def holds_on(invoice: Invoice, *, today: date) -> QuerySet[Hold]:
    """Return what stops reminders about an invoice today."""
    return holds_of(invoice.customer, today=today).filter(Q(invoice=invoice) | Q(invoice=None))
