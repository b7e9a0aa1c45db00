"""The page behind the link of a confirmation mail. GET shows, POST pays."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from payorcrm.core.clock import day_in, now
from payorcrm.core.money import Money, add_up
from payorcrm.payments.authorize import text_for_confirmation
from payorcrm.payments.buttons import ways_to_pay
from payorcrm.payments.confirm import (
    CODE_TRIES,
    ConfirmationExpired,
    MethodGone,
    WrongCode,
    check_code,
    confirmed_lines,
    pay_confirmation,
    payment_of,
)
from payorcrm.payments.links import payment_page_token, payment_token
from payorcrm.payments.models import Confirmation, Payment
from payorcrm.payments.reserve import AmountChanged, NothingLeftToPay
from payorcrm.portal import access
from payorcrm.portal.asked import has_asked
from payorcrm.portal.forms import ConfirmForm
from payorcrm.portal.settled import nothing_left
from payorcrm.portal.visitor import acceptance_of, private_page


@private_page
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """Show a confirmation, or what became of it; POST pays it once."""
    try:
        confirmation = access.confirmation(request, token, now())
    except ConfirmationExpired as error:
        return _expired(request, error.confirmation)
    payment = payment_of(confirmation)
    if payment:
        return _to_result(payment)
    if request.method == "POST":
        return _pay(request, confirmation, token)
    return _page(request, confirmation, ConfirmForm())


def _pay(request: HttpRequest, confirmation: Confirmation, token: str) -> HttpResponse:
    form = ConfirmForm(request.POST)
    if not form.is_valid():
        return _page(request, confirmation, form)
    try:
        if not has_asked(request, confirmation):
            check_code(confirmation=confirmation, code=form.cleaned_data["code"])
        agreed = Money(form.cleaned_data["agreed"], confirmation.currency)
        payment = pay_confirmation(confirmation=confirmation, agreed=agreed, acceptance=acceptance_of(request, now()))
    except WrongCode as error:
        form.add_error("code", str(error))
        return _page(request, confirmation, form)
    except (AmountChanged, NothingLeftToPay, MethodGone) as error:
        messages.warning(request, str(error))
        return redirect("portal:confirm", token)
    return _to_result(payment)


def _to_result(payment: Payment) -> HttpResponse:
    return redirect("portal:result", payment_page_token(payment.id, now()))


def _page(request: HttpRequest, confirmation: Confirmation, form: ConfirmForm) -> HttpResponse:
    lines = confirmed_lines(confirmation)
    left = add_up([still for _, still in lines], confirmation.currency)
    if not left:
        return _settled(request, confirmation)
    if not confirmation.method.is_saved():
        return _method_gone(request, confirmation, left)
    is_asker = has_asked(request, confirmation)
    shown = {
        "confirmation": confirmation,
        "merchant": confirmation.merchant,
        "lines": lines,
        "frozen": confirmation.amount_money(),
        "left": left,
        "has_changed": left != confirmation.amount_money(),
        "is_asker": is_asker,
        "pays_by_itself": is_asker and left == confirmation.amount_money() and not form.is_bound,
        "tries_left": max(0, CODE_TRIES - confirmation.code_attempt_count),
        "authorization": "" if confirmation.method.is_card() else text_for_confirmation(confirmation, left, now()),
        "again_token": _again_token(confirmation),
        "form": form,
    }
    return render(request, "portal/confirm.html", shown, status=422 if form.is_bound else 200)


def _settled(request: HttpRequest, confirmation: Confirmation) -> HttpResponse:
    """Lead to what this very confirmation paid since it was read, from another tab perhaps; or say what was paid."""
    confirmation.refresh_from_db(fields=["closed_at"])
    if payment := payment_of(confirmation):
        return _to_result(payment)
    return nothing_left(request, confirmation.request)


def _method_gone(request: HttpRequest, confirmation: Confirmation, left: Money) -> HttpResponse:
    today = day_in(confirmation.merchant.time_zone, now())
    ways = ways_to_pay(confirmation.request, today=today, made_at=confirmation.request.created_at)
    shown = {"merchant": confirmation.merchant, "total": left, "other_ways": ways}
    return render(request, "portal/pay_method_gone.html", shown, status=410)


def _again_token(confirmation: Confirmation) -> str:
    # As old as the mail: a confirmation that is kept for years must not become a payment link that works for ever.
    return payment_token(confirmation.request_id, str(confirmation.method_id), confirmation.request.created_at)


def _expired(request: HttpRequest, confirmation: Confirmation) -> HttpResponse:
    access.answer_mail(request, confirmation.customer, confirmation.merchant)
    shown = {
        "confirmation": confirmation,
        "again_token": _again_token(confirmation),
    }
    return render(request, "portal/confirm_expired.html", shown, status=410)
