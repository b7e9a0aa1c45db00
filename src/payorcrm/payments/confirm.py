"""Confirmations: asked for with a button in a mail, sent to the address on file, paid once from its link."""

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, cast
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from payorcrm.core.errors import Refused
from payorcrm.core.ids import uuid7
from payorcrm.core.money import Money
from payorcrm.core.ready_rows import Tables, read_rows
from payorcrm.core.signing import NotGenuine
from payorcrm.customers.models import Customer
from payorcrm.merchants.models import Merchant
from payorcrm.payment_methods.mandate import Acceptance
from payorcrm.payment_methods.models import PaymentMethod
from payorcrm.payments.authorize import Authorization, text_for_confirmation
from payorcrm.payments.collect import collect
from payorcrm.payments.mails import queue_to_contact
from payorcrm.payments.models import Confirmation, ConfirmationLine, Payment, PaymentRequest
from payorcrm.payments.queries import payable_amounts_of
from payorcrm.payments.reserve import MethodNotUsable, NothingLeftToPay, Order, amounts_left, payment_by_key
from payorcrm.payments.secrets import has_secrets, new_secrets, secrets_of, token_digest

SEND_AGAIN_AFTER = timedelta(minutes=1)
CODE_TRIES = 5


class ConfirmationExpired(Refused):
    """A confirmation link is older than the merchant allows, or was replaced by a newer one."""

    code = "confirmation_expired"
    status: ClassVar[int] = 410
    message = _("Nothing was charged: this confirmation is no longer valid.")

    def __init__(self, confirmation: Confirmation) -> None:
        super().__init__()
        self.confirmation = confirmation


class WrongCode(Refused):
    """The six digits do not match the mail."""

    code = "wrong_code"
    status: ClassVar[int] = 422

    def __init__(self, tries_left: int) -> None:
        wrong = ngettext(
            "Nothing was charged: this is not the code in the mail (%(count)d try left).",
            "Nothing was charged: this is not the code in the mail (%(count)d tries left).",
            tries_left,
        )
        none_left = _("Nothing was charged: this is not the code in the mail (no tries left).")
        super().__init__(wrong % {"count": tries_left} if tries_left else none_left)
        self.tries_left = tries_left


class MethodGone(Refused):
    """The saved method of a payment button was removed or belongs to nobody here."""

    code = "method_gone"
    status: ClassVar[int] = 410
    message = _("Nothing was charged: this card or bank account is no longer saved.")


@dataclass(frozen=True, slots=True)
class Asked:
    """A confirmation that waits for its payer, and whether this call made it."""

    confirmation: Confirmation
    is_new: bool


def request_confirmation(*, request: PaymentRequest, method: PaymentMethod, now: datetime) -> Asked:
    """Freeze what is payable of a request and mail it for confirmation to the address on file.

    An open confirmation of the same invoices and amounts is sent again instead, at most once a minute.
    Raises NothingLeftToPay, MethodGone, NoAddressOnFile.
    """
    with transaction.atomic(durable=True):
        PaymentRequest.objects.select_for_update().get(id=request.id)
        if not method.is_saved() or method.customer_id != request.customer_id:
            raise MethodGone
        amounts = payable_amounts_of(request)
        if not amounts:
            raise NothingLeftToPay
        confirmation = _open_one(request, method, amounts, now)
        if confirmation is None:
            confirmation = _freeze(request, method, amounts, now)
            _send(confirmation, now)
            return Asked(confirmation, is_new=True)
        if now - confirmation.last_sent_at >= SEND_AGAIN_AFTER:
            Confirmation.objects.filter(id=confirmation.id).update(last_sent_at=now)
            _send(confirmation, now)
        return Asked(confirmation, is_new=False)


def open_confirmation_of(request: PaymentRequest, method: PaymentMethod) -> Confirmation | None:
    """Return the confirmation that waits for its payer, if there is one."""
    return Confirmation.objects.filter(request=request, method=method, closed_at=None).first()


def open_confirmation(*, token: str, now: datetime) -> Confirmation:
    """Return the confirmation that a mail's link names. Raises NotGenuine, ConfirmationExpired.

    One that has led to a payment is returned as long as it exists; `payment_of` finds the payment.
    """
    confirmation = _confirmation_with(token_digest(token))
    if confirmation is None:
        raise NotGenuine
    is_over = confirmation.closed_at is not None or confirmation.has_expired(now=now)
    if is_over and payment_of(confirmation) is None:
        raise ConfirmationExpired(confirmation)
    return confirmation


_TABLES: Tables = (("c", Confirmation), ("m", Merchant), ("p", PaymentMethod), ("k", Customer))
_BY_DIGEST = """
  FROM payments_confirmation c
  JOIN merchants_merchant m ON m.id = c.merchant_id
  JOIN payment_methods_paymentmethod p ON p.id = c.method_id
  JOIN customers_customer k ON k.id = c.customer_id
 WHERE c.token_digest = %s"""


def _confirmation_with(digest: bytes) -> Confirmation | None:
    for confirmation, merchant, method, customer in read_rows(_TABLES, _BY_DIGEST, [digest]):
        confirmation.merchant, confirmation.method, confirmation.customer = merchant, method, customer
        customer.merchant = merchant
        return cast(Confirmation, confirmation)
    return None


