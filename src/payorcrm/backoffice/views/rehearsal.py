"""What the active rules would send in the coming days, day by day and customer by customer."""

from collections.abc import Iterator

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from payorcrm.backoffice.access import for_staff
from payorcrm.core import clock
from payorcrm.merchants.models import Staff
from payorcrm.reminders.rehearse import DAYS, ForeseenMail, by_day, rehearse
from payorcrm.reminders.run_rules import active_rules
from payorcrm.reminders.sending_days import schedule_of
from payorcrm.ui.exports import table_response

_MAILS_SHOWN = 20
_MAILS_OF_A_PAGE = 200
# Whoever asks for all of it waits longer than for a page.
_SECONDS_FOR_A_FILE = 240.0
EXPORT_HEAD = ["Day", "Customer", "Invoices", "Amount", "Currency", "Rule", "Template"]


@require_safe
@for_staff
def rehearsal(request: HttpRequest, staff: Staff) -> HttpResponse:
    """Show the coming days with their first mails, or one of them with all of its mails."""
    rules = active_rules(staff.merchant)
    now = clock.now()
    foreseen = rehearse(staff.merchant, rules, now=now)
    days = by_day(foreseen.mails)
    chosen = next((each for each in days if each.day.isoformat() == request.GET.get("day")), None)
    context = {
        "section": "reminders",
        "rules": rules,
        "days": [(each, each.mails[:_MAILS_SHOWN]) for each in days],
        "chosen": chosen,
        "page": Paginator(chosen.mails, _MAILS_OF_A_PAGE).get_page(request.GET.get("page")) if chosen else None,
        "ends_on": foreseen.ends_on,
        "mail_count": sum(len(each.mails) for each in days),
        "day_count": DAYS,
        "today": clock.day_in(staff.merchant.time_zone, now),
        "schedule": schedule_of(staff.merchant),
    }
    return render(request, "backoffice/rehearsal.html", context)


@require_safe
@for_staff
def export(request: HttpRequest, staff: Staff) -> HttpResponseBase:
    """Send all mails of the coming days as a file."""
    now = clock.now()
    today = clock.day_in(staff.merchant.time_zone, now)
    mails = rehearse(staff.merchant, active_rules(staff.merchant), now=now, seconds=_SECONDS_FOR_A_FILE).mails
    return table_response(f"rehearsal-{staff.merchant.slug}-{today}", EXPORT_HEAD, _lines(mails), query=request.GET)


def _lines(mails: list[ForeseenMail]) -> Iterator[list[object]]:
    for mail in mails:
        amount = mail.amount
        words = [mail.company_name, ", ".join(mail.numbers), amount.to_decimal(), amount.currency]
        yield [mail.day, *words, mail.rule.name, mail.rule.template.name]
