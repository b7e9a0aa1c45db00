"""Registration by a customer: an invoice number and the address on file lead to a mail, and to nothing else."""

from allauth.core import ratelimit
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from payorcrm.core.clock import now
from payorcrm.customers.answer_ask import ask_to_register
from payorcrm.portal.access import merchant_at
from payorcrm.portal.sign_in_forms import RegistrationForm


@require_http_methods(["GET", "HEAD", "POST"])
def register(request: HttpRequest, merchant_slug: str) -> HttpResponse:
    """Take an address and an invoice number; a job compares them, and the page says the same whatever it finds."""
    merchant = merchant_at(request, merchant_slug)
    form = RegistrationForm(request.POST or None)
    if not form.is_valid():
        return render(request, "portal/sign_in/register.html", {"merchant": merchant, "form": form})
    typed = form.cleaned_data
    if not ratelimit.consume(request, action="ask_for_access", key=typed["email"].lower()):
        return ratelimit.respond_429(request)
    ask_to_register(merchant=merchant, email=typed["email"], invoice_number=typed["invoice_number"], now=now())
    return render(request, "portal/sign_in/asked.html", {"merchant": merchant, "email": typed["email"]})
