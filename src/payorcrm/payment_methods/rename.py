"""The customer's own name for a card or account."""

from uuid import UUID

from django.db import transaction

from payorcrm.payment_methods.models import PaymentMethod
from payorcrm.payment_methods.save import lock_saved

LONGEST_NAME = 60


def rename_method(*, method_id: UUID, name: str) -> PaymentMethod:
    """Give a saved method a name, or none. Raises MethodGone."""
    with transaction.atomic():
        method = lock_saved(method_id)
        method.name = " ".join(name.split())[:LONGEST_NAME]
        method.save(update_fields=["name"])
    return method
