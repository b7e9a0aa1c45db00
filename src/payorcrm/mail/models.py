"""The outbox: one row a mail, from the moment it is decided until the other side has taken it or never will."""

from datetime import datetime
from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from payorcrm.core.ids import uuid7
from payorcrm.merchants.models import Merchant

# First and last name of a person can be longer together; a mail must not fail over that.
LONGEST_NAME = 200


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
            models.Index(fields=["claimed_at"], name="mail_claimed", condition=Q(state="sending")),
            models.Index(fields=["merchant", "-id"], name="mail_by_merchant"),
            models.Index(fields=["merchant"], name="mail_troubled", condition=Q(state__in=["failed", "bounced"])),
            models.Index(fields=["merchant", "sent_at"], name="mail_sent", condition=Q(sent_at__isnull=False)),
            models.Index(fields=["customer", "-id"], name="mail_by_customer"),
            models.Index(fields=["kind", "about_id"], name="mail_by_subject"),
        ]


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
