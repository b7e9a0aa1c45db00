"""Customers, the people to write to, who may sign in for them, and the files that brought them and their invoices."""

from django.db import models
from django.db.models.functions import Lower

from payorcrm.core.ids import uuid7
from payorcrm.core.models import User
from payorcrm.merchants.models import Merchant


class Customer(models.Model):
    """A business or person that owes money to one merchant."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE, related_name="customers")
    number = models.CharField(max_length=64)
    company_name = models.CharField(max_length=200)
    category = models.CharField(max_length=64, blank=True)
    phone = models.CharField(max_length=40, blank=True)
    address = models.TextField(max_length=500, blank=True)
    is_reminded = models.BooleanField(default=True)
    unsubscribed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["merchant", "number"], name="customer_number_unique"),
            # The target of composite foreign keys: a row's customer always belongs to the row's merchant.
            models.UniqueConstraint(fields=["id", "merchant"], name="customer_of_merchant"),
        ]
        indexes = [models.Index("merchant", Lower("company_name"), name="customer_by_company_name")]

    def __str__(self) -> str:
        return self.company_name


class Contact(models.Model):
    """A person at a customer. The primary contact's e-mail is the address on file."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE, related_name="+")
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="contacts")
    first_name = models.CharField(max_length=100, blank=True)
    last_name = models.CharField(max_length=100, blank=True)
    email = models.EmailField(blank=True)
    phone = models.CharField(max_length=40, blank=True)
    is_primary = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["customer"], condition=models.Q(is_primary=True), name="one_primary_contact"
            )
        ]

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name}".strip() or self.email


class PortalAccess(models.Model):
    """One user's right to act for one customer in the portal."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.CASCADE, related_name="+")
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="portal_accesses")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="portal_accesses")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["customer", "user"], name="portal_access_once")]


class ImportKind(models.TextChoices):
    """What a file brought."""

    CUSTOMERS = "customers", "Customers"
    INVOICES = "invoices", "Invoices"


class Import(models.Model):
    """One file that was read in, and how it went."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="imports")
    kind = models.CharField(max_length=16, choices=ImportKind.choices)
    file_name = models.CharField(max_length=255)
    finished_at = models.DateTimeField()
    new_count = models.PositiveIntegerField()
    changed_count = models.PositiveIntegerField()
    unchanged_count = models.PositiveIntegerField()
    skipped_count = models.PositiveIntegerField()

    class Meta:
        constraints = [models.CheckConstraint(name="import_kind", condition=models.Q(kind__in=ImportKind.values))]