def payment_of(confirmation: Confirmation) -> Payment | None:
    """Return the payment that the confirmation has led to, if any; making it closes the confirmation."""
    return payment_by_key(_key(confirmation)) if confirmation.closed_at else None


def confirmed_lines(confirmation: Confirmation) -> list[tuple[ConfirmationLine, Money]]:
    """Return the frozen lines, the oldest due date first, each with what of it can still be paid."""
    lines = list(
        confirmation.lines.select_related("invoice", "confirmation").order_by("invoice__due_on", "invoice__number")
    )
    left = amounts_left(
        customer_id=confirmation.customer_id,
        currency=confirmation.currency,
        agreed={line.invoice_id: line.amount for line in lines},
    )
    return [(line, Money(left.get(line.invoice_id, 0), confirmation.currency)) for line in lines]


def pay_confirmation(*, confirmation: Confirmation, agreed: Money, acceptance: Acceptance) -> Payment:
    """Pay what was confirmed, once. `agreed` is the amount that the payer saw.

    Raises NothingLeftToPay, AmountChanged, MethodGone.
    """
    earlier = payment_of(confirmation)
    if earlier:
        return earlier
    if not confirmation.method.is_saved():
        raise MethodGone
    try:
        return collect(order=_order(confirmation, agreed, acceptance), now=acceptance.at)
    except MethodNotUsable:  # removed in another tab at this moment
        raise MethodGone from None


def check_code(*, confirmation: Confirmation, code: str) -> None:
    """Compare the six digits of the mail; every wrong guess counts, five in all. Raises WrongCode."""
    # Counted before it is compared, so that guesses sent at the same moment cannot share a try.
    counted = Confirmation.objects.filter(id=confirmation.id, code_attempt_count__lt=CODE_TRIES).update(
        code_attempt_count=F("code_attempt_count") + 1
    )
    digits = "".join(letter for letter in code if letter in "0123456789")
    if counted and hmac.compare_digest(digits, secrets_of(confirmation).code):
        Confirmation.objects.filter(id=confirmation.id).update(code_attempt_count=F("code_attempt_count") - 1)
        return
    confirmation.refresh_from_db(fields=["code_attempt_count"])
    raise WrongCode(CODE_TRIES - confirmation.code_attempt_count)


def _key(confirmation: Confirmation) -> str:
    return f"confirmation:{confirmation.id}"


def _agreed(confirmation: Confirmation) -> dict[UUID, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT invoice_id, amount FROM payments_confirmationline WHERE confirmation_id = %s", [confirmation.id]
        )
        return dict(cursor.fetchall())


def _order(confirmation: Confirmation, agreed: Money, acceptance: Acceptance) -> Order:
    return Order(
        key=_key(confirmation),
        customer_id=confirmation.customer_id,
        merchant=confirmation.merchant,
        method=confirmation.method,
        amounts=_agreed(confirmation),
        agreed=agreed,
        authorization=_authorization(confirmation, agreed, acceptance),
        request_id=confirmation.request_id,
        confirmation_id=confirmation.id,
    )


def _authorization(confirmation: Confirmation, agreed: Money, acceptance: Acceptance) -> Authorization | None:
    if confirmation.method.is_card():
        return None
    return Authorization(text_for_confirmation(confirmation, agreed, acceptance.at), acceptance)


def _open_one(
    request: PaymentRequest, method: PaymentMethod, amounts: dict[UUID, int], now: datetime
) -> Confirmation | None:
    """Return the open confirmation if it still says the truth; close it otherwise."""
    confirmation = open_confirmation_of(request, method)
    if confirmation is None:
        return None
    is_true = not confirmation.has_expired(now=now) and _agreed(confirmation) == amounts
    if is_true and has_secrets(confirmation) and confirmation.code_attempt_count < CODE_TRIES:
        return confirmation
    Confirmation.objects.filter(id=confirmation.id).update(closed_at=now)
    return None


def _freeze(request: PaymentRequest, method: PaymentMethod, amounts: dict[UUID, int], now: datetime) -> Confirmation:
    confirmation_id = uuid7()
    secrets = new_secrets(confirmation_id)
    confirmation = Confirmation.objects.create(
        id=confirmation_id,
        merchant_id=request.merchant_id,
        customer_id=request.customer_id,
        request=request,
        method=method,
        amount=sum(amounts.values()),
        currency=request.currency,
        token_digest=token_digest(secrets.token),
        created_at=now,
        expires_at=now + timedelta(hours=request.merchant.confirmation_hours),
        last_sent_at=now,
    )
    ConfirmationLine.objects.bulk_create(
        ConfirmationLine(confirmation=confirmation, invoice_id=invoice_id, amount=amount)
        for invoice_id, amount in amounts.items()
    )
    return confirmation


def _send(confirmation: Confirmation, now: datetime) -> None:
    queue_to_contact(
        kind="confirmation",
        about_id=confirmation.id,
        merchant=confirmation.merchant,
        customer_id=confirmation.customer_id,
        now=now,
    )
