"""Opening a merchant: the business itself and its owner's place in it."""

from collections.abc import Callable
from typing import ClassVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.exceptions import ValidationError
from django.core.validators import validate_email, validate_slug
from django.db import transaction

from payorcrm.core.errors import Refused
from payorcrm.core.models import User
from payorcrm.core.money import is_currency
from payorcrm.merchants.models import Merchant, Role, Staff


class NotAMerchant(Refused):
    """A merchant cannot be opened with these details."""

    code = "not_a_merchant"
    status: ClassVar[int] = 422


def open_merchant(*, name: str, slug: str, owner_email: str, time_zone: str, currency: str) -> Merchant:
    """Make a merchant and its owner, who chooses a password by "Forgot password". Raises NotAMerchant.

    A user who is known already becomes owner of this merchant, too, and keeps the password.
    """
    _check(name=name, slug=slug, owner_email=owner_email, time_zone=time_zone, currency=currency)
    with transaction.atomic():
        merchant = Merchant.objects.create(
            name=name, slug=slug, time_zone=time_zone, currency=currency, reply_to=owner_email
        )
        owner = User.objects.filter(email__iexact=owner_email).first() or User.objects.create_user(owner_email)
        Staff.objects.create(merchant=merchant, user=owner, role=Role.OWNER)
    return merchant


def _check(*, name: str, slug: str, owner_email: str, time_zone: str, currency: str) -> None:
    if not name.strip():
        raise NotAMerchant("A merchant needs a name.")
    _validate(validate_slug, slug)
    _validate(validate_email, owner_email)
    try:
        ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise NotAMerchant(f"“{time_zone}” is not a time zone; write one such as America/New_York.") from error
    if not is_currency(currency):
        raise NotAMerchant(f"“{currency}” is not a currency; write one such as USD.")
    if Merchant.objects.filter(slug=slug).exists():
        raise NotAMerchant(f"There is a merchant “{slug}” already.")


def _validate(validator: Callable[[str], None], value: str) -> None:
    try:
        validator(value)
    except ValidationError as error:
        raise NotAMerchant(f"“{value}” cannot be used. {error.messages[0]}") from error
