"""Reads what a mail provider posts, with django-anymail: proves who posts it, then puts each event into our words."""

import hashlib
import json
import logging
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

from anymail.exceptions import AnymailConfigurationError, AnymailWebhookValidationFailure
from anymail.signals import AnymailTrackingEvent, EventType, RejectReason
from anymail.webhooks.base import AnymailCoreWebhookView
from anymail.webhooks.brevo import BrevoTrackingWebhookView
from anymail.webhooks.mailgun import MailgunTrackingWebhookView
from anymail.webhooks.mailjet import MailjetTrackingWebhookView
from anymail.webhooks.postmark import PostmarkTrackingWebhookView
from django.conf import settings
from django.http import Http404, HttpRequest

from payorcrm.core.errors import Refused
from payorcrm.mail.models import MailEventKind
from payorcrm.mail.track import Reported

log = logging.getLogger(__name__)


class ReportNotGenuine(Refused):
    """Somebody who is not the mail provider, or cannot prove it, posted a report."""

    code = "report_not_genuine"
    status: ClassVar[int] = 400
    message = "This report is not signed as the mail provider signs its own."


VIEWS: dict[str, Callable[[str], AnymailCoreWebhookView]] = {
    # Mailgun signs; the others send the user and password of the address that they were given.
    "mailgun": lambda secret: MailgunTrackingWebhookView(webhook_signing_key=secret, webhook_secret=[]),
    "postmark": lambda secret: PostmarkTrackingWebhookView(webhook_secret=[secret]),
    "brevo": lambda secret: BrevoTrackingWebhookView(webhook_secret=[secret]),
    "mailjet": lambda secret: MailjetTrackingWebhookView(webhook_secret=[secret]),
}
KINDS = {
    EventType.DELIVERED: MailEventKind.DELIVERED,
    EventType.COMPLAINED: MailEventKind.COMPLAINED,
    EventType.OPENED: MailEventKind.OPENED,
    EventType.CLICKED: MailEventKind.CLICKED,
    EventType.UNSUBSCRIBED: MailEventKind.UNSUBSCRIBED,
}
# Mailgun tries for eight hours to report something, with the same signature.
SIGNED_WITHIN = timedelta(days=2)
# RFC 3463: the mailbox is full or off for a while (X.2), the message or its sender is not wanted (X.6, X.7).
_NOT_THE_ADDRESS = re.compile(r"\b[45]\.[267]\.\d")
_UUID = re.compile(r"<?([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})@", re.IGNORECASE)


def read_mail_events(request: HttpRequest, provider: str, *, now: datetime) -> list[Reported]:
    """Return what the configured provider reports; 404 for any other. Raises ReportNotGenuine."""
    if not provider or provider != settings.MAIL_EVENTS_PROVIDER or not settings.MAIL_EVENTS_SECRET:
        raise Http404
    view = VIEWS[provider](settings.MAIL_EVENTS_SECRET)
    try:
        view.run_validators(request)
        _refuse_old_signature(request, provider, now)
    except (
        AnymailWebhookValidationFailure,
        AttributeError,
        LookupError,
        OverflowError,
        RecursionError,
        TypeError,
        ValueError,
    ) as error:
        raise ReportNotGenuine from error
    try:
        return [_reported(provider, event, now) for event in view.parse_events(request)]
    except (AnymailConfigurationError, AttributeError, LookupError, OverflowError, TypeError, ValueError) as error:
        # It is the provider's own, so it is kept; a person may want to know what it was.
        log.warning("A report of %s could not be read: %s", provider, error)
        return [_unread(request.body, now)]


def _refuse_old_signature(request: HttpRequest, provider: str, now: datetime) -> None:
    """Refuse a signature of Mailgun's from long ago: it does not cover what the report says."""
    if provider != "mailgun":
        return
    is_json = request.content_type == "application/json"
    signed_at = json.loads(request.body)["signature"]["timestamp"] if is_json else request.POST["timestamp"]
    if abs(now.timestamp() - float(signed_at)) > SIGNED_WITHIN.total_seconds():
        raise ReportNotGenuine


def _reported(provider: str, event: AnymailTrackingEvent, now: datetime) -> Reported:
    body = json.dumps(event.esp_event, sort_keys=True, default=str)
    return Reported(
        event_id=_plain(event.event_id) or _digest(body.encode()),
        kind=_kind(provider, event),
        mail_id=_mail_id(event),
        recipient=_plain(event.recipient),
        reason=_plain(event.mta_response or event.description)[:1000],
        occurred_at=event.timestamp if event.timestamp and event.timestamp.tzinfo else now,
        body=body.replace("\\u0000", ""),
    )


def _unread(body: bytes, now: datetime) -> Reported:
    text = body.decode("utf-8", "replace").replace("\0", "")
    kind = MailEventKind.OTHER
    return Reported(
        event_id=_digest(body), kind=kind, mail_id=None, recipient="", reason="", occurred_at=now, body=text
    )


def _kind(provider: str, event: AnymailTrackingEvent) -> MailEventKind:
    if event.event_type in (EventType.BOUNCED, EventType.REJECTED):
        is_address = HARD[provider](_mapping(event.esp_event), event.reject_reason)
        is_hard = is_address and not _NOT_THE_ADDRESS.search(event.mta_response or "")
        return MailEventKind.BOUNCED if is_hard else MailEventKind.SOFT_BOUNCED
    return KINDS.get(event.event_type, MailEventKind.OTHER)


# Whether a bounce says that the address does not work, in each provider's own words.
HARD: dict[str, Callable[[Mapping[str, Any], str | None], bool]] = {
    "mailgun": lambda said, reason: (
        _mapping(said.get("event-data")).get("severity") == "permanent" and reason == RejectReason.BOUNCED
    ),
    "postmark": lambda said, _: said.get("Type") in ("HardBounce", "BadEmailAddress"),
    "brevo": lambda said, _: said.get("event") in ("hard_bounce", "invalid_email"),
    "mailjet": lambda said, _: bool(said.get("hard_bounce")),
}


def _mail_id(event: AnymailTrackingEvent) -> UUID | None:
    """Return our id of the mail: from the header that came back, else from our Message-ID."""
    named = _mapping(event.metadata).get("mail")
    in_message_id = _UUID.match(str(event.message_id or ""))
    try:
        return UUID(str(named)) if named else UUID(in_message_id[1]) if in_message_id else None
    except ValueError:
        return None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _plain(text: Any) -> str:
    # Half a character (a surrogate) cannot be stored, and what servers of others answer may hold one.
    return str(text or "").encode("utf-8", "replace").decode().replace("\0", "").strip()


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
