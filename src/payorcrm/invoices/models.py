"""Invoices, and what happened to them besides payments."""

from datetime import date
from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import pgettext_lazy

from payorcrm.core.ids import uuid7
from payorcrm.core.models import User
from payorcrm.core.money import Money
from payorcrm.customers.models import Customer, Import, ImportKind, InvitationRun
from payorcrm.merchants.models import Merchant


class InvoiceStatus(models.TextChoices):
    """Where an invoice stands. Overdue and processing are derived."""

    DRAFT = "draft", pgettext_lazy("invoice", "Draft")
    OPEN = "open", pgettext_lazy("invoice", "Open")
    PAID = "paid", pgettext_lazy("invoice", "Paid")
    VOID = "void", pgettext_lazy("invoice", "Void")
    WRITTEN_OFF = "written_off", pgettext_lazy("invoice", "Written off")


class Standing(models.TextChoices):
    """What people are shown of an invoice: its status, with what is derived in front of "open"."""

    DRAFT = "draft", pgettext_lazy("invoice", "Draft")
    OPEN = "open", pgettext_lazy("invoice", "Open")
    OVERDUE = "overdue", pgettext_lazy("invoice", "Overdue")
    PROCESSING = "processing", pgettext_lazy("invoice", "Processing")
    PAID = "paid", pgettext_lazy("invoice", "Paid")
    VOID = "void", pgettext_lazy("invoice", "Void")
    WRITTEN_OFF = "written_off", pgettext_lazy("invoice", "Written off")


class InvoiceQuerySet(models.QuerySet["Invoice"]):
    """Filters that read like the business."""

    def open(self) -> Self:
        return self.filter(status=InvoiceStatus.OPEN)

    def overdue(self, *, today: date) -> Self:
        """Open and past its due date; `today` is the merchant's."""
        return self.open().filter(due_on__lt=today)

    def payable(self) -> Self:
        """Open with something left that no payment under way has reserved."""
        return self.open().filter(in_flight__lt=F("balance"))

    def processing(self) -> Self:
        return self.filter(in_flight__gt=0)


class Invoice(models.Model):
    """A bill. `balance` and `in_flight` are moved by `payments/`, imports and voids only."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # One composite foreign key (customer, merchant) in the migration stands for both.
    merchant = models.ForeignKey(
        Merchant, on_delete=models.PROTECT, related_name="invoices", db_constraint=False, db_index=False
    )
    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, related_name="invoices", db_constraint=False, db_index=False
    )
    number = models.CharField(max_length=64)
    status = models.CharField(max_length=16, choices=InvoiceStatus.choices, default=InvoiceStatus.OPEN)
    issued_on = models.DateField()
    due_on = models.DateField()
    currency = models.CharField(max_length=3)
    total = models.BigIntegerField()
    balance = models.BigIntegerField()
    in_flight = models.BigIntegerField(default=0, db_default=0)
    last_reminded_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = InvoiceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["merchant", "number"], name="invoice_number_unique"),
            models.UniqueConstraint(fields=["id", "customer"], name="invoice_of_customer"),
            models.CheckConstraint(name="invoice_in_flight_not_negative", condition=Q(in_flight__gte=0)),
            models.CheckConstraint(name="invoice_in_flight_within_balance", condition=Q(in_flight__lte=F("balance"))),
            models.CheckConstraint(name="invoice_balance_within_total", condition=Q(balance__lte=F("total"))),
            models.CheckConstraint(
                name="invoice_status_fits_balance",
                condition=Q(status__in=[InvoiceStatus.PAID, InvoiceStatus.VOID, InvoiceStatus.WRITTEN_OFF], balance=0)
                | Q(status__in=[InvoiceStatus.OPEN, InvoiceStatus.DRAFT], balance__gt=0),
            ),
        ]
        indexes = [
            models.Index(
                fields=["merchant", "due_on"],
                name="invoice_open_by_due_date",
                condition=Q(status="open"),
                include=["customer"],
            ),
            models.Index(fields=["customer", "due_on"], name="invoice_by_customer"),
            models.Index(
                fields=["customer", "due_on", "id"], name="invoice_open_by_customer", condition=Q(status="open")
            ),
            models.Index(fields=["merchant", "currency", "-issued_on", "-id"], name="invoice_latest_of_currency"),
        ]

    def __str__(self) -> str:
        return self.number

    def total_money(self) -> Money:
        return Money(self.total, self.currency)

    def balance_money(self) -> Money:
        return Money(self.balance, self.currency)

    def in_flight_money(self) -> Money:
        return Money(self.in_flight, self.currency)

    def payable_money(self) -> Money:
        """What can still be paid: the balance less what payments under way have reserved."""
        return Money(self.balance - self.in_flight, self.currency)

    def is_processing(self) -> bool:
        return self.in_flight > 0

    def is_overdue(self, *, today: date) -> bool:
        return self.status == InvoiceStatus.OPEN and self.due_on < today

    def standing(self, *, today: date) -> Standing:
        """Return what to show: money under way hides that an invoice is overdue."""
        if self.is_processing():
            return Standing.PROCESSING
        return Standing.OVERDUE if self.is_overdue(today=today) else Standing(self.status)

    def days_overdue(self, *, today: date) -> int:
        return max(0, (today - self.due_on).days)


class InvoiceEventKind(models.TextChoices):
    """What can happen to an invoice besides payments. Those with an amount lower the balance by it."""

    CHANGED = "changed", pgettext_lazy("invoice", "Changed by an import")
    SETTLED_ELSEWHERE = "settled_elsewhere", pgettext_lazy("invoice", "Settled elsewhere")
    VOIDED = "voided", pgettext_lazy("invoice", "Voided")
    WRITTEN_OFF = "written_off", pgettext_lazy("invoice", "Written off")
    CREDITED = "credited", pgettext_lazy("invoice", "Credited")
    DUE_CHANGED = "due_changed", "Due date changed"
    NOTED = "noted", "Note"


class InvoiceEvent(models.Model):
    """One line of an invoice's history; `amount` is what the balance went down by (negative: went up)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant = models.ForeignKey(
        Merchant, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="events")
    kind = models.CharField(max_length=24, choices=InvoiceEventKind.choices)
    at = models.DateTimeField()
    amount = models.BigIntegerField(default=0)
    note = models.TextField(blank=True)
    source_id = models.UUIDField(null=True)
    made_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)

    class Meta:
        constraints = [models.CheckConstraint(name="invoice_event_kind", condition=Q(kind__in=InvoiceEventKind.values))]


