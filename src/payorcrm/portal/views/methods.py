"""The customer's saved cards and bank accounts."""

from datetime import date
from uuid import UUID

from allauth.core import ratelimit
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from payorcrm.core.clock import day_in, now
from payorcrm.gateways.base import GatewayUnavailable, MethodNotAccepted
from payorcrm.merchants.queries import CannotTakePayments, account_for_new, gateway_of
from payorcrm.payment_methods.add import Added, add_method
from payorcrm.payment_methods.choose_default import CannotPay, make_default
from payorcrm.payment_methods.models import PaymentMethod, Verification
from payorcrm.payment_methods.remove import MethodInUse, is_in_use, remove_method
from payorcrm.payment_methods.rename import rename_method
from payorcrm.payment_methods.save import Consent, MethodGone, TriesUsedUp, consent_text
from payorcrm.payments.links import BANK, CARD
from payorcrm.portal.access import Visit, for_customers, known_method_of_customer
from payorcrm.portal.method_forms import AddForm, NameForm
from payorcrm.portal.method_rows import MethodRow, method_rows
from payorcrm.portal.new_method import KINDS
from payorcrm.portal.visitor import address_of
from payorcrm.ui.paging import page_of


@require_safe
@for_customers
def methods(request: HttpRequest, visit: Visit) -> HttpResponse:
    """List the saved cards and accounts of the customer that the user works for."""
    rows = method_rows(visit.customer, today=_today(visit))
    return render(request, "portal/method_list.html", {"section": "methods", "rows": rows})


@require_safe
@for_customers
def method(request: HttpRequest, visit: Visit, method_id: UUID) -> HttpResponse:
    """Show one card or account: its name to change, and the authorizations given for it."""
    found = known_method_of_customer(visit, method_id)
    if not found.is_saved():
        return to_list_without(request)
    return _method_page(request, visit, found, NameForm(initial={"name": found.name}))


def _method_page(request: HttpRequest, visit: Visit, found: PaymentMethod, form: NameForm) -> HttpResponse:
    shown = {
        "section": "methods",
        "row": MethodRow(found, _today(visit)),
        "method": found,
        "form": form,
        "page": page_of(found.mandates.all(), by=("-accepted_at", "-id"), query=request.GET, size=10),
    }
    return render(request, "portal/method_page.html", shown, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@for_customers
def add(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Save a card or bank account, entered in the processor's own fields, without paying."""
    if visit.is_viewing:  # staff must not type a card into fields that nothing comes of
        return redirect("portal:methods")
    choice = BANK if request.GET.get("with") == BANK else CARD
    form = AddForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        # Saving asks a bank about a card without charging it, which is what those with stolen ones look for.
        if not ratelimit.consume(request, action="add_method", key=str(visit.customer.id)):
            too_many = _("Nothing was saved. Too many were tried here within an hour. Please try again later.")
            form.add_error(None, too_many)
            return _add_page(request, visit, choice, form, status=429)
        consent = Consent(consent_text(KINDS[choice], visit.merchant.name), address_of(request), now())
        token = form.cleaned_data["method_token"]
        try:
            added = add_method(
                customer=visit.customer, kind=KINDS[choice], method_token=token, consent=consent, now=now()
            )
            return _after_adding(request, added)
        except (MethodNotAccepted, TriesUsedUp) as error:
            form.add_error("method_token", str(error))
        except GatewayUnavailable as error:
            # The token is good for an hour, so pressing once more is enough.
            form.add_error(None, str(error))
    return _add_page(request, visit, choice, form)


def _add_page(request: HttpRequest, visit: Visit, choice: str, form: AddForm, *, status: int = 200) -> HttpResponse:
    kind = KINDS[choice]
    try:
        line = gateway_of(account_for_new(visit.merchant.id, kind))
    except CannotTakePayments as error:
        return render(request, "portal/method_cannot_add.html", {"section": "methods", "text": str(error)}, status=409)
    fields = line.start_saving_method(
        kind,
        return_url=f"{settings.PUBLIC_URL}{reverse('portal:method_add')}?with={choice}",
        parent_origin=f"{request.scheme}://{request.get_host()}",
        language=get_language() or "",
    )
    token = form.data.get("method_token", "") if form.is_bound else request.GET.get("method_token", "")
    shown = {
        "section": "methods",
        "form": form,
        "fields": fields,
        "choice": choice,
        "is_card": choice == CARD,
        "consent": consent_text(kind, visit.merchant.name),
        "method_token": "" if form.has_error("method_token") else token[:200],
    }
    if form.errors and status == 200:
        status = 422
    return render(request, "portal/method_add.html", shown, status=status)


def _after_adding(request: HttpRequest, added: Added) -> HttpResponse:
    name = added.method.masked()
    if not added.is_new:
        messages.info(request, _("%(method)s was saved before. It is in the list once.") % {"method": name})
    elif added.method.verification == Verification.PENDING:
        messages.success(request, _("%(method)s is saved. One step is left before it can pay.") % {"method": name})
        return redirect("portal:method_verify", added.method.id)
    else:
        messages.success(request, _("%(method)s is saved. Nothing was charged.") % {"method": name})
    return redirect("portal:methods")


@require_POST
@for_customers
def rename(request: HttpRequest, visit: Visit, method_id: UUID) -> HttpResponse:
    """Give a card or account a name of the customer's own."""
    found = known_method_of_customer(visit, method_id)
    form = NameForm(request.POST)
    if not form.is_valid():
        return _method_page(request, visit, found, form)
    try:
        rename_method(method_id=found.id, name=form.cleaned_data["name"])
    except MethodGone:
        return to_list_without(request)
    messages.success(request, _("The name is saved."))
    return redirect("portal:methods")


@require_POST
@for_customers
def default(request: HttpRequest, visit: Visit, method_id: UUID) -> HttpResponse:
    """Offer a card or account before the others."""
    found = known_method_of_customer(visit, method_id)
    try:
        make_default(method_id=found.id, today=_today(visit))
    except MethodGone:
        return to_list_without(request)
    except CannotPay as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("%(method)s is offered first from now on.") % {"method": found.masked()})
    return redirect("portal:methods")


@require_http_methods(["GET", "HEAD", "POST"])
@for_customers
def remove(request: HttpRequest, visit: Visit, method_id: UUID) -> HttpResponse:
    """Ask before a card or account is removed; POST removes it."""
    found = known_method_of_customer(visit, method_id)
    if not found.is_saved():
        return to_list_without(request)
    if request.method != "POST":
        return _remove_page(request, found, is_blocked=is_in_use(found))
    try:
        remove_method(method_id=found.id, now=now())
    except MethodInUse:
        return _remove_page(request, found, is_blocked=True)
    messages.success(request, _("%(method)s is removed and will not be charged again.") % {"method": found.masked()})
    return redirect("portal:methods")


def _remove_page(request: HttpRequest, found: PaymentMethod, *, is_blocked: bool) -> HttpResponse:
    shown = {"section": "methods", "method": found, "is_blocked": is_blocked, "reason": MethodInUse.message}
    return render(request, "portal/method_remove.html", shown, status=409 if is_blocked else 200)


def to_list_without(request: HttpRequest) -> HttpResponse:
    """Lead back to the list, and say that the card or account was removed in another tab or by somebody else."""
    messages.info(request, MethodGone.message)
    return redirect("portal:methods")


def _today(visit: Visit) -> date:
    return day_in(visit.merchant.time_zone, now())
