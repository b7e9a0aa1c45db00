"""Giving a payment back, and calling off one that has not cleared."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from payorcrm.backoffice.access import for_collectors, payment_of
from payorcrm.backoffice.audit import writing_down
from payorcrm.backoffice.payment_forms import ReasonForm, RefundForm
from payorcrm.core import clock
from payorcrm.core.errors import Refused
from payorcrm.merchants.models import Staff
from payorcrm.payments.cancel import CannotCancel, can_cancel, cancel
from payorcrm.payments.models import Payment, RefundState
from payorcrm.payments.queries import allocations_of
from payorcrm.payments.refund import RefundOrder, refund, refunded_before, why_not_refundable


@require_http_methods(["GET", "HEAD", "POST"])
@for_collectors
def refund_payment(request: HttpRequest, staff: Staff, payment_id: UUID) -> HttpResponse:
    """Ask how much to give back and why; a POST gives it back, once however often it is pressed."""
    payment = payment_of(staff, payment_id)
    if request.method == "POST" and refunded_before(payment, request.POST.get("key", "")):
        messages.warning(request, "The button was pressed twice. There is one refund, and it is listed below.")
        return redirect("backoffice:payment", merchant_slug=staff.merchant.slug, payment_id=payment.id)
    allocations = allocations_of(payment.id)
    sent_in = request.POST if request.method == "POST" else None
    form = RefundForm(sent_in, payment=payment, allocations=allocations)
    if form.is_valid() and _is_refunded(request, staff, payment, form):
        return redirect("backoffice:payment", merchant_slug=staff.merchant.slug, payment_id=payment.id)
    payment.refresh_from_db(fields=["state", "refunded", "refunding"])
    context = {
        "section": "payments",
        "payment": payment,
        "form": form,
        "allocations": allocations,
        "why_not": why_not_refundable(payment),
        "can_cancel": can_cancel(payment),
    }
    return render(request, "backoffice/payment_refund.html", context)


def _is_refunded(request: HttpRequest, staff: Staff, payment: Payment, form: RefundForm) -> bool:
    """Say whether there is a refund now; if not, the form says why."""
    try:
        made = refund(payment=payment, order=_order(form, staff), also=writing_down(request), now=clock.now())
    except Refused as refusal:
        form.add_error(None, str(refusal))
        return False
    _say(request, RefundState(made.state), f"{made.amount_money()}")
    return True


def _order(form: RefundForm, staff: Staff) -> RefundOrder:
    return RefundOrder(
        key=form.cleaned_data["key"],
        amount=form.cleaned_data["amount"],
        seen=form.cleaned_data["seen"],
        reason=form.cleaned_data["reason"],
        is_owed_again=form.is_owed_again(),
        invoice_id=form.invoice_id(),
        made_by_id=staff.user_id,
    )


def _say(request: HttpRequest, state: RefundState, amount: str) -> None:
    if state == RefundState.SUCCEEDED:
        messages.success(request, f"{amount} is given back, and the customer gets a mail about it.")
    elif state == RefundState.PENDING:
        messages.success(request, f"{amount} is on its way back. It counts as given back once it has arrived.")
    elif state == RefundState.SUBMITTING:
        messages.info(request, f"No answer yet about the refund of {amount}. We ask until we know, and give back once.")
    else:
        messages.warning(request, f"Nothing was given back: the refund of {amount} was not made. See why below.")


@require_http_methods(["GET", "HEAD", "POST"])
@for_collectors
def cancel_payment(request: HttpRequest, staff: Staff, payment_id: UUID) -> HttpResponse:
    """Ask why a payment that has not cleared is called off; a POST asks the processor to."""
    payment = payment_of(staff, payment_id)
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        _cancel(request, staff, payment, form.cleaned_data["reason"])
        return redirect("backoffice:payment", merchant_slug=staff.merchant.slug, payment_id=payment.id)
    why_not = "" if can_cancel(payment) else CannotCancel.message
    context = {"section": "payments", "payment": payment, "form": form, "why_not": why_not}
    return render(request, "backoffice/payment_cancel.html", context)


def _cancel(request: HttpRequest, staff: Staff, payment: Payment, reason: str) -> None:
    try:
        cancel(payment=payment, reason=reason, by=staff.user, also=writing_down(request), now=clock.now())
    except Refused as refusal:
        messages.warning(request, str(refusal))
    else:
        messages.success(
            request, "Canceled: nothing is taken, the invoices are owed as before, and the customer is told."
        )
