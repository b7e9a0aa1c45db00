"""A mail to oneself, over the way that the merchant's mails take, to see how it arrives."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from payorcrm.core.language import speaking
from payorcrm.core.models import User
from payorcrm.mail.compose import Composed, Draft, composer, queue_mail, render_draft
from payorcrm.mail.models import Mail
from payorcrm.merchants.models import Merchant

KIND = "sender_trial"


def send_trial(*, merchant: Merchant, to: User, now: datetime) -> Mail:
    """Queue a trial mail to one of the merchant's people."""
    return queue_mail(
        kind=KIND,
        about_id=to.id,
        merchant=merchant,
        customer_id=None,
        to_address=to.email,
        to_name=to.name,
        now=now,
    )


def latest_trial(merchant: Merchant) -> Mail | None:
    """Return the merchant's latest trial mail, to tell what became of it."""
    return Mail.objects.filter(merchant=merchant, kind=KIND).order_by("-id").first()


@composer(KIND)
def compose_trials(mails: list[Mail], now: datetime) -> Mapping[UUID, Composed]:
    """Write trial mails."""
    merchants = Merchant.objects.in_bulk({mail.merchant_id for mail in mails if mail.merchant_id})
    return {mail.id: _write(merchants[mail.merchant_id]) for mail in mails if mail.merchant_id in merchants}


def _write(merchant: Merchant) -> Draft:
    with speaking("en"):
        return render_draft(
            "mail/sender_trial",
            subject=f"A trial mail of {merchant.name}",
            merchant=merchant,
            reason="You get this mail because you pressed the button on the page Settings, Mail sender.",
            context={},
        )
