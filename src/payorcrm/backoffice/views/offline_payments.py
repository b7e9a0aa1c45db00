"""Recording a payment that came without a processor, and taking it back."""

from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from payorcrm.backoffice.access import customer_of, for_collectors, payment_of
from payorcrm.backoffice.parts import Parts, parts_of, total_of
from payorcrm.backoffice.payment_forms import OfflineForm, ReverseForm
from payorcrm.core import clock
from payorcrm.core.errors import Refused
from payorcrm.core.money import Money
from payorcrm.customers.models import Customer
from payorcrm.invoices.models import Invoice
from payorcrm.merchants.models import Staff
from payorcrm.payments.models import OfflineKind
from payorcrm.payments.record_offline import OfflineMoney, RecordedAlready, record_offline, recorded_before
from payorcrm.payments.reverse_offline import reverse_offline, why_not_reversible

MOST_FOUND = 20


@require_safe
@for_collectors
def choose_customer(request: HttpRequest, staff: Staff) -> HttpResponse:
    """Ask whose payment is to be recorded."""
    words = request.GET.get("search", "").strip()[:100].replace("\0", "")
    customers = Customer.objects.filter(merchant=staff.merchant).order_by("company_name", "id")
    if words:
        # A cheque often says nothing but an invoice number.
        billed = Invoice.objects.filter(merchant=staff.merchant, number__iexact=words).values("customer_id")
        customers = customers.filter(Q(company_name__icontains=words) | Q(number__iexact=words) | Q(id__in=billed))
    found = list(customers[: MOST_FOUND + 1])
    context = {"section": "payments", "words": words, "found": found[:MOST_FOUND], "has_more": len(found) > MOST_FOUND}
    return render(request, "backoffice/offline_customer.html", context)


@dataclass(slots=True)
class _Draft:
    """What the page shows: the form, the invoices' parts and what stays unapplied."""

    form: OfflineForm
    parts: Parts
    unapplied: Money | None = None
    problem: str = ""
    alike: bool = False


@require_http_methods(["GET", "HEAD", "POST"])
@for_collectors
def record(request: HttpRequest, staff: Staff, customer_id: UUID) -> HttpResponse:
    """Ask what came and for which invoices; a POST records it, or proposes invoices for the amount if asked to."""
    customer = customer_of(staff, customer_id)
    customer.merchant = staff.merchant
    earlier = recorded_before(customer, request.POST.get("key", ""))
    if earlier is not None:
        messages.warning(request, "The button was pressed twice. There is one payment, and this is it.")
        return redirect("backoffice:payment", merchant_slug=staff.merchant.slug, payment_id=earlier.id)
    draft = _drafted(request, customer)
    if request.method == "POST" and "propose" not in request.POST and draft.form.is_valid():
        made = _record(request, staff, customer, draft)
        if made is not None:
            return made
    context = {"section": "payments", "customer": customer, "draft": draft, "form": draft.form, "parts": draft.parts}
    return render(request, "backoffice/offline_record.html", context)


def _drafted(request: HttpRequest, customer: Customer) -> _Draft:
    today = clock.day_in(customer.merchant.time_zone, clock.now())
    form = OfflineForm(
        request.POST if request.method == "POST" else None, today=today, currencies=_currencies_of(customer)
    )
    money = form.money() if form.is_bound else None
    currency = request.POST.get("currency", "") or form["currency"].initial
    if currency not in dict(form.fields["currency"].choices):  # type: ignore[attr-defined]
        currency = form["currency"].initial
    parts = parts_of(customer, currency, {})
    if "propose" in request.POST and money:
        parts.propose(money)
    draft = _Draft(form, parts)
    sent_in = {row.name: row.text for row in parts.rows} if "propose" in request.POST else request.POST
    if money:
        draft.unapplied = money - total_of(parts.read(sent_in).values(), money.currency)
    return draft


def _currencies_of(customer: Customer) -> list[str]:
    owed = Invoice.objects.filter(customer=customer).open().order_by().values_list("currency", flat=True).distinct()
    return list(dict.fromkeys([*sorted(owed), customer.merchant.currency]))


def _record(request: HttpRequest, staff: Staff, customer: Customer, draft: _Draft) -> HttpResponse | None:
    money = _money(staff, customer, draft, request)
    if trouble := draft.parts.trouble():
        draft.problem = f"Nothing was recorded: {trouble}"
        return None
    if draft.unapplied is not None and draft.unapplied.minor < 0:
        draft.problem = (
            f"Nothing was recorded: the parts for the invoices are {-draft.unapplied} more than the payment."
        )
        return None
    try:
        payment = record_offline(money=money, now=clock.now())
    except RecordedAlready as refusal:
        draft.problem, draft.alike = f"{refusal} If this is another one, tick the box below.", True
        return None
    except Refused as refusal:
        draft.problem = str(refusal)
        return None
    messages.success(request, f"{payment.amount_money()} is recorded. What is left of the invoices is owed as before.")
    return redirect("backoffice:payment", merchant_slug=staff.merchant.slug, payment_id=payment.id)


def _money(staff: Staff, customer: Customer, draft: _Draft, request: HttpRequest) -> OfflineMoney:
    typed = draft.form.cleaned_data
    by_invoice = {invoice_id: minor for invoice_id, minor in draft.parts.read(request.POST).items() if minor}
    return OfflineMoney(
        key=typed["key"],
        customer=customer,
        kind=OfflineKind(typed["kind"]),
        reference=typed["reference"].strip(),
        received_on=typed["received_on"],
        amount=typed["amount"],
        by_invoice=by_invoice,
        sends_receipt=typed["sends_receipt"],
        recorded_by_id=staff.user_id,
        is_another=typed["is_another"],
    )


@require_http_methods(["GET", "HEAD", "POST"])
@for_collectors
def reverse_payment(request: HttpRequest, staff: Staff, payment_id: UUID) -> HttpResponse:
    """Ask why a recorded payment does not stand; a POST takes it back."""
    payment = payment_of(staff, payment_id)
    form = ReverseForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        reason, tells = form.cleaned_data["reason"], form.cleaned_data["tells_customer"]
        try:
            reverse_offline(payment_id=payment.id, reason=reason, tells_customer=tells, now=clock.now())
        except Refused as refusal:
            messages.warning(request, str(refusal))
        else:
            messages.success(request, f"{payment.amount_money()} is reversed. Its invoices are owed again.")
        return redirect("backoffice:payment", merchant_slug=staff.merchant.slug, payment_id=payment.id)
    context = {"section": "payments", "payment": payment, "form": form, "why_not": why_not_reversible(payment)}
    return render(request, "backoffice/payment_reverse.html", context)
