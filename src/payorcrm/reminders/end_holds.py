"""Ends many holds at once."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from payorcrm.core.models import User
from payorcrm.merchants.models import Merchant
from payorcrm.reminders.models import Hold


def holds_on_customers(merchant: Merchant, customer_ids: Sequence[UUID], *, today: date) -> QuerySet[Hold]:
    """Return what stops all reminders to some customers today; holds on single invoices are not among it."""
    return Hold.objects.active(today=today).filter(merchant=merchant, customer__in=customer_ids, invoice=None)


def holds_on_invoices(merchant: Merchant, invoice_ids: Sequence[UUID], *, today: date) -> QuerySet[Hold]:
    """Return what stops reminders about some invoices today; holds on their customers are not among it."""
    return Hold.objects.active(today=today).filter(merchant=merchant, invoice__in=invoice_ids)


def end_holds(holds: QuerySet[Hold], *, ended_by: User | None, now: datetime) -> list[Hold]:
    """End those that have not ended yet, and return them as they were."""
    with transaction.atomic():
        ending = list(holds.filter(ended_at__isnull=True).order_by("id").select_for_update())
        Hold.objects.filter(id__in=[hold.id for hold in ending]).update(ended_at=now, ended_by=ended_by)
    return ending
