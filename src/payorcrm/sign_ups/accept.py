"""Opens what a stranger asked for, once the link of the mail has proved their address."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from django.conf import settings
from django.contrib.auth.hashers import check_password
from django.db import transaction

from payorcrm.core.errors import Refused
from payorcrm.core.models import User
from payorcrm.core.signing import NotGenuine, open_signed, sign
from payorcrm.merchants.models import Role, Staff
from payorcrm.merchants.open import MerchantDetails, free_slug, open_for
from payorcrm.sign_ups.ask import LIFE
from payorcrm.sign_ups.models import SignUp

_PURPOSE = "sign-up"


class SignUpOver(Refused):
    """A link is older than a day."""

    code = "sign_up_over"
    status: ClassVar[int] = 410
    message = "This link is older than a day. Nothing was opened; please sign up again."


class OpenAlready(Refused):
    """What was asked for is open."""

    code = "open_already"
    status: ClassVar[int] = 410
    message = "This account is open already. Please sign in."


class OneAtATime(Refused):
    """Somebody opens businesses faster than the operator trusts them; each may write to strangers."""

    code = "one_at_a_time"


class AddressHasSignIn(Refused):
    """The proved address belongs to a user, whose password nobody may set this way."""

    code = "address_has_sign_in"
    message = "You have a sign-in here already. Sign in with it, and then add your business."


def sign_up_link(sign_up: SignUp, now: datetime) -> str:
    """Return the address behind the button of the mail."""
    return f"{settings.PUBLIC_URL}/signup/open/{sign(_PURPOSE, sign_up.id.bytes, now=now)}/"


def sign_up_of_link(token: str, now: datetime) -> SignUp:
    """Return what a link names. Raises NotGenuine, SignUpOver, OpenAlready."""
    payload, _ = open_signed(_PURPOSE, token)
    if len(payload) != len(UUID(int=0).bytes):
        raise NotGenuine
    sign_up = SignUp.objects.filter(id=UUID(bytes=payload), asked_at__gt=now - LIFE).first()
    if sign_up is None:
        raise SignUpOver
    if sign_up.opened_at:
        raise OpenAlready
    return sign_up


def has_password(sign_up: SignUp, typed: str) -> bool:
    """Say whether this is the password that was chosen.

    Whoever opens the link in another browser is asked for it: the mail may have been caused by a stranger, whose
    password would otherwise open the account of the address's owner.
    """
    return check_password(typed, sign_up.password)


def open_signed_up(*, sign_up: SignUp, now: datetime) -> Staff:
    """Make the user and the merchant; a slug that was taken meanwhile gives way to a free one.

    A second press finds it done. Raises OpenAlready, AddressHasSignIn.
    """
    with transaction.atomic():
        locked = SignUp.objects.select_for_update().get(id=sign_up.id)
        if locked.opened_at:
            raise OpenAlready
        if User.objects.filter(email__iexact=locked.email).exists():
            raise AddressHasSignIn
        owner = User.objects.create(email=locked.email, name=locked.name, password=locked.password)
        details = MerchantDetails(locked.business, free_slug(locked.slug), locked.time_zone, locked.currency)
        staff = open_for(owner, details, is_trusted=False)
        locked.opened_at, locked.password = now, ""
        locked.save(update_fields=["opened_at", "password"])
    return staff


def open_another(owner: User, details: MerchantDetails) -> Staff:
    """Make a further business of somebody who has signed in. Raises OneAtATime, NotAMerchant."""
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(id=owner.id)  # the second tab waits here
        mine = Staff.objects.filter(user=owner, role=Role.OWNER, merchant__is_trusted=False)
        if new := mine.select_related("merchant").first():
            raise OneAtATime(
                f"{new.merchant} is new here. You can add another business as soon as the people who run this service "
                "have looked at it."
            )
        return open_for(owner, details, is_trusted=False)
