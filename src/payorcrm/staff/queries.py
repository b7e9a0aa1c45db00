"""The team as its page shows it."""

from dataclasses import dataclass

from allauth.mfa.models import Authenticator

from payorcrm.merchants.models import Merchant, Staff

SECOND_FACTORS = {Authenticator.Type.TOTP: "App", Authenticator.Type.WEBAUTHN: "Passkey"}


@dataclass(frozen=True, slots=True)
class Member:
    """One colleague, and the second factors that they have set up."""

    staff: Staff
    factors: tuple[str, ...]


def team_of(merchant: Merchant) -> list[Member]:
    """Return the staff by name, with two queries whatever their number."""
    members = list(Staff.objects.filter(merchant=merchant).select_related("user").order_by("user__name", "id"))
    found: dict[object, set[str]] = {}
    users = [member.user_id for member in members]
    for user_id, kind in Authenticator.objects.filter(user__in=users).values_list("user_id", "type"):
        if kind in SECOND_FACTORS:
            found.setdefault(user_id, set()).add(SECOND_FACTORS[kind])
    return [Member(member, tuple(sorted(found.get(member.user_id, ())))) for member in members]
