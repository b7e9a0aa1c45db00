"""Entering an invoice by hand."""

from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from payorcrm.backoffice.access import customer_of, for_collectors
from payorcrm.backoffice.audit import nothing_new
from payorcrm.backoffice.invoice_forms import (
    MATCHES_SHOWN,
    MORE_LINES,
    InvoiceForm,
    customers_like,
    first_values,
    line_forms,
    unjudged_lines,
)
from payorcrm.core import clock
from payorcrm.core.errors import Refused
from payorcrm.customers.models import Customer
from payorcrm.invoices.issue import NumberTaken, issue_once
from payorcrm.invoices.models import Invoice
from payorcrm.invoices.propose_number import propose_number
from payorcrm.merchants.models import Staff

DAYS_TO_PAY = 30
_LONGEST_QUERY = 3000  # servers refuse addresses of more than 4,000 characters or so


@require_http_methods(["GET", "HEAD", "POST"])
@for_collectors
def new_invoice(request: HttpRequest, staff: Staff) -> HttpResponse:
    """Ask for an invoice; a POST issues it, or finds customers, or makes room for more lines."""
    if request.method != "POST":
        return _ask(request, staff, *_begun(staff, request.GET), request.GET)
    if "new_customer" in request.POST:
        return _add_customer(request, staff)
    if "find_customer" in request.POST or "more" in request.POST:
        return _ask(request, staff, *_unjudged(staff, request.POST), request.POST)
    form = InvoiceForm(request.POST, currencies=_currencies(staff))
    lines = line_forms(request.POST, currency=request.POST.get("currency", ""))
    customer, trouble = _customer(staff, request.POST)
    if not (form.is_valid() & lines.is_valid() & (customer is not None)) or customer is None:
        return _ask(request, staff, form, lines, request.POST, trouble)
    return _issue(request, staff, form, lines, customer)


def _issue(
    request: HttpRequest, staff: Staff, form: InvoiceForm, lines: forms.BaseFormSet, customer: Customer
) -> HttpResponse:
    billed = [line.billed for line in lines if line.billed]  # type: ignore[attr-defined]
    total = form.add_up(billed)
    if total is None or form.errors:
        return _ask(request, staff, form, lines, request.POST)
    facts = {name: form.cleaned_data[name] for name in ("number", "issued_on", "due_on")}
    try:
        invoice = issue_once(customer=customer, total=total, lines=billed, now=clock.now(), **facts)
    except Refused as refusal:
        form.add_error("number" if isinstance(refusal, NumberTaken) else None, str(refusal))
        return _ask(request, staff, form, lines, request.POST)
    messages.success(request, f"Invoice {invoice.number} is recorded: {customer} owes {total}.")
    return redirect("backoffice:invoice", merchant_slug=staff.merchant.slug, invoice_id=invoice.id)


def _ask(
    request: HttpRequest,
    staff: Staff,
    form: InvoiceForm,
    lines: forms.BaseFormSet,
    sent_in: QueryDict,
    trouble: str = "",
) -> HttpResponse:
    words = sent_in.get("find", "")
    matches = customers_like(staff.merchant_id, words)
    chosen = _named(staff, sent_in)
    context = {
        "section": "invoices",
        "form": form,
        "lines": lines,
        "find": words,
        "matches": [each for each in matches[:MATCHES_SHOWN] if each != chosen],
        "has_more": len(matches) > MATCHES_SHOWN,
        "chosen": chosen,
        "trouble": trouble,
    }
    status = 422 if trouble or form.errors or (lines.is_bound and not lines.is_valid()) else 200
    return render(request, "backoffice/invoice_new.html", context, status=status)


def _customer(staff: Staff, sent_in: QueryDict) -> tuple[Customer | None, str]:
    """Return who is billed: whom the form names, or the only one that the words fit; else what is wrong."""
    if named := _named(staff, sent_in):
        return named, ""
    words = sent_in.get("find", "").strip()
    if not words:
        return None, "Who owes this invoice? Write a name or a number."
    found = customers_like(staff.merchant_id, words)
    if len(found) == 1:
        return found[0], ""
    return None, "Choose one of these customers." if found else f"No customer fits “{words}”."


def _named(staff: Staff, sent_in: QueryDict) -> Customer | None:
    try:
        return customer_of(staff, UUID(sent_in.get("customer"))) if sent_in.get("customer") else None
    except ValueError:
        raise Http404 from None


def _currencies(staff: Staff) -> list[str]:
    """Return the merchant's currency first, then those that its latest invoices are in."""
    latest = Invoice.objects.filter(merchant=staff.merchant_id).order_by("-id").values_list("currency", flat=True)
    return list(dict.fromkeys([staff.merchant.currency, *latest[:50]]))


def _add_customer(request: HttpRequest, staff: Staff) -> HttpResponse:
    """Lead to the page that adds a customer; its address carries what was typed in, which comes back with them."""
    nothing_new(request)
    left_out = {"csrfmiddlewaretoken", "new_customer", "customer"}
    typed = {name: text for name, text in request.POST.items() if text and name not in left_out}
    if len(urlencode(typed)) > _LONGEST_QUERY:
        typed = {name: text for name, text in typed.items() if not name.startswith("line-")}
    place = reverse("backoffice:customer_new", args=[staff.merchant.slug])
    return HttpResponseRedirect(f"{place}?{urlencode({'then': 'invoice', **typed})}")


def _begun(staff: Staff, sent_in: QueryDict) -> tuple[InvoiceForm, forms.BaseFormSet]:
    """Return the form as it was before a customer was added for it, else with first values."""
    if not InvoiceForm.base_fields.keys() & sent_in.keys():
        return _empty(staff)
    return _unjudged(staff, sent_in)


def _empty(staff: Staff) -> tuple[InvoiceForm, forms.BaseFormSet]:
    merchant = staff.merchant
    initial = first_values(
        number=propose_number(merchant.id),
        today=clock.day_in(merchant.time_zone, clock.now()),
        days_to_pay=DAYS_TO_PAY,
        currency=merchant.currency,
    )
    return InvoiceForm(initial=initial, currencies=_currencies(staff)), unjudged_lines({}, currency="", more=0)


def _unjudged(staff: Staff, sent_in: QueryDict) -> tuple[InvoiceForm, forms.BaseFormSet]:
    form = InvoiceForm(initial=sent_in.dict(), currencies=_currencies(staff))
    more = MORE_LINES if "more" in sent_in else 0
    return form, unjudged_lines(sent_in, currency=sent_in.get("currency", ""), more=more)
