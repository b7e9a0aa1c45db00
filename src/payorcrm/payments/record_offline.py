"""Recording money that came without a processor: a cheque, a transfer, cash."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import ClassVar
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection, transaction

from payorcrm.core.errors import Refused
from payorcrm.core.ids import readable_reference
from payorcrm.core.money import Money
from payorcrm.customers.models import Customer
from payorcrm.payments import mails
from payorcrm.payments.allocate import allocate, reserve_again
from payorcrm.payments.models import Allocation, OfflineKind, Payment, PaymentState
from payorcrm.payments.reserve import amounts_left, payment_by_key
from payorcrm.payments.settle import record


class PartsTooLarge(Refused):
    """More was to go to invoices than came, or to one invoice than is owed on it."""

    code: ClassVar[str] = "parts_too_large"


class RecordedAlready(Refused):
    """The same cheque or transfer stands in the books, recorded from another form."""

    code: ClassVar[str] = "recorded_already"
    status: ClassVar[int] = 409

    def __init__(self, alike: Payment) -> None:
        super().__init__(
            f"Nothing was recorded: {alike.way()} of {alike.amount_money()} is recorded already, as {alike.reference}."
        )


@dataclass(frozen=True, slots=True)
class OfflineMoney:
    """What came, and how many minor units of it go to which invoice; the rest stays unapplied.

    The same `key` never records it twice. `is_another`: it counts although one like it is recorded.
    """

    key: UUID
    customer: Customer
    kind: OfflineKind
    reference: str
    received_on: date
    amount: Money
    by_invoice: Mapping[UUID, int]
    sends_receipt: bool = False
    recorded_by_id: UUID | None = None
    is_another: bool = True


def record_offline(*, money: OfflineMoney, now: datetime) -> Payment:
    """Write a payment that came offline, pay its invoices and post it, in one transaction.

    Raises PartsTooLarge, RecordedAlready. A second call with the same key returns the first payment.
    """
    with transaction.atomic():
        _wait_for_turn(money.customer)
        earlier = payment_by_key(f"offline:{money.key}")
        if earlier is not None:
            return earlier
        # Behind the lock, too: the same cheque may be typed in by two people at once.
        if not money.is_another and (alike := _look_alike(money)):
            raise RecordedAlready(alike)
        _check(money)
        payment = _write(money, now)
        _apply(payment, money)
        payment.state, payment.settled_at = PaymentState.SUCCEEDED, _moment_of(money, now)
        record(payment, PaymentState.SUCCEEDED, now=now, note="Recorded by hand")
        payment.save(update_fields=["state", "settled_at"])
        allocate(payment=payment, now=now)
        if money.sends_receipt:
            mails.queue_receipt(payment, now=now)
    return payment


def recorded_before(customer: Customer, key: str) -> Payment | None:
    """Return the payment that a form with this key recorded, if any: its button was pressed before."""
    try:
        return Payment.objects.filter(customer=customer, idempotency_key=f"offline:{UUID(key)}").first()
    except ValueError:
        return None


def _look_alike(money: OfflineMoney) -> Payment | None:
    """Return a payment of the customer recorded with the same kind, reference and amount that still stands."""
    alike = Payment.objects.filter(
        customer=money.customer,
        offline_kind=money.kind,
        offline_reference__iexact=money.reference,
        amount=money.amount.minor,
        currency=money.amount.currency,
        state=PaymentState.SUCCEEDED,
    )
    same_day = alike if money.reference else alike.filter(received_on=money.received_on)
    return same_day.order_by("-submitted_at").first()


def _wait_for_turn(customer: Customer) -> None:
    # One at a time for each customer, so that a double click finds the first one's payment.
    Customer.objects.select_for_update(no_key=True).get(id=customer.id)


def _check(money: OfflineMoney) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [list(money.by_invoice)])
    left = amounts_left(customer_id=money.customer.id, currency=money.amount.currency, agreed=money.by_invoice)
    if any(left.get(invoice_id) != amount for invoice_id, amount in money.by_invoice.items()):
        raise PartsTooLarge("Nothing was recorded: more than is owed was to go to an invoice. Please look again.")
    if sum(money.by_invoice.values()) > money.amount.minor:
        raise PartsTooLarge("Nothing was recorded: the parts for the invoices are more than the payment.")


# In id order, the order of every other lock on invoices.
_LOCK = "SELECT 1 FROM invoices_invoice WHERE id = ANY(%s) ORDER BY id FOR UPDATE"


def _write(money: OfflineMoney, now: datetime) -> Payment:
    return Payment.objects.create(
        merchant_id=money.customer.merchant_id,
        customer=money.customer,
        offline_kind=money.kind,
        offline_reference=money.reference,
        received_on=money.received_on,
        recorded_by_id=money.recorded_by_id,
        reference=readable_reference("PAY"),
        idempotency_key=f"offline:{money.key}",
        amount=money.amount.minor,
        currency=money.amount.currency,
        submitted_at=now,
    )


def _apply(payment: Payment, money: OfflineMoney) -> None:
    rows = [
        Allocation(
            merchant_id=payment.merchant_id,
            payment=payment,
            invoice_id=invoice_id,
            customer_id=payment.customer_id,
            amount=amount,
            currency=payment.currency,
        )
        for invoice_id, amount in money.by_invoice.items()
    ]
    Allocation.objects.bulk_create(rows, batch_size=1000)
    reserve_again(payment=payment)


def _moment_of(money: OfflineMoney, now: datetime) -> datetime:
    """Return when the money counts as collected: noon of the day it came, or now if that is still to be."""
    noon = datetime.combine(money.received_on, time(12), ZoneInfo(money.customer.merchant.time_zone))
    return min(noon, now)
