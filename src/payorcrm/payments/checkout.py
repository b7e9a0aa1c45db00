"""Paying a request: from a mail with a method that was entered just now, after signing in with a saved one, too."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar
from uuid import UUID, uuid5

from django.utils.translation import gettext_lazy as _

from payorcrm.core.errors import Refused
from payorcrm.core.ids import uuid7
from payorcrm.core.models import User
from payorcrm.core.money import Money
from payorcrm.payment_methods.mandate import Acceptance
from payorcrm.payment_methods.models import PAYABLE_WHEN, PaymentMethod
from payorcrm.payments.authorize import Authorization, text_for_request
from payorcrm.payments.collect import collect
from payorcrm.payments.models import NOT_CHARGED_STATES, Payment, PaymentRequest, PaymentState, RequestOrigin
from payorcrm.payments.queries import payable_amounts_of, standing_payment_of
from payorcrm.payments.reserve import MethodNotUsable, NothingLeftToPay, Order, payment_by_key

MOST_DECLINES_AN_HOUR = 10


class TooManyDeclines(Refused):
    """A customer's page has had many cards declined lately; somebody may be trying stolen ones out."""

    code = "too_many_declines"
    status: ClassVar[int] = 429
    message = _("Nothing was charged. Too many payments were declined here within an hour. Please try again later.")


@dataclass(frozen=True, slots=True)
class Checkout:
    """One filled-in payment page. Its id was made when the page was shown, so pressing twice is one checkout."""

    id: UUID
    request: PaymentRequest
    agreed: Money

    def key(self) -> str:
        return f"checkout:{self.id}"


def new_checkout_id(request: PaymentRequest) -> UUID:
    """Return the id of a page that is about to be shown.

    One of the portal follows from the request and the attempts that came to nothing, so that all tabs and all users of
    the customer share it, and the next attempt has another.
    """
    if request.origin != RequestOrigin.PORTAL:
        return uuid7()
    attempts = request.payments.filter(state__in=NOT_CHARGED_STATES).count()
    return uuid5(request.id, f"attempt {attempts + 1}")


def payment_of_checkout(checkout: Checkout) -> Payment | None:
    """Return the payment that a checkout has led to, or that another page of its request led to first, if any."""
    payment = standing_payment_of(checkout.request) or payment_by_key(checkout.key())
    return payment if payment and payment.request_id == checkout.request.id else None


def pay_checkout(
    *, checkout: Checkout, method: PaymentMethod, acceptance: Acceptance, payer: User | None = None
) -> Payment:
    """Pay what is payable of the request with a method of its customer, once; `payer` is who has signed in.

    Raises NothingLeftToPay, AmountChanged, TooManyDeclines, MethodNotUsable.
    """
    request = checkout.request
    amounts = payable_amounts_of(request)
    earlier = payment_of_checkout(checkout)
    if earlier:
        return earlier
    if not amounts:
        raise NothingLeftToPay
    if method.verification not in PAYABLE_WHEN or method.removed_at:
        raise MethodNotUsable
    _refuse_card_testing(request, acceptance.at)
    order = Order(
        key=checkout.key(),
        customer_id=request.customer_id,
        merchant=request.merchant,
        method=method,
        amounts=amounts,
        agreed=checkout.agreed,
        authorization=_authorization(checkout, method, acceptance),
        request_id=request.id,
        made_by_id=payer.pk if payer else None,
    )
    return collect(order=order, now=acceptance.at)


def _refuse_card_testing(request: PaymentRequest, now: datetime) -> None:
    lately = Payment.objects.filter(customer=request.customer_id, submitted_at__gt=now - timedelta(hours=1))
    if lately.filter(state=PaymentState.DECLINED).count() >= MOST_DECLINES_AN_HOUR:
        raise TooManyDeclines


def _authorization(checkout: Checkout, method: PaymentMethod, acceptance: Acceptance) -> Authorization | None:
    if method.is_card():
        return None
    return Authorization(text_for_request(checkout.request, method, checkout.agreed, acceptance.at), acceptance)
