"""A request made in the portal: the invoices that a signed-in user chose to pay together. No network here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from payorcrm.core.errors import Refused
from payorcrm.core.models import User
from payorcrm.core.money import Money
from payorcrm.customers.models import Customer
from payorcrm.payments.models import PaymentRequest, RequestOrigin
from payorcrm.payments.reserve import NothingLeftToPay


@dataclass(frozen=True, slots=True)
class Subtotal:
    """What can be paid of a selection in one currency."""

    count: int
    amount: Money


class MixedSelection(Refused):
    """The chosen invoices are in several currencies, and one payment moves one."""

    code = "mixed_selection"
    status: ClassVar[int] = 422
    message = _("One payment can only be in one currency. Please choose which to pay first.")

    def __init__(self, subtotals: Sequence[Subtotal]) -> None:
        super().__init__()
        self.subtotals = list(subtotals)


class PartPaymentsNotAllowed(Refused):
    """Part of an invoice was to be paid, and the merchant takes whole ones only."""

    code = "part_payments_not_allowed"
    status: ClassVar[int] = 422
    message = _("Nothing was charged: only whole invoices can be paid here.")


def request_from_portal(
    *, customer: Customer, user: User, amounts: Mapping[UUID, int | None], now: datetime, currency: str = ""
) -> PaymentRequest:
    """Make the request to pay chosen invoices, each as far as its amount says; None stands for all that is payable.

    Invoices of nobody here, settled ones and those in another than a named `currency` are left out.
    Raises MixedSelection, NothingLeftToPay, PartPaymentsNotAllowed.
    """
    if not customer.merchant.allows_part_payments and any(amount is not None for amount in amounts.values()):
        raise PartPaymentsNotAllowed
    chosen = _Selection(customer, _THOSE, [list(amounts.keys()), list(amounts.values())])
    return _request(chosen, user, currency, now)


def request_all_unpaid(*, customer: Customer, user: User, now: datetime, currency: str = "") -> PaymentRequest:
    """Make the request to pay everything of a customer that can be paid. Raises MixedSelection, NothingLeftToPay."""
    return _request(_Selection(customer, _ALL, []), user, currency, now)


def are_invoices_of(customer: Customer, invoice_ids: Sequence[UUID]) -> bool:
    """Say whether all of these are invoices of a customer, and none a draft."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM invoices_invoice WHERE id = ANY(%s) AND customer_id = %s AND status <> 'draft'",
            [list(invoice_ids), customer.id],
        )
        return bool(cursor.fetchone()[0] == len(set(invoice_ids)))


@dataclass(frozen=True, slots=True)
class _Selection:
    customer: Customer
    source: str
    values: list[list[Any]]


_THOSE = "unnest(%s::uuid[], %s::bigint[]) AS chosen (id, amount) JOIN invoices_invoice i USING (id)"
_ALL = "(SELECT NULL::bigint AS amount) AS chosen CROSS JOIN invoices_invoice i"
_PAYABLE = "i.customer_id = %s AND i.status = 'open' AND i.in_flight < i.balance AND %s IN ('', i.currency)"


def _request(selection: _Selection, user: User, currency: str, now: datetime) -> PaymentRequest:
    with transaction.atomic():
        subtotals = _subtotals(selection, currency)
        if not subtotals:
            raise NothingLeftToPay
        if len(subtotals) > 1:
            raise MixedSelection(subtotals)
        return _write(selection, user, subtotals[0].amount.currency, now)


def _subtotals(selection: _Selection, currency: str) -> list[Subtotal]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT i.currency, count(*), sum(least(chosen.amount, i.balance - i.in_flight))::bigint "  # noqa: S608
            f"FROM {selection.source} WHERE {_PAYABLE} GROUP BY i.currency ORDER BY i.currency",
            [*selection.values, selection.customer.id, currency],
        )
        return [Subtotal(count, Money(amount, code)) for code, count, amount in cursor.fetchall()]


def _write(selection: _Selection, user: User, currency: str, now: datetime) -> PaymentRequest:
    request = PaymentRequest.objects.create(
        merchant_id=selection.customer.merchant_id,
        customer=selection.customer,
        currency=currency,
        origin=RequestOrigin.PORTAL,
        made_by=user,
        created_at=now,
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO payments_paymentrequestline (request_id, invoice_id, customer_id, amount) "  # noqa: S608
            f"SELECT %s, i.id, i.customer_id, chosen.amount FROM {selection.source} WHERE {_PAYABLE}",
            [request.id, *selection.values, selection.customer.id, currency],
        )
    return request
