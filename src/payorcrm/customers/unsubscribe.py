"""Ending reminders to a customer, and taking that back. Confirmations and receipts still go out."""

from datetime import datetime

from payorcrm.customers.models import Customer, Notification, Topic


def end_reminders(*, customer: Customer, now: datetime) -> None:
    """Send this customer no more reminders; ending them twice keeps the first moment."""
    Customer.objects.filter(id=customer.id, unsubscribed_at=None).update(unsubscribed_at=now)


def resume_reminders(*, customer: Customer) -> None:
    """Send this customer reminders again, whichever way they were ended."""
    Customer.objects.filter(id=customer.id).update(unsubscribed_at=None)
    Notification.objects.filter(customer=customer, topic=Topic.REMINDERS).update(is_wanted=True)
