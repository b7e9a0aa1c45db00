"""The journal of a period, for the accountant."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from payorcrm.backoffice.access import for_staff
from payorcrm.backoffice.forms import start_of
from payorcrm.backoffice.payment_forms import JournalForm
from payorcrm.core import clock
from payorcrm.ledger.journal import journal_of, sums_of
from payorcrm.merchants.models import Merchant, Staff
from payorcrm.ui.exports import table_response

EXPORT_HEAD = [
    "Date",
    "Entry",
    "What happened",
    "Reference",
    "Account",
    "Customer number",
    "Customer",
    "Debit",
    "Credit",
    "Currency",
]


@require_safe
@for_staff
def journal(request: HttpRequest, staff: Staff) -> HttpResponse:
    """Show the sums of a period, last month's at first, and lead to its file."""
    form, since, until = _period(request, staff.merchant)
    begin, end = _moments(staff.merchant, since, until)
    context = {
        "section": "payments",
        "form": form,
        "since": since,
        "until": until,
        "sums": sums_of(staff.merchant.id, since=begin, before=end),
    }
    return render(request, "backoffice/journal_page.html", context)


@require_safe
@for_staff
def export(request: HttpRequest, staff: Staff) -> HttpResponseBase:
    """Send the postings of a period as CSV or, if asked for, as a workbook."""
    _, since, until = _period(request, staff.merchant)
    begin, end = _moments(staff.merchant, since, until)
    lines = _lines(staff.merchant, begin, end)
    name = f"journal-{staff.merchant.slug}-{since}-{until}"
    return table_response(name, EXPORT_HEAD, lines, query=request.GET)


def _period(request: HttpRequest, merchant: Merchant) -> tuple[JournalForm, date, date]:
    """Return the days that were asked for, where they can be read and are in order, else last month's."""
    today = clock.day_in(merchant.time_zone, clock.now())
    last = today.replace(day=1) - timedelta(days=1)
    form = JournalForm(request.GET if request.GET.get("since") or request.GET.get("until") else None)
    since, until = last.replace(day=1), last
    if form.is_bound and form.is_valid():
        until = form.cleaned_data["until"] or today
        since = form.cleaned_data["since"] or until.replace(day=1)
    if since > until:
        form.add_error("until", "Choose a last day that is not before the first.")
        since, until = last.replace(day=1), last
    if not form.is_bound:
        form = JournalForm(initial={"since": since, "until": until})
    return form, since, until


def _moments(merchant: Merchant, since: date, until: date) -> tuple[datetime, datetime]:
    return start_of(since, merchant.time_zone), start_of(until + timedelta(days=1), merchant.time_zone)


def _lines(merchant: Merchant, begin: datetime, end: datetime) -> Iterator[list[object]]:
    zone = ZoneInfo(merchant.time_zone)
    for line in journal_of(merchant.id, since=begin, before=end):
        yield [
            line.at.astimezone(zone).date(),
            str(line.entry_id),
            line.kind,
            line.reference,
            line.account,
            line.customer_number,
            line.customer,
            line.debit.to_decimal() if line.debit else None,
            line.credit.to_decimal() if line.credit else None,
            line.currency,
        ]
