"""The mail that proves an address. Nothing that was typed stands in it: anybody can have it sent to anybody."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db.models.functions import Lower

from payorcrm.core.language import speaking
from payorcrm.core.models import User
from payorcrm.mail.compose import Composed, Draft, composer, render_draft
from payorcrm.mail.models import Mail
from payorcrm.sign_ups.accept import sign_up_link
from payorcrm.sign_ups.ask import KIND, LIFE
from payorcrm.sign_ups.models import SignUp
from payorcrm.ui.context import PRODUCT_NAME


@composer(KIND)
def compose_sign_ups(mails: list[Mail], now: datetime) -> Mapping[UUID, Composed]:
    """Write to those who wait; who has a sign-in already is led to it instead."""
    waiting = SignUp.objects.filter(opened_at=None, asked_at__gt=now - LIFE).in_bulk([mail.about_id for mail in mails])
    known = _known({each.email.lower() for each in waiting.values()})
    with speaking("en"):
        return {
            mail.id: _sign_in_draft() if sign_up.email.lower() in known else _proof_draft(sign_up, now)
            for mail in mails
            if (sign_up := waiting.get(mail.about_id))
        }


def _known(emails: set[str]) -> set[str]:
    return set(
        User.objects.alias(known_as=Lower("email")).filter(known_as__in=emails).values_list(Lower("email"), flat=True)
    )


def _proof_draft(sign_up: SignUp, now: datetime) -> Draft:
    return _draft("mail/sign_up", "One press opens your account", sign_up_link(sign_up, now))


def _sign_in_draft() -> Draft:
    return _draft(
        "mail/sign_up_known", "You have a sign-in already", f"{settings.PUBLIC_URL}/account/login/?next=/signup/"
    )


def _draft(template: str, subject: str, link: str) -> Draft:
    return render_draft(
        template,
        subject=subject,
        merchant=None,
        preheader=f"You, or somebody else, signed up at {PRODUCT_NAME} with this address.",
        reason=f"{PRODUCT_NAME} sends this mail because somebody signed up with this address.",
        context={"link": link, "product": PRODUCT_NAME},
    )
