"""Notes about a customer: written, changed and deleted by their authors; colleagues named with @ get a mail."""

from datetime import datetime
from typing import ClassVar

from django.db import transaction
from django.db.models import QuerySet

from payorcrm.core.errors import Refused
from payorcrm.core.models import User
from payorcrm.customers.mention import mail_mentioned, mentioned_in
from payorcrm.customers.models import Customer, Note


class NotYourNote(Refused):
    """Somebody wanted to change what a colleague wrote."""

    code = "not_your_note"
    status: ClassVar[int] = 403
    message = "Only who wrote a note can change or delete it."


def notes_of(customer: Customer) -> QuerySet[Note]:
    """Return the notes about a customer with their authors, the latest first."""
    return Note.objects.filter(customer=customer).select_related("author").order_by("-written_at", "-id")


def write_note(*, customer: Customer, author: User, text: str, now: datetime) -> Note:
    """Keep a note, and mail the colleagues that it names."""
    with transaction.atomic():
        note = Note.objects.create(
            merchant_id=customer.merchant_id, customer=customer, author=author, text=text, written_at=now
        )
        mail_mentioned(note, mentioned_in(text, customer.merchant_id), now)
    return note


def change_note(*, note: Note, changed_by: User, text: str, now: datetime) -> None:
    """Replace the text of one's own note, and mail the colleagues that it did not name before. Raises NotYourNote."""
    _refuse_others(note, changed_by)
    known = {user.id for user in mentioned_in(note.text, note.merchant_id)}
    note.text, note.edited_at = text, now
    with transaction.atomic():
        note.save(update_fields=["text", "edited_at"])
        mail_mentioned(note, [user for user in mentioned_in(text, note.merchant_id) if user.id not in known], now)


def delete_note(*, note: Note, deleted_by: User) -> None:
    """Delete one's own note; a mail about it that still waits is not sent. Raises NotYourNote."""
    _refuse_others(note, deleted_by)
    note.delete()


def _refuse_others(note: Note, user: User) -> None:
    if note.author_id != user.id:
        raise NotYourNote
