"""Customers: the list with what each owes, and one customer's page."""

from collections.abc import Iterator
from datetime import date
from itertools import islice
from uuid import UUID
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import messages
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from payorcrm.backoffice.access import customer_of, for_collectors, for_staff, method_of
from payorcrm.backoffice.chosen import carried, count_of
from payorcrm.backoffice.customer_filter import CustomerFilter
from payorcrm.backoffice.debts import debts_of
from payorcrm.backoffice.rule_forms import HoldForm
from payorcrm.backoffice.timeline import timeline_of
from payorcrm.backoffice.views.invoices import rows_of
from payorcrm.backoffice.views.mails import WRITTEN_FROM, has_marks, stopped_addresses
from payorcrm.backoffice.views.notes import NoteForm
from payorcrm.backoffice.views.stops import stops_of
from payorcrm.core import clock
from payorcrm.customers.access_states import AccessState, access_states_of, states_of_accesses
from payorcrm.customers.mention import KIND as MENTION
from payorcrm.customers.models import Contact, Customer, PortalAccess
from payorcrm.customers.notes import notes_of
from payorcrm.customers.queries import address_on_file
from payorcrm.customers.view_as import viewings_of
from payorcrm.invoices.models import Invoice
from payorcrm.mail.models import Mail
from payorcrm.merchants.models import Merchant, Staff
from payorcrm.payment_methods.models import PaymentMethod
from payorcrm.payment_methods.remove import remove_method
from payorcrm.payments.models import Payment
from payorcrm.payments.queries import unapplied_payments_of
from payorcrm.reminders.hold import holds_of
from payorcrm.reminders.models import Hold
from payorcrm.ui.exports import table_response
from payorcrm.ui.paging import page_of

_FEW = 10


_MOST_NOTES = 20  # older ones stand in the history
_AT_ONCE = 1000
EXPORT_HEAD = [
    "Customer number",
    "Customer",
    "Category",
    "E-mail",
    "Currency",
    "Owed",
    "Overdue",
    "Being paid",
    "Oldest due date",
    "Last reminder",
]


@require_safe
@for_staff
def customers(request: HttpRequest, staff: Staff) -> HttpResponse:
    """List the customers by name."""
    today = clock.day_in(staff.merchant.time_zone, clock.now())
    filters = CustomerFilter(request.GET, merchant=staff.merchant)
    found = filters.customers(today=today)
    page = page_of(found, by=filters.by(), query=request.GET)
    shown = [row.id for row in page.rows]
    debts = debts_of(shown, today=today)
    states = access_states_of(shown, now=clock.now())
    held = Hold.objects.active(today=today).filter(customer__in=shown, invoice=None)
    context = {
        "section": "customers",
        "filters": filters,
        "page": page,
        "rows": [(row, debts[row.id], states[row.id]) for row in page.rows],
        "held": set(held.values_list("customer_id", flat=True)),
        "match_count": count_of(found) if staff.can_change() else 0,
        "carried": carried(filters),
    }
    return render(request, "backoffice/customer_list.html", context)


@require_safe
@for_staff
def export(request: HttpRequest, staff: Staff) -> HttpResponseBase:
    """Send the customers that the filters of the list show, a line for each currency they owe in."""
    today = clock.day_in(staff.merchant.time_zone, clock.now())
    filters = CustomerFilter(request.GET, merchant=staff.merchant)
    on_file = Contact.objects.filter(customer=OuterRef("id"), is_primary=True).values("email")
    found = filters.customers(today=today).annotate(email_on_file=Subquery(on_file)).order_by(*filters.by())
    lines = _export_lines(found, staff.merchant, today)
    return table_response(f"customers-{staff.merchant.slug}-{today}", EXPORT_HEAD, lines, query=request.GET)


