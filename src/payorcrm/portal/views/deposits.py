"""The page on which the owner of a bank account names its two deposits."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from payorcrm.core.clock import day_in, now
from payorcrm.gateways.base import VerificationOutcome
from payorcrm.payment_methods.models import DEPOSITS_LIFE, PaymentMethod, Verification
from payorcrm.payment_methods.save import MethodGone
from payorcrm.payment_methods.verify import NothingToVerify, Verdict, verify_deposits
from payorcrm.portal.access import Visit, for_customers, known_method_of_customer
from payorcrm.portal.method_forms import DepositsForm
from payorcrm.portal.views.methods import to_list_without


@require_http_methods(["GET", "HEAD", "POST"])
@for_customers
def verify(request: HttpRequest, visit: Visit, method_id: UUID) -> HttpResponse:
    """Show where the verification of an account stands; POST tries two amounts."""
    method = known_method_of_customer(visit, method_id)
    if not method.is_saved():
        return to_list_without(request)
    if method.verification == Verification.NOT_NEEDED:
        return redirect("portal:methods")
    form = DepositsForm(request.POST if request.method == "POST" else None)
    if not form.is_bound or not form.is_valid():
        return _page(request, method, form)
    try:
        verdict = verify_deposits(method=method, amounts=form.amounts(), now=now())
    except (MethodGone, NothingToVerify):
        return to_list_without(request)
    _say(request, method, verdict)
    # A redirection, so that reloading the answer does not cost another try.
    return redirect("portal:method_verify", method.id)


def _page(request: HttpRequest, method: PaymentMethod, form: DepositsForm) -> HttpResponse:
    begun = method.saved_at or method.created_at
    until = day_in(method.merchant.time_zone, begun + DEPOSITS_LIFE)
    shown = {"section": "methods", "method": method, "form": form, "until": until}
    return render(request, "portal/method_verify.html", shown, status=422 if form.errors else 200)


def _say(request: HttpRequest, method: PaymentMethod, verdict: Verdict) -> None:
    if verdict.outcome is VerificationOutcome.UNKNOWN:
        messages.warning(
            request, _("The payment processor does not answer. No try was used; please try again in a moment.")
        )
    elif verdict.outcome is VerificationOutcome.WRONG:
        text = ngettext(
            "These are not the two amounts. %(count)s try is left.",
            "These are not the two amounts. %(count)s tries are left.",
            verdict.tries_left,
        )
        messages.error(request, text % {"count": verdict.tries_left})
