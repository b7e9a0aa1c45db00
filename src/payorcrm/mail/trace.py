"""Gives a mail provider our own id of a mail, in the header whose content it puts into its reports."""

from uuid import UUID

from django.conf import settings

# Mailgun's and Postmark's own names; the others pass JSON on.
HEADERS = {
    "mailgun": 'X-Mailgun-Variables: {{"mail": "{id}"}}',
    "postmark": "X-PM-Metadata-mail: {id}",
    "brevo": 'X-Mailin-custom: {{"mail": "{id}"}}',
    "mailjet": 'X-MJ-EventPayload: {{"mail": "{id}"}}',
}


def trace_header(mail_id: UUID) -> str:
    """Return the header line for the configured provider; without one, nothing."""
    return HEADERS.get(settings.MAIL_EVENTS_PROVIDER, "").format(id=mail_id)
