"""What the list of invoices can be narrowed to and ordered by."""

from contextlib import suppress
from datetime import date
from typing import ClassVar

from django import forms
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.http import QueryDict

from payorcrm.backoffice.customer_filter import category_choices
from payorcrm.backoffice.forms import ALL, Filter, day_field, search_field
from payorcrm.core.money import NotAnAmount, is_currency, parse_minor
from payorcrm.invoices.aging import BUCKET_LABELS, bounds_of
from payorcrm.invoices.models import Invoice, InvoiceStatus
from payorcrm.merchants.models import Merchant
from payorcrm.reminders.models import Hold

_ORDERS = {
    "": ("Due date, latest first", ("-due_on", "-id")),
    "due": ("Due date, earliest first", ("due_on", "id")),
    "number": ("Number, A to Z", ("number", "id")),
    "-number": ("Number, Z to A", ("-number", "-id")),
    "-balance": ("Still owed, most first", ("-balance", "-id")),
    "balance": ("Still owed, least first", ("balance", "id")),
    "-issued": ("Invoice date, latest first", ("-issued_on", "-id")),
    "issued": ("Invoice date, earliest first", ("issued_on", "id")),
}


class InvoiceFilter(Filter):
    """Filters of the invoices' list and of its files."""

    MORE: ClassVar[tuple[str, ...]] = (
        "due_since",
        "due_until",
        "issued_since",
        "issued_until",
        "at_least",
        "at_most",
        "currency",
        "category",
        "reminded",
        "hold",
        "pdf",
        "sort",
    )

    search = search_field("Number or customer")
    status = forms.ChoiceField(
        label="Status",
        required=False,
        choices=[ALL, ("overdue", "Overdue"), ("processing", "Processing"), *InvoiceStatus.choices],
    )
    bucket = forms.ChoiceField(
        label="Age", required=False, choices=[ALL, *((str(place), label) for place, label in enumerate(BUCKET_LABELS))]
    )
    due_since = day_field("Due from")
    due_until = day_field("Due until")
    issued_since = day_field("Invoice date from")
    issued_until = day_field("Invoice date until")
    at_least = forms.CharField(label="Owed from", required=False, max_length=20)
    at_most = forms.CharField(label="Owed up to", required=False, max_length=20)
    reminded = forms.ChoiceField(
        label="Reminded", required=False, choices=[ALL, ("yes", "Reminded"), ("no", "Never reminded")]
    )
    currency = forms.CharField(
        label="Currency", required=False, max_length=3, widget=forms.TextInput(attrs={"placeholder": "USD"})
    )
    category = forms.ChoiceField(label="Customer's category", required=False, choices=[ALL])
    hold = forms.ChoiceField(label="Hold", required=False, choices=[ALL, ("yes", "On hold"), ("no", "Not on hold")])
    pdf = forms.ChoiceField(
        label="Own PDF", required=False, choices=[ALL, ("yes", "Has your PDF"), ("no", "Has none of yours")]
    )
    sort = forms.ChoiceField(
        label="Order", required=False, choices=[(name, label) for name, (label, _) in _ORDERS.items()]
    )
    customer = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def __init__(self, query: QueryDict, *, merchant: Merchant) -> None:
        super().__init__(query)
        self.fields["category"].choices = category_choices(merchant)  # type: ignore[attr-defined]

    def by(self) -> tuple[str, ...]:
        """Return the columns to order by."""
        return _ORDERS[self.given("sort")][1]

    def narrow(self, invoices: QuerySet[Invoice], *, today: date, currency: str) -> QuerySet[Invoice]:
        """Keep the invoices that fit; amounts are in the currency filtered by, else the merchant's `currency`."""
        if words := self.given("search"):
            invoices = invoices.filter(Q(number__icontains=words) | Q(customer__company_name__icontains=words))
        if customer := self.cleaned_data.get("customer"):
            invoices = invoices.filter(customer=customer)
        if chosen := self.given("currency").upper():
            invoices = invoices.filter(currency=chosen)
        invoices = self._by_marks(invoices, today)
        invoices = self._by_amount(self._by_day(invoices, today), chosen if is_currency(chosen) else currency)
        return self._by_status(invoices, today)

    def _by_marks(self, invoices: QuerySet[Invoice], today: date) -> QuerySet[Invoice]:
        if reminded := self.given("reminded"):
            invoices = invoices.filter(last_reminded_at__isnull=reminded == "no")
        if category := self.given("category"):
            invoices = invoices.filter(customer__category=category)
        if pdf := self.given("pdf"):
            invoices = invoices.filter(document__isnull=pdf == "no")
        if hold := self.given("hold"):
            holds = Hold.objects.active(today=today).filter(customer=OuterRef("customer"))
            held = Exists(holds.filter(Q(invoice=None) | Q(invoice=OuterRef("id"))))
            invoices = invoices.filter(held if hold == "yes" else ~held)
        return invoices

    def _by_day(self, invoices: QuerySet[Invoice], today: date) -> QuerySet[Invoice]:
        if issued_since := self.cleaned_data.get("issued_since"):
            invoices = invoices.filter(issued_on__gte=issued_since)
        if issued_until := self.cleaned_data.get("issued_until"):
            invoices = invoices.filter(issued_on__lte=issued_until)
        ranges = [(self.cleaned_data.get("due_since"), self.cleaned_data.get("due_until"))]
        if bucket := self.given("bucket"):
            ranges.append(bounds_of(int(bucket), today=today))
            invoices = invoices.filter(status=InvoiceStatus.OPEN)
        for first, last in ranges:
            if first:
                invoices = invoices.filter(due_on__gte=first)
            if last:
                invoices = invoices.filter(due_on__lte=last)
        return invoices

    def _by_amount(self, invoices: QuerySet[Invoice], currency: str) -> QuerySet[Invoice]:
        for name, comparison in (("at_least", "balance__gte"), ("at_most", "balance__lte")):
            # An amount with cents narrows nothing in a currency without.
            with suppress(NotAnAmount):
                if text := self.given(name):
                    invoices = invoices.filter(**{comparison: parse_minor(text, currency)}, currency=currency)
        return invoices

    def _by_status(self, invoices: QuerySet[Invoice], today: date) -> QuerySet[Invoice]:
        status = self.given("status")
        if status == "processing":
            return invoices.filter(in_flight__gt=0)
        if status == "overdue":
            return invoices.filter(status=InvoiceStatus.OPEN, due_on__lt=today, in_flight__lt=F("balance"))
        return invoices.filter(status=status) if status else invoices

    def clean_at_least(self) -> str:
        """Refuse what is no amount."""
        return _amount(self.cleaned_data["at_least"])

    def clean_at_most(self) -> str:
        """Refuse what is no amount."""
        return _amount(self.cleaned_data["at_most"])


def _amount(text: str) -> str:
    try:
        minor = parse_minor(text, "USD") if text else 0
    except NotAnAmount as error:
        raise forms.ValidationError("Write an amount, such as 1150 or 1,150.00.") from error
    if abs(minor) >= 10**15:
        raise forms.ValidationError("This amount is too large.")
    return text
