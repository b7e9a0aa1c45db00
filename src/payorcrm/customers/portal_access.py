"""Ends one user's access to a customer, and notes that an access is used."""

from datetime import datetime, timedelta

from django.contrib.auth.hashers import make_password
from django.db import transaction

from payorcrm.core.models import User
from payorcrm.customers.invite_guests import NO_PASSWORD
from payorcrm.customers.models import Invitation, PortalAccess

NOTED_EVERY = timedelta(minutes=5)


def remove_access(*, access: PortalAccess, now: datetime) -> None:
    """End an access and its invitation. Whoever has nothing left to sign in for is signed out everywhere.

    Every session hangs on the password, so taking that away ends them all; an invitation by staff gives a new one.
    """
    with transaction.atomic():
        user = User.objects.select_for_update().get(id=access.user_id)
        PortalAccess.objects.live().filter(id=access.id).update(removed_at=now)
        Invitation.objects.filter(access=access).update(password_digest=NO_PASSWORD, expires_at=now)
        if not user.portal_accesses.live().exists() and not user.memberships.exists():
            user.password = make_password(None)
            user.save(update_fields=["password"])


def note_use(access: PortalAccess, now: datetime) -> None:
    """Keep when an access was used last, to five minutes, so that few requests write."""
    if access.last_used_at and now - access.last_used_at < NOTED_EVERY:
        return
    access.last_used_at = now
    PortalAccess.objects.filter(id=access.id).update(last_used_at=now)
