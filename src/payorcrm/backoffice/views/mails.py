"""The outbox as staff see it: what was sent, what was not, and why."""

from collections.abc import Iterable
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from payorcrm.backoffice.access import for_collectors, for_staff, mail_of
from payorcrm.backoffice.forms import MailFilter
from payorcrm.core import clock
from payorcrm.mail.limit import allowance_of
from payorcrm.mail.models import Mail
from payorcrm.mail.resend import AGAIN, queue_again
from payorcrm.mail.suppress import suppressions_of
from payorcrm.merchants.models import Staff
from payorcrm.ui.paging import page_of

# The text that a mail of a run was written from, for lists of mails.
WRITTEN_FROM = ("reminder__run__version__template", "statement__run__version__template")


@require_safe
@for_staff
def mails(request: HttpRequest, staff: Staff) -> HttpResponse:
    """List the mails, the latest first."""
    filters = MailFilter(request.GET)
    all_mails = Mail.objects.filter(merchant=staff.merchant).select_related("customer", *WRITTEN_FROM)
    found = filters.narrow(all_mails, time_zone=staff.merchant.time_zone)
    page = page_of(found, by=("-id",), query=request.GET)
    troubled_count = Mail.objects.filter(merchant=staff.merchant).troubled().count()
    context = {
        "section": "mails",
        "filters": filters,
        "page": page,
        "troubled_count": troubled_count,
        "allowance": allowance_of(staff.merchant, now=clock.now()),
        "again": AGAIN,
        "stopped": stopped_addresses(staff.merchant_id, page.rows),
        "has_marks": has_marks(page.rows),
    }
    return render(request, "backoffice/mail_list.html", context)


def stopped_addresses(merchant_id: UUID, mails: Iterable[Mail]) -> set[str]:
    """Return which of the mails' addresses no run of mails goes to any more, in small letters."""
    return {each.address for each in suppressions_of(merchant_id, [mail.to_address for mail in mails])}


def has_marks(mails: Iterable[Mail]) -> bool:
    """Say whether one of some mails has a mark that needs a word of warning."""
    return any(mail.opened_at or mail.clicked_at for mail in mails)


@require_POST
@for_collectors
def send_again(request: HttpRequest, staff: Staff, mail_id: UUID) -> HttpResponse:
    """Put a mail that failed back into the queue."""
    mail = mail_of(staff, mail_id)
    queue_again(mail, now=clock.now())
    messages.success(request, f"The mail to {mail.to_address} is queued again.")
    return redirect("backoffice:mails", merchant_slug=staff.merchant.slug)
