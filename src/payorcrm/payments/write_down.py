"""What staff did to money, for the audit log: what each invoice owes and a payment pays, before and after."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from operator import itemgetter

from django.db.models import Sum

from payorcrm.core.models import User
from payorcrm.core.money import Money
from payorcrm.customers.models import Customer
from payorcrm.invoices.models import Invoice
from payorcrm.ledger.models import Account, Posting
from payorcrm.payments.models import Allocation, Payment
from payorcrm.staff.models import AuditKind
from payorcrm.staff.record_change import Change, record_change

Sums = Mapping[str, Money]


def sums_of(customer: Customer, payment: Payment | None = None) -> Sums:
    """Return by label what a customer owes, what is unapplied, and what a payment pays; what is not there is zero."""
    owed = Invoice.objects.filter(customer=customer, balance__gt=0).order_by("due_on", "number")
    paid = Allocation.objects.filter(payment=payment).order_by("invoice__number")
    unapplied = Posting.objects.filter(
        merchant=customer.merchant_id, account=Account.UNAPPLIED, customer_id=customer.id
    ).order_by("currency")
    return (
        _by_label("Invoice {}, owed", owed.values_list("number", "balance", "currency"))
        | _by_label("Invoice {}, from this payment", paid.values_list("invoice__number", "amount", "currency"))
        | _by_label(
            "Unapplied, {}",
            unapplied.values("currency").annotate(left=-Sum("amount")).values_list("currency", "left", "currency"),
        )
    )


def _by_label(words: str, rows: Iterable[tuple[str, int, str]]) -> dict[str, Money]:
    return {words.format(name): Money(int(minor), currency) for name, minor, currency in rows}


def changes_of_sums(before: Sums, after: Sums) -> list[Change]:
    """Return what differs as label, words before, words after, each invoice's side by side."""
    found = []
    for label, known in sorted({**before, **after}.items(), key=itemgetter(0)):
        zero = Money.zero(known.currency)
        old, new = before.get(label, zero), after.get(label, zero)
        if old != new:
            found.append((label, str(old), str(new)))
    return found


def write_down(payment: Payment, *, says: str, by: User | None, changes: list[Change], now: datetime) -> None:
    """Add what came of something that staff asked for to the audit log, in the current transaction."""
    if by is not None:
        record_change(
            merchant=payment.merchant,
            actor=by,
            kind=AuditKind.PAYMENTS,
            says=says,
            about=f"Payment {payment.reference}",
            changes=changes,
            address=None,
            now=now,
        )
