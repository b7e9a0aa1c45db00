"""The page that shows one payment to the person who made it, and goes on looking while the answer is out."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from payorcrm.core.clock import day_in, now
from payorcrm.customers.queries import masked_address
from payorcrm.payments.buttons import Way, ways_in_portal, ways_to_pay
from payorcrm.payments.models import NOT_CHARGED_STATES, Payment, PaymentState
from payorcrm.payments.queries import due_of, first_allocations_of, standing_payment_of
from payorcrm.payments.wording import decline_in_words, return_in_words
from payorcrm.portal import access
from payorcrm.portal.access import Visit, for_customers, payment_of_customer
from payorcrm.portal.visitor import private_page

# The receipt has all of them, and so has the payment's page.
MOST_SHOWN = 30
_NOT_PAID = (*NOT_CHARGED_STATES, PaymentState.RETURNED)


@private_page
@require_safe
def result(request: HttpRequest, token: str) -> HttpResponse:
    """Show what became of a payment to whoever made it from a mail."""
    payment = access.payment_of_page(request, token, now())
    shown = _shown(payment, reverse("portal:result", args=[token])) | {
        "receipt_url": reverse("portal:result_receipt", args=[token]),
        "other_ways": _ways_to_try(payment),
    }
    template = "portal/_payment_outcome.html" if request.htmx else "portal/payment_result.html"  # type: ignore[attr-defined]
    return render(request, template, shown)


@require_safe
@for_customers
def payment_result(request: HttpRequest, visit: Visit, payment_id: UUID) -> HttpResponse:
    """Show what became of a payment to those who signed in."""
    payment = payment_of_customer(visit, payment_id)
    shown = _shown(payment, reverse("portal:payment_result", args=[payment.id])) | {
        "section": "payments",
        "is_in_portal": True,
        "receipt_url": reverse("portal:receipt_pdf", args=[payment.id]),
        "other_ways": _ways_in_portal(payment),
    }
    template = "portal/_payment_outcome.html" if request.htmx else "portal/checkout_result.html"  # type: ignore[attr-defined]
    return render(request, template, shown)


def _shown(payment: Payment, url: str) -> dict[str, Any]:
    allocations, count = first_allocations_of(payment.id, MOST_SHOWN)
    return {
        "payment": payment,
        "merchant": payment.merchant,
        "allocations": allocations,
        "invoice_count": count,
        "hidden_count": count - len(allocations),
        "decline": decline_in_words(payment),
        "return_reason": return_in_words(payment),
        "is_waiting": payment.state == PaymentState.SUBMITTING and not payment.action_url,
        "outcome_url": url,
        # A payment from a mail may have a receipt that its customer does not want mailed.
        "receipt_address": masked_address(payment.made_by.email) if payment.made_by else "",
    }


def _ways_to_try(payment: Payment) -> list[Way]:
    if payment.state not in _NOT_PAID or payment.request is None or not due_of(payment.request).total:
        return []
    today = day_in(payment.merchant.time_zone, now())
    return ways_to_pay(payment.request, today=today, made_at=payment.submitted_at)


def _ways_in_portal(payment: Payment) -> list[Way]:
    """Return the ways that are left after an attempt that came to nothing, unless another attempt stands."""
    asked = payment.request
    if payment.state not in NOT_CHARGED_STATES or asked is None or asked.origin != "portal":
        return []
    if standing_payment_of(asked) or not due_of(asked).total:
        return []
    return ways_in_portal(asked, today=day_in(payment.merchant.time_zone, now()))
