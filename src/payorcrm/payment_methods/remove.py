"""Removing a saved method: at once here, and soon at the processor, too."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from payorcrm.core.errors import Refused
from payorcrm.merchants.queries import gateway_account_of, gateway_of
from payorcrm.payment_methods import mails
from payorcrm.payment_methods.models import PaymentMethod
from payorcrm.payment_methods.save import take_out


class MethodInUse(Refused):
    """A payment with the method is under way."""

    code = "method_in_use"
    status: ClassVar[int] = 409
    message = _("A payment with this card or account is under way. It can be removed when that has cleared.")


def remove_method(*, method_id: UUID, now: datetime) -> PaymentMethod:
    """Take a method out of use for ever and revoke its authorizations. Raises MethodInUse.

    Removing it twice keeps the first moment.
    """
    with transaction.atomic():
        method = PaymentMethod.objects.select_for_update().get(id=method_id)
        if is_in_use(method):
            raise MethodInUse
        if method.removed_at is None:
            take_out(method, now=now)
            if method.saved_at:
                mails.queue_about([method], kind="method_removed", now=now)
    return method


def is_in_use(method: PaymentMethod) -> bool:
    """Say whether a payment with the method is under way."""
    return method.payments.filter(state__in=["submitting", "pending"]).exists()


def forget_at_processor(*, method_id: UUID) -> None:
    """Let the processor forget a method that was removed. Raises GatewayUnavailable."""
    method = PaymentMethod.objects.get(id=method_id)
    account = gateway_account_of(method.merchant_id, method.gateway)
    gateway_of(account).remove_method(method.token)
