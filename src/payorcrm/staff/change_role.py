"""Changes what a colleague may do, or ends it; a merchant always keeps an owner."""

from django.db import transaction

from payorcrm.core.errors import Refused
from payorcrm.merchants.models import Merchant, Role, Staff


class LastOwner(Refused):
    """Nobody would be left who may change the settings."""

    code = "last_owner"
    message = "A merchant needs an owner. Make somebody else an owner first. Nothing was changed."


class NoLongerOnTheTeam(Refused):
    """Somebody else has removed the colleague meanwhile."""

    code = "no_longer_on_the_team"
    message = "This person is no longer on your team."


def change_role(staff: Staff, *, role: Role) -> None:
    """Give a colleague another role, from the next click on. Raises LastOwner, NoLongerOnTheTeam."""
    with transaction.atomic():
        current = _lock(staff, stays_owner=role == Role.OWNER)
        current.role = role
        current.save(update_fields=["role"])


def remove_from_staff(staff: Staff) -> None:
    """End a colleague's access, from the next click on; notes and the audit log keep the name.

    Raises LastOwner, NoLongerOnTheTeam.
    """
    with transaction.atomic():
        _lock(staff, stays_owner=False).delete()


def _lock(staff: Staff, *, stays_owner: bool) -> Staff:
    # Two owners who remove each other at the same moment take turns.
    Merchant.objects.select_for_update(no_key=True).only("id").get(id=staff.merchant_id)
    members = {member.id: member for member in Staff.objects.filter(merchant=staff.merchant_id)}
    if staff.id not in members:
        raise NoLongerOnTheTeam
    owners = {member.id for member in members.values() if member.role == Role.OWNER}
    if owners == {staff.id} and not stays_owner:
        raise LastOwner
    return members[staff.id]
