"""The one page on which a signed-in user pays what they chose, and the pages that it leads to. POST pays, once."""

from typing import Any, ClassVar
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from payorcrm.core.clock import day_in, now
from payorcrm.core.errors import Refused
from payorcrm.payment_methods.add import save_entered
from payorcrm.payment_methods.models import PAYABLE_WHEN, PaymentMethod
from payorcrm.payment_methods.save import TriesUsedUp, agree_to_keep, consent_text
from payorcrm.payments.authorize import text_for_request
from payorcrm.payments.buttons import Way, ways_in_portal, ways_not_open
from payorcrm.payments.checkout import (
    Checkout,
    TooManyDeclines,
    pay_checkout,
)
from payorcrm.payments.models import Payment, PaymentRequest
from payorcrm.payments.queries import (
    Due,
    due_of,
    first_payable_lines_of,
    payable_invoices_of,
    payable_lines_for,
    standing_payment_of,
)
from payorcrm.payments.request_payment import request_from_portal
from payorcrm.payments.reserve import AmountChanged, MethodNotUsable, NothingLeftToPay
from payorcrm.portal.access import (
    Visit,
    account_to_verify,
    entered_account_of,
    for_customers,
    request_of_customer,
)
from payorcrm.portal.forms import AuthorizeForm, CheckoutForm, PartsForm, PayForm, ReviewForm, new_checkout
from payorcrm.portal.new_method import KINDS, fields_of, given_consent, take_over_once
from payorcrm.portal.settled import nothing_left_in_portal
from payorcrm.portal.visitor import acceptance_of
from payorcrm.ui.paging import page_of

MOST_SHOWN = 10
MOST_WARNED = 3
# Beyond this many a person does not type amounts, and the page would grow heavy.
MOST_PARTS = 50


class TooManyForParts(Refused):
    """Amounts were sent for a selection that is too long to write them one by one."""

    code = "too_many_for_parts"
    status: ClassVar[int] = 422
    message = _("Nothing was charged: parts can be paid of up to 50 invoices at a time. Please select fewer invoices.")


@require_http_methods(["GET", "HEAD", "POST"])
@for_customers
def checkout(request: HttpRequest, visit: Visit, request_id: UUID) -> HttpResponse:
    """Show what is paid, how, and one button; or the payment that has paid it. POST pays with the way of the page."""
    asked = request_of_customer(visit, request_id)
    if request.method != "POST":
        return _page(request, asked)
    way = _chosen_way(request, asked)
    if way is None:
        messages.warning(request, str(MethodNotUsable()))
        return redirect("portal:checkout", asked.id)
    if way.method is None:
        return _pay_new(request, visit, asked, way)
    form = _form_for(way.method)(asked, request.POST)
    if not form.is_valid():
        return _page(request, asked, form)
    return _pay(request, visit, form.checkout_made(), way.method)


def _pay_new(request: HttpRequest, visit: Visit, asked: PaymentRequest, way: Way) -> HttpResponse:
    form = CheckoutForm(asked, request.POST)
    method = take_over_once(request, asked, KINDS[way.choice], form)
    if method is None:
        return _page(request, asked, form)
    if isinstance(method, Payment):
        return redirect("portal:payment_result", method.id)
    if method.verification not in PAYABLE_WHEN:
        return redirect("portal:checkout_verify", asked.id, method.id)
    if not method.is_card():
        return redirect("portal:checkout_review", asked.id, method.id)
    return _pay(request, visit, form.checkout_made(), method)


def _pay(request: HttpRequest, visit: Visit, made: Checkout, method: PaymentMethod) -> HttpResponse:
    try:
        payment = pay_checkout(checkout=made, method=method, acceptance=acceptance_of(request, now()), payer=visit.user)
    except (AmountChanged, NothingLeftToPay, MethodNotUsable, TooManyDeclines) as refused:
        messages.warning(request, str(refused))
        return redirect("portal:checkout", made.request.id)
    return redirect("portal:payment_result", payment.id)


def _form_for(method: PaymentMethod) -> type[PayForm]:
    return PayForm if method.is_card() else AuthorizeForm


def _chosen_way(request: HttpRequest, asked: PaymentRequest) -> Way | None:
    """Return the way that the address names, if it can pay."""
    return next((way for way in _ways(asked) if way.choice == request.GET.get("with")), None)


def _ways(asked: PaymentRequest) -> list[Way]:
    return ways_in_portal(asked, today=day_in(asked.merchant.time_zone, now()))


def _page(
    request: HttpRequest, asked: PaymentRequest, form: PayForm | None = None, parts: PartsForm | None = None
) -> HttpResponse:
    standing = standing_payment_of(asked)
    if standing:
        return redirect("portal:payment_result", standing.id)
    due = due_of(asked)
    if not due.total:
        return nothing_left_in_portal(request, asked)
    ways = _ways(asked)
    chosen = next((way for way in ways if way.choice == request.GET.get("with")), ways[0])
    closed = ways_not_open(asked, ways, today=day_in(asked.merchant.time_zone, now()))
    shown = _what_is_paid(asked, due) | _how_it_is_paid(request, asked, due, chosen, form)
    shown |= {
        "ways": ways + closed,
        "chosen": chosen,
        "parts": parts or _parts_form(asked, due),
        "has_parts": bool(parts),
    }
    return render(request, "portal/checkout_page.html", shown, status=422 if form or parts else 200)


