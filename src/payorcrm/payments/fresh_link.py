"""A fresh payment link for an old one, mailed to the address on file and to nobody else."""

from datetime import datetime, timedelta

from payorcrm.customers.queries import contact_on_file
from payorcrm.mail.models import Mail
from payorcrm.payments.mails import queue_to_contact
from payorcrm.payments.models import PaymentRequest

AT_MOST_EVERY = timedelta(minutes=1)
KIND = "fresh_link"


def mail_fresh_link(*, request: PaymentRequest, now: datetime) -> str:
    """Mail new links for a request, at most once a minute, and return the address. Raises NoAddressOnFile."""
    just_now = Mail.objects.filter(kind=KIND, about_id=request.id, queued_at__gt=now - AT_MOST_EVERY)
    if just_now.exists():
        return contact_on_file(request.customer_id).email
    contact = queue_to_contact(
        kind=KIND, about_id=request.id, merchant=request.merchant, customer_id=request.customer_id, now=now
    )
    return contact.email
