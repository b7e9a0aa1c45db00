"""Phase one of collecting: lock the invoices, write the payment, reserve the amounts. No network here."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from payorcrm.core.errors import Refused
from payorcrm.core.ids import readable_reference, uuid7
from payorcrm.core.money import Money
from payorcrm.merchants.models import Merchant
from payorcrm.merchants.queries import gateway_account_of
from payorcrm.payment_methods.mandate import record_mandate
from payorcrm.payment_methods.models import Mandate, PaymentMethod
from payorcrm.payments.authorize import Authorization
from payorcrm.payments.models import Payment, PaymentState


class NothingLeftToPay(Refused):
    """Every invoice was settled some other way, or a payment for it is under way."""

    code = "nothing_left_to_pay"
    message = _("Nothing was charged: there is nothing left to pay here.")


class AmountChanged(Refused):
    """Less is payable now than the payer agreed to."""

    code = "amount_changed"
    message = _("Nothing was charged: the amount has changed.")

    def __init__(self, now_payable: Money) -> None:
        super().__init__(_("Nothing was charged: the amount has changed to %(amount)s.") % {"amount": now_payable})
        self.now_payable = now_payable


class NotAuthorized(Refused):
    """A bank account was to be debited without its owner's authorization."""

    code = "not_authorized"
    message = _("Nothing was charged: please accept the authorization first.")


class MethodNotUsable(Refused):
    """A method has not been verified yet, has expired, or was removed while its page was open."""

    code = "method_not_usable"
    message = _("Nothing was charged: this card or bank account cannot pay now. Please choose another way to pay.")


@dataclass(frozen=True, slots=True)
class Order:
    """What a payer agreed to pay.

    `amounts` are minor units per invoice, the most that may be taken for each; `agreed` is the total on the button.
    The same `key` never makes a second payment. A bank account needs the authorization, a card has none.
    """

    key: str
    customer_id: UUID
    merchant: Merchant
    method: PaymentMethod
    amounts: Mapping[UUID, int]
    agreed: Money
    authorization: Authorization | None = None
    request_id: UUID | None = None
    made_by_id: UUID | None = None
    confirmation_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Reservation:
    """The payment of an order, and whether this call made it."""

    payment: Payment
    is_new: bool


def reserve(*, order: Order, now: datetime) -> Reservation:
    """Write the order's payment as submitting and reserve its invoices, in one durable transaction.

    Returns the first payment when the order's key has one. Raises NothingLeftToPay, AmountChanged, MethodNotUsable,
    CannotTakePayments.
    """
    with transaction.atomic(durable=True):
        left = _lock_amounts_left(order)
        # Looked for behind the lock: whoever held it may have been another click on the same button.
        earlier = payment_by_key(order.key)
        if earlier is not None:
            return Reservation(earlier, is_new=False)
        if not left:
            _say_if_the_method_is_why(order.method.id)
        _check_total(left, order.agreed)
        payment = _write_payment(order, left, now)
        return Reservation(payment, is_new=True)


def payment_by_key(key: str) -> Payment | None:
    """Return the payment that an order's key has made, if any."""
    return next(iter(Payment.objects.raw("SELECT * FROM payments_payment WHERE idempotency_key = %s", [key])), None)


def amounts_left(*, customer_id: UUID, currency: str, agreed: Mapping[UUID, int]) -> dict[UUID, int]:
    """Return, for each invoice still open, the agreed minor units or the less that is left of them."""
    return _read_amounts(_AMOUNTS_LEFT, customer_id, currency, agreed)


def _lock_amounts_left(order: Order) -> dict[UUID, int]:
    # In id order, so that two orders over the same invoices cannot block each other for ever.
    # A method that is being removed at this moment, and an account that is being disconnected, are waited for, and
    # there are no rows when they are gone. Nobody can disconnect the account before the payment is there.
    return _read_amounts(_LOCK_AMOUNTS, order.customer_id, order.agreed.currency, order.amounts, order.method.id)


_AMOUNTS_LEFT = """
SELECT i.id, least(agreed.amount, i.balance - i.in_flight)
  FROM invoices_invoice i JOIN unnest(%s::uuid[], %s::bigint[]) AS agreed (id, amount) ON agreed.id = i.id
 WHERE i.customer_id = %s AND i.currency = %s AND i.status = 'open'"""
