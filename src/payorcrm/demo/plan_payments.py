"""Plans the payments of the past, and those that failed or are still under way. Pure."""

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

from payorcrm.demo.plan_invoices import Fate, PlannedInvoice
from payorcrm.demo.plan_methods import (
    BANK_NOT_AUTHORIZED,
    BANK_UNDER_WAY,
    BANK_WITHOUT_FUNDS,
    CARD_DECLINED,
    CARD_WITHOUT_FUNDS,
    working_numbers,
)
from payorcrm.payments.models import PaymentState

# Small delays after the due date, so that not everything happens on it.
LATENESS = (2, 5, 1, 7, 3, 6)


@dataclass(frozen=True, slots=True)
class PlannedPayment:
    """One attempt to pay: by whom, with which number, on which day, and how it ends."""

    name: str
    customer: int
    number: str
    day: date
    invoices: tuple[str, ...]
    ending: PaymentState
    return_code: str = ""
    is_returned_late: bool = False


@dataclass(frozen=True, slots=True)
class _Trouble:
    """A payment of a customer's open invoices that did not, or not yet, lead to money."""

    customer: int
    number: str
    days_ago: int
    ending: PaymentState
    return_code: str = ""
    is_returned_late: bool = False


_TROUBLES = (
    _Trouble(1, CARD_WITHOUT_FUNDS, 2, PaymentState.DECLINED),
    _Trouble(2, CARD_DECLINED, 5, PaymentState.DECLINED),
    _Trouble(3, BANK_WITHOUT_FUNDS, 9, PaymentState.RETURNED, "R01"),
    _Trouble(4, BANK_NOT_AUTHORIZED, 21, PaymentState.RETURNED, "R10", is_returned_late=True),
    _Trouble(5, BANK_UNDER_WAY, 1, PaymentState.PENDING),
    _Trouble(6, BANK_UNDER_WAY, 1, PaymentState.PENDING),
    _Trouble(7, BANK_UNDER_WAY, 2, PaymentState.PENDING),
)


def plan_payments(invoices: list[PlannedInvoice], today: date) -> list[PlannedPayment]:
    """Return all payments in the order of their days."""
    payments = [*_successes(invoices, today), *(_attempt(trouble, invoices, today) for trouble in _TROUBLES)]
    return sorted(payments, key=lambda payment: (payment.day, payment.name))


def _successes(invoices: list[PlannedInvoice], today: date) -> list[PlannedPayment]:
    paid = sorted((each for each in invoices if each.fate is Fate.PAID_HERE), key=lambda each: each.customer)
    payments = []
    for place, group in groupby(paid, key=lambda each: each.customer):
        for count, some in enumerate(_in_parts(list(group), size=3 if place else 2)):
            payments.append(_success(place, count, some, today))
    return payments


def _in_parts(invoices: list[PlannedInvoice], *, size: int) -> list[list[PlannedInvoice]]:
    in_order = sorted(invoices, key=lambda each: each.due_on)
    return [in_order[start : start + size] for start in range(0, len(in_order), size)]


def _success(place: int, count: int, invoices: list[PlannedInvoice], today: date) -> PlannedPayment:
    numbers = working_numbers(place)
    day = invoices[-1].due_on + timedelta(days=LATENESS[(place + count) % len(LATENESS)])
    return PlannedPayment(
        name=f"paid {place} {count}",
        customer=place,
        number=numbers[count % len(numbers)],
        day=min(day, today - timedelta(days=4)),
        invoices=tuple(each.number for each in invoices),
        ending=PaymentState.SUCCEEDED,
    )


def _attempt(trouble: _Trouble, invoices: list[PlannedInvoice], today: date) -> PlannedPayment:
    day = today - timedelta(days=trouble.days_ago)
    owed = [
        each
        for each in invoices
        if each.customer == trouble.customer and each.fate is Fate.OPEN and each.issued_on < day
    ]
    return PlannedPayment(
        name=f"tried {trouble.customer}",
        customer=trouble.customer,
        number=trouble.number,
        day=day,
        invoices=tuple(each.number for each in owed[:2]),
        ending=trouble.ending,
        return_code=trouble.return_code,
        is_returned_late=trouble.is_returned_late,
    )
