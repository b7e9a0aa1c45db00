"""What staff did to the reminders of many, for the audit log: what was before and after, of each."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import Count

from payorcrm.customers.models import Customer
from payorcrm.invoices.models import Invoice
from payorcrm.reminders.hold import Held, Terms
from payorcrm.reminders.models import Hold, HoldReason, ReminderRun
from payorcrm.staff.record_change import Change


def changes_of_held(held: Sequence[Held]) -> list[Change]:
    """Return what was put on hold, or held otherwise than before; what stays as it was is no change."""
    names = _names_of([each.hold for each in held])
    lines = [(names[each.hold.id], _words(each.before), _words(each.hold)) for each in held]
    return sorted(line for line in lines if line[1] != line[2])


def changes_of_ended(holds: Sequence[Hold]) -> list[Change]:
    """Return what is not on hold any more, and why it was."""
    names = _names_of(holds)
    return sorted((names[hold.id], _words(hold), "") for hold in holds)


def changes_of_run(run: ReminderRun) -> list[Change]:
    """Return which customers a run reminds of how many invoices at which address."""
    reminders = run.reminders.annotate(invoice_count=Count("request__lines")).order_by("customer__company_name", "id")
    found = reminders.values_list("customer__company_name", "mail__to_address", "request__currency", "invoice_count")
    return [
        (f"Reminder to {name}", "", f"{count} invoice{'' if count == 1 else 's'} in {currency}, to {address}")
        for name, address, currency, count in found
    ]


def _words(terms: Terms | Hold | None) -> str:
    if terms is None:
        return ""
    until = f", until {terms.until}" if terms.until else ""
    note = f": {terms.note}" if terms.note else ""
    return f"{HoldReason(terms.reason).label}{until}{note}"


def _names_of(holds: Sequence[Hold]) -> dict[UUID, str]:
    """Say by the id of each hold what it is on, in two statements."""
    whole = {hold.customer_id for hold in holds if not hold.invoice_id}
    customers: dict[Any, str] = dict(Customer.objects.filter(id__in=whole).values_list("id", "company_name"))
    invoices: dict[Any, str] = dict(
        Invoice.objects.filter(id__in={hold.invoice_id for hold in holds if hold.invoice_id}).values_list(
            "id", "number"
        )
    )
    return {
        hold.id: f"Invoice {invoices[hold.invoice_id]}, on hold"
        if hold.invoice_id
        else f"{customers[hold.customer_id]}, on hold"
        for hold in holds
    }
