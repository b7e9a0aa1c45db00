"""Removing a saved method: at once here, and soon at the processor, too."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from django.db import transaction

from payorcrm.core.errors import Refused
from payorcrm.core.jobs import enqueue_named
from payorcrm.merchants.queries import gateway_account_of, gateway_of
from payorcrm.payment_methods.models import PaymentMethod


class MethodInUse(Refused):
    """A payment with the method is under way."""

    code = "method_in_use"
    status: ClassVar[int] = 409
    message = "A payment with this card or account is under way. It can be removed when that has cleared."


def remove_method(*, method_id: UUID, now: datetime) -> PaymentMethod:
    """Take a method out of use for ever and revoke its authorizations. Raises MethodInUse.

    Removing it twice keeps the first moment.
    """
    with transaction.atomic():
        method = PaymentMethod.objects.select_for_update().get(id=method_id)
        if method.payments.filter(state__in=["submitting", "pending"]).exists():
            raise MethodInUse
        if method.removed_at is None:
            method.removed_at = now
            method.save(update_fields=["removed_at"])
            method.mandates.filter(revoked_at=None).update(revoked_at=now)
            enqueue_named("payorcrm.payment_methods.jobs.forget_at_processor", method_id=str(method.id))
    return method


def forget_at_processor(*, method_id: UUID) -> None:
    """Let the processor forget a method that was removed. Raises GatewayUnavailable."""
    method = PaymentMethod.objects.get(id=method_id)
    account = gateway_account_of(method.merchant_id, method.gateway)
    gateway_of(account).remove_method(method.token)
