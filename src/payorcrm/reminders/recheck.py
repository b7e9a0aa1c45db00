"""Looks at reminders again at the moment of sending: addresses that changed, and invoices that are left out now."""

from collections.abc import Sequence
from typing import Protocol

from payorcrm.customers.recipients import Recipients
from payorcrm.mail.models import Mail
from payorcrm.reminders.facts import Facts
from payorcrm.reminders.models import Reminder


class Directed(Protocol):
    """A mail, and to whom it goes now, if anybody may get it."""

    mail: Mail
    recipients: Recipients | None


def recheck(facts: list[Facts]) -> None:
    """Send to the address of now, and note beside each reminder what it does not speak of any more."""
    readdress(facts)
    _note_left_out(facts)


def is_needed(fact: Facts) -> bool:
    """Say whether there is still something to remind of, and somebody who wants to hear it."""
    return bool(fact.rows) and not fact.unreachable


def readdress(facts: Sequence[Directed]) -> None:
    """Send each mail to where its customer wants such mails by now."""
    changed = [fact.mail for fact in facts if fact.recipients and _is_elsewhere(fact)]
    for fact in facts:
        if fact.recipients and fact.mail in changed:
            for name, value in fact.recipients.as_fields().items():
                setattr(fact.mail, name, value)
    if changed:
        Mail.objects.bulk_update(changed, ["to_address", "to_name", "also_to", "cc"])


def _is_elsewhere(fact: Directed) -> bool:
    assert fact.recipients
    now, mail = fact.recipients.as_fields(), fact.mail
    return any(now[name] != getattr(mail, name) for name in ("to_address", "also_to", "cc"))


def _note_left_out(facts: list[Facts]) -> None:
    changed = []
    for fact in facts:
        # Nothing of the mail is left: the whole customer is the reason, where no invoice has one of its own.
        now = fact.left_out if is_needed(fact) or not fact.unreachable else _all_left_out(fact)
        if now != fact.noted:
            changed.append(Reminder(id=fact.reminder_id, left_out=now))
    if changed:
        Reminder.objects.bulk_update(changed, ["left_out"])


def _all_left_out(fact: Facts) -> dict[str, str]:
    return {invoice_id: fact.left_out.get(invoice_id, fact.unreachable) for invoice_id in fact.invoice_ids}
