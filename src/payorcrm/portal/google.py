"""Whom a Google account may sign in: a user who exists already, by the address that Google has verified."""

from allauth.socialaccount.models import SocialAccount, SocialLogin
from django.db.models import QuerySet

from payorcrm.core.models import User

PROVIDER = "google"


def user_of_google(login: SocialLogin) -> User | None:
    """Return the user whose address is one that Google has verified, and who has something to sign in for."""
    verified = {address.email.lower() for address in login.email_addresses if address.verified}
    for address in verified:
        user = User.objects.filter(email__iexact=address, is_active=True).first()
        if user and (user.memberships.exists() or user.portal_accesses.live().exists()):
            return user
    return None


def google_accounts_of(user: User) -> QuerySet[SocialAccount]:
    """Return the Google accounts by which a user may sign in."""
    return SocialAccount.objects.filter(user=user, provider=PROVIDER)
