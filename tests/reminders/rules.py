"""Rules, schedules and invoices for the tests of runs by rules."""

from datetime import date, datetime, time, timedelta
from typing import Any

from payorcrm.customers.models import Customer
from payorcrm.invoices.models import Invoice
from payorcrm.mail.models import Mail, MailState
from payorcrm.merchants.models import Merchant
from payorcrm.reminders.hold import put_on_hold
from payorcrm.reminders.mark import mark_reminded
from payorcrm.reminders.models import Hold, HoldReason, Rule, Schedule
from payorcrm.reminders.send import send_reminders
from payorcrm.reminders.switch_rules import rules_of, switch_on
from tests.factories.models import NOW, TODAY, InvoiceFactory

LONG_AGO = datetime.fromisoformat("2020-01-01T12:00:00+00:00")


def invoice_due(due_on: date, *, customer: Customer, **fields: Any) -> Invoice:
    """Make an invoice that has been in the books for long."""
    invoice = InvoiceFactory(customer=customer, due_on=due_on, issued_on=due_on - timedelta(days=30), **fields)
    Invoice.objects.filter(id=invoice.id).update(created_at=LONG_AGO)
    return invoice


def late(customer: Customer, days: int, **fields: Any) -> Invoice:
    """Make an invoice of the customer that is overdue by so many days."""
    return invoice_due(TODAY - timedelta(days=days), customer=customer, **fields)


def switch_all_on(merchant: Merchant, *, now: datetime = LONG_AGO) -> list[Rule]:
    """Switch the seven rules on."""
    rules = rules_of(merchant)
    for rule in rules:
        switch_on(rule, now=now)
    return rules


def set_schedule(merchant: Merchant, **fields: Any) -> Schedule:
    """Let a merchant send on every day at nine, without a pause between mails."""
    defaults = {"send_at": time(9), "weekdays": list(range(7)), "min_days_between": 0}
    return Schedule.objects.create(merchant=merchant, **(defaults | fields))


def mark_sent() -> None:
    """Take every mail for sent."""
    Mail.objects.filter(state=MailState.QUEUED).update(state=MailState.SENT)


def remind(invoice: Invoice, *, now: datetime) -> None:
    """Take the overdue invoices of a customer for mailed about at a moment."""
    send_reminders(merchant=invoice.merchant, customer_ids=[invoice.customer_id], now=now)
    mails = Mail.objects.filter(customer=invoice.customer, state=MailState.QUEUED)
    mark_reminded(list(mails.values_list("id", flat=True)), now)
    mails.update(state=MailState.SENT)


def hold(customer: Customer, **fields: Any) -> Hold:
    """Put a customer, or one invoice, on hold."""
    defaults = {"invoice": None, "reason": HoldReason.DISPUTE, "until": None, "note": "", "held_by": None, "now": NOW}
    return put_on_hold(customer=customer, **(defaults | fields))
