"""Which payment processors the merchant is connected to: connecting and disconnecting, for owners."""

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from payorcrm.backoffice.access import for_owners, for_staff
from payorcrm.backoffice.audit import writing_down
from payorcrm.backoffice.settings_forms import KeysForm, NewMethodsForm
from payorcrm.backoffice.settings_sections import render_section
from payorcrm.core.errors import Refused, Unavailable
from payorcrm.gateways.base import Gateway
from payorcrm.gateways.registry import offered_gateways
from payorcrm.merchants.models import GatewayAccount, Staff
from payorcrm.payments.connect_gateway import (
    choose_for_new,
    connect_gateway,
    connect_test_account,
    disconnect_gateway,
    use_of,
    webhook_address,
)


@require_safe
@for_staff
def gateways(request: HttpRequest, staff: Staff) -> HttpResponse:
    """Show the processors that can be connected, and those that are."""
    return _page(request, staff)


@require_POST
@for_owners
def connect(request: HttpRequest, staff: Staff) -> HttpResponse:
    """Store the keys that were typed, once the processor accepts them."""
    offered = _chosen(request)
    form = KeysForm(request.POST)
    if form.is_valid():
        try:
            also = writing_down(request)
            connect_gateway(merchant=staff.merchant, name=offered.name, credentials=form.credentials(), also=also)
        except (Refused, Unavailable) as error:
            form.add_error(None, str(error))
        else:
            return _done(request, staff, f"{offered.label} is connected: customers can pay online.")
    return _page(request, staff, typed={offered.name: form})


@require_POST
@for_owners
def connect_test(request: HttpRequest, staff: Staff) -> HttpResponse:
    """Open a test account at a processor that has them, and connect it."""
    offered = _chosen(request)
    if not offered.opens_test_accounts:
        raise Http404
    try:
        connect_test_account(merchant=staff.merchant, name=offered.name, also=writing_down(request))
    except Unavailable as error:
        messages.error(request, f"{error} Nothing was changed.")
        return redirect("backoffice:settings_payments", merchant_slug=staff.merchant.slug)
    return _done(request, staff, f"{offered.label} is connected. It moves no real money.")


@require_POST
@for_owners
def disconnect(request: HttpRequest, staff: Staff) -> HttpResponse:
    """Forget the keys while nothing hangs on them. Raises NotConnected, GatewayInUse."""
    offered = _chosen(request)
    disconnect_gateway(merchant=staff.merchant, name=offered.name)
    return _done(request, staff, f"{offered.label} is disconnected: customers cannot pay through it.")


@require_POST
@for_owners
def choose(request: HttpRequest, staff: Staff) -> HttpResponse:
    """Say which processor takes the cards and bank accounts that customers enter from now on. Raises NotConnected."""
    form = NewMethodsForm(request.POST, merchant=staff.merchant)
    if not form.is_valid():
        return _page(request, staff, choice=form)
    with transaction.atomic():
        for kind, name in form.chosen():
            choose_for_new(merchant=staff.merchant, kind=kind, name=name)
    return _done(request, staff, "Saved. What customers have saved already stays where it is.")


def _chosen(request: HttpRequest) -> type[Gateway]:
    name = request.POST.get("gateway")
    found = next((each for each in offered_gateways() if each.name == name), None)
    if found is None:
        raise Http404
    return found


def _done(request: HttpRequest, staff: Staff, words: str) -> HttpResponse:
    messages.success(request, words)
    return redirect("backoffice:settings_payments", merchant_slug=staff.merchant.slug)


def _page(
    request: HttpRequest,
    staff: Staff,
    typed: dict[str, KeysForm] | None = None,
    choice: NewMethodsForm | None = None,
) -> HttpResponse:
    accounts = {each.gateway: each for each in GatewayAccount.objects.filter(merchant=staff.merchant).order_by("id")}
    rows = [_row(staff, each, accounts, typed or {}) for each in offered_gateways()]
    choice = choice or NewMethodsForm(None, merchant=staff.merchant)
    context = {"rows": rows, "choice": choice}
    return render_section(request, "settings_payments", "backoffice/settings_payments.html", context)


def _row(
    staff: Staff, offered: type[Gateway], accounts: dict[str, GatewayAccount], typed: dict[str, KeysForm]
) -> dict[str, Any]:
    name, account = offered.name, accounts.get(offered.name)
    return {
        # A template would call the class itself.
        "gateway": {part: getattr(offered, part) for part in ("name", "label", "is_rehearsal", "opens_test_accounts")},
        "account": account,
        "takes": " and ".join(sorted(kind.value.replace("_", " ") + "s" for kind in offered.kinds)),
        "use": use_of(staff.merchant, name) if account else None,
        "webhook": webhook_address(staff.merchant, name),
        "form": typed.get(name) or KeysForm(auto_id=f"{name}_%s"),
        "is_typed": name in typed,
    }
