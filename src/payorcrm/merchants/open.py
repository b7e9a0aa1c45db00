"""Opening a merchant: the business itself and its owner's place in it."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import ClassVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.exceptions import ValidationError
from django.core.validators import validate_email, validate_slug
from django.db import IntegrityError, transaction
from django.utils.text import slugify

from payorcrm.core.errors import Refused
from payorcrm.core.models import User
from payorcrm.core.money import is_currency
from payorcrm.merchants.models import Merchant, Role, Setup, Staff

LONGEST_PROPOSAL = 50


class NotAMerchant(Refused):
    """A merchant cannot be opened with these details."""

    code = "not_a_merchant"
    status: ClassVar[int] = 422


@dataclass(frozen=True, slots=True)
class MerchantDetails:
    """What a merchant is opened with; `slug` stands in its addresses."""

    name: str
    slug: str
    time_zone: str
    currency: str


def open_merchant(*, name: str, slug: str, owner_email: str, time_zone: str, currency: str) -> Merchant:
    """Make a merchant and its owner, who chooses a password by "Forgot password". Raises NotAMerchant.

    A user who is known already becomes owner of this merchant, too, and keeps the password.
    """
    details = MerchantDetails(name, slug, time_zone, currency)
    check_details(details)
    _validate(validate_email, owner_email)
    with transaction.atomic():
        owner = User.objects.filter(email__iexact=owner_email).first() or User.objects.create_user(owner_email)
        return open_for(owner, details, is_trusted=True).merchant


def open_for(owner: User, details: MerchantDetails, *, is_trusted: bool) -> Staff:
    """Make a merchant of somebody whose address is proved, and return the owner's place in it. Raises NotAMerchant.

    Nobody vouches for one that is not trusted: what it may send is limited.
    """
    check_details(details)
    try:
        with transaction.atomic():
            merchant = Merchant.objects.create(
                name=details.name,
                slug=details.slug,
                time_zone=details.time_zone,
                currency=details.currency,
                reply_to=owner.email,
                is_trusted=is_trusted,
            )
            Setup.objects.create(merchant=merchant)
            return Staff.objects.create(merchant=merchant, user=owner, role=Role.OWNER)
    except IntegrityError as error:  # somebody took the slug since it was looked at
        raise NotAMerchant(f"There is a merchant “{details.slug}” already.") from error


def free_slug(wanted: str) -> str:
    """Return a slug made of a name, or of a slug, that no merchant has yet."""
    base = slugify(wanted)[:LONGEST_PROPOSAL].strip("-_") or "company"
    taken = set(Merchant.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    numbered = (f"{base}-{number}" for number in count(2))
    return base if base not in taken else next(each for each in numbered if each not in taken)


def check_details(details: MerchantDetails) -> None:
    """Refuse what cannot be opened. Raises NotAMerchant."""
    if not details.name.strip():
        raise NotAMerchant("A merchant needs a name.")
    _validate(validate_slug, details.slug)
    try:
        ZoneInfo(details.time_zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise NotAMerchant(f"“{details.time_zone}” is not a time zone; write one such as America/New_York.") from error
    if not is_currency(details.currency):
        raise NotAMerchant(f"“{details.currency}” is not a currency; write one such as USD.")
    if Merchant.objects.filter(slug=details.slug).exists():
        raise NotAMerchant(f"There is a merchant “{details.slug}” already.")


def _validate(validator: Callable[[str], None], value: str) -> None:
    try:
        validator(value)
    except ValidationError as error:
        raise NotAMerchant(f"“{value}” cannot be used. {error.messages[0]}") from error
