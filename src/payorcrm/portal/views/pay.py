"""The pages behind the payment buttons of a mail. GET shows, POST acts."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from payorcrm.core.clock import day_in, now
from payorcrm.core.money import add_up
from payorcrm.customers.queries import NoAddressOnFile, contact_on_file, masked_address
from payorcrm.payment_methods.models import PAYABLE_WHEN, PaymentMethod
from payorcrm.payment_methods.save import agree_to_keep, consent_text
from payorcrm.payments.authorize import text_for_request
from payorcrm.payments.buttons import new_method_choices, ways_to_pay
from payorcrm.payments.checkout import Checkout, pay_checkout
from payorcrm.payments.confirm import open_confirmation_of, request_confirmation
from payorcrm.payments.fresh_link import mail_fresh_link
from payorcrm.payments.links import BANK, LinkExpired, payment_page_token
from payorcrm.payments.models import Payment
from payorcrm.payments.queries import invoices_of, payable_lines_of
from payorcrm.payments.reserve import AmountChanged, MethodNotUsable, NothingLeftToPay
from payorcrm.portal import access
from payorcrm.portal.asked import remember_asking
from payorcrm.portal.forms import CheckoutForm, ReviewForm, new_checkout
from payorcrm.portal.new_method import KINDS, fields_of, given_consent, take_over_once
from payorcrm.portal.settled import nothing_left
from payorcrm.portal.visitor import acceptance_of, private_page


@private_page
def pay(request: HttpRequest, token: str) -> HttpResponse:
    """Show what a button of a mail pays; POST asks for the confirmation, or pays with a new method."""
    try:
        page = access.pay_page(request, token, now())
    except LinkExpired:
        return expired(request, token)
    if page.link.choice == BANK and BANK not in new_method_choices(page.request.currency):
        return render(request, "portal/pay_method_gone.html", _shown(page) | {"is_new": True})
    if page.link.method_id():
        return _ask(request, page) if request.method == "POST" else _saved_page(request, page)
    return _pay_new(request, page) if request.method == "POST" else _new_page(request, page)


def _saved_page(request: HttpRequest, page: access.PayPage) -> HttpResponse:
    method = access.saved_method(page)
    shown = _shown(page)
    if not shown["payable"]:
        return nothing_left(request, page.request)
    if method is None or method.has_expired(today=day_in(page.request.merchant.time_zone, now())):
        return render(request, "portal/pay_method_gone.html", shown | {"gone": method})
    return render(request, "portal/pay_saved.html", shown | {"method": method})


def _ask(request: HttpRequest, page: access.PayPage) -> HttpResponse:
    method = access.saved_method(page)
    if method is None:
        return redirect("portal:pay", page.token)
    moment = now()
    try:
        asked = request_confirmation(request=page.request, method=method, now=moment)
    except NothingLeftToPay:
        return redirect("portal:pay", page.token)
    except NoAddressOnFile:
        return render(request, "portal/pay_no_address.html", _shown(page), status=409)
    response = redirect("portal:sent", page.token)
    # Pressing again in another browser sends the mail again, but only the one that asked first may leave the code out.
    if asked.is_new:
        remember_asking(response, asked.confirmation, moment)
    return response


@private_page
@require_safe
def sent(request: HttpRequest, token: str) -> HttpResponse:
    """Say where the confirmation went."""
    try:
        page = access.pay_page(request, token, now())
    except LinkExpired:
        return expired(request, token)
    method = access.saved_method(page)
    shown = _shown(page)
    if not shown["payable"] or method is None or open_confirmation_of(page.request, method) is None:
        return redirect("portal:pay", token)
    address = masked_address(contact_on_file(page.request.customer_id).email)
    return render(request, "portal/pay_sent.html", shown | {"method": method, "address": address})


def _new_page(request: HttpRequest, page: access.PayPage, form: CheckoutForm | None = None) -> HttpResponse:
    shown = _shown(page)
    if not shown["payable"]:
        return nothing_left(request, page.request)
    shown |= fields_of(request, page.request, page.link.choice, form, path=request.path)
    shown["checkout"] = new_checkout(page.request, shown["total"], now())
    return render(request, "portal/pay_new.html", shown, status=422 if form else 200)


def _pay_new(request: HttpRequest, page: access.PayPage) -> HttpResponse:
    form = CheckoutForm(page.request, request.POST)
    method = take_over_once(request, page.request, KINDS[page.link.choice], form)
    if method is None:
        return _new_page(request, page, form)
    if isinstance(method, Payment):
        return _to_result(method)
    if method.verification not in PAYABLE_WHEN:
        return render(request, "portal/pay_method_gone.html", _shown(page) | {"must_verify": True})
    if not method.is_card():
        return redirect("portal:review", page.token, method.id)
    return _pay(request, page, form.checkout_made(), method)


@private_page
def review(request: HttpRequest, token: str, method_id: UUID) -> HttpResponse:
    """Show the authorization of a debit from a new bank account; POST accepts it and pays."""
    try:
        page = access.pay_page(request, token, now())
    except LinkExpired:
        return expired(request, token)
    method = access.entered_method(page, method_id, now())
    form = ReviewForm(page.request, request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        return _review_page(request, page, method, form)
    checkout = form.cleaned_data["checkout"]
    agree_to_keep(method, given_consent(request, page.request, method.kind) if form.cleaned_data["save"] else None)
    return _pay(request, page, checkout, method)


def _review_page(request: HttpRequest, page: access.PayPage, method: PaymentMethod, form: ReviewForm) -> HttpResponse:
    shown = _shown(page)
    if not shown["payable"]:
        return nothing_left(request, page.request)
    shown |= {
        "method": method,
        "form": form,
        "checkout": new_checkout(page.request, shown["total"], now()),
        "authorization": text_for_request(page.request, method, shown["total"], now()),
        "consent": consent_text(method.kind, page.request.merchant.name),
    }
    return render(request, "portal/pay_review.html", shown, status=422 if form.is_bound else 200)


def _pay(request: HttpRequest, page: access.PayPage, checkout: Checkout, method: PaymentMethod) -> HttpResponse:
    try:
        payment = pay_checkout(checkout=checkout, method=method, acceptance=acceptance_of(request, now()))
    except (AmountChanged, NothingLeftToPay, MethodNotUsable) as error:
        messages.warning(request, str(error))
        return redirect("portal:pay", page.token)
    return _to_result(payment)


@private_page
@require_POST
def fresh(request: HttpRequest, token: str) -> HttpResponse:
    """Mail a fresh link for an expired one to the address on file."""
    page = access.expired_pay_page(request, token)
    address = mail_fresh_link(request=page.request, now=now())
    return render(request, "portal/link_fresh_sent.html", {"address": masked_address(address)})


def expired(request: HttpRequest, token: str) -> HttpResponse:
    """Say that a payment link is too old, and offer a fresh one."""
    page = access.expired_pay_page(request, token)
    return render(request, "portal/link_expired.html", {"page": page}, status=410)


def _shown(page: access.PayPage) -> dict[str, Any]:
    payable = payable_lines_of(page.request)
    chosen = {line.invoice.id for line in payable}
    today = day_in(page.request.merchant.time_zone, now())
    return {
        "page": page,
        "merchant": page.request.merchant,
        "customer": page.request.customer,
        "payable": [(line.invoice, line.amount, line.invoice.days_overdue(today=today)) for line in payable],
        "settled": [invoice for invoice in invoices_of(page.request) if invoice.id not in chosen],
        "total": add_up([line.amount for line in payable], page.request.currency),
        "other_ways": ways_to_pay(page.request, today=today, made_at=page.link.made_at, without=page.link.choice),
    }


def _to_result(payment: Payment) -> HttpResponse:
    return redirect("portal:result", payment_page_token(payment.id, now()))
