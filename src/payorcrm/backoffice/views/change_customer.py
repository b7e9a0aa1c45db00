"""Changing what is known of a customer."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from payorcrm.backoffice.access import customer_of, for_collectors
from payorcrm.backoffice.audit import nothing_new
from payorcrm.backoffice.customer_filter import category_choices
from payorcrm.backoffice.customer_forms import ChangeForm, field_of
from payorcrm.core.errors import Refused
from payorcrm.customers import change_customer as change
from payorcrm.customers.models import Customer
from payorcrm.merchants.models import Staff


@require_http_methods(["GET", "HEAD", "POST"])
@for_collectors
def change_customer(request: HttpRequest, staff: Staff, customer_id: UUID) -> HttpResponse:
    """Show what is on file of a customer; a POST keeps what was typed over it."""
    customer = customer_of(staff, customer_id)
    if request.method != "POST":
        return _ask(request, customer, ChangeForm.showing(change.facts_of(customer)))
    form = ChangeForm(request.POST)
    if not form.is_valid():
        return _ask(request, customer, form, status=422)
    try:
        is_changed = change.change_customer(customer=customer, seen=form.cleaned_data["seen"], facts=form.customer())
    except change.CustomerChangedMeanwhile as refusal:
        form.show_again(refusal.present)
        meanwhile = form.in_words(refusal.differences)
        return _ask(request, customer, form, status=refusal.status, refusal=refusal, meanwhile=meanwhile)
    except Refused as refusal:
        form.add_error(field_of(refusal), str(refusal))
        return _ask(request, customer, form, status=422)
    if not is_changed:
        nothing_new(request)
    messages.success(request, _says(form))
    return redirect("backoffice:customer", merchant_slug=staff.merchant.slug, customer_id=customer.id)


def _ask(
    request: HttpRequest, customer: Customer, form: ChangeForm, *, status: int = 200, **more: object
) -> HttpResponse:
    context = {
        "section": "customers",
        "customer": customer,
        "form": form,
        "categories": category_choices(customer.merchant),
        **more,
    }
    return render(request, "backoffice/customer_change.html", context, status=status)


def _says(form: ChangeForm) -> str:
    """Say what became of what was typed; a second press is told what the first one was."""
    facts = form.customer()
    return "Nothing was changed." if facts == form.cleaned_data["seen"] else f"{facts.company_name} is saved."
