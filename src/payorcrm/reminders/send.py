"""Starts a reminder run: one payment request and one mail for each customer and currency, all in one statement."""

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import connection, transaction

from payorcrm.core.errors import Refused
from payorcrm.core.ids import UUID7_IN_SQL, uuid7_start
from payorcrm.core.models import User
from payorcrm.customers.models import Customer
from payorcrm.mail.jobs import deliver_soon
from payorcrm.mail.queue_many import INSERT_MAILS
from payorcrm.merchants.models import Merchant
from payorcrm.payments.request_many import INSERT_REQUESTS
from payorcrm.reminders.mails import KIND
from payorcrm.reminders.models import ReminderRun, ReminderTemplate
from payorcrm.reminders.select import CANDIDATES, selection
from payorcrm.reminders.templates import template_for

MOST_DAYS = 3650


class NoSuchCustomer(Refused):
    """The merchant has no customer of this number."""

    code = "no_such_customer"
    status: ClassVar[int] = 404


class CannotRemind(Refused):
    """A run was asked for with values that mean nothing."""

    code = "cannot_remind"
    status: ClassVar[int] = 422


class OthersThanSeen(Refused):
    """Who is overdue changed between the look at a run and its start."""

    code = "others_than_seen"
    status: ClassVar[int] = 409
    message = "The list has changed since you looked. Nothing was sent."


def send_reminders(
    *,
    merchant: Merchant,
    now: datetime,
    customer_number: str | None = None,
    customer_ids: Sequence[UUID] | None = None,
    invoice_ids: Sequence[UUID] | None = None,
    min_days_overdue: int = 1,
    to_address: str | None = None,
    template: ReminderTemplate | None = None,
    started_by: User | None = None,
    seen: str | None = None,
) -> ReminderRun:
    """Queue reminders of all overdue invoices, or of those named, one mail a customer and currency; return the run.

    With `to_address` all mails go there and nobody counts as reminded. Customers whose reminder is under way or a
    minute old are left out, so a second press sends nothing; runs of one merchant wait for each other. A run may
    be empty: `overdue_summary` says why. With `seen`, the mark of a summary, a run that would send anything else sends
    nothing. Raises NoSuchCustomer, CannotRemind, OthersThanSeen.
    """
    _refuse_nonsense(min_days_overdue, to_address)
    if customer_number is not None:
        customer_ids = [_customer_id(merchant, customer_number)]
    with transaction.atomic():
        Merchant.objects.select_for_update(no_key=True).get(id=merchant.id)
        run = ReminderRun.objects.create(
            merchant=merchant,
            template=template or template_for(merchant),
            started_by=started_by,
            started_at=now,
            min_days_overdue=min_days_overdue,
            to_address=to_address or "",
        )
        mark = _insert_reminders(run, customer_ids, invoice_ids, now)
        if seen is not None and run.reminder_count and mark != seen:
            raise OthersThanSeen
        run.save(update_fields=["reminder_count", "invoice_count"])
        if run.reminder_count:
            deliver_soon()
    return run


def _refuse_nonsense(min_days_overdue: int, to_address: str | None) -> None:
    if not 1 <= min_days_overdue <= MOST_DAYS:
        raise CannotRemind(f"Invoices are overdue by 1 to {MOST_DAYS:,} days, not by {min_days_overdue:,}.")
    if to_address is None:
        return
    try:
        validate_email(to_address)
    except ValidationError:
        # An empty one must not turn a rehearsal into mails to every customer.
        raise CannotRemind(f"“{to_address}” is not an e-mail address; nothing was sent.") from None


def _customer_id(merchant: Merchant, number: str) -> UUID:
    found = Customer.objects.filter(merchant=merchant, number=number).values_list("id", flat=True).first()
    if found is None:
        raise NoSuchCustomer(f"{merchant} has no customer with the number “{number}”.")
    return found


def _insert_reminders(
    run: ReminderRun, customer_ids: Sequence[UUID] | None, invoice_ids: Sequence[UUID] | None, now: datetime
) -> str:
    """Count on the run what it queues, and return the mark of it."""
    values = selection(
        run.merchant,
        now=now,
        min_days_overdue=run.min_days_overdue,
        customer_ids=customer_ids,
        invoice_ids=invoice_ids,
        is_rehearsal=bool(run.to_address),
    )
    values |= {"run": run.id, "now": now, "to_address": run.to_address, "kind": KIND, "is_bulk": True}
    values |= {"uuid7_start": uuid7_start()}
    with connection.cursor() as cursor:
        cursor.execute(INSERT, values)
        run.reminder_count, run.invoice_count, mark = cursor.fetchone()
    return str(mark)


NEW_IDS = f"{UUID7_IN_SQL} AS request_id, {UUID7_IN_SQL} AS mail_id, {UUID7_IN_SQL} AS reminder_id"
# Writes a request, its lines, a mail and a reminder for each row of `chosen`.
WRITE = f"""
asked AS (SELECT request_id, customer_id, currency, invoice_ids FROM chosen),
{INSERT_REQUESTS},
addressed AS (
    SELECT mail_id, customer_id, reminder_id AS about_id, email, contact_name, also_to, cc
    FROM chosen WHERE %(to_address)s = ''
    UNION ALL
    SELECT mail_id, customer_id, reminder_id, %(to_address)s, '', ARRAY[]::varchar[], ARRAY[]::varchar[]
    FROM chosen WHERE %(to_address)s <> ''
),
mails AS ({INSERT_MAILS}),
reminders AS (
    INSERT INTO reminders_reminder (id, merchant_id, customer_id, run_id, request_id, mail_id)
    SELECT reminder_id, %(merchant)s, customer_id, run_id, request_id, mail_id FROM chosen
)
SELECT count(*), coalesce(sum(cardinality(invoice_ids)), 0), coalesce(sum(mark), 0) FROM chosen
"""  # noqa: S608
INSERT = f"""
WITH {CANDIDATES},
chosen AS MATERIALIZED (
    SELECT *, %(run)s::uuid AS run_id, {NEW_IDS} FROM candidates WHERE left_out IS NULL
),
{WRITE}
"""  # noqa: S608
