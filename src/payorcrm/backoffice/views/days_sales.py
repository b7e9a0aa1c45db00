"""Days sales outstanding: the sum it is, and every invoice that counts in it."""

from dataclasses import dataclass
from datetime import date

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from payorcrm.backoffice.access import for_staff
from payorcrm.backoffice.standing import days_sales_of, sales_days
from payorcrm.core import clock
from payorcrm.core.money import Money, is_currency
from payorcrm.invoices.aging import agings_of, no_aging
from payorcrm.invoices.models import Invoice, InvoiceStatus
from payorcrm.merchants.models import Merchant, Staff
from payorcrm.ui.paging import page_of

_NEVER_INVOICED = (InvoiceStatus.DRAFT, InvoiceStatus.VOID)


@dataclass(frozen=True, slots=True)
class Counted:
    """An invoice, and what it adds to either side of the sum."""

    invoice: Invoice
    invoiced: Money | None
    owed: Money | None


@require_safe
@for_staff
def days_sales(request: HttpRequest, staff: Staff) -> HttpResponse:
    """Show how the figure of the dashboard is worked out, in one currency, and its invoices, the latest first."""
    merchant = staff.merchant
    today = clock.day_in(merchant.time_zone, clock.now())
    wanted = request.GET.get("currency", "")
    currency = wanted if is_currency(wanted) else merchant.currency
    found = (each for each in agings_of(merchant.id, today=today) if each.currency == currency)
    aging = next(found, None) or no_aging(currency)
    first, last = sales_days(today)
    page = page_of(_counted(merchant, currency, first, last), by=("-issued_on", "-id"), query=request.GET)
    context = {
        "section": "dashboard",
        "aging": aging,
        "sales": days_sales_of(merchant.id, aging, today=today),
        "first": first,
        "last": last,
        "page": page,
        "rows": [_row(invoice, first, last) for invoice in page.rows],
    }
    return render(request, "backoffice/days_sales.html", context)


def _counted(merchant: Merchant, currency: str, first: date, last: date) -> QuerySet[Invoice]:
    invoices = Invoice.objects.filter(merchant=merchant, currency=currency).exclude(status__in=_NEVER_INVOICED)
    within = Q(issued_on__gte=first, issued_on__lte=last)
    return invoices.filter(within | Q(status=InvoiceStatus.OPEN)).select_related("customer")


def _row(invoice: Invoice, first: date, last: date) -> Counted:
    return Counted(
        invoice,
        invoiced=invoice.total_money() if first <= invoice.issued_on <= last else None,
        owed=invoice.balance_money() if invoice.status == InvoiceStatus.OPEN else None,
    )
