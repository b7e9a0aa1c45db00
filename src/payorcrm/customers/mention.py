"""Colleagues named with @ in a note, and the mail that tells them."""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

from django.conf import settings

from payorcrm.core.language import speaking
from payorcrm.core.models import User
from payorcrm.customers.models import Note
from payorcrm.mail.compose import Composed, Draft, composer, queue_mail, render_draft
from payorcrm.mail.models import Mail
from payorcrm.merchants.models import Staff

KIND = "note_mention"
# An @ inside an e-mail address names nobody.
_MENTION = re.compile(r"(?<![\w.+-])@([\w+-]+(?:\.[\w+-]+)*)")


def names_of(merchant_id: UUID) -> dict[str, User]:
    """Return by what each of the merchant's people is named after an @: the part of the address before its @.

    Of two with the same part, each is named by the whole address with a dot in place of its @.
    """
    staff = Staff.objects.filter(merchant=merchant_id, user__is_active=True).select_related("user").order_by("id")
    users = [each.user for each in staff]
    parts = [user.email.partition("@")[0].lower() for user in users]
    return {
        part if parts.count(part) == 1 else user.email.lower().replace("@", "."): user
        for part, user in zip(parts, users, strict=True)
    }


def mentioned_in(text: str, merchant_id: UUID) -> list[User]:
    """Return the colleagues that a text names, each once."""
    named = {found.lower() for found in _MENTION.findall(text)}
    return [user for name, user in names_of(merchant_id).items() if name in named] if named else []


def strangers_in(text: str, merchant_id: UUID) -> list[str]:
    """Return what stands after an @ and names no colleague, each once, as it was written."""
    found, known = _MENTION.findall(text), names_of(merchant_id)
    return list(dict.fromkeys(name for name in found if name.lower() not in known))


def mail_mentioned(note: Note, users: Iterable[User], now: datetime) -> None:
    """Queue a mail to each of them but the author, in the caller's transaction."""
    for user in users:
        if user.id != note.author_id:
            queue_mail(
                kind=KIND,
                about_id=note.id,
                merchant=note.customer.merchant,
                customer_id=note.customer_id,
                to_address=user.email,
                to_name=user.name,
                now=now,
            )


@composer(KIND)
def compose_mentions(mails: list[Mail], now: datetime) -> Mapping[UUID, Composed]:
    """Write the mails to colleagues; a note that is gone withdraws its own."""
    rows = Note.objects.select_related("customer__merchant", "author")
    notes = rows.in_bulk([mail.about_id for mail in mails])
    with speaking("en"):
        return {mail.id: _write(notes[mail.about_id]) for mail in mails if mail.about_id in notes}


def _write(note: Note) -> Draft:
    merchant = note.customer.merchant
    return render_draft(
        "mail/note_mention",
        subject=f"{note.author} mentioned you in a note about {note.customer.company_name}",
        merchant=merchant,
        reason=f"You get this mail because a colleague at {merchant.name} named you in a note.",
        context={
            "note": note,
            "link": f"{settings.PUBLIC_URL}/m/{merchant.slug}/customers/{note.customer_id}/#notes",
        },
    )
