"""What an invoice bills and what happened to it, as far as its customer should see it."""

from collections.abc import Iterator
from dataclasses import dataclass

from babel.numbers import format_decimal
from django.utils.translation import gettext as _

from payorcrm.core.language import babel_locale
from payorcrm.core.money import Money
from payorcrm.invoices.models import Invoice, InvoiceEvent, InvoiceEventKind
from payorcrm.mail.models import Mail, MailState
from payorcrm.payments.happening import Happening, latest_first
from payorcrm.payments.models import Allocation, AllocationChange
from payorcrm.reminders.models import Reminder


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that an invoice bills, as the page shows it."""

    description: str
    quantity: str
    price: Money | None
    amount: Money


def lines_of(invoice: Invoice) -> list[Line]:
    """Return what an invoice bills, in the merchant's order; nothing if the merchant sent no lines."""
    return [
        Line(
            description=line.description,
            quantity="" if line.quantity is None else format_decimal(line.quantity, "#,##0.###", babel_locale()),
            price=None if line.unit_price is None else Money(line.unit_price, invoice.currency),
            amount=Money(line.amount, invoice.currency),
        )
        for line in invoice.lines.order_by("position")
    ]


def history_of(invoice: Invoice) -> list[Happening]:
    """Return payments and changes of an invoice, the latest first."""
    return latest_first([*_payments_of(invoice), *_changes_of(invoice), *_moves_of(invoice)])


def mails_about(invoice: Invoice) -> list[Mail]:
    """Return the mails that its customer was sent about an invoice, the latest first; rehearsals went elsewhere."""
    reminders = Reminder.objects.filter(
        request__lines__invoice=invoice, customer_id=invoice.customer_id, run__to_address=""
    )
    # A receipt is about its payment.
    payments = Allocation.objects.filter(invoice=invoice, customer_id=invoice.customer_id).values("payment_id")
    sent = Mail.objects.filter(customer_id=invoice.customer_id, state=MailState.SENT)
    about = sent.filter(id__in=reminders.values("mail_id")) | sent.filter(about_id__in=payments)
    return list(about.order_by("-sent_at", "-id"))


def _payments_of(invoice: Invoice) -> Iterator[Happening]:
    # An invoice may have been another customer's before; their payments are their own.
    allocations = Allocation.objects.filter(invoice=invoice, payment__customer_id=invoice.customer_id)
    for allocation in allocations.select_related("payment__method"):
        payment = allocation.payment
        at = payment.returned_at or payment.settled_at or payment.submitted_at
        yield Happening(at, payment.standing(), str(payment.standing().label), allocation.amount_money(), payment)


def _changes_of(invoice: Invoice) -> Iterator[Happening]:
    words = {
        InvoiceEventKind.CHANGED: _("The invoice was changed"),
        InvoiceEventKind.SETTLED_ELSEWHERE: _("Paid another way"),
        InvoiceEventKind.VOIDED: _("Voided: nothing is owed on it"),
        InvoiceEventKind.WRITTEN_OFF: _("Written off: nothing is owed on it"),
        InvoiceEventKind.CREDITED: _("Credited: you got money back and do not owe it again"),
        InvoiceEventKind.DUE_CHANGED: _("The due date was changed"),
    }
    # What staff note about an invoice is for themselves.
    for event in InvoiceEvent.objects.filter(invoice=invoice).exclude(kind=InvoiceEventKind.NOTED):
        amount = Money(event.amount, invoice.currency) if event.amount > 0 else None
        yield Happening(event.at, event.kind, words[InvoiceEventKind(event.kind)], amount, note=_note_of(event))


def _moves_of(invoice: Invoice) -> Iterator[Happening]:
    # A refund that was credited is among the changes.
    changes = AllocationChange.objects.filter(invoice=invoice, payment__customer_id=invoice.customer_id)
    for change in changes.exclude(refund__is_owed_again=False).select_related("payment__method"):
        if change.refund_id:
            words, state = _("Money given back: it is owed again"), "refunded"
        elif change.change > 0:
            words, state = _("A payment was applied to it"), "moved"
        else:
            words, state = _("A payment was applied to something else"), "moved"
        yield Happening(change.at, state, words, change.change_money(), change.payment)


def _note_of(event: InvoiceEvent) -> str:
    """Return what a change says of amounts and dates; other notes, and other customers' names, are the merchant's."""
    return event.note.partition("Moved from ")[0].strip() if event.kind == InvoiceEventKind.CHANGED else ""