class InvoiceLine(models.Model):
    """One line of what an invoice bills, as the merchant sent it; `amount` is in the invoice's currency."""

    id = models.BigAutoField(primary_key=True)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="+", db_index=False)
    invoice = models.ForeignKey(Invoice, on_delete=models.CASCADE, related_name="lines", db_index=False)
    position = models.PositiveSmallIntegerField()
    description = models.CharField(max_length=500)
    quantity = models.DecimalField(max_digits=12, decimal_places=3, null=True, blank=True)
    unit_price = models.BigIntegerField(null=True, blank=True)
    amount = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["invoice", "position"], name="invoice_line_position")]

    def money(self) -> Money:
        return Money(self.amount, self.invoice.currency)


class InvoiceDocument(models.Model):
    """The PDF of an invoice that the merchant uploaded."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="+", db_index=False)
    invoice = models.OneToOneField(Invoice, on_delete=models.CASCADE, related_name="document")
    file_name = models.CharField(max_length=255)
    pdf = models.BinaryField()
    uploaded_at = models.DateTimeField()


class InvoiceFile(models.Model):
    """A file that staff attached to an invoice: for themselves, or for the customer to see in the portal, too."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="+", db_index=False)
    invoice = models.ForeignKey(Invoice, on_delete=models.CASCADE, related_name="files")
    file_name = models.CharField(max_length=255)
    content_type = models.CharField(max_length=100)
    content = models.BinaryField()
    byte_count = models.PositiveIntegerField()
    is_for_customer = models.BooleanField(default=False)
    uploaded_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    uploaded_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.file_name


class ImportState(models.TextChoices):
    """How far a file from the browser is. What fails leaves everything as it was."""

    WAITING = "waiting", "Waiting for you"
    RUNNING = "running", "Being imported"
    DONE = "done", "Imported"
    FAILED = "failed", "Not imported"
    UNDONE = "undone", "Undone"


_OVER = [ImportState.DONE, ImportState.FAILED, ImportState.UNDONE]


class ImportFile(models.Model):
    """A file that staff dropped, kept until it is imported or a day old.

    `version` counts the choices of columns, so that what is imported is what was previewed.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=16, choices=ImportKind.choices)
    file_name = models.CharField(max_length=255)
    content = models.BinaryField(null=True)
    state = models.CharField(max_length=16, choices=ImportState.choices, default=ImportState.WAITING)
    choices = models.JSONField(default=dict)
    dates = models.CharField(max_length=3, blank=True)
    version = models.PositiveIntegerField(default=0)
    skips_bad_rows = models.BooleanField(default=False)
    sends_invitations = models.BooleanField(default=False)
    uploaded_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    uploaded_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    read = models.PositiveBigIntegerField(default=0)
    to_read = models.PositiveBigIntegerField(default=0)
    problem = models.TextField(blank=True)
    record = models.OneToOneField(Import, on_delete=models.SET_NULL, null=True, related_name="file")
    invitation_run = models.ForeignKey(InvitationRun, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(name="import_file_kind", condition=Q(kind__in=ImportKind.values)),
            models.CheckConstraint(name="import_file_state", condition=Q(state__in=ImportState.values)),
            models.CheckConstraint(
                name="import_file_has_content",
                condition=Q(content__isnull=False)
                | Q(state__in=[ImportState.DONE, ImportState.FAILED, ImportState.UNDONE]),
            ),
        ]

    def __str__(self) -> str:
        return self.file_name


class ColumnChoices(models.Model):
    """What a merchant's staff said that columns mean, and how dates are written; the next file begins with it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=16, choices=ImportKind.choices)
    choices = models.JSONField(default=dict)
    dates = models.CharField(max_length=3, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["merchant", "kind"], name="column_choices_once")]
