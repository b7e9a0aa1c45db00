"""Saying anew which invoices a payment pays."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from payorcrm.backoffice.access import for_collectors, payment_of
from payorcrm.backoffice.parts import Parts, parts_of
from payorcrm.core import clock
from payorcrm.core.errors import Refused
from payorcrm.core.money import Money
from payorcrm.merchants.models import Staff
from payorcrm.payments.models import Allocation, Payment
from payorcrm.payments.reallocate import Wish, fingerprint_of, reallocate, why_not_reallocatable


@require_http_methods(["GET", "HEAD", "POST"])
@for_collectors
def apply_payment(request: HttpRequest, staff: Staff, payment_id: UUID) -> HttpResponse:
    """Show what each invoice gets of a payment, and what could; a POST changes it."""
    payment = payment_of(staff, payment_id)
    current = dict(Allocation.objects.filter(payment=payment).values_list("invoice_id", "amount"))
    parts = parts_of(payment.customer, payment.currency, current)
    problem = ""
    if request.method == "POST":
        wish = Wish(parts.read(request.POST), request.POST.get("seen", ""), staff.user_id)
        problem = _apply(request, payment, parts, wish)
        if not problem:
            return redirect("backoffice:payment", merchant_slug=staff.merchant.slug, payment_id=payment.id)
    unapplied = Money(payment.amount - payment.refunded - sum(current.values()), payment.currency)
    context = {
        "section": "payments",
        "payment": payment,
        "parts": parts,
        "problem": problem,
        "unapplied": unapplied,
        "seen": fingerprint_of(payment),
        "why_not": why_not_reallocatable(payment),
    }
    return render(request, "backoffice/payment_apply.html", context)


def _apply(request: HttpRequest, payment: Payment, parts: Parts, wish: Wish) -> str:
    if trouble := parts.trouble():
        return f"Nothing was changed: {trouble}"
    try:
        reallocate(payment_id=payment.id, wish=wish, now=clock.now())
    except Refused as refusal:
        return str(refusal)
    messages.success(request, "The payment is applied as you said. What it does not pay is unapplied.")
    return ""
