"""What happened to an invoice, as staff see it."""

from collections.abc import Iterator

from payorcrm.core.money import Money
from payorcrm.invoices.models import Invoice, InvoiceEvent
from payorcrm.payments.happening import Happening, latest_first
from payorcrm.payments.models import Allocation, AllocationChange
from payorcrm.reminders.models import Reminder


def history_of(subject: Invoice) -> list[Happening]:
    """Return reminders, payments and changes of an invoice, the latest first."""
    return latest_first([*_payments(subject), *_moves(subject), *_changes(subject), *_reminders(subject)])


def _payments(subject: Invoice) -> Iterator[Happening]:
    allocations = Allocation.objects.filter(invoice=subject).select_related("payment", "payment__method")
    for allocation in allocations:
        payment = allocation.payment
        words = f"{payment.standing().label} with {payment.way()}"
        at = payment.returned_at or payment.settled_at or payment.submitted_at
        yield Happening(at, payment.state, words, allocation.amount_money(), payment)


def _moves(subject: Invoice) -> Iterator[Happening]:
    # A refund that was credited is among the changes.
    changes = AllocationChange.objects.filter(invoice=subject).exclude(refund__is_owed_again=False)
    for change in changes.select_related("payment", "made_by", "refund"):
        if change.refund:
            words = "Given back and owed again"
        else:
            words = f"Payment applied {'here' if change.change > 0 else 'otherwise'}"
        note = f"By {change.made_by}" if change.made_by else ""
        yield Happening(change.at, "moved", words, change.change_money(), change.payment, note)


def _changes(subject: Invoice) -> Iterator[Happening]:
    for event in InvoiceEvent.objects.filter(invoice=subject).select_related("made_by"):
        amount = Money(event.amount, subject.currency) if event.amount else None
        words = f"{event.get_kind_display()} by {event.made_by}" if event.made_by else event.get_kind_display()
        yield Happening(event.at, event.kind, words, amount, note=event.note)


def _reminders(subject: Invoice) -> Iterator[Happening]:
    reminders = Reminder.objects.filter(request__lines__invoice=subject).select_related("mail")
    for reminder in reminders:
        mail = reminder.mail
        yield Happening(
            mail.sent_at or mail.queued_at,
            mail.state,
            f"Reminder to {mail.to_address}",
            note=mail.get_state_display(),
            mail=mail,
        )
