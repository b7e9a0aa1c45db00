"""What the payment history was asked for, and the payments that fit, each with the first numbers of its invoices."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django import forms
from django.contrib.postgres.expressions import ArraySubquery
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from payorcrm.core.clock import wall_time
from payorcrm.core.dates import YEARS
from payorcrm.customers.models import Customer
from payorcrm.payments.models import Allocation, Payment, PaymentStanding, PaymentState
from payorcrm.payments.queries import payments_of, standing_is

NUMBERS_IN_A_ROW = 2
# A cell of a workbook holds 32,767 characters.
NUMBERS_IN_A_CELL = 400

_DAYS = [MinValueValidator(date(YEARS[0], 1, 1)), MaxValueValidator(date(YEARS[-1], 12, 31))]


class _DayInput(forms.DateInput):
    """The browser's own calendar."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class PaymentFilter(forms.Form):
    """Filters in the address of the history and of its exports; what cannot be read narrows nothing."""

    use_required_attribute = False

    search = forms.CharField(
        label=gettext_lazy("Search"),
        required=False,
        max_length=64,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": gettext_lazy("Reference or invoice number")}),
    )
    state = forms.ChoiceField(
        label=gettext_lazy("Status"),
        required=False,
        choices=lambda: [("", _("All")), *PaymentStanding.choices],
    )
    since = forms.DateField(label=gettext_lazy("From"), required=False, widget=_DayInput(), validators=_DAYS)
    until = forms.DateField(label=gettext_lazy("Until"), required=False, widget=_DayInput(), validators=_DAYS)

    def is_narrow(self) -> bool:
        """Say whether anything is filtered at all."""
        self.is_valid()
        return any(self.cleaned_data.values())

    def payments_of(self, customer: Customer) -> QuerySet[Payment]:
        """Return the customer's payments that fit; days are the merchant's."""
        self.is_valid()
        wanted = self.cleaned_data
        zone = ZoneInfo(customer.merchant.time_zone)
        found = payments_of(customer)
        if words := wanted.get("search"):
            paid = Allocation.objects.filter(customer_id=customer.id, invoice__number__icontains=words)
            fits = Q(reference__icontains=words) | Q(offline_reference__iexact=words)
            found = found.filter(fits | Q(id__in=paid.values("payment_id")))
        if state := wanted.get("state"):
            found = found.filter(standing_is(state))
        if since := wanted.get("since"):
            found = found.filter(submitted_at__gte=datetime.combine(since, time.min, zone))
        if until := wanted.get("until"):
            found = found.filter(submitted_at__lt=datetime.combine(until + timedelta(days=1), time.min, zone))
        return found


def with_invoices(payments: QuerySet[Payment], *, most: int) -> QuerySet[Payment]:
    """Add to each payment `numbers`, the first ones of its invoices, and `invoice_count`, in the same query."""
    paid = Allocation.objects.filter(payment_id=OuterRef("id"))
    counted = paid.order_by().values("payment_id").annotate(count=Count("id"))
    return payments.annotate(
        numbers=ArraySubquery(paid.order_by("invoice__due_on", "invoice__number").values("invoice__number")[:most]),
        invoice_count=Subquery(counted.values("count")),
    )


def more_invoices_of(payment: Payment) -> int:
    """Return how many invoices a payment has beyond those whose numbers `with_invoices` added."""
    count: int | None = payment.invoice_count  # type: ignore[attr-defined]
    return (count or 0) - len(payment.numbers)  # type: ignore[attr-defined]


def numbers_in_words(payment: Payment) -> str:
    """Write which invoices a payment pays, after `with_invoices`: the first numbers and how many more."""
    shown = ", ".join(payment.numbers)  # type: ignore[attr-defined]
    more = more_invoices_of(payment)
    if not more:
        return shown
    return ngettext("%(numbers)s and %(count)s more", "%(numbers)s and %(count)s more", more) % {
        "numbers": shown,
        "count": more,
    }


def export_head() -> list[str]:
    """Return the column heads of the exports."""
    return [
        _("Reference"),
        _("Submitted"),
        _("Paid or cleared"),
        _("Method"),
        _("Amount"),
        _("Given back"),
        _("Currency"),
        _("Status"),
        _("Return code"),
        _("Invoices"),
    ]


def export_lines(payments: QuerySet[Payment], zone: ZoneInfo) -> Iterator[list[object]]:
    """Yield one line a payment, in constant memory."""
    for row in with_invoices(payments, most=NUMBERS_IN_A_CELL).iterator(chunk_size=2000):
        yield [
            row.reference,
            row.received_on or wall_time(zone, row.submitted_at),
            _paid_at(row, zone),
            row.way(),
            row.amount_money().to_decimal(),
            row.refunded_money().to_decimal(),
            row.currency,
            str(row.standing().label),
            row.return_code,
            numbers_in_words(row),
        ]


def _paid_at(payment: Payment, zone: ZoneInfo) -> datetime | None:
    if payment.state != PaymentState.SUCCEEDED or payment.settled_at is None:
        return None
    return wall_time(zone, payment.settled_at)
