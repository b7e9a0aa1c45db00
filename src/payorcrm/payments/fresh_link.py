"""A fresh payment link for an old one, mailed to the address on file and to nobody else."""

from datetime import datetime, timedelta

from payorcrm.customers.queries import contact_on_file
from payorcrm.mail.compose import queue_mail
from payorcrm.mail.models import Mail
from payorcrm.payments.models import PaymentRequest

AT_MOST_EVERY = timedelta(minutes=1)
KIND = "fresh_link"


def mail_fresh_link(*, request: PaymentRequest, now: datetime) -> str:
    """Mail new links for a request, at most once a minute, and return the address. Raises NoAddressOnFile."""
    contact = contact_on_file(request.customer_id)
    just_now = Mail.objects.filter(kind=KIND, about_id=request.id, queued_at__gt=now - AT_MOST_EVERY)
    if not just_now.exists():
        queue_mail(
            kind=KIND,
            about_id=request.id,
            merchant=request.merchant,
            customer_id=request.customer_id,
            to_address=contact.email,
            to_name=str(contact),
            now=now,
        )
    return contact.email
