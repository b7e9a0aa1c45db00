"""The first page: what is owed, what came in, and what needs a person."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from payorcrm.backoffice.access import for_staff, memberships_of
from payorcrm.backoffice.setup_steps import checklist_of
from payorcrm.backoffice.standing import day_word, mails_today, standing_of
from payorcrm.core import clock
from payorcrm.invoices.aging import Aging, agings_of, no_aging
from payorcrm.mail.limit import allowance_of
from payorcrm.mail.models import Mail
from payorcrm.merchants.models import Merchant, Staff
from payorcrm.payments.queries import payments_for
from payorcrm.reminders.queries import holds_to_review, timetable_of

_LATEST = 8


@require_safe
@for_staff
def dashboard(request: HttpRequest, staff: Staff) -> HttpResponse:
    """Show where the merchant stands, in one currency at a time."""
    merchant, now = staff.merchant, clock.now()
    today = clock.day_in(merchant.time_zone, now)
    agings = _with_its_own(merchant, agings_of(merchant.id, today=today))
    wanted = request.GET.get("currency")
    aging = next((each for each in agings if each.currency == wanted), agings[0])
    timetable = timetable_of(merchant, now=now)
    next_at = timetable.next_at
    troubled = Mail.objects.filter(merchant=merchant).troubled().select_related("customer")
    context = {
        "section": "dashboard",
        "checklist": checklist_of(staff),
        "memberships": memberships_of(staff),
        "agings": agings,
        "standing": standing_of(merchant, aging, now=now, today=today),
        "timetable": timetable,
        "next_run": day_word(clock.day_in(merchant.time_zone, next_at), today=today) if next_at else "",
        "holds_to_review": holds_to_review(merchant, today=today),
        "allowance": allowance_of(merchant, now=now),
        "mails_today": mails_today(merchant, today=today),
        "payments": payments_for(merchant)[:_LATEST],
        "troubled_mails": list(troubled.order_by("-id")[:4]),
        "is_overdue": any(each.overdue_count for each in agings),
    }
    return render(request, "backoffice/dashboard.html", context)


def _with_its_own(merchant: Merchant, agings: list[Aging]) -> list[Aging]:
    """Put the merchant's own currency first, even when nothing is owed in it."""
    own = next((each for each in agings if each.currency == merchant.currency), no_aging(merchant.currency))
    return [own, *(each for each in agings if each.currency != merchant.currency)]