def _export_lines(found: QuerySet[Customer], merchant: Merchant, today: date) -> Iterator[list[object]]:
    zone = ZoneInfo(merchant.time_zone)
    customers = found.iterator(chunk_size=_AT_ONCE)
    while some := list(islice(customers, _AT_ONCE)):
        debts = debts_of([row.id for row in some], today=today)
        for row in some:
            debt = debts[row.id]
            reminded = debt.last_reminded_at.astimezone(zone).date() if debt.last_reminded_at else None
            for currency in [each.currency for each in debt.owed] or [merchant.currency]:
                amounts = [debt.in_currency(name, currency).to_decimal() for name in ("owed", "overdue", "processing")]
                email = row.email_on_file or ""  # type: ignore[attr-defined]
                words = [row.number, row.company_name, row.category, email, currency]
                yield [*words, *amounts, debt.oldest_due_on, reminded]


@require_safe
@for_staff
def customer(request: HttpRequest, staff: Staff, customer_id: UUID) -> HttpResponse:
    """Show all that is known of one customer."""
    return customer_page(request, staff, customer_of(staff, customer_id))


def customer_page(
    request: HttpRequest, staff: Staff, subject: Customer, *, status: int = 200, **filled_in: forms.Form
) -> HttpResponse:
    """Render the page of a customer, with the forms that were filled in wrongly."""
    today = clock.day_in(staff.merchant.time_zone, clock.now())
    context = {
        "section": "customers",
        "customer": subject,
        "today": today,
        "few": _FEW,
        **_money_of(subject, today),
        **_mails_of(subject),
        **_people_of(subject),
        "timeline": timeline_of(subject, slug=staff.merchant.slug, size=_FEW),
        "notes": notes_of(subject)[:_MOST_NOTES],
        "note_form": NoteForm(),
        "holds": holds_of(subject, today=today),
        "hold_form": HoldForm(),
        **filled_in,
    }
    return render(request, "backoffice/customer_page.html", context, status=status)


def _money_of(customer: Customer, today: date) -> dict[str, object]:
    """Return what is owed, and what came in."""
    open_invoices = Invoice.objects.filter(customer=customer).open().order_by("due_on", "id")
    payments = Payment.objects.filter(customer=customer).select_related("method").order_by("-submitted_at", "-id")
    return {
        "debt": debts_of([customer.id], today=today)[customer.id],
        "rows": rows_of(open_invoices[:_FEW], today=today),
        "payments": payments[:_FEW],
        "unapplied": unapplied_payments_of(customer, most=_FEW),
        "methods": PaymentMethod.objects.filter(customer=customer).saved().order_by("-id"),
    }


def _mails_of(customer: Customer) -> dict[str, object]:
    """Return the latest mails, and what is known of whether they arrive."""
    found = Mail.objects.filter(customer=customer).exclude(kind=MENTION).select_related(*WRITTEN_FROM)
    mails = list(found.order_by("-id")[:_FEW])
    return {
        "mails": mails,
        "stopped": stopped_addresses(customer.merchant_id, mails),
        "has_marks": has_marks(mails),
        "stops": stops_of(customer),
    }


def _people_of(customer: Customer) -> dict[str, object]:
    """Return whom to write to, who signs in, and who of the staff looked at the portal as them."""
    return {
        "contacts": Contact.objects.filter(customer=customer).order_by("-is_primary", "last_name", "id"),
        "portal_users": _portal_users(customer),
        "viewings": viewings_of(customer)[:_FEW],
    }


def _portal_users(customer: Customer) -> list[tuple[PortalAccess, AccessState, bool]]:
    """Return who signs in for a customer, how far each is, and whether theirs is the address on file."""
    known = PortalAccess.objects.live().filter(customer=customer).select_related("user").order_by("id")
    accesses = list(known.annotate(is_on_file=address_on_file()))
    states = states_of_accesses(accesses, now=clock.now())
    known_states = [(access, states[access.id]) for access in accesses if access.id in states]
    return [(access, state, access.is_on_file) for access, state in known_states]  # type: ignore[attr-defined]


@require_POST
@for_collectors
def remove(request: HttpRequest, staff: Staff, method_id: UUID) -> HttpResponse:
    """Remove a saved card or account, as its owner asked. Raises MethodInUse."""
    method = method_of(staff, method_id)
    remove_method(method_id=method.id, now=clock.now())
    messages.success(request, f"{method.masked()} is removed and will not be charged again.")
    return redirect("backoffice:customer", merchant_slug=staff.merchant.slug, customer_id=method.customer_id)
