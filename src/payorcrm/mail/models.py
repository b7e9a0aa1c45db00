"""The outbox: one row a mail, from the moment it is decided until the other side has taken it or never will."""

from datetime import datetime
from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from payorcrm.core.crypto import EncryptedTextField
from payorcrm.core.ids import uuid7
from payorcrm.core.models import User
from payorcrm.merchants.models import Merchant

# First and last name of a person can be longer together; a mail must not fail over that.
LONGEST_NAME = 200
# A merchant's own server that does not answer holds a worker up for no longer.
SECONDS_FOR_OWN_SERVER = 10


class MailState(models.TextChoices):
    """How far a mail has come."""

    QUEUED = "queued", "Queued"
    SENDING = "sending", "Sending"
    SENT = "sent", "Sent"
    DEFERRED = "deferred", "Will try again"
    WITHDRAWN = "withdrawn", "Not needed any more"
    FAILED = "failed", "Could not be sent"
    BOUNCED = "bounced", "Bounced"


MAIL_TRANSITIONS: dict[str, frozenset[str]] = {
    MailState.QUEUED: frozenset({MailState.SENDING, MailState.DEFERRED}),  # put off by the limit of a new account
    MailState.DEFERRED: frozenset({MailState.SENDING}),
    MailState.SENDING: frozenset(
        {MailState.SENT, MailState.DEFERRED, MailState.FAILED, MailState.WITHDRAWN, MailState.BOUNCED}
    ),
    MailState.SENT: frozenset({MailState.BOUNCED}),
    MailState.FAILED: frozenset({MailState.QUEUED}),
    MailState.BOUNCED: frozenset({MailState.QUEUED}),
    MailState.WITHDRAWN: frozenset(),
}


class MailQuerySet(models.QuerySet["Mail"]):
    """Filters that read like the business."""

    def due(self, *, now: datetime) -> Self:
        """Those that may be sent now."""
        return self.filter(state__in=[MailState.QUEUED, MailState.DEFERRED], send_after__lte=now)

    def troubled(self) -> Self:
        """Those that a person should look at."""
        return self.filter(state__in=[MailState.FAILED, MailState.BOUNCED])


class Mail(models.Model):
    """One mail to one address. Its text is composed when it is sent, from what `kind` and `about_id` name."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant = models.ForeignKey(
        Merchant, on_delete=models.CASCADE, null=True, related_name="+", db_constraint=False, db_index=False
    )
    customer = models.ForeignKey(
        "customers.Customer",
        on_delete=models.CASCADE,
        null=True,
        related_name="mails",
        db_constraint=False,
        db_index=False,
    )
    kind = models.CharField(max_length=40)
    about_id = models.UUIDField(null=True)
    to_address = models.EmailField()
    to_name = models.CharField(max_length=LONGEST_NAME, blank=True)
    also_to = ArrayField(models.EmailField(), default=list, db_default=[], blank=True)
    cc = ArrayField(models.EmailField(), default=list, db_default=[], blank=True)
    # One of many of a run: a single mail, which somebody waits for, overtakes it.
    is_bulk = models.BooleanField(default=False, db_default=False)
    subject = models.CharField(max_length=300, blank=True)
    sealed_message = models.BinaryField(null=True)  # only for mails of other libraries, encrypted, until it is sent
    state = models.CharField(max_length=16, choices=MailState.choices, default=MailState.QUEUED)
    attempt_count = models.PositiveSmallIntegerField(default=0)
    send_after = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True, blank=True)
    queued_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(blank=True)
    # What the mail provider reported, the first time each. Programs open mails and follow links, too.
    delivered_at = models.DateTimeField(null=True, blank=True)
    opened_at = models.DateTimeField(null=True, blank=True)
    clicked_at = models.DateTimeField(null=True, blank=True)
    complained_at = models.DateTimeField(null=True, blank=True)

    objects = MailQuerySet.as_manager()

    class Meta:
        constraints = [models.CheckConstraint(name="mail_state", condition=Q(state__in=MailState.values))]
        indexes = [
            models.Index(
                fields=["is_bulk", "send_after", "id"], name="mail_due", condition=Q(state__in=["queued", "deferred"])
            ),
            models.Index(
                fields=["merchant", "is_bulk", "send_after", "id"],
                name="mail_due_of_merchant",
                condition=Q(state__in=["queued", "deferred"]),
            ),
            models.Index(fields=["claimed_at"], name="mail_claimed", condition=Q(state="sending")),
            models.Index(fields=["merchant", "-id"], name="mail_by_merchant"),
            models.Index(fields=["merchant"], name="mail_troubled", condition=Q(state__in=["failed", "bounced"])),
            models.Index(fields=["merchant", "sent_at"], name="mail_sent", condition=Q(sent_at__isnull=False)),
            models.Index(fields=["customer", "-id"], name="mail_by_customer"),
            models.Index(fields=["kind", "about_id"], name="mail_by_subject"),
        ]


class LineSecurity(models.TextChoices):
    """Whether a merchant's own server must encrypt the line."""

    ALWAYS = "always", "Always"
    OPPORTUNISTIC = "opportunistic", "When the server offers it"


# TLS from the first byte (RFC 8314, section 3.3); on other ports the line is upgraded.
TLS_PORT = 465


