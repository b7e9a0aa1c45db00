"""The mails to colleagues, composed when they are sent: no link is ever kept."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.conf import settings

from payorcrm.core.dates import days_left
from payorcrm.core.language import speaking
from payorcrm.mail.compose import Composed, Draft, composer, render_draft
from payorcrm.mail.models import Mail
from payorcrm.merchants.models import Merchant, Role
from payorcrm.staff.invite import KIND
from payorcrm.staff.join import account_of, join_link
from payorcrm.staff.models import StaffInvitation
from payorcrm.staff.second_factor import KIND as RESET_KIND

MAY = {
    Role.OWNER: "You will be able to do everything, the settings and the team included.",
    Role.COLLECTOR: "You will be able to work with customers, invoices and reminders.",
    Role.VIEWER: "You will be able to see everything, and to change nothing.",
}


@composer(KIND)
def compose_staff_invitations(mails: list[Mail], now: datetime) -> Mapping[UUID, Composed]:
    """Write invitations; one that is accepted, withdrawn or too old is not sent."""
    rows = StaffInvitation.objects.waiting().filter(expires_at__gt=now).select_related("merchant", "invited_by")
    waiting = rows.in_bulk([mail.about_id for mail in mails])
    return {mail.id: _write(waiting[mail.about_id], now) for mail in mails if mail.about_id in waiting}


def _write(invitation: StaffInvitation, now: datetime) -> Draft:
    merchant = invitation.merchant
    with speaking("en"):
        return render_draft(
            "mail/staff_invitation",
            subject=f"Join the team of {merchant.name}",
            merchant=merchant,
            reason=f"You get this mail because an owner of {merchant.name} wrote your address. If you do not know "
            "them, do nothing: the link ends by itself.",
            context={
                "invitation": invitation,
                "inviter": invitation.invited_by or merchant.name,
                "may": MAY[Role(invitation.role)],
                "has_account": account_of(invitation) is not None,
                "link": join_link(invitation, now),
                "days": days_left(invitation.expires_at, now=now),
            },
        )


@composer(RESET_KIND)
def compose_resets(mails: list[Mail], now: datetime) -> Mapping[UUID, Composed]:
    """Tell people that their second factor is gone."""
    merchants = Merchant.objects.in_bulk({mail.merchant_id for mail in mails if mail.merchant_id})
    return {mail.id: _tell_of_reset(merchants.get(mail.merchant_id)) for mail in mails}  # type: ignore[arg-type]


def _tell_of_reset(merchant: Merchant | None) -> Draft:
    with speaking("en"):
        return render_draft(
            "mail/second_factor_reset",
            subject="Your second factor was reset",
            merchant=merchant,
            reason="You get this mail because it changes how you sign in.",
            context={"link": f"{settings.PUBLIC_URL}/account/login/"},
        )
