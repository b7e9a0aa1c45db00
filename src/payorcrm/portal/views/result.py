"""The page that shows one payment to the person who made it, and goes on looking while the answer is out."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from payorcrm.core.clock import day_in, now
from payorcrm.payments.buttons import Way, ways_to_pay
from payorcrm.payments.models import Payment, PaymentState
from payorcrm.payments.queries import allocations_of, payable_invoices_of
from payorcrm.payments.wording import decline_in_words, return_in_words
from payorcrm.portal import access
from payorcrm.portal.visitor import private_page

_NOT_PAID = (PaymentState.DECLINED, PaymentState.FAILED, PaymentState.RETURNED)


@private_page
@require_safe
def result(request: HttpRequest, token: str) -> HttpResponse:
    """Show what became of a payment."""
    payment = access.payment_of_page(request, token, now())
    shown = {
        "payment": payment,
        "merchant": payment.merchant,
        "allocations": allocations_of(payment.id),
        "decline": decline_in_words(payment),
        "return_reason": return_in_words(payment),
        "is_waiting": payment.state == PaymentState.SUBMITTING and not payment.action_url,
        "other_ways": _ways_to_try(payment),
        "token": token,
    }
    template = "portal/_payment_outcome.html" if request.htmx else "portal/payment_result.html"  # type: ignore[attr-defined]
    return render(request, template, shown)


def _ways_to_try(payment: Payment) -> list[Way]:
    if payment.state not in _NOT_PAID or payment.request is None or not payable_invoices_of(payment.request):
        return []
    today = day_in(payment.merchant.time_zone, now())
    return ways_to_pay(payment.request, today=today, made_at=payment.submitted_at)
