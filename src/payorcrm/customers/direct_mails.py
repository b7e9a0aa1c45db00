"""Where each kind of mail to a customer goes, as its own people want it; the address on file hears of every change."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from payorcrm.core.errors import Refused
from payorcrm.core.language import speaking
from payorcrm.core.models import User
from payorcrm.customers.models import Customer, Notification, Topic
from payorcrm.customers.queries import NoAddressOnFile, contact_on_file
from payorcrm.customers.unsubscribe import end_reminders, resume_reminders
from payorcrm.mail.compose import Composed, Draft, composer, queue_mail, render_draft
from payorcrm.mail.models import Mail, MailState

MOST_TO, MOST_CC = 5, 10
NOTICE = "mails_redirected"
TOPIC_NAMES = {
    Topic.REMINDERS: gettext_lazy("Reminders of invoices"),
    Topic.PAYMENTS: gettext_lazy("Receipts and news of payments"),
    Topic.METHODS: gettext_lazy("News of saved cards and bank accounts"),
}


class TooManyAddresses(Refused):
    """One kind of mail was to go to more people than it may."""

    code = "too_many_addresses"
    status: ClassVar[int] = 422


class AddressTwice(Refused):
    """One mail was to reach the same address twice."""

    code = "address_twice"
    status: ClassVar[int] = 422

    def __init__(self, address: str) -> None:
        self.address = address
        super().__init__(_("%(address)s gets the mail already.") % {"address": address})


def direct_mails(
    *,
    customer: Customer,
    topic: Topic,
    is_wanted: bool,
    to: Sequence[str],
    cc: Sequence[str],
    changed_by: User | None,
    now: datetime,
) -> Notification:
    """Send one kind of mail to these addresses from now on, or not at all; without `to`, to the address on file.

    Reminders are ended and resumed as by the link in their footer. Whoever changes this cannot do it unseen: a
    notice goes to the address on file. Raises TooManyAddresses, AddressTwice.
    """
    _refuse_too_many(to, cc)
    _refuse_twice([*to, *cc])
    with transaction.atomic():
        row, _created = Notification.objects.update_or_create(
            customer=customer,
            topic=topic,
            defaults={"merchant_id": customer.merchant_id, "is_wanted": is_wanted, "to": list(to), "cc": list(cc)},
        )
        if topic == Topic.REMINDERS and is_wanted:
            resume_reminders(customer=customer)
        elif topic == Topic.REMINDERS:
            end_reminders(customer=customer, now=now)
        _queue_notice(customer, changed_by, now)
    return row


def _refuse_too_many(to: Sequence[str], cc: Sequence[str]) -> None:
    if len(to) > MOST_TO:
        raise TooManyAddresses(_("A mail can be addressed to %(most)d people at most.") % {"most": MOST_TO})
    if len(cc) > MOST_CC:
        raise TooManyAddresses(_("A mail can have %(most)d copies at most.") % {"most": MOST_CC})


def _refuse_twice(addresses: Sequence[str]) -> None:
    known: set[str] = set()
    for address in addresses:
        if address.lower() in known:
            raise AddressTwice(address)
        known.add(address.lower())


def _queue_notice(customer: Customer, changed_by: User | None, now: datetime) -> None:
    """Queue a notice unless one waits, which will say what is true when it is written."""
    waiting = Mail.objects.filter(kind=NOTICE, customer=customer, state=MailState.QUEUED)
    user_id = changed_by.id if changed_by else None
    if waiting.filter(about_id=user_id).exists():
        return
    with suppress(NoAddressOnFile):
        contact = contact_on_file(customer.id)
        queue_mail(
            kind=NOTICE,
            about_id=user_id,
            merchant=customer.merchant,
            customer_id=customer.id,
            to_address=contact.email,
            to_name=str(contact),
            now=now,
        )


@composer(NOTICE)
def compose_notices(mails: list[Mail], now: datetime) -> Mapping[UUID, Composed]:
    """Write to the address on file where mails go now, and who changed it."""
    customers = Customer.objects.select_related("merchant").in_bulk([mail.customer_id for mail in mails])
    users = User.objects.in_bulk([mail.about_id for mail in mails if mail.about_id])
    rows: dict[UUID, list[Notification]] = {}
    for row in Notification.objects.filter(customer__in=customers).order_by("topic"):
        rows.setdefault(row.customer_id, []).append(row)
    return {
        mail.id: _notice(
            customers[mail.customer_id],
            users.get(mail.about_id) if mail.about_id else None,
            rows.get(mail.customer_id, []),
        )
        for mail in mails
        if mail.customer_id and mail.customer_id in customers
    }


def _notice(customer: Customer, user: User | None, rows: list[Notification]) -> Draft:
    merchant = customer.merchant
    names = {"merchant": merchant.name, "customer": customer.company_name}
    with speaking(customer.language or merchant.language):
        return render_draft(
            "mail/mails_redirected",
            subject=_("Changed: who gets the mails of %(merchant)s") % names,
            merchant=merchant,
            preheader=_("Please check that this is what you want."),
            reason=_("You get this mail because yours is the address that %(merchant)s has on file for %(customer)s.")
            % names,
            context={
                "customer": customer,
                "changed_by": user.email if user else "",
                "directions": [(str(TOPIC_NAMES[Topic(row.topic)]), row) for row in rows],
            },
        )
