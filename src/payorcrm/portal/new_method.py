"""Entering a card or bank account in the processor's own fields, behind links of mails and in the portal alike."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import get_language

from payorcrm.core.clock import now
from payorcrm.gateways.base import GatewayUnavailable, MethodKind, MethodNotAccepted
from payorcrm.merchants.queries import account_for_new, gateway_of
from payorcrm.payment_methods.models import PaymentMethod
from payorcrm.payment_methods.save import Consent, consent_text, take_over_method
from payorcrm.payments.checkout import payment_of_checkout
from payorcrm.payments.links import BANK, CARD
from payorcrm.payments.models import Payment, PaymentRequest
from payorcrm.portal.forms import CheckoutForm
from payorcrm.portal.visitor import address_of

KINDS = {CARD: MethodKind.CARD, BANK: MethodKind.BANK_ACCOUNT}


def fields_of(
    request: HttpRequest, payment_request: PaymentRequest, choice: str, form: CheckoutForm | None, *, path: str
) -> dict[str, Any]:
    """Return what a page with the processor's fields shows; their hosted page leads back to `path`."""
    kind = KINDS[choice]
    line = gateway_of(account_for_new(payment_request.merchant_id, kind))
    return {
        "kind": kind,
        "is_card": kind == MethodKind.CARD,
        "fields": line.start_saving_method(
            kind,
            return_url=f"{settings.PUBLIC_URL}{path}",
            parent_origin=f"{request.scheme}://{request.get_host()}",
            language=get_language() or "",
        ),
        # One that was refused is of no more use; the fields take its place.
        "method_token": "" if form else request.GET.get("method_token", "")[:200],
        "consent": consent_text(kind, payment_request.merchant.name),
        "form": form,
    }


def take_over_once(
    request: HttpRequest, payment_request: PaymentRequest, kind: MethodKind, form: CheckoutForm
) -> PaymentMethod | Payment | None:
    """Take over what a form brought, or return the payment that the same page has made already.

    None when the form, or the processor, refuses it, and the form says so.
    """
    if not form.is_valid():
        return None
    made = form.checkout_made()
    # Whatever a second press brings was used up by the first.
    return payment_of_checkout(made) or _take_over(request, payment_request, kind, form) or payment_of_checkout(made)


def _take_over(
    request: HttpRequest, payment_request: PaymentRequest, kind: MethodKind, form: CheckoutForm
) -> PaymentMethod | None:
    entered = form.entered()
    # Whether an account is kept is asked on the page of its authorization, which comes next.
    may_keep = entered.is_to_be_saved or kind == MethodKind.BANK_ACCOUNT
    try:
        return take_over_method(
            customer=payment_request.customer,
            kind=kind,
            method_token=entered.token,
            consent=given_consent(request, payment_request, kind) if may_keep else None,
            now=now(),
        )
    except (MethodNotAccepted, GatewayUnavailable) as error:
        form.add_error(None, str(error))
        return None


def given_consent(request: HttpRequest, payment_request: PaymentRequest, kind: str) -> Consent:
    """Return the agreement of the person behind a request to keep a method of a kind."""
    return Consent(consent_text(kind, payment_request.merchant.name), address_of(request), now())
