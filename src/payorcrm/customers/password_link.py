"""The link behind "choose a new password": signed by Django over the password, so that it works once, for a while."""

from uuid import UUID

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator

from payorcrm.core.models import User
from payorcrm.merchants.models import Merchant


def password_link(user: User, merchant: Merchant) -> str:
    """Return the absolute address at which a user chooses a new password, on the merchant's pages."""
    token = default_token_generator.make_token(user)
    return f"{settings.PUBLIC_URL}/c/{merchant.slug}/password/{user.id.hex}-{token}/"


def user_of_password_link(key: str) -> User | None:
    """Return the user whose link this is, if it still works; `key` is all between the slashes."""
    user_hex, _, token = key.partition("-")
    try:
        user = User.objects.filter(id=UUID(user_hex), is_active=True).first()
    except ValueError:
        return None
    return user if user and default_token_generator.check_token(user, token) else None
