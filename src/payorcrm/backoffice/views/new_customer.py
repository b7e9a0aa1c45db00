"""Entering a customer by hand."""

from collections.abc import Set
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from payorcrm.backoffice.access import for_collectors
from payorcrm.backoffice.audit import note_changes, nothing_new
from payorcrm.backoffice.customer_filter import category_choices
from payorcrm.backoffice.customer_forms import CustomerForm, field_of
from payorcrm.core import clock
from payorcrm.core.errors import Refused
from payorcrm.customers.add_customer import add_once
from payorcrm.customers.models import Customer
from payorcrm.mail.suppress import suppressions_of
from payorcrm.merchants.models import Staff

_FOR_AN_INVOICE = "invoice"


@require_http_methods(["GET", "HEAD", "POST"])
@for_collectors
def new_customer(request: HttpRequest, staff: Staff) -> HttpResponse:
    """Ask for a customer; a POST adds it, and leads on to it or back to the invoice that it is for."""
    if request.method != "POST":
        return _ask(request, staff, CustomerForm(initial={"company_name": request.GET.get("find", "")[:200]}))
    form = CustomerForm(request.POST)
    if not form.is_valid():
        return _ask(request, staff, form)
    try:
        customer, is_new = add_once(
            merchant=staff.merchant, facts=form.customer(), person=form.person(), now=clock.now()
        )
    except Refused as refusal:
        form.add_error(field_of(refusal), str(refusal))
        return _ask(request, staff, form)
    if is_new:
        note_changes(request, form.changes())
    else:
        nothing_new(request)
    messages.success(request, f"{customer} is added. {_reach(staff, form.person().emails)}")
    return _onward(staff, customer, request.GET)


def _ask(request: HttpRequest, staff: Staff, form: CustomerForm) -> HttpResponse:
    context = {
        "section": "customers",
        "form": form,
        "categories": category_choices(staff.merchant),
        "back": _back(staff, request.GET),
        "is_for_invoice": request.GET.get("then") == _FOR_AN_INVOICE,
    }
    return render(request, "backoffice/customer_new.html", context, status=422 if form.errors else 200)


def _reach(staff: Staff, emails: tuple[str, ...]) -> str:
    """Say whether mails will reach the customer."""
    if not emails:
        return "Without an e-mail address, no mail reaches them."
    if any(stop.address == emails[0].lower() for stop in suppressions_of(staff.merchant_id, emails[:1])):
        return (
            f"Mails to {emails[0]} are stopped, because earlier ones came back or were unwanted: "
            "the customer's page says why, and lets you allow them again."
        )
    return "No mail went out; you can invite them to the portal when you like."


def _onward(staff: Staff, customer: Customer, sent_in: QueryDict) -> HttpResponseRedirect:
    if sent_in.get("then") == _FOR_AN_INVOICE:
        return HttpResponseRedirect(_back(staff, sent_in, left_out={"find"}, customer=str(customer.id)))
    return redirect("backoffice:customer", merchant_slug=staff.merchant.slug, customer_id=customer.id)


def _back(staff: Staff, sent_in: QueryDict, *, left_out: Set[str] = frozenset(), **also: str) -> str:
    """Return the address of the list, or of the invoice that the customer is for, as it was left."""
    if sent_in.get("then") != _FOR_AN_INVOICE:
        return reverse("backoffice:customers", args=[staff.merchant.slug])
    typed = {name: text for name, text in sent_in.items() if name not in {"then", "customer", *left_out}}
    return f"{reverse('backoffice:invoice_new', args=[staff.merchant.slug])}?{urlencode({**typed, **also})}"
