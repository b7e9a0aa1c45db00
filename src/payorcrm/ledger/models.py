"""The journal: entries whose postings sum to zero. Only `post.py` writes here, and nothing changes afterwards."""

from django.db import models

from payorcrm.core.ids import uuid7
from payorcrm.merchants.models import Merchant


class Account(models.TextChoices):
    """The accounts of a merchant's books; RECEIVABLE is kept per customer."""

    RECEIVABLE = "receivable", "Accounts receivable"
    INVOICED = "invoiced", "Invoiced"
    CLEARING = "clearing", "Money at the processor"
    BANK = "bank", "Bank and cash"
    SETTLED_ELSEWHERE = "settled_elsewhere", "Settled elsewhere"
    UNAPPLIED = "unapplied", "Unapplied payments"
    VOIDED = "voided", "Voided"
    WRITTEN_OFF = "written_off", "Written off"
    CREDITED = "credited", "Credits to customers"
    GIVEN_BACK_TWICE = "given_back_twice", "Refunded and returned, too"


class EntryKind(models.TextChoices):
    """Why an entry was posted."""

    INVOICES_ISSUED = "invoices_issued", "Invoices issued"
    INVOICES_CHANGED = "invoices_changed", "Invoices changed"
    SETTLED_ELSEWHERE = "settled_elsewhere", "Settled elsewhere"
    INVOICE_VOIDED = "invoice_voided", "Invoice voided"
    INVOICE_WRITTEN_OFF = "invoice_written_off", "Invoice written off"
    PAYMENT = "payment", "Payment"
    PAYMENT_RETURNED = "payment_returned", "Payment returned"
    PAYMENT_REVERSED = "payment_reversed", "Payment reversed"
    ALLOCATION_MOVED = "allocation_moved", "Payment applied otherwise"
    REFUND = "refund", "Refund"


class Entry(models.Model):
    """One thing that happened to the books, and what caused it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=32, choices=EntryKind.choices)
    source_kind = models.CharField(max_length=32)
    source_id = models.UUIDField()
    posted_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            # The same cause cannot be posted twice, however often a job runs.
            models.UniqueConstraint(fields=["kind", "source_kind", "source_id"], name="entry_once_per_source"),
            models.CheckConstraint(name="entry_kind", condition=models.Q(kind__in=EntryKind.values)),
        ]


class Posting(models.Model):
    """One side of an entry: a signed amount on an account; what customers owe is positive on RECEIVABLE."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant = models.ForeignKey(
        Merchant, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="postings")
    account = models.CharField(max_length=32, choices=Account.choices)
    customer_id = models.UUIDField(null=True)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)

    class Meta:
        constraints = [
            models.CheckConstraint(name="posting_not_zero", condition=~models.Q(amount=0)),
            models.CheckConstraint(name="posting_account", condition=models.Q(account__in=Account.values)),
            models.CheckConstraint(
                name="posting_receivable_has_customer",
                condition=~models.Q(account=Account.RECEIVABLE) | models.Q(customer_id__isnull=False),
            ),
        ]
        indexes = [models.Index(fields=["merchant", "account", "customer_id"], name="posting_by_account")]
