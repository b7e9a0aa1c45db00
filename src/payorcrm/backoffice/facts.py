"""What a row says, in words for people, to tell what a change did to it. Secrets are compared and never shown."""

from collections.abc import Iterable
from datetime import datetime, time
from typing import Any, NamedTuple

from django.conf import settings
from django.db import models

from payorcrm.core.crypto import EncryptedTextField
from payorcrm.core.money import Money
from payorcrm.merchants.models import GatewayAccount

# What forms call a column, where its own name says less.
LABELS = {
    "company_name": "Name",
    "reply_to": "Answers go to",
    "accent_color": "Accent colour",
    "confirmation_hours": "Confirmations are valid for (hours)",
    "invites_new_customers": "New customers are invited by themselves",
    "allows_part_payments": "Customers may pay a part",
    "logo_digest": "Logo",
    "is_active": "Switched on",
    "is_reminded": "Gets reminders",
    "is_default": "Default",
    "send_at": "Time of day",
    "country": "No mails on public holidays of",
    "min_days_between": "Least days between two mails",
    "brake_factor": "A run is held when so many times as large",
    "body": "Text",
    "until": "Last day",
    "from_name": "Name of the sender",
    "from_address": "Address of the sender",
    "uses_own_server": "Own mail server is used",
    "host": "Server",
    "user": "User name",
    "refunded": "Given back",
    "refunding": "Being given back",
    "in_flight": "Being processed",
    "gateway": "Processor",
    "security": "Encrypt the line",
}
# Marks of time and order that no person types in.
NOT_SAID = {"logo_type", "created_at", "updated_at", "edited_at", "position", "last_used_at"} | {
    "checked_at",
    "events_seen_at",
    "failing_since",
    "failure",
    "failure_count",
    "rests_until",
    "send_after",
    "claimed_at",
    "queued_at",
    "attempt_count",
    "returned_at",
    "settled_at",
}
# In minor units of the row's own currency.
AMOUNTS = {"amount", "balance", "in_flight", "refunded", "refunding", "total"}
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


class Fact(NamedTuple):
    """A value that is compared; its words are looked up only if it changed."""

    row: models.Model
    column: Any
    value: Any

    def words(self) -> str:
        """Say it for people."""
        return _words(self.row, self.column, self.value)


def facts_of(rows: Iterable[models.Model | None]) -> dict[str, Fact]:
    """Return what rows say, by label; of a row that is not there, nothing."""
    return {label: fact for row in rows if row is not None for label, fact in _facts(row)}


def changes_between(before: dict[str, Fact], after: dict[str, Fact]) -> list[tuple[str, str, str]]:
    """Return what differs as label, words before, words after."""
    pairs = ((label, before.get(label), after.get(label)) for label in dict.fromkeys([*before, *after]))
    return [(label, _said(old), _said(new)) for label, old, new in pairs if _value(old) != _value(new)]


def _said(fact: Fact | None) -> str:
    return fact.words() if fact else ""


def _value(fact: Fact | None) -> Any:
    value = (fact.value if fact else None) or None
    return value.replace("\r\n", "\n") if isinstance(value, str) else value  # browsers send lines with CRLF


def _facts(row: models.Model) -> Iterable[tuple[str, Fact]]:
    for column in row._meta.concrete_fields:
        if column.primary_key or column.name in NOT_SAID or column.name == "merchant":
            continue
        if isinstance(column, models.BinaryField) and not isinstance(column, EncryptedTextField):
            continue
        value = getattr(row, column.attname)
        label = LABELS.get(column.name, str(column.verbose_name)).capitalize()
        if isinstance(row, GatewayAccount):  # the only rows of which several are compared
            label = f"{row.gateway.capitalize()}: {label.lower()}"
        yield label, Fact(row, column, value)


def _words(row: models.Model, column: Any, value: Any) -> str:
    if value in (None, ""):
        return ""
    if isinstance(column, EncryptedTextField):
        return "(not shown)"
    if column.name == "logo_digest":
        return "a picture"
    if column.name in AMOUNTS and hasattr(row, "currency"):
        return str(Money(value, row.currency))
    if column.is_relation:
        return str(getattr(row, column.name))
    if column.choices:
        return str(getattr(row, f"get_{column.name}_display")())
    return _plain(column.name, value)


def _plain(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name == "language":
        return dict(settings.LANGUAGES).get(value, value)
    if name == "weekdays":
        return ", ".join(WEEKDAYS[day] for day in sorted(value))
    if isinstance(value, dict):
        return conditions_in_words(value)
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M} UTC"
    return f"{value:%H:%M}" if isinstance(value, time) else str(value)


def conditions_in_words(tree: Any) -> str:
    """Say a rule's conditions on one line; groups within groups stand in brackets."""
    if not isinstance(tree, dict):
        return str(tree)
    for group, joint in (("all", " and "), ("any", " or ")):
        if group in tree:
            return joint.join(_in_brackets(part) for part in tree[group])
    return " ".join(f"{value}".replace("_", " ") for key, value in tree.items() if key in ("if", "is"))


def _in_brackets(part: Any) -> str:
    words = conditions_in_words(part)
    is_group = isinstance(part, dict) and ("all" in part or "any" in part)
    return f"({words})" if is_group else words
