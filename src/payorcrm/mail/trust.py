"""Trusts a merchant that signed itself up: its mails are not limited any more."""

from datetime import datetime

from django.db import transaction

from payorcrm.mail.jobs import deliver_soon
from payorcrm.mail.limit import over_limit
from payorcrm.merchants.models import Merchant


def trust(merchant: Merchant, *, now: datetime) -> int:
    """Lift the limit for good; what waits for it is due at once. Return how many mails that are."""
    with transaction.atomic():
        # Waits for the lock that claiming takes, so that nothing is put off afterwards.
        Merchant.objects.filter(id=merchant.id).update(is_trusted=True)
        count = over_limit(merchant).update(send_after=now, last_error="")
        deliver_soon()
    return count
