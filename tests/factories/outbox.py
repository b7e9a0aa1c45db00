"""Rows of the outbox for tests, and one delivery of what is due."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from django.db import connection

from payorcrm.mail.deliver import deliver_due
from payorcrm.mail.drafts import Draft, composer
from payorcrm.mail.models import Mail
from payorcrm.merchants.models import Merchant
from tests.factories.models import NOW

NOTE = "test_note"

_places = count()


@composer(NOTE)
def compose_notes(mails: list[Mail], now: datetime) -> dict[Any, Draft | None]:
    """Write a line to each; the name on the envelope says what else happens."""
    merchants = Merchant.objects.in_bulk([mail.merchant_id for mail in mails])
    return {mail.id: _note(mail, merchants) for mail in mails}


def _note(mail: Mail, merchants: dict[Any, Merchant]) -> Draft | None:
    if mail.to_name == "nobody":
        return None
    if mail.to_name == "a mistake":
        raise KeyError("no such thing")
    if mail.to_name == "a late mistake":
        return Draft(subject="x", html=None, text="x", merchant=None)  # type: ignore[arg-type]
    return Draft(
        subject=f"A note for {mail.to_name or 'you'}",
        html=f"<p>Hello {mail.to_name}</p>",
        text=f"Hello {mail.to_name}\n",
        merchant=merchants.get(mail.merchant_id),  # type: ignore[arg-type]
    )


def queued(to_address: str = "jo@acme.example", **fields: Any) -> Mail:
    """Put a note into the outbox, due before those that are queued after it."""
    due = NOW - timedelta(hours=1) + timedelta(milliseconds=next(_places))
    return Mail.objects.create(**{"kind": NOTE, "to_address": to_address, "queued_at": NOW, "send_after": due} | fields)


def deliver(at: datetime = NOW) -> bool:
    """Deliver what is due at a moment."""
    return deliver_due(clock=lambda: at, until=at + timedelta(minutes=1))


def deliver_while(happening: Callable[[], object], at: datetime = NOW) -> bool:
    """Deliver what is due; something happens after the batch was read, before its first mail leaves.

    Only in tests with real transactions: the mails leave on a thread of their own.
    """
    main = threading.current_thread()

    def clock() -> datetime:
        if threading.current_thread() is not main:
            happening()
            connection.close()
        return at

    return deliver_due(clock=clock, until=at + timedelta(minutes=1))
