"""Foresees each mail that rules would send in the next thirty days, and which runs would wait for a person."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from django.db import connection, transaction

from payorcrm.core.money import Money
from payorcrm.merchants.models import Merchant
from payorcrm.reminders.foresee import DAYS, END, foresee
from payorcrm.reminders.models import Rule

__all__ = ["DAYS", "ForeseenMail", "Rehearsal", "rehearse"]


@dataclass(frozen=True, slots=True)
class ForeseenMail:
    """One mail that would be sent; `amount` is what is owed on its invoices today."""

    day: date
    customer_id: UUID
    company_name: str
    numbers: tuple[str, ...]
    amount: Money
    rule: Rule

    @property
    def recipient(self) -> tuple[UUID, str]:
        """To whom and in which currency: one mail a day at most."""
        return self.customer_id, self.amount.currency


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """Mails by day and customer, and why the runs of some days would wait for a person."""

    mails: list[ForeseenMail]
    held: dict[date, str] = field(default_factory=dict)


def rehearse(merchant: Merchant, rules: Sequence[Rule], *, now: datetime, customer_id: UUID | None = None) -> Rehearsal:
    """Return the mails that these rules would send to all customers, or to one. Nothing is sent or stored.

    It supposes that nobody pays, that nothing new comes in, and that runs which wait are released at once.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        runs = foresee(merchant, rules, now=now, customer_id=customer_id)
        cursor.execute(SHOW)
        rows = cursor.fetchall()
        cursor.execute(END)
    by_id = {rule.id: rule for rule in rules}
    mails = [
        ForeseenMail(day, recipient_id, name, tuple(numbers), Money(int(amount), currency), by_id[rule_id])
        for day, rule_id, recipient_id, name, currency, numbers, amount in rows
    ]
    return Rehearsal(mails, {run.sent_on: run.held_because for run in runs if run.held_because})


SHOW = """
SELECT mail.sent_on, mail.rule_id, mail.customer_id, customer.company_name, mail.currency, named.numbers, mail.amount
FROM foreseen_mail AS mail
JOIN customers_customer AS customer ON customer.id = mail.customer_id
CROSS JOIN LATERAL (
    SELECT array_agg(number ORDER BY due_on, number) AS numbers
    FROM foreseeable WHERE foreseeable.id = ANY(mail.invoice_ids)
) AS named
ORDER BY mail.sent_on, lower(customer.company_name), mail.customer_id, mail.currency
"""
