"""Tells those who may decide, by mail, that a run waits for one of them."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.utils.text import get_text_list

from payorcrm.core.language import speaking
from payorcrm.core.money import Money
from payorcrm.mail.compose import Composed, Draft, composer, queue_mail, render_draft
from payorcrm.mail.models import Mail
from payorcrm.merchants.models import ROLES_THAT_CHANGE, Staff
from payorcrm.reminders.models import DayRun, DayRunState
from payorcrm.reminders.weigh_run import owed_in

KIND = "run_held"


def tell_staff(run: DayRun, *, now: datetime) -> None:
    """Queue a mail to each owner and collector, in the caller's transaction."""
    staff = Staff.objects.filter(merchant=run.merchant, role__in=ROLES_THAT_CHANGE, user__is_active=True)
    for each in staff.select_related("user").order_by("id"):
        queue_mail(
            kind=KIND,
            about_id=run.id,
            merchant=run.merchant,
            customer_id=None,
            to_address=each.user.email,
            to_name=each.user.name,
            now=now,
        )


@composer(KIND)
def compose_held(mails: list[Mail], now: datetime) -> Mapping[UUID, Composed]:
    """Write the mails about runs; one that somebody has decided about by now withdraws its own."""
    held = DayRun.objects.filter(state=DayRunState.HELD).select_related("merchant")
    runs = held.in_bulk([mail.about_id for mail in mails])
    owed = owed_in(runs)
    with speaking("en"):
        return {mail.id: _write(runs[mail.about_id], owed) for mail in mails if mail.about_id in runs}


def _write(run: DayRun, owed: Mapping[UUID, list[Money]]) -> Draft:
    merchant = run.merchant
    day = f"{run.day:%B} {run.day.day}"
    return render_draft(
        "mail/run_held",
        subject=f"The reminders of {day} wait for you",
        merchant=merchant,
        reason=f"You get this mail because you may decide about reminders of {merchant.name}.",
        context={
            "run": run,
            "day": day,
            "mails": f"{run.mail_count:,}",
            "invoices": f"{run.invoice_count:,}",
            "owed": get_text_list([amount.format() for amount in owed.get(run.id, [])], "and"),
            "link": f"{settings.PUBLIC_URL}/m/{merchant.slug}/reminders/runs/{run.id}/",
        },
    )
