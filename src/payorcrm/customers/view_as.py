"""Staff look at the portal as one of their customers sees it. Every look is written down, from its start to its end."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import DateTimeField, ExpressionWrapper, F, QuerySet, Value
from django.db.models.functions import Least

from payorcrm.core.models import User
from payorcrm.customers.models import Customer, Viewing
from payorcrm.merchants.models import ROLES_THAT_CHANGE, Staff

# The name in the session under which both sides of the web keep which viewing is on.
VIEWING = "portal_viewing"
VIEWING_LIFE = timedelta(hours=1)


def start_viewing(*, customer: Customer, user: User, now: datetime) -> Viewing:
    """Write down that a member of staff begins to look; an earlier look of theirs ends."""
    end_viewing_of(user, now)
    return Viewing.objects.create(merchant_id=customer.merchant_id, customer=customer, user=user, started_at=now)


def viewing_of(user: User, viewing_id: UUID, *, now: datetime) -> Viewing | None:
    """Return a look that is still on: for an hour, while its user may change things at the merchant."""
    mine = Viewing.objects.filter(
        id=viewing_id,
        user=user,
        ended_at=None,
        started_at__gt=now - VIEWING_LIFE,
        merchant__staff__in=Staff.objects.filter(user=user, role__in=ROLES_THAT_CHANGE),
    )
    return mine.select_related("customer__merchant").defer("customer__merchant__logo").first()


def end_viewing_of(user: User, now: datetime) -> None:
    """End whatever look of a user is on, with its hour at the latest."""
    _end(Viewing.objects.filter(user=user), now)


def end_viewings_at(merchant_id: UUID, now: datetime) -> None:
    """End all looks at the portal of a merchant's customers."""
    _end(Viewing.objects.filter(merchant=merchant_id), now)


def end_lapsed_viewings(now: datetime) -> None:
    """Write down the end of looks that nobody came back to."""
    _end(Viewing.objects.filter(started_at__lte=now - VIEWING_LIFE), now)


def _end(viewings: QuerySet[Viewing], now: datetime) -> None:
    lapses = ExpressionWrapper(F("started_at") + VIEWING_LIFE, output_field=DateTimeField())
    viewings.filter(ended_at=None).update(ended_at=Least(Value(now), lapses))


def viewings_of(customer: Customer) -> QuerySet[Viewing]:
    """Return who of the staff looked at the portal as this customer, the last one first."""
    return Viewing.objects.filter(customer=customer).select_related("user").order_by("-started_at", "-id")
