"""A second factor that a merchant requires of its staff: an authenticator app or a passkey, and what if it is lost."""

from datetime import datetime

from allauth.mfa.models import Authenticator
from django.db import transaction

from payorcrm.core.errors import Refused
from payorcrm.core.models import User
from payorcrm.mail.compose import queue_mail
from payorcrm.merchants.models import Merchant, Staff

KIND = "second_factor_reset"
FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


class SetOneUpFirst(Refused):
    """An owner wanted to require what they do not have."""

    code = "set_one_up_first"
    message = "Set up a second factor of your own first, and sign in with it. Nothing was changed."


class BelongsToOthersToo(Refused):
    """The person's sign-in opens more than this merchant's back office."""

    code = "belongs_to_others_too"
    message = (
        "This sign-in opens other companies, too, so only who runs this installation can reset its second factor: "
        "payorcrm reset-second-factor. Nothing was changed."
    )


def has_factor(user: User) -> bool:
    """Say whether somebody has set up an app or a passkey."""
    return Authenticator.objects.filter(user=user, type__in=FACTORS).exists()


def is_required_of(user: User) -> bool:
    """Say whether one of the merchants whose staff the user is requires a second factor."""
    return Staff.objects.filter(user=user, merchant__requires_second_factor=True).exists()


def require_second_factor(merchant: Merchant, *, by: User) -> None:
    """Ask it of everybody on the staff from the next click on. Raises SetOneUpFirst."""
    if not has_factor(by):
        raise SetOneUpFirst
    Merchant.objects.filter(id=merchant.id).update(requires_second_factor=True)


def stop_requiring_second_factor(merchant: Merchant) -> None:
    """Leave it to each of the staff."""
    Merchant.objects.filter(id=merchant.id).update(requires_second_factor=False)


def reset_for_colleague(staff: Staff, *, now: datetime) -> None:
    """Let a colleague who lost everything set one up anew. Raises BelongsToOthersToo."""
    user = staff.user
    elsewhere = Staff.objects.filter(user=user).exclude(merchant=staff.merchant_id).exists()
    if elsewhere or user.portal_accesses.live().exists():
        raise BelongsToOthersToo
    reset_second_factor(user, merchant=staff.merchant, now=now)


def reset_second_factor(user: User, *, merchant: Merchant | None, now: datetime) -> None:
    """Forget app, passkeys and recovery codes, end all sessions, and tell the person by mail."""
    with transaction.atomic():
        Authenticator.objects.filter(user=user).delete()
        user.signed_out_at = now
        user.save(update_fields=["signed_out_at"])
        queue_mail(kind=KIND, about_id=user.id, merchant=merchant, customer_id=None, to_address=user.email, now=now)
