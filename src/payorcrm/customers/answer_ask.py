"""Answers what somebody who is not signed in asked for: by a mail to an address that is known, or not at all.

The request stores the question whatever matches; a job answers it, so that neither page nor time tells anybody a thing.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

from payorcrm.core.jobs import enqueue_named
from payorcrm.core.models import User
from payorcrm.customers.invite import AccessWasRemoved, invite_guest
from payorcrm.customers.invite_guests import Guest
from payorcrm.customers.models import AccessAsk, AccessAskKind, Contact, PortalAccess
from payorcrm.customers.queries import address_on_file, users_known_as
from payorcrm.mail.compose import queue_mail
from payorcrm.mail.models import Mail
from payorcrm.merchants.models import Merchant

RESET_KIND = "password_reset"
AT_MOST_EVERY = timedelta(minutes=1)
KEPT_FOR = timedelta(days=1)
MOST_CUSTOMERS = 20


def ask_for_password(*, merchant: Merchant, email: str, now: datetime) -> None:
    """Take the question for a new password; the answer is a mail, if the address is known."""
    _ask(AccessAskKind.PASSWORD, "payorcrm.customers.jobs.answer_password_ask", merchant, email, "", now)


def ask_to_register(*, merchant: Merchant, email: str, invoice_number: str, now: datetime) -> None:
    """Take a registration; the answer is an invitation, if the invoice's customer has this address on file."""
    task = "payorcrm.invoices.jobs.answer_registration_ask"
    _ask(AccessAskKind.REGISTRATION, task, merchant, email, invoice_number, now)


def _ask(kind: AccessAskKind, task: str, merchant: Merchant, email: str, number: str, now: datetime) -> None:
    with transaction.atomic():
        ask = AccessAsk.objects.create(
            merchant=merchant,
            kind=kind,
            email=_clean(email)[:254],
            invoice_number=_clean(number)[:64],
            asked_at=now,
        )
        enqueue_named(task, ask_id=str(ask.id))


def _clean(text: str) -> str:
    return " ".join(text.replace("\0", "").split())


def take_ask(ask_id: UUID, *, now: datetime) -> AccessAsk | None:
    """Lock a question and mark it as answered, in the transaction that answers it; None if it was, or is gone."""
    asks = AccessAsk.objects.select_for_update(of=("self",)).select_related("merchant")
    ask = asks.filter(id=ask_id, answered_at=None).first()
    if ask:
        AccessAsk.objects.filter(id=ask.id).update(answered_at=now)
    return ask


def answer_password_ask(ask_id: UUID, *, now: datetime) -> None:
    """Mail the way to a new password to a user, or the invitation to whoever has not accepted one yet."""
    with transaction.atomic():
        ask = take_ask(ask_id, now=now)
        if ask is None:
            return
        accesses = _live_accesses(ask)
        access = accesses.first()
        if access and access.user.has_usable_password():
            _queue_reset(access, now)
            return
        # One that was never used is theirs only while the address is on file: it may have been mistyped.
        theirs = accesses.filter(Q(last_used_at__isnull=False) | Q(address_on_file())).first()
        if theirs:
            _invite_again(theirs, now)
        else:
            _invite_to_customers(ask, now)


def forget_asks(*, now: datetime) -> None:
    """Delete the questions of earlier days, with the addresses in them."""
    AccessAsk.objects.filter(asked_at__lt=now - KEPT_FOR).delete()


def _live_accesses(ask: AccessAsk) -> QuerySet[PortalAccess]:
    accesses = PortalAccess.objects.live().filter(merchant=ask.merchant, user__in=users_known_as(ask.email))
    return accesses.select_related("user", "merchant").order_by("id")


def _queue_reset(access: PortalAccess, now: datetime) -> None:
    user: User = access.user
    just_now = Q(kind=RESET_KIND, about_id=user.id, queued_at__gt=now - AT_MOST_EVERY)
    if not user.is_active or Mail.objects.filter(just_now).exists():
        return
    queue_mail(
        kind=RESET_KIND,
        about_id=user.id,
        merchant=access.merchant,
        customer_id=access.customer_id,
        to_address=user.email,
        to_name=user.name,
        now=now,
    )


def _invite_again(access: PortalAccess, now: datetime) -> None:
    guest = Guest(access.merchant_id, access.customer_id, access.user.email, access.user.name)
    invite_guest(guest, invited_by=None, now=now)


def _invite_to_customers(ask: AccessAsk, now: datetime) -> None:
    """Invite an address on file that never got, or never used, the first mail. Nothing revives removed access."""
    contacts = Contact.objects.filter(merchant=ask.merchant, is_primary=True).exclude(email="")
    same = contacts.alias(known_as=Lower("email")).filter(known_as=ask.email.lower())
    for contact in same.order_by("id")[:MOST_CUSTOMERS]:
        guest = Guest(contact.merchant_id, contact.customer_id, contact.email, str(contact))
        try:
            with transaction.atomic():
                invite_guest(guest, invited_by=None, now=now)
        except AccessWasRemoved:
            continue