def _what_is_paid(asked: PaymentRequest, due: Due) -> dict[str, Any]:
    lines = first_payable_lines_of(asked, MOST_SHOWN)
    under_way = [line for line in lines if line.invoice.is_processing()][:MOST_WARNED]
    return {
        "section": "invoices",
        "asked": asked,
        "merchant": asked.merchant,
        "customer": asked.customer,
        "due": due,
        "total": due.total,
        "lines": lines,
        "under_way": under_way,
        "more_under_way": due.under_way_count - len(under_way),
        "more_count": max(0, due.count - MOST_SHOWN),
    }


def _how_it_is_paid(
    request: HttpRequest, asked: PaymentRequest, due: Due, chosen: Way, form: PayForm | None
) -> dict[str, Any]:
    if request.visit.is_viewing:  # type: ignore[attr-defined]  # staff pay nothing, so the processor need not know
        return {}
    shown: dict[str, Any] = {"form": form, "checkout": new_checkout(asked, due.total, now())}
    if chosen.method is None:
        entered = form if isinstance(form, CheckoutForm) else None
        return shown | fields_of(request, asked, chosen.choice, entered, path=chosen.url)
    if chosen.method.is_card():
        return shown
    return shown | {"authorization": text_for_request(asked, chosen.method, due.total, now())}


def _parts_form(asked: PaymentRequest, due: Due) -> PartsForm | None:
    if not asked.merchant.allows_part_payments or due.count > MOST_PARTS:
        return None
    return PartsForm(first_payable_lines_of(asked, MOST_PARTS))


@require_POST
@for_customers
def part(request: HttpRequest, visit: Visit, request_id: UUID) -> HttpResponse:
    """Choose to pay part of the invoices: the page of a request with those amounts follows. Raises TooManyForParts."""
    asked = request_of_customer(visit, request_id)
    if due_of(asked).count > MOST_PARTS:
        raise TooManyForParts
    form = PartsForm(first_payable_lines_of(asked, MOST_PARTS), request.POST)
    if not form.is_valid():
        return _page(request, asked, parts=form)
    try:
        made = request_from_portal(customer=visit.customer, user=visit.user, amounts=form.amounts(), now=now())
    except NothingLeftToPay:
        return redirect("portal:checkout", asked.id)
    return redirect("portal:checkout", made.id)


@require_http_methods(["GET", "HEAD", "POST"])
@for_customers
def review(request: HttpRequest, visit: Visit, request_id: UUID, method_id: UUID) -> HttpResponse:
    """Show the authorization of a debit from an account that was entered just now; POST accepts it and pays."""
    asked = request_of_customer(visit, request_id)
    standing = standing_payment_of(asked)
    if standing:
        return redirect("portal:payment_result", standing.id)
    method = entered_account_of(visit, method_id, now())
    form = ReviewForm(asked, request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        return _review_page(request, asked, method, form)
    agree_to_keep(method, given_consent(request, asked, method.kind) if form.cleaned_data["save"] else None)
    return _pay(request, visit, form.checkout_made(), method)


def _review_page(request: HttpRequest, asked: PaymentRequest, method: PaymentMethod, form: ReviewForm) -> HttpResponse:
    due = due_of(asked)
    if not due.total:
        return nothing_left_in_portal(request, asked)
    shown = _what_is_paid(asked, due) | {
        "method": method,
        "form": form,
        "checkout": new_checkout(asked, due.total, now()),
        "authorization": text_for_request(asked, method, due.total, now()),
        "consent": consent_text(method.kind, asked.merchant.name),
    }
    return render(request, "portal/checkout_review.html", shown, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@for_customers
def verify(request: HttpRequest, visit: Visit, request_id: UUID, method_id: UUID) -> HttpResponse:
    """Say that an account must be verified before it can pay; POST saves it, which its owner has to agree to."""
    asked = request_of_customer(visit, request_id)
    method = account_to_verify(visit, method_id)
    if request.method == "POST":
        return _save_unverified(request, asked, method)
    shown = {
        "section": "invoices",
        "asked": asked,
        "merchant": asked.merchant,
        "method": method,
        "consent": consent_text(method.kind, asked.merchant.name),
        "other_ways": _ways(asked),
    }
    return render(request, "portal/checkout_verify.html", shown)


def _save_unverified(request: HttpRequest, asked: PaymentRequest, method: PaymentMethod) -> HttpResponse:
    if not method.saved_at:
        try:
            method = save_entered(method, consent=given_consent(request, asked, method.kind), now=now()).method
        except TriesUsedUp as refused:
            messages.warning(request, str(refused))
            return redirect("portal:checkout", asked.id)
    if method.verification in PAYABLE_WHEN:  # the same account was entered before, and has been verified since
        return redirect(f"/portal/pay/{asked.id}/?with={method.id}")
    return redirect("portal:checkout_verify", asked.id, method.id)


@require_safe
@for_customers
def invoices(request: HttpRequest, visit: Visit, request_id: UUID) -> HttpResponse:
    """List everything that a long selection pays."""
    asked = request_of_customer(visit, request_id)
    page = page_of(payable_invoices_of(asked), by=("due_on", "number"), query=request.GET)
    shown = {"section": "invoices", "asked": asked, "page": page, "due": due_of(asked)}
    shown["lines"] = payable_lines_for(asked, page.rows)
    return render(request, "portal/checkout_invoices.html", shown)
