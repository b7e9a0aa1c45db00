"""From chosen invoices to the page that pays them."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from payorcrm.core.clock import now
from payorcrm.core.money import is_currency
from payorcrm.payments.models import PaymentRequest
from payorcrm.payments.request_payment import MixedSelection, request_all_unpaid, request_from_portal
from payorcrm.payments.reserve import NothingLeftToPay
from payorcrm.portal.access import Visit, for_customers, invoices_to_pay
from payorcrm.ui.templatetags.ui import grouped


@require_POST
@for_customers
def basket(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Make a request of the invoices that were chosen, or of all that are unpaid, and show its page."""
    chosen = invoices_to_pay(visit, request.POST.getlist("invoice"))
    wants_all = request.POST.get("all") == "unpaid"
    if not chosen and not wants_all:
        messages.warning(request, _("Please choose at least one invoice to pay."))
        return redirect("portal:invoices")
    try:
        made = _request_all(request, visit) if wants_all else _request(request, visit, chosen)
    except MixedSelection as mixed:
        return _choose_currency(request, mixed, chosen)
    except NothingLeftToPay:
        messages.warning(request, _("Nothing is left to pay of what you chose: it is paid, or a payment is under way."))
        return redirect("portal:invoices")
    if not wants_all and not request.POST.get("currency"):
        _say_what_is_left_out(request, len(chosen) - made.lines.count())
    return redirect("portal:checkout", made.id)


def _request(request: HttpRequest, visit: Visit, chosen: list[UUID]) -> PaymentRequest:
    everything, currency = dict.fromkeys(chosen), _currency_in(request)
    return request_from_portal(
        customer=visit.customer, user=visit.user, amounts=everything, currency=currency, now=now()
    )


def _request_all(request: HttpRequest, visit: Visit) -> PaymentRequest:
    return request_all_unpaid(customer=visit.customer, user=visit.user, currency=_currency_in(request), now=now())


def _currency_in(request: HttpRequest) -> str:
    named = request.POST.get("currency", "")
    return named if is_currency(named) else ""


def _choose_currency(request: HttpRequest, mixed: MixedSelection, chosen: list[UUID]) -> HttpResponse:
    if chosen:
        _say_what_is_left_out(request, len(chosen) - sum(one.count for one in mixed.subtotals))
    shown = {"section": "invoices", "subtotals": mixed.subtotals, "chosen": chosen, "explanation": str(mixed)}
    return render(request, "portal/checkout_currency.html", shown, status=422)


def _say_what_is_left_out(request: HttpRequest, count: int) -> None:
    if count:
        sentence = ngettext(
            "%(count)s invoice is left out: it is paid, or a payment for it is under way.",
            "%(count)s invoices are left out: they are paid, or payments for them are under way.",
            count,
        )
        messages.info(request, sentence % {"count": grouped(count)})
