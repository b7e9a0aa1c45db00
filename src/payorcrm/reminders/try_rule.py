"""Tries a rule: whom it matches today, about what, and who would get no mail and why. Nothing is sent or stored."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db import connection, transaction

from payorcrm.core.clock import day_in
from payorcrm.core.money import Money
from payorcrm.reminders.match import match_rules
from payorcrm.reminders.models import LeftOut, Rule
from payorcrm.reminders.sending_days import schedule_of

FEW = 50


@dataclass(frozen=True, slots=True)
class Match:
    """One customer and currency that a rule matches; `left_out` says why no mail would go."""

    customer_id: UUID
    company_name: str
    numbers: list[str]
    amount: Money
    oldest_due_on: date
    left_out: str


@dataclass(frozen=True, slots=True)
class Trial:
    """What a rule matches today: all of it counted, and the first few by name, those who get a mail first."""

    mail_count: int
    invoice_count: int
    totals: list[Money]
    left_out: list[tuple[str, int]]
    shown: list[Match]

    @property
    def count(self) -> int:
        """Return how many mails there would be if nobody was left out."""
        return self.mail_count + self.left_out_count

    @property
    def left_out_count(self) -> int:
        """Return how many get no mail."""
        return sum(count for _, count in self.left_out)


def try_rule(rule: Rule, *, now: datetime) -> Trial:
    """Match a rule, stored or not, with the invoices of today; what it sent today already is not matched again."""
    merchant = rule.merchant
    with transaction.atomic(), connection.cursor() as cursor:
        days = [day_in(merchant.time_zone, now)]
        match_rules([rule], merchant=merchant, schedule=schedule_of(merchant), days=days, now=now)
        cursor.execute(COUNTS)
        counts = cursor.fetchall()
        cursor.execute(SHOW, {"few": FEW})
        rows = cursor.fetchall()
    mailed = [row for row in counts if row[0] is None]
    reasons = dict.fromkeys((row[0] for row in counts if row[0]), 0)
    for reason, _, mails, *_ in counts:
        if reason:
            reasons[reason] += mails
    return Trial(
        mail_count=sum(row[2] for row in mailed),
        invoice_count=sum(row[3] for row in mailed),
        totals=[Money(int(row[4]), row[1]) for row in mailed],
        left_out=[(LeftOut(reason).label, count) for reason, count in reasons.items()],
        shown=[_match(*row) for row in rows],
    )


def _match(
    customer_id: UUID, name: str, numbers: list[str], amount: int, currency: str, due_on: date, left_out: str | None
) -> Match:
    words = LeftOut(left_out).label if left_out else ""
    return Match(customer_id, name, numbers, Money(int(amount), currency), due_on, words)


COUNTS = """
SELECT left_out, considered.currency, count(DISTINCT considered.customer_id), count(*), sum(invoice.balance)
FROM considered JOIN invoices_invoice AS invoice ON invoice.id = ANY(invoice_ids)
GROUP BY left_out, considered.currency ORDER BY left_out, considered.currency
"""
SHOW = """
SELECT considered.customer_id, customer.company_name, array_agg(invoice.number ORDER BY invoice.due_on, invoice.number),
    sum(invoice.balance), considered.currency, oldest_due_on, left_out
FROM considered
JOIN customers_customer AS customer ON customer.id = considered.customer_id
JOIN invoices_invoice AS invoice ON invoice.id = ANY(invoice_ids)
GROUP BY considered.customer_id, customer.company_name, considered.currency, oldest_due_on, left_out
ORDER BY left_out IS NOT NULL, lower(customer.company_name), considered.currency LIMIT %(few)s
"""
