"""Writes the planned invoices with their histories and their ledger entries, in the caller's transaction.

What payments do to invoices is not here: those are made afterwards, one by one, as customers make them.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db.models import DateTimeField, Value
from django.db.models.functions import Cast, Least

from payorcrm.core.ids import uuid7
from payorcrm.core.money import Money
from payorcrm.customers.models import Customer
from payorcrm.demo.moments import at_work
from payorcrm.demo.plan_invoices import Fate, PlannedInvoice
from payorcrm.demo.plan_lines import plan_lines
from payorcrm.invoices.lines import write_lines
from payorcrm.invoices.models import Invoice, InvoiceEvent, InvoiceEventKind, InvoiceStatus
from payorcrm.ledger.models import Account, EntryKind
from payorcrm.ledger.post import Line, Source, post_entry
from payorcrm.merchants.models import Merchant

OUTSIDE_AFTER = timedelta(days=4)
VOIDED_AFTER = timedelta(days=2)
WRITTEN_OFF_AFTER = timedelta(days=88)


@dataclass(frozen=True, slots=True)
class _Ending:
    """What ended an invoice without a payment: its status, the line of its history, the account that takes the rest."""

    status: InvoiceStatus
    event: InvoiceEventKind
    entry: EntryKind
    account: Account
    after: timedelta
    note: str


_ELSEWHERE = _Ending(
    InvoiceStatus.PAID,
    InvoiceEventKind.SETTLED_ELSEWHERE,
    EntryKind.SETTLED_ELSEWHERE,
    Account.SETTLED_ELSEWHERE,
    OUTSIDE_AFTER,
    "Paid by check",
)
_ENDINGS = {
    Fate.ELSEWHERE: _ELSEWHERE,
    Fate.PARTLY_ELSEWHERE: _ELSEWHERE,
    Fate.VOIDED: _Ending(
        InvoiceStatus.VOID,
        InvoiceEventKind.VOIDED,
        EntryKind.INVOICE_VOIDED,
        Account.VOIDED,
        VOIDED_AFTER,
        "Issued by mistake",
    ),
    Fate.WRITTEN_OFF: _Ending(
        InvoiceStatus.WRITTEN_OFF,
        InvoiceEventKind.WRITTEN_OFF,
        EntryKind.INVOICE_WRITTEN_OFF,
        Account.WRITTEN_OFF,
        WRITTEN_OFF_AFTER,
        "Given up after four reminders",
    ),
}


def write_invoices(merchant: Merchant, customers: list[Customer], plan: list[PlannedInvoice], now: datetime) -> None:
    """Write every planned invoice with its lines, and what happened to it besides payments."""
    books = _Books(merchant, now)
    invoices, events = [], []
    for planned in plan:
        invoice = _invoice(merchant, customers[planned.customer], planned)
        invoices.append(invoice)
        if invoice.status != InvoiceStatus.DRAFT:
            books.add(EntryKind.INVOICES_ISSUED, Account.INVOICED, invoice, invoice.total, planned.issued_on)
        ending = _ENDINGS.get(planned.fate)
        if ending:
            event = _end(invoice, planned, ending, now)
            events.append(event)
            books.add(ending.entry, ending.account, invoice, -event.amount, event.at.date())
    Invoice.objects.bulk_create(invoices)
    _date_back(merchant, now)
    write_lines(zip(invoices, map(plan_lines, plan), strict=True))
    InvoiceEvent.objects.bulk_create(events)
    books.post()


def _date_back(merchant: Merchant, now: datetime) -> None:
    """Let each have come into the books when it was issued: what comes in overdue makes the brake hold reminders."""
    issued = Cast("issued_on", DateTimeField()) + timedelta(hours=12)
    Invoice.objects.filter(merchant=merchant).update(created_at=Least(issued, Value(now)))


def _invoice(merchant: Merchant, customer: Customer, planned: PlannedInvoice) -> Invoice:
    return Invoice(
        id=uuid7(),
        merchant=merchant,
        customer=customer,
        number=planned.number,
        status=InvoiceStatus.DRAFT if planned.fate is Fate.DRAFT else InvoiceStatus.OPEN,
        issued_on=planned.issued_on,
        due_on=planned.due_on,
        currency=planned.currency,
        total=planned.total,
        balance=planned.total,
    )


def _end(invoice: Invoice, planned: PlannedInvoice, ending: _Ending, now: datetime) -> InvoiceEvent:
    amount = planned.settled or planned.total
    invoice.balance -= amount
    invoice.status = InvoiceStatus.OPEN if invoice.balance else ending.status
    start = planned.issued_on if ending.event == InvoiceEventKind.VOIDED else planned.due_on
    return InvoiceEvent(
        id=uuid7(),
        merchant_id=invoice.merchant_id,
        invoice=invoice,
        kind=ending.event,
        at=min(at_work(start + ending.after), now),
        amount=amount,
        note=ending.note,
    )


class _Books:
    """Collects amounts and posts them as a merchant's monthly files would: one entry a month and kind."""

    def __init__(self, merchant: Merchant, now: datetime) -> None:
        self._merchant = merchant
        self._now = now
        self._sums: dict[tuple[date, EntryKind, Account], dict[tuple[UUID, str], int]] = defaultdict(
            lambda: defaultdict(int)
        )

    def add(self, kind: EntryKind, against: Account, invoice: Invoice, amount: int, day: date) -> None:
        """Count what a customer owes more (or less, when negative) since a day."""
        month = day.replace(day=1) + timedelta(days=31)
        self._sums[month.replace(day=1), kind, against][invoice.customer_id, invoice.currency] += amount

    def post(self) -> None:
        """Write the entries, the oldest first."""
        for (first, kind, against), sums in sorted(self._sums.items()):
            post_entry(
                merchant_id=self._merchant.id,
                kind=kind,
                postings=[line for key, amount in sums.items() for line in _pair(against, *key, amount)],
                source=Source("demo", uuid7()),
                now=min(at_work(first), self._now),
            )


def _pair(against: Account, customer_id: UUID, currency: str, minor: int) -> Iterable[Line]:
    amount = Money(minor, currency)
    return Line(Account.RECEIVABLE, amount, customer_id), Line(against, -amount, customer_id)
