"""What happened to an invoice, as staff see it."""

from collections.abc import Iterator

from payorcrm.core.money import Money
from payorcrm.invoices.models import Invoice, InvoiceEvent, InvoiceFile
from payorcrm.payments.happening import Happening, latest_first
from payorcrm.payments.models import Allocation, AllocationChange
from payorcrm.reminders.models import Hold, Reminder


def history_of(subject: Invoice) -> list[Happening]:
    """Return all that happened to an invoice, the latest first."""
    sources = (_payments, _moves, _changes, _reminders, _holds, _files)
    return latest_first(happening for source in sources for happening in source(subject))


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


def _holds(subject: Invoice) -> Iterator[Happening]:
    for hold in Hold.objects.filter(invoice=subject).select_related("held_by", "ended_by"):
        # Its last day and its note may have been changed since; the page shows them where the hold stands.
        by = f" by {hold.held_by}" if hold.held_by else ""
        yield Happening(hold.held_at, "held", f"On hold{by}: {hold.get_reason_display()}")
        if hold.ended_at:
            by = f" by {hold.ended_by}" if hold.ended_by else ""
            yield Happening(hold.ended_at, "hold_ended", f"Hold ended{by}: {hold.get_reason_display()}")


def _files(subject: Invoice) -> Iterator[Happening]:
    for file in InvoiceFile.objects.filter(invoice=subject).select_related("uploaded_by").defer("content"):
        by = f" by {file.uploaded_by}" if file.uploaded_by else ""
        yield Happening(file.uploaded_at, "attached", f"{file.file_name} attached{by}")