_LOCK_AMOUNTS = """
SELECT i.id, least(agreed.amount, i.balance - i.in_flight)
  FROM invoices_invoice i JOIN unnest(%s::uuid[], %s::bigint[]) AS agreed (id, amount) ON agreed.id = i.id
  CROSS JOIN payment_methods_paymentmethod m
  JOIN merchants_gatewayaccount g ON g.merchant_id = m.merchant_id AND g.gateway = m.gateway
   AND (g.account_id = m.account_id OR '' IN (g.account_id, m.account_id))
 WHERE i.customer_id = %s AND i.currency = %s AND i.status = 'open' AND m.id = %s AND m.removed_at IS NULL
 ORDER BY i.id FOR UPDATE OF i FOR KEY SHARE OF m, g"""


def _read_amounts(
    statement: str, customer_id: UUID, currency: str, agreed: Mapping[UUID, int], *more: UUID
) -> dict[UUID, int]:
    with connection.cursor() as cursor:
        cursor.execute(statement, [list(agreed.keys()), list(agreed.values()), customer_id, currency, *more])
        return {invoice_id: amount for invoice_id, amount in cursor.fetchall() if amount > 0}


def _say_if_the_method_is_why(method_id: UUID) -> None:
    method = PaymentMethod.objects.get(id=method_id)
    account = gateway_account_of(method.merchant_id, method.gateway)
    if method.removed_at or not account.is_account_of(method.account_id):
        raise MethodNotUsable


def _check_total(left: Mapping[UUID, int], agreed: Money) -> None:
    total = Money(sum(left.values()), agreed.currency)
    if not total:
        raise NothingLeftToPay
    if total != agreed:
        raise AmountChanged(total)


def _write_payment(order: Order, amounts: Mapping[UUID, int], now: datetime) -> Payment:
    payment = Payment.objects.create(
        merchant=order.merchant,
        customer_id=order.customer_id,
        request_id=order.request_id,
        method=order.method,
        made_by_id=order.made_by_id,
        mandate=_write_mandate(order),
        gateway=order.method.gateway,
        reference=readable_reference("PAY"),
        idempotency_key=order.key,
        amount=order.agreed.minor,
        currency=order.agreed.currency,
        submitted_at=now,
    )
    _reserve_amounts(payment, amounts, order.confirmation_id)
    return payment


def _write_mandate(order: Order) -> Mandate | None:
    if order.method.is_card():
        return None
    if order.authorization is None:
        raise NotAuthorized
    accepted = order.authorization
    return record_mandate(method=order.method, text=accepted.text, amount=order.agreed, acceptance=accepted.acceptance)


def _reserve_amounts(payment: Payment, amounts: Mapping[UUID, int], confirmation_id: UUID | None) -> None:
    """Allocate and reserve the amounts, begin the time line, and close the confirmation that led here."""
    with connection.cursor() as cursor:
        cursor.execute(
            _RESERVE,
            {
                "payment_id": payment.id,
                "merchant_id": payment.merchant_id,
                "customer_id": payment.customer_id,
                "currency": payment.currency,
                "invoices": list(amounts.keys()),
                "amounts": list(amounts.values()),
                "event_id": uuid7(),
                "state": PaymentState.SUBMITTING,
                "now": payment.submitted_at,
                "confirmation_id": confirmation_id,
            },
        )


_RESERVE = """
WITH made AS (
  INSERT INTO payments_allocation (merchant_id, payment_id, invoice_id, customer_id, amount, currency)
  SELECT %(merchant_id)s, %(payment_id)s, invoice_id, %(customer_id)s, amount, %(currency)s
    FROM unnest(%(invoices)s::uuid[], %(amounts)s::bigint[]) AS chosen (invoice_id, amount)
  RETURNING invoice_id, amount
), noted AS (
  INSERT INTO payments_paymentevent (id, merchant_id, payment_id, state, at, note)
  VALUES (%(event_id)s, %(merchant_id)s, %(payment_id)s, %(state)s, %(now)s, 'Sent to the bank')
), closed AS (
  UPDATE payments_confirmation SET closed_at = %(now)s WHERE id = %(confirmation_id)s
)
UPDATE invoices_invoice i SET in_flight = i.in_flight + made.amount FROM made WHERE i.id = made.invoice_id"""
