"""Which saved method is offered first."""

from datetime import date
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from payorcrm.core.errors import Refused
from payorcrm.customers.models import Customer
from payorcrm.payment_methods.models import PaymentMethod
from payorcrm.payment_methods.save import lock_saved


class CannotPay(Refused):
    """A method that cannot pay today was to be offered first."""

    code = "method_cannot_pay"
    message = _("Only a card that has not expired, or a verified account, can be offered first.")


def make_default(*, method_id: UUID, today: date) -> PaymentMethod:
    """Offer one method of a customer before all others. Raises MethodGone, CannotPay."""
    with transaction.atomic():
        # The customer's row first: two tabs that choose at the same moment choose one after the other.
        customer_id = PaymentMethod.objects.values_list("customer_id", flat=True).get(id=method_id)
        Customer.objects.select_for_update(no_key=True).get(id=customer_id)
        method = lock_saved(method_id)
        if not method.can_pay(today=today):
            raise CannotPay
        PaymentMethod.objects.filter(customer_id=customer_id, is_default=True).update(is_default=False)
        method.is_default = True
        method.save(update_fields=["is_default"])
    return method
