"""The outbox: one row a mail, from the moment it is decided until the other side has taken it or never will."""

from datetime import datetime
from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from payorcrm.core.crypto import EncryptedTextField
from payorcrm.core.ids import uuid7
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
    MailState.QUEUED: frozenset({MailState.SENDING}),
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


class MailboxMessage(models.Model):
    """A message as it left, kept by the demo's own mailbox instead of a mail server."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    to_address = models.EmailField()
    subject = models.CharField(max_length=300)
    received_at = models.DateTimeField()
    raw = models.BinaryField()