class MailSender(models.Model):
    """Who a merchant's mails come from, and the merchant's own mail server, if it has one."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant = models.OneToOneField(Merchant, on_delete=models.CASCADE, related_name="mail_sender")
    from_name = models.CharField(max_length=120, blank=True)
    uses_own_server = models.BooleanField(default=False, db_default=False)
    from_address = models.EmailField(blank=True)
    host = models.CharField(max_length=253, blank=True)
    port = models.PositiveIntegerField(default=587)
    user = models.CharField(max_length=254, blank=True)
    password = EncryptedTextField(null=True, blank=True)
    security = models.CharField(max_length=16, choices=LineSecurity.choices, default=LineSecurity.ALWAYS)
    checked_at = models.DateTimeField(null=True, blank=True)
    # While the server is away: since when, why, and until when it is left alone.
    failing_since = models.DateTimeField(null=True, blank=True)
    failure = models.TextField(blank=True)
    failure_count = models.PositiveIntegerField(default=0)
    rests_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="own_server_is_complete",
                condition=Q(uses_own_server=False) | ~(Q(host="") | Q(from_address="")),
            ),
            models.CheckConstraint(name="sender_security", condition=Q(security__in=LineSecurity.values)),
            models.CheckConstraint(name="sender_port", condition=Q(port__range=(1, 65535))),
        ]

    def server(self) -> dict[str, object]:
        """Return host, port, user, password and security as a transport wants them."""
        over_tls = "tls" if self.port == TLS_PORT else None
        security = "starttls" if self.security == LineSecurity.ALWAYS else "opportunistic"
        return {
            "host": self.host,
            "port": self.port,
            "user": self.user,
            "password": self.password or "",
            "security": over_tls or security,
            "seconds": SECONDS_FOR_OWN_SERVER,
            "is_guarded": True,
        }


class Handover(models.Model):
    """The right to hand a mail over on one claim of it, from just before until its outcome is recorded.

    `line` is the connection of one worker, which hands over one mail after another; without one, the claim was taken
    back and the mail must not be handed over on it.
    """

    pk = models.CompositePrimaryKey("mail_id", "claimed_at")
    mail_id = models.UUIDField()
    claimed_at = models.DateTimeField()
    line = models.UUIDField(null=True)
    place = models.IntegerField(default=0, db_default=0)
    subject = models.CharField(max_length=300, blank=True, default="", db_default="")
    begun_at = models.DateTimeField()
    was_taken = models.BooleanField(null=True)  # the server's answer, where it is noted


class MailEventKind(models.TextChoices):
    """What a mail provider can report of a mail."""

    DELIVERED = "delivered", "Delivered"
    BOUNCED = "bounced", "Bounced for good"
    SOFT_BOUNCED = "soft_bounced", "Bounced, perhaps not for good"
    COMPLAINED = "complained", "Reported as spam"
    OPENED = "opened", "Opened"
    CLICKED = "clicked", "Clicked"
    UNSUBSCRIBED = "unsubscribed", "Unsubscribed at the provider"
    OTHER = "other", "Something else"


class MailEvent(models.Model):
    """What a mail provider told us, once per its id, as it said it; a job applies it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    provider = models.CharField(max_length=20)
    event_id = models.CharField(max_length=100)
    kind = models.CharField(max_length=16, choices=MailEventKind.choices)
    mail_id = models.UUIDField(null=True)  # as the event says; whether there is such a mail is found out later
    recipient = models.CharField(max_length=320, blank=True)
    reason = models.TextField(blank=True)
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField(db_index=True)
    applied_at = models.DateTimeField(null=True, blank=True)
    body = models.TextField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "event_id"], name="mail_event_once"),
            models.CheckConstraint(name="mail_event_kind", condition=Q(kind__in=MailEventKind.values)),
        ]


class SuppressionReason(models.TextChoices):
    """Why no run of mails goes to an address."""

    BOUNCED = "bounced", "Mail to this address came back"
    COMPLAINED = "complained", "Somebody there reported a mail as spam"


class SuppressionQuerySet(models.QuerySet["Suppression"]):
    """Filters that read like the business."""

    def active(self) -> Self:
        """Those that nobody has lifted."""
        return self.filter(lifted_at__isnull=True)


class Suppression(models.Model):
    """An address that a merchant's reminders, statements and invitations do not go to, until somebody lifts it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE, related_name="+", db_index=False)
    address = models.CharField(max_length=320)  # in small letters
    reason = models.CharField(max_length=16, choices=SuppressionReason.choices)
    note = models.TextField(blank=True)
    mail_id = models.UUIDField(null=True)
    suppressed_at = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)

    objects = SuppressionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["merchant", "address"], condition=Q(lifted_at__isnull=True), name="suppressed_once"
            ),
            models.CheckConstraint(name="suppression_reason", condition=Q(reason__in=SuppressionReason.values)),
            models.CheckConstraint(name="suppression_small_letters", condition=Q(address=Lower("address"))),
        ]
        indexes = [models.Index(fields=["merchant", "address"], name="suppression_by_address")]

    def __str__(self) -> str:
        return self.address


class MailboxMessage(models.Model):
    """A message as it left, kept by the demo's own mailbox instead of a mail server."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    to_address = models.EmailField()
    subject = models.CharField(max_length=300)
    received_at = models.DateTimeField()
    raw = models.BinaryField()
