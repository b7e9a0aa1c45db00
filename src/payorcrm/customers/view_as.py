"""Staff look at the portal as one of their customers sees it. Every look is written down, from its start to its end."""

from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from payorcrm.core.models import User
from payorcrm.customers.models import Customer, Viewing

# The name in the session under which both sides of the web keep which viewing is on.
VIEWING = "portal_viewing"


def start_viewing(*, customer: Customer, user: User, now: datetime) -> Viewing:
    """Write down that a member of staff begins to look; an earlier look of theirs ends."""
    end_viewing_of(user, now)
    return Viewing.objects.create(merchant_id=customer.merchant_id, customer=customer, user=user, started_at=now)


def viewing_of(user: User, viewing_id: UUID) -> Viewing | None:
    """Return a look that is still on, while its user is the merchant's staff."""
    mine = Viewing.objects.filter(id=viewing_id, user=user, ended_at=None, merchant__staff__user_id=user.pk)
    return mine.select_related("customer__merchant").defer("customer__merchant__logo").first()


def end_viewing_of(user: User, now: datetime) -> None:
    """End whatever look of a user is on."""
    Viewing.objects.filter(user=user, ended_at=None).update(ended_at=now)


def viewings_of(customer: Customer) -> QuerySet[Viewing]:
    """Return who of the staff looked at the portal as this customer, the last one first."""
    return Viewing.objects.filter(customer=customer).select_related("user").order_by("-started_at", "-id")
