"""What the active rules would send in the coming days, day by day and customer by customer."""

from collections.abc import Iterator

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseClientRedirect

from payorcrm.backoffice.access import for_staff, kept_rehearsal_of
from payorcrm.backoffice.rule_forms import RehearsedMailFilter
from payorcrm.core import clock
from payorcrm.merchants.models import Staff
from payorcrm.reminders.foresee import DAYS
from payorcrm.reminders.keep_rehearsal import (
    first_mails,
    has_changed_since,
    is_late,
    name_invoices,
    rehearsal_of,
    see_to,
)
from payorcrm.reminders.queries import timetable_of
from payorcrm.reminders.rehearsal_models import KeptRehearsal, RehearsedDay, RehearsedMail
from payorcrm.reminders.sending_days import schedule_of
from payorcrm.ui.exports import table_response
from payorcrm.ui.paging import page_of

_MAILS_SHOWN = 10
_MAILS_OF_A_PAGE = 100
_LINES_AT_ONCE = 500
_EVERY_NUMBER = 1_000_000
EXPORT_HEAD = ["Day", "Customer", "Invoices", "Amount", "Currency", "Rule", "Template", "Waits for you"]


@require_safe
@for_staff
def rehearsal(request: HttpRequest, staff: Staff) -> HttpResponse:
    """Show the coming days with their first mails, or one of them with all of its mails.

    What an address names stays what it is, also when something changes while it is worked out.
    """
    named = kept_rehearsal_of(staff, request.GET.get("of", ""))
    if request.GET.get("of") and not named:
        messages.info(request, "That rehearsal is not kept any more. These are the next days as they look now.")
        return redirect("backoffice:rehearsal", merchant_slug=staff.merchant.slug)
    kept = see_to(named, now=clock.now()) if named else rehearsal_of(staff.merchant, now=clock.now())
    if kept.worked_out_at is None:
        return _being_worked_out(request, kept)
    if named and (day := kept.days.filter(day__in=RehearsedMailFilter(request.GET).days()).first()):
        return _day(request, staff, kept, day)
    if request.htmx:  # type: ignore[attr-defined]
        return HttpResponseClientRedirect(_address_of(kept, staff))
    return _overview(request, staff, kept, is_old=bool(named) and has_changed_since(kept, now=clock.now()))


def _address_of(kept: KeptRehearsal, staff: Staff) -> str:
    return f"{reverse('backoffice:rehearsal', args=[staff.merchant.slug])}?of={kept.id}"


def _being_worked_out(request: HttpRequest, kept: KeptRehearsal) -> HttpResponse:
    late = is_late(kept, now=clock.now())
    context = {"section": "reminders", "kept": kept, "day_count": DAYS, "is_late": late}
    if not request.htmx:  # type: ignore[attr-defined]
        return render(request, "backoffice/rehearsal_wait.html", context)
    if late == ("late" in request.GET):
        return HttpResponse(status=204)
    return render(request, "backoffice/rehearsal_progress.html", context)


def _overview(request: HttpRequest, staff: Staff, kept: KeptRehearsal, *, is_old: bool) -> HttpResponse:
    days, now = list(kept.days.order_by("day")), clock.now()
    mails = _with_numbers(first_mails(kept, most=_MAILS_SHOWN))
    context = {
        "section": "reminders",
        "kept": kept,
        "is_old": is_old,
        "this_one": f"of={kept.id}",
        "days": [(each, [row for row in mails if row[0].day == each.day]) for each in days],
        "mail_count": sum(each.mail_count for each in days),
        "held_count": sum(1 for each in days if each.held_because),
        "day_count": DAYS,
        "today": clock.day_in(staff.merchant.time_zone, now),
        "waiting": timetable_of(staff.merchant, now=now).waiting,
        "schedule": schedule_of(staff.merchant),
    }
    return render(request, "backoffice/rehearsal.html", context)


def _day(request: HttpRequest, staff: Staff, kept: KeptRehearsal, day: RehearsedDay) -> HttpResponse:
    filters = RehearsedMailFilter(request.GET)
    page = page_of(filters.narrow(_mails_of(kept)), by=("id",), query=request.GET, size=_MAILS_OF_A_PAGE)
    context = {
        "section": "reminders",
        "kept": kept,
        "day": day,
        "before": kept.days.filter(day__lt=day.day).order_by("-day").first(),
        "after": kept.days.filter(day__gt=day.day).order_by("day").first(),
        "filters": filters,
        "clear_url": f"?of={kept.id}&day={day.day.isoformat()}",
        "page": page,
        "mails": _with_numbers(page.rows),
    }
    return render(request, "backoffice/rehearsal_day.html", context)


def _mails_of(kept: KeptRehearsal) -> QuerySet[RehearsedMail]:
    # Rules may have been removed since; what they are called stays.
    return RehearsedMail.objects.filter(rehearsal=kept).select_related("customer", "rule__template")


def _with_numbers(mails: list[RehearsedMail]) -> list[tuple[RehearsedMail, list[str], int]]:
    """Return each mail with the numbers of its first invoices and how many more there are."""
    numbers = name_invoices(mails) if mails else {}
    found = [(mail, numbers.get(mail.id, [])) for mail in mails]
    return [(mail, named, len(mail.invoice_ids) - len(named)) for mail, named in found]


@require_safe
@for_staff
def export(request: HttpRequest, staff: Staff) -> HttpResponseBase:
    """Send all mails of the coming days as a file; while they are worked out, show that they are."""
    now = clock.now()
    kept = kept_rehearsal_of(staff, request.GET.get("of", "")) or rehearsal_of(staff.merchant, now=now)
    if kept.worked_out_at is None:
        return redirect(_address_of(kept, staff))
    today = clock.day_in(staff.merchant.time_zone, now)
    return table_response(f"rehearsal-{staff.merchant.slug}-{today}", EXPORT_HEAD, _lines(kept), query=request.GET)


def _lines(kept: KeptRehearsal) -> Iterator[list[object]]:
    held = dict(kept.days.values_list("day", "held_because"))
    last_id = 0
    while mails := list(_mails_of(kept).filter(id__gt=last_id).order_by("id")[:_LINES_AT_ONCE]):
        numbers = name_invoices(mails, most=_EVERY_NUMBER)
        for mail in mails:
            amount, rule = mail.money(), mail.rule
            words = [mail.customer.company_name, ", ".join(numbers.get(mail.id, []))]
            yield [
                mail.day,
                *words,
                amount.to_decimal(),
                amount.currency,
                rule.name,
                rule.template.name,
                held[mail.day],
            ]
        last_id = mails[-1].id
