"""The mails about access to the portal, composed when they are sent: nothing secret lies in the outbox."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext as _

from payorcrm.core.dates import days_left
from payorcrm.core.language import speaking
from payorcrm.core.models import User
from payorcrm.customers.invitation_password import PasswordKeyLost, password_of
from payorcrm.customers.invite import invitation_link
from payorcrm.customers.invite_guests import INVITATION_LIFE, KIND
from payorcrm.customers.models import Invitation
from payorcrm.customers.password_link import password_link
from payorcrm.mail.compose import Composed, Draft, Unsendable, composer, queue_mail, render_draft
from payorcrm.mail.models import Mail
from payorcrm.merchants.models import Merchant

TEST_KIND = "invitation_test"
RESET_KIND = "password_reset"
# Looks like a generated one and opens nothing.
SAMPLE_PASSWORD = "abcd-1234-efgh-5678"  # noqa: S105


def send_test_invitation(*, merchant: Merchant, to: User, now: datetime) -> Mail:
    """Mail an invitation as customers get it, with a password that opens nothing, to one of the merchant's people."""
    return queue_mail(
        kind=TEST_KIND,
        about_id=to.id,
        merchant=merchant,
        customer_id=None,
        to_address=to.email,
        to_name=to.name,
        now=now,
    )


@composer(KIND)
def compose_invitations(mails: list[Mail], now: datetime) -> Mapping[UUID, Composed]:
    """Write invitations; one that is accepted, over or taken back is withdrawn."""
    rows = Invitation.objects.select_related("access__user", "access__customer", "access__merchant")
    waiting = rows.filter(access__removed_at=None, expires_at__gt=now).in_bulk([mail.about_id for mail in mails])
    return {mail.id: _invitation(waiting[mail.about_id], now) for mail in mails if mail.about_id in waiting}


def _invitation(invitation: Invitation, now: datetime) -> Composed:
    access = invitation.access
    merchant = access.merchant
    with speaking(access.customer.language or merchant.language):
        if access.user.has_usable_password():
            return _sign_in_draft(merchant, access.user, str(access.customer))
        if invitation.accepted_at:
            return None
        try:
            password = password_of(invitation)
        except PasswordKeyLost as error:
            return Unsendable(str(error))
        return _password_draft(
            merchant,
            {
                "customer": str(access.customer),
                "user": access.user,
                "password": password,
                "link": invitation_link(invitation, now),
                "days": days_left(invitation.expires_at, now=now),
            },
        )


@composer(TEST_KIND)
def compose_test_invitations(mails: list[Mail], now: datetime) -> Mapping[UUID, Composed]:
    """Write invitations as the merchant's people see them before customers do."""
    merchants = Merchant.objects.in_bulk({mail.merchant_id for mail in mails if mail.merchant_id})
    users = User.objects.in_bulk([mail.about_id for mail in mails])

    def write(merchant: Merchant, user: User) -> Draft:
        with speaking(merchant.language):
            values = {"customer": "", "user": user, "password": SAMPLE_PASSWORD, "link": _entrance(merchant)}
            return _password_draft(merchant, {**values, "days": INVITATION_LIFE.days, "is_test": True})

    return {
        mail.id: write(merchants[mail.merchant_id], users[mail.about_id])
        for mail in mails
        if mail.merchant_id in merchants and mail.about_id in users
    }


@composer(RESET_KIND)
def compose_password_resets(mails: list[Mail], now: datetime) -> Mapping[UUID, Composed]:
    """Write the mails that lead to a new password; the link counts from the moment it is written."""
    users = User.objects.filter(is_active=True).in_bulk([mail.about_id for mail in mails])
    mails_with = Mail.objects.select_related("merchant", "customer").in_bulk([mail.id for mail in mails])

    def write(mail: Mail) -> Draft:
        merchant, user = mail.merchant, users[mail.about_id]
        assert merchant
        with speaking(user.language or (mail.customer.language if mail.customer else "") or merchant.language):
            return render_draft(
                "mail/password_reset",
                subject=_("Choose a new password for %(merchant)s") % {"merchant": merchant.name},
                merchant=merchant,
                preheader=_("The button works for one hour, once."),
                reason=_("%(merchant)s sends this mail because someone asked for a new password for this address.")
                % {"merchant": merchant.name},
                context={"user": user, "link": password_link(user, merchant), "portal": _shown(merchant)},
            )

    return {mail.id: write(mails_with[mail.id]) for mail in mails if mail.about_id in users}


def _password_draft(merchant: Merchant, values: Mapping[str, Any]) -> Draft:
    subject = _("Your access to invoices and payments at %(merchant)s") % {"merchant": merchant.name}
    return render_draft(
        "mail/invitation",
        subject=f"[Test] {subject}" if values.get("is_test") else subject,
        merchant=merchant,
        preheader=_("See your invoices, pay them and keep every receipt in one place."),
        reason=_reason(merchant),
        context={**values, "portal": _shown(merchant), "portal_link": _entrance(merchant)},
    )


def _sign_in_draft(merchant: Merchant, user: User, customer: str) -> Draft:
    return render_draft(
        "mail/invitation_to_sign_in",
        subject=_("Your access to invoices and payments at %(merchant)s") % {"merchant": merchant.name},
        merchant=merchant,
        preheader=_("Sign in with the password that you already have."),
        reason=_reason(merchant),
        context={"customer": customer, "user": user, "portal": _shown(merchant), "link": _entrance(merchant)},
    )


def _reason(merchant: Merchant) -> str:
    return _("You get this mail because %(merchant)s sends you invoices.") % {"merchant": merchant.name}


def _entrance(merchant: Merchant) -> str:
    return f"{settings.PUBLIC_URL}/c/{merchant.slug}/"


def _shown(merchant: Merchant) -> str:
    """Return the portal's address as people read it out."""
    parts = urlsplit(_entrance(merchant))
    return f"{parts.netloc}{parts.path}".rstrip("/")
