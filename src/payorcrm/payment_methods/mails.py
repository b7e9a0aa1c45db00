"""The mails about saved cards and bank accounts: queued with the method's id, composed when they are sent."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from babel.dates import format_date
from django.conf import settings
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from payorcrm.core.clock import day_in
from payorcrm.core.language import babel_locale, speaking
from payorcrm.core.models import User
from payorcrm.customers.models import Topic
from payorcrm.customers.recipients import recipients_of
from payorcrm.mail.compose import Composed, composer, queue_mail, render_draft
from payorcrm.mail.jobs import deliver_soon
from payorcrm.mail.models import Mail
from payorcrm.payment_methods.models import DEPOSITS_LIFE, MOST_TRIES, Mandate, PaymentMethod, Verification


def queue_about(methods: Sequence[PaymentMethod], *, kind: str, now: datetime) -> None:
    """Queue one mail for each method, in the caller's transaction; who has no address, or wants none, gets none."""
    recipients = recipients_of({method.customer_id for method in methods}, Topic.METHODS)
    queued = Mail.objects.bulk_create(
        Mail(
            kind=kind,
            about_id=method.id,
            merchant_id=method.merchant_id,
            customer_id=method.customer_id,
            **recipients[method.customer_id].as_fields(),
            is_bulk=len(methods) > 1,
            queued_at=now,
            send_after=now,
        )
        for method in methods
        if method.customer_id in recipients
    )
    if queued:
        deliver_soon()


def queue_mandate_copy(mandate: Mandate, *, to: User, now: datetime) -> None:
    """Queue a copy of an authorization to a user of its customer."""
    queue_mail(
        kind="mandate_copy",
        about_id=mandate.id,
        merchant=mandate.merchant,
        customer_id=mandate.customer_id,
        to_address=to.email,
        to_name=to.name,
        now=now,
    )


@composer("mandate_copy")
def compose_mandate_copies(mails: list[Mail], now: datetime) -> Mapping[UUID, Composed]:
    """Write the copies of authorizations that were asked for."""
    rows = Mandate.objects.select_related("merchant", "customer", "method")
    mandates = rows.in_bulk([mail.about_id for mail in mails if mail.about_id])
    return {mail.id: _mandate_copy(mandates[mail.about_id]) for mail in mails if mail.about_id in mandates}


def _mandate_copy(mandate: Mandate) -> Composed:
    with speaking(mandate.customer.language or mandate.merchant.language):
        zone = mandate.merchant.time_zone
        return render_draft(
            "mail/mandate_copy",
            subject=_("Copy of your authorization %(reference)s") % {"reference": mandate.reference},
            merchant=mandate.merchant,
            reason=_("You get this mail because you asked for this copy in the portal of %(merchant)s.")
            % {"merchant": mandate.merchant.name},
            context={
                "mandate": mandate,
                "shown": _on_one_line(mandate.method),
                "accepted_on": _day(day_in(zone, mandate.accepted_at)),
                "revoked_on": _day(day_in(zone, mandate.revoked_at)) if mandate.revoked_at else "",
                "amount": mandate.amount_money(),
            },
        )


def _compose(kind: str, still: Q, subject: Callable[[PaymentMethod], str], because: str) -> None:
    """Write the mails of a kind whose methods are still as `still` says; the others are withdrawn."""

    @composer(kind)
    def compose(mails: list[Mail], now: datetime) -> Mapping[UUID, Composed]:
        rows = PaymentMethod.objects.select_related("merchant", "customer")
        methods = rows.filter(still, id__in=[mail.about_id for mail in mails if mail.about_id]).in_bulk()
        return {mail.id: write(methods[mail.about_id]) for mail in mails if mail.about_id in methods}

    def write(method: PaymentMethod) -> Composed:
        with speaking(method.customer.language or method.merchant.language):
            merchant = method.merchant
            return render_draft(
                f"mail/{kind}",
                subject=subject(method),
                merchant=merchant,
                reason=_(because) % {"merchant": merchant.name},
                context=_context_of(method),
            )


def _context_of(method: PaymentMethod) -> dict[str, Any]:
    expected, begun = method.deposits_expected_on, method.saved_at or method.created_at
    return {
        "method": method,
        "shown": _on_one_line(method),
        "customer": method.customer,
        "expected_on": _day(expected) if expected else "",
        "until": _day(day_in(method.merchant.time_zone, begun + DEPOSITS_LIFE)),
        "tries": MOST_TRIES,
        "expiry": _month(method),
        "verify_link": _link(method, f"/portal/methods/{method.id}/verify/"),
        "methods_link": _link(method, "/portal/methods/"),
        "add_link": _link(method, "/portal/methods/add/?with=card"),
    }


def _link(method: PaymentMethod, path: str) -> str:
    """Return a link through the merchant's entrance, which asks for a sign-in and chooses the merchant."""
    return f"{settings.PUBLIC_URL}/c/{method.merchant.slug}/?{urlencode({'next': path})}"


def _on_one_line(method: PaymentMethod) -> str:
    return method.masked().replace("•••• ", "••••\N{NO-BREAK SPACE}")


def _day(day: date) -> str:
    return format_date(day, "long", locale=babel_locale())


def _month(method: PaymentMethod) -> str:
    last = method.last_day()
    return format_date(last, "MMMM y", locale=babel_locale()) if last else ""


def _masked(method: PaymentMethod) -> dict[str, str]:
    return {"method": method.masked(), "digits": method.last4, "merchant": method.merchant.name}


_KEPT = Q(saved_at__isnull=False, removed_at=None)
_WAITING = _KEPT & Q(verification=Verification.PENDING)
_BECAUSE_SAVED = gettext_noop("You get this mail because a card or bank account was saved to pay %(merchant)s.")

_compose(
    "deposits_sent",
    _WAITING,
    lambda method: _("Two small deposits are on their way to your account •••• %(digits)s") % _masked(method),
    _BECAUSE_SAVED,
)
_compose(
    "deposits_reminder",
    _WAITING,
    lambda method: _("Still to do: enter the two amounts for your account •••• %(digits)s") % _masked(method),
    _BECAUSE_SAVED,
)
_compose(
    "method_verified",
    _KEPT & Q(verification=Verification.VERIFIED),
    lambda method: _("Your bank account •••• %(digits)s is verified") % _masked(method),
    _BECAUSE_SAVED,
)
_compose(
    "method_not_verified",
    _KEPT & Q(verification=Verification.FAILED),
    lambda method: _("Your bank account •••• %(digits)s could not be verified") % _masked(method),
    _BECAUSE_SAVED,
)
_compose(
    "method_added",
    _KEPT,
    lambda method: _("Saved to pay %(merchant)s: %(method)s") % _masked(method),
    _BECAUSE_SAVED,
)
_compose(
    "method_removed",
    Q(removed_at__isnull=False),
    lambda method: _("Removed: %(method)s") % _masked(method),
    gettext_noop("You get this mail because a saved card or bank account was removed at %(merchant)s."),
)
_compose(
    "card_expiring",
    _KEPT & Q(expiry_mailed_at__isnull=False),
    lambda method: _("Your saved card •••• %(digits)s expires soon") % _masked(method),
    _BECAUSE_SAVED,
)
