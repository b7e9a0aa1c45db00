"""What the history of an invoice is made of, whoever reads it: staff in the back office, a customer in the portal."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from payorcrm.core.money import Money
from payorcrm.mail.models import Mail
from payorcrm.payments.models import Payment


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of an invoice's history, whatever table it comes from."""

    at: datetime
    state: str
    words: str
    amount: Money | None = None
    payment: Payment | None = None
    note: str = ""
    mail: Mail | None = None


def latest_first(happenings: Iterable[Happening]) -> list[Happening]:
    """Put what happened into the order in which a history is read."""
    return sorted(happenings, key=lambda happening: happening.at, reverse=True)
