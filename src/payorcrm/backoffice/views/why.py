"""Why a customer was or was not reminded on a day."""

from datetime import date, timedelta
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from payorcrm.backoffice.access import customer_of, for_staff, invoice_of
from payorcrm.backoffice.rule_forms import DayForm
from payorcrm.core import clock
from payorcrm.customers.models import Customer
from payorcrm.invoices.models import Invoice
from payorcrm.merchants.models import Staff
from payorcrm.reminders.explain_day import explain_day
from payorcrm.reminders.foresee import DAYS


@require_safe
@for_staff
def why(request: HttpRequest, staff: Staff, customer_id: UUID) -> HttpResponse:
    """Say for one day what a customer was sent, what not, and why; about one invoice if the address names it."""
    customer, now = customer_of(staff, customer_id), clock.now()
    today = clock.day_in(staff.merchant.time_zone, now)
    form = DayForm(request.GET if "day" in request.GET else None, initial={"day": today})
    day: date = form.cleaned_data["day"] if form.is_valid() else today
    invoice = _invoice(staff, customer, request.GET.get("invoice", ""))
    context = {
        "section": "customers",
        "customer": customer,
        "invoice": invoice,
        "form": form,
        "explained": explain_day(customer=customer, day=day, now=now, invoice=invoice),
        "before": day - timedelta(days=1),
        "after": day + timedelta(days=1),
        "last_foreseen": today + timedelta(days=DAYS),
    }
    return render(request, "backoffice/why_page.html", context)


def _invoice(staff: Staff, customer: Customer, text: str) -> Invoice | None:
    if not text:
        return None
    try:
        invoice = invoice_of(staff, UUID(text))
    except ValueError:
        raise Http404 from None
    if invoice.customer_id != customer.id:
        raise Http404
    return invoice
