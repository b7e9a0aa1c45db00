"""Customers: the list with what each owes, and one customer's page."""

from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from django.contrib import messages
from django.db.models import F, Q, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from payorcrm.backoffice.access import customer_of, for_collectors, for_staff, method_of
from payorcrm.backoffice.forms import CustomerFilter
from payorcrm.backoffice.rule_forms import HoldForm
from payorcrm.backoffice.views.invoices import rows_of
from payorcrm.core import clock
from payorcrm.core.money import Money
from payorcrm.customers.access_states import AccessState, access_states_of, states_of_accesses
from payorcrm.customers.models import Contact, Customer, PortalAccess
from payorcrm.customers.queries import address_on_file
from payorcrm.customers.view_as import viewings_of
from payorcrm.invoices.models import Invoice
from payorcrm.mail.models import Mail
from payorcrm.merchants.models import Staff
from payorcrm.payment_methods.models import PaymentMethod
from payorcrm.payment_methods.remove import remove_method
from payorcrm.payments.models import Payment
from payorcrm.reminders.hold import holds_of
from payorcrm.ui.paging import page_of

_FEW = 10


@dataclass(frozen=True, slots=True)
class Debt:
    """What a customer owes, one amount a currency."""

    owed: list[Money] = field(default_factory=list)
    overdue: list[Money] = field(default_factory=list)
    processing: list[Money] = field(default_factory=list)


@require_safe
@for_staff
def customers(request: HttpRequest, staff: Staff) -> HttpResponse:
    """List the customers by name."""
    today = clock.day_in(staff.merchant.time_zone, clock.now())
    filters = CustomerFilter(request.GET)
    found = filters.narrow(Customer.objects.filter(merchant=staff.merchant), today=today)
    page = page_of(found, by=("company_name", "id"), query=request.GET)
    shown = [row.id for row in page.rows]
    debts = debts_of(shown, today=today)
    states = access_states_of(shown, now=clock.now())
    rows = [(row, debts[row.id], states[row.id]) for row in page.rows]
    context = {"section": "customers", "filters": filters, "page": page, "rows": rows}
    return render(request, "backoffice/customer_list.html", context)


@require_safe
@for_staff
def customer(request: HttpRequest, staff: Staff, customer_id: UUID) -> HttpResponse:
    """Show all that is known of one customer."""
    subject = customer_of(staff, customer_id)
    today = clock.day_in(staff.merchant.time_zone, clock.now())
    open_invoices = Invoice.objects.filter(customer=subject).open().order_by("due_on", "id")
    payments = Payment.objects.filter(customer=subject).select_related("method").order_by("-submitted_at", "-id")
    context = {
        "section": "customers",
        "customer": subject,
        "debt": debts_of([subject.id], today=today)[subject.id],
        "contacts": Contact.objects.filter(customer=subject).order_by("-is_primary", "last_name", "id"),
        "rows": rows_of(open_invoices[:_FEW], today=today),
        "payments": payments[:_FEW],
        "mails": Mail.objects.filter(customer=subject).order_by("-id")[:_FEW],
        "methods": PaymentMethod.objects.filter(customer=subject).saved().order_by("-id"),
        "portal_users": _portal_users(subject),
        "viewings": viewings_of(subject)[:_FEW],
        "holds": holds_of(subject, today=today),
        "hold_form": HoldForm(),
        "today": today,
    }
    return render(request, "backoffice/customer_page.html", context)


def _portal_users(customer: Customer) -> list[tuple[PortalAccess, AccessState, bool]]:
    """Return who signs in for a customer, how far each is, and whether theirs is the address on file."""
    known = PortalAccess.objects.live().filter(customer=customer).select_related("user").order_by("id")
    accesses = list(known.annotate(is_on_file=address_on_file()))
    states = states_of_accesses(accesses, now=clock.now())
    return [(access, states[access.id], access.is_on_file) for access in accesses if access.id in states]


@require_POST
@for_collectors
def remove(request: HttpRequest, staff: Staff, method_id: UUID) -> HttpResponse:
    """Remove a saved card or account, as its owner asked. Raises MethodInUse."""
    method = method_of(staff, method_id)
    remove_method(method_id=method.id, now=clock.now())
    messages.success(request, f"{method.masked()} is removed and will not be charged again.")
    return redirect("backoffice:customer", merchant_slug=staff.merchant.slug, customer_id=method.customer_id)


def debts_of(customer_ids: list[UUID], *, today: date) -> dict[UUID, Debt]:
    """Add up what each of the customers owes, in one query."""
    debts = {customer_id: Debt() for customer_id in customer_ids}
    sums = (
        Invoice.objects.open()
        .filter(customer__in=customer_ids)
        .values("customer_id", "currency")
        .annotate(
            owed=Sum("balance"),
            overdue=Sum(F("balance") - F("in_flight"), filter=Q(due_on__lt=today)),
            processing=Sum("in_flight"),
        )
        .order_by("currency")
    )
    for row in sums:
        for name in ("owed", "overdue", "processing"):
            if row[name]:
                getattr(debts[row["customer_id"]], name).append(Money(row[name], row["currency"]))
    return debts
