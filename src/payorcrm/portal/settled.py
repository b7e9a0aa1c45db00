"""The page that says that nothing is left to pay, and why."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from payorcrm.core.clock import now
from payorcrm.payments.links import payment_page_token
from payorcrm.payments.models import PaymentRequest
from payorcrm.payments.queries import is_all_of, last_payment_for


def nothing_left(request: HttpRequest, payment_request: PaymentRequest) -> HttpResponse:
    """Show the payment that settled a request; its page and amount only if it paid nothing beyond the request."""
    last = last_payment_for(payment_request)
    url = ""
    if last and is_all_of(last, payment_request):
        url = reverse("portal:result", args=[payment_page_token(last.id, now())])
    return render(request, "portal/pay_nothing_left.html", {"last": last, "last_url": url})


def nothing_left_in_portal(request: HttpRequest, payment_request: PaymentRequest) -> HttpResponse:
    """Show the customer, who may see all their payments, the one that settled a request."""
    last = last_payment_for(payment_request)
    url = reverse("portal:payment", args=[last.id]) if last else ""
    return render(request, "portal/checkout_settled.html", {"section": "invoices", "last": last, "last_url": url})
