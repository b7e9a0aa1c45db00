"""Actions on many rows of a list: each says on a page of its own what will happen to how many, then does it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from payorcrm.backoffice.access import for_collectors
from payorcrm.backoffice.audit import note_changes
from payorcrm.backoffice.chosen import Chosen, customers_in, invoices_in
from payorcrm.backoffice.invoice_forms import VoidForm
from payorcrm.backoffice.rule_forms import HoldForm
from payorcrm.core import clock
from payorcrm.core.errors import Refused
from payorcrm.core.money import Money
from payorcrm.invoices.models import Invoice
from payorcrm.invoices.void_many import plan_void, void_many
from payorcrm.merchants.models import Staff
from payorcrm.reminders.end_holds import end_holds, holds_on_customers, holds_on_invoices
from payorcrm.reminders.hold import put_several_on_hold
from payorcrm.reminders.models import Hold, HoldReason
from payorcrm.reminders.write_down import changes_of_ended, changes_of_held
from payorcrm.staff.record_change import Change

GROUPED = "{:,}".format


@dataclass(frozen=True, slots=True)
class Plan:
    """What a page says before an action: what will happen, to how many, who is left out and why."""

    heading: str
    lead: str
    button: str
    count: int  # 0: nothing would happen, so nothing is offered
    stats: list[tuple[str, str | list[Money]]]
    left_out: list[tuple[str, int, list[str]]] = field(default_factory=list)
    is_danger: bool = False


Planned = Callable[[Staff, Chosen], Plan]
# Says what was done, and returns for the audit log what became of each row.
Done = Callable[[Staff, Chosen, dict[str, Any]], tuple[str, list[Change]]]


def _ask_or_do(
    request: HttpRequest,
    staff: Staff,
    chosen: Chosen,
    *,
    plan: Planned,
    act: Done,
    form_class: type[forms.Form] = forms.Form,
    noun: str = "invoice",
) -> HttpResponse:
    """Show the plan; a POST about the same rows, with a valid form, acts and says what was done."""
    back = redirect(f"backoffice:{noun}s", merchant_slug=staff.merchant.slug)
    if not chosen.ids:
        messages.warning(request, f"Choose at least one {noun} first.")
        return back
    form = form_class(request.POST if request.method == "POST" else None)
    has_changed = request.method == "POST" and chosen.has_changed(request.POST)
    if form.is_valid() and not has_changed and _is_done(request, form, partial(act, staff, chosen)):
        return back
    context = {
        "section": f"{noun}s",
        "chosen": chosen,
        "plan": plan(staff, chosen),
        "form": form,
        "has_changed": has_changed,
        "back": f"backoffice:{noun}s",
    }
    return render(request, "backoffice/bulk_confirm.html", context, status=422 if form.errors else 200)


def _is_done(request: HttpRequest, form: forms.Form, act: Callable[[dict[str, Any]], tuple[str, list[Change]]]) -> bool:
    """Say whether an action was done; if not, the form says why."""
    try:
        says, changes = act(form.cleaned_data)
    except Refused as refusal:
        form.add_error(None, str(refusal))
        return False
    note_changes(request, changes)
    messages.success(request, says)
    return True


def _asked(request: HttpRequest) -> Any:
    return request.POST if request.method == "POST" else request.GET


def _some(count: int, noun: str) -> str:
    return f"1 {noun}" if count == 1 else f"{GROUPED(count)} {noun}s"


@require_http_methods(["GET", "HEAD", "POST"])
@for_collectors
def void_invoices(request: HttpRequest, staff: Staff) -> HttpResponse:
    """Void the chosen invoices of which nothing was paid."""
    chosen = invoices_in(staff, _asked(request))
    return _ask_or_do(request, staff, chosen, plan=_void_plan, act=_void, form_class=VoidForm)


def _void_plan(staff: Staff, chosen: Chosen) -> Plan:
    planned = plan_void(merchant=staff.merchant, invoice_ids=chosen.ids)
    return Plan(
        heading=f"Void {_some(planned.count, 'invoice')}?",
        lead="Their customers will not owe these amounts any more. This cannot be taken back, and no mail goes out.",
        button=f"Void {_some(planned.count, 'invoice')}",
        count=planned.count,
        stats=[("Become void", GROUPED(planned.count)), ("Not owed any more", planned.totals)],
        left_out=[(str(each.reason.label), each.count, each.numbers) for each in planned.left_out],
        is_danger=True,
    )


def _void(staff: Staff, chosen: Chosen, given: dict[str, Any]) -> tuple[str, list[Change]]:
    voided = void_many(
        merchant=staff.merchant, invoice_ids=chosen.ids, note=given["note"], voided_by=staff.user, now=clock.now()
    )
    if not voided:
        return "Nothing was changed: they were void already.", []
    changes = [(f"Invoice {number}, owed", str(owed), str(Money.zero(owed.currency))) for number, owed in voided]
    return f"{_some(len(voided), 'invoice')} became void.", changes


@require_http_methods(["GET", "HEAD", "POST"])
@for_collectors
def hold_invoices(request: HttpRequest, staff: Staff) -> HttpResponse:
    """Stop reminders about the chosen invoices that are open."""
    chosen = invoices_in(staff, _asked(request))
    return _ask_or_do(request, staff, chosen, plan=_hold_invoices_plan, act=_hold_invoices, form_class=HoldForm)


def _open_of(staff: Staff, chosen: Chosen) -> list[Any]:
    return list(Invoice.objects.open().filter(merchant=staff.merchant, id__in=chosen.ids).values_list("id", flat=True))


def _hold_invoices_plan(staff: Staff, chosen: Chosen) -> Plan:
    count = len(_open_of(staff, chosen))
    closed = len(chosen.ids) - count
    return Plan(
        heading=f"Put {_some(count, 'invoice')} on hold?",
        lead="No reminder about them goes out, not even one that is on its way. They can still be paid.",
        button=f"Put {_some(count, 'invoice')} on hold",
        count=count,
        stats=[("On hold", GROUPED(count))],
        left_out=[("Paid, void or written off", closed, [])] if closed else [],
    )


def _hold_invoices(staff: Staff, chosen: Chosen, given: dict[str, Any]) -> tuple[str, list[Change]]:
    return _hold(staff, given, invoice_ids=_open_of(staff, chosen), noun="invoice")


def _hold(staff: Staff, given: dict[str, Any], *, noun: str, **ids: list[Any]) -> tuple[str, list[Change]]:
    held = put_several_on_hold(
        merchant=staff.merchant,
        reason=HoldReason(given["reason"]),
        until=given["until"],
        note=given["note"],
        held_by=staff.user,
        now=clock.now(),
        **ids,
    )
    return f"{_some(len(held), noun)} on hold: no reminder goes out.", changes_of_held(held)


@require_http_methods(["GET", "HEAD", "POST"])
@for_collectors
def end_holds_on_invoices(request: HttpRequest, staff: Staff) -> HttpResponse:
    """End the holds on the chosen invoices."""
    return _ask_or_do(request, staff, invoices_in(staff, _asked(request)), **_ending(_OF_INVOICES))


@require_http_methods(["GET", "HEAD", "POST"])
@for_collectors
def hold_customers(request: HttpRequest, staff: Staff) -> HttpResponse:
    """Stop all reminders to the chosen customers."""
    chosen = customers_in(staff, _asked(request))
    return _ask_or_do(
        request, staff, chosen, plan=_hold_customers_plan, act=_hold_customers, form_class=HoldForm, noun="customer"
    )


def _hold_customers_plan(staff: Staff, chosen: Chosen) -> Plan:
    count = len(chosen.ids)
    return Plan(
        heading=f"Put {_some(count, 'customer')} on hold?",
        lead="They get no reminder of any invoice, not even one that is on its way. They can still pay.",
        button=f"Put {_some(count, 'customer')} on hold",
        count=count,
        stats=[("On hold", GROUPED(count))],
    )


def _hold_customers(staff: Staff, chosen: Chosen, given: dict[str, Any]) -> tuple[str, list[Change]]:
    return _hold(staff, given, customer_ids=chosen.ids, noun="customer")


@require_http_methods(["GET", "HEAD", "POST"])
@for_collectors
def end_holds_on_customers(request: HttpRequest, staff: Staff) -> HttpResponse:
    """End the holds on the chosen customers as a whole."""
    chosen = customers_in(staff, _asked(request))
    return _ask_or_do(request, staff, chosen, **_ending(_OF_CUSTOMERS))


@dataclass(frozen=True, slots=True)
class _Ending:
    """What differs between ending holds on invoices and on customers."""

    noun: str
    holds: Callable[..., QuerySet[Hold]]
    lead: str
    left_out: str


_OF_INVOICES = _Ending(
    "invoice",
    holds_on_invoices,
    "Reminders about them go on as your rules say. A hold on a whole customer stays.",
    "Without a hold of their own",
)
_OF_CUSTOMERS = _Ending(
    "customer",
    holds_on_customers,
    "Reminders to them go on as your rules say. Holds on single invoices stay.",
    "Not on hold",
)


def _ending(of: _Ending) -> dict[str, Any]:
    return {"plan": partial(_end_plan, of), "act": partial(_end, of), "noun": of.noun}


def _holds(of: _Ending, staff: Staff, chosen: Chosen) -> QuerySet[Hold]:
    return of.holds(staff.merchant, chosen.ids, today=clock.day_in(staff.merchant.time_zone, clock.now()))


def _end_plan(of: _Ending, staff: Staff, chosen: Chosen) -> Plan:
    holds = _holds(of, staff, chosen)
    held, held_count = holds.values(of.noun).distinct().count(), holds.count()
    without = len(chosen.ids) - held
    return Plan(
        heading=f"End the holds on {_some(held, of.noun)}?",
        lead=of.lead,
        button=f"End {_some(held_count, 'hold')}",
        count=held_count,
        stats=[(f"{of.noun.capitalize()}s", GROUPED(held)), ("Holds that end", GROUPED(held_count))],
        left_out=[(of.left_out, without, [])] if without else [],
    )


def _end(of: _Ending, staff: Staff, chosen: Chosen, given: dict[str, Any]) -> tuple[str, list[Change]]:
    ended = end_holds(_holds(of, staff, chosen), ended_by=staff.user, now=clock.now())
    return f"{_some(len(ended), 'hold')} ended; reminders go on.", changes_of_ended(ended)
