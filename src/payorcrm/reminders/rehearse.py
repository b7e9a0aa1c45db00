"""Foresees each mail that rules would send in the next thirty days, by the statements of the run itself.

It supposes that nobody pays, and that nothing new comes in. What one day sends changes the next, so day follows day,
until the time that a person waits for a page is up.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import groupby
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection, transaction

from payorcrm.core.clock import day_in
from payorcrm.core.money import Money, add_up
from payorcrm.merchants.models import Merchant
from payorcrm.reminders.match import END, STEPS_TO_FREE, STEPS_TO_SEND, freed_since, match_by, match_values
from payorcrm.reminders.models import DayRun, Rule, Schedule
from payorcrm.reminders.run_rules import active_rules
from payorcrm.reminders.sending_days import run_day, schedule_of, sending_days, step_days

DAYS = 30
CHANGES_SHOWN = 50
# After so many seconds no further day is begun.
MOST_SECONDS = 15.0


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
    """Mails by day and customer; `ends_on` is the last day foreseen, if the others would have taken too long."""

    mails: list[ForeseenMail]
    ends_on: date | None = None

    def until(self, day: date | None) -> list[ForeseenMail]:
        """Return the mails until a day."""
        return [mail for mail in self.mails if day is None or mail.day <= day]


def rehearse(
    merchant: Merchant,
    rules: Sequence[Rule],
    *,
    now: datetime,
    customer_id: UUID | None = None,
    seconds: float = MOST_SECONDS,
) -> Rehearsal:
    """Return the mails that these rules would send to all customers, or to one. Nothing is sent or stored."""
    schedule = schedule_of(merchant)
    if not rules:
        return Rehearsal([])
    ends_on, stops_at = None, time.monotonic() + seconds
    with transaction.atomic(), connection.cursor() as cursor:
        match_by(match_values(merchant, schedule, now), rules, [])
        cursor.execute("TRUNCATE foreseen_step, foreseen_invoice, foreseen_mail, freed_step")
        since = freed_since(schedule, day_in(merchant.time_zone, now))
        cursor.execute(f"INSERT INTO freed_step {STEPS_TO_FREE}", {"merchant": merchant.id, "since": since})
        coming = list(coming_runs(merchant, schedule, now))
        for day, moment in coming:
            # What is under way now has arrived by a later day.
            changed = {"is_rehearsal": moment > now, "customer": customer_id}
            values = match_values(merchant, schedule, moment) | changed
            match_by(values, rules, step_days(schedule, day))
            cursor.execute(FORESEE, values)
            if time.monotonic() > stops_at and day != coming[-1][0]:
                ends_on = day
                break
        cursor.execute(SHOW, {"merchant": merchant.id})
        rows = cursor.fetchall()
        cursor.execute(END)
    by_id = {rule.id: rule for rule in rules}
    mails = [
        ForeseenMail(day, recipient_id, name, tuple(numbers), Money(int(amount), currency), by_id[rule_id])
        for day, rule_id, recipient_id, name, currency, numbers, amount in rows
    ]
    return Rehearsal(mails, ends_on)


def coming_runs(merchant: Merchant, schedule: Schedule, now: datetime) -> Iterator[tuple[date, datetime]]:
    """Yield the days whose runs are still to come, and when each one runs: a run that is late runs now."""
    zone = ZoneInfo(merchant.time_zone)
    today = now.astimezone(zone).date()
    done = set(
        DayRun.objects.filter(merchant=merchant, day__gte=today - timedelta(days=1)).values_list("day", flat=True)
    )
    late = run_day(schedule, merchant.time_zone, now)
    if late and late not in done:
        yield late, now
    is_sending_day = sending_days(schedule)
    for ahead in range(DAYS + 1):
        day = today + timedelta(days=ahead)
        moment = datetime.combine(day, schedule.send_at, zone)
        if moment > now and day not in done and is_sending_day(day):
            yield day, moment


FORESEE = f"""
INSERT INTO foreseen_mail SELECT %(today)s, rule_id, customer_id, currency, invoice_ids
FROM considered WHERE left_out IS NULL;
INSERT INTO foreseen_step {STEPS_TO_SEND};
INSERT INTO foreseen_invoice SELECT unnest(invoice_ids), %(today)s, 1 FROM considered WHERE left_out IS NULL
ON CONFLICT (invoice_id) DO UPDATE SET sent_on = excluded.sent_on, times = foreseen_invoice.times + 1;
ANALYZE foreseen_step, foreseen_invoice, foreseen_mail;
"""  # noqa: S608
SHOW = """
SELECT mail.sent_on, mail.rule_id, mail.customer_id, customer.company_name, mail.currency,
    array_agg(invoice.number ORDER BY invoice.due_on, invoice.number), sum(invoice.balance)
FROM foreseen_mail AS mail
JOIN customers_customer AS customer ON customer.id = mail.customer_id
CROSS JOIN unnest(mail.invoice_ids) AS named (id)
JOIN invoices_invoice AS invoice ON invoice.id = named.id
GROUP BY mail.sent_on, mail.rule_id, mail.customer_id, customer.company_name, mail.currency
ORDER BY mail.sent_on, lower(customer.company_name), mail.customer_id, mail.currency
"""


@dataclass(frozen=True, slots=True)
class ForeseenDay:
    """What one day would send."""

    day: date
    mails: list[ForeseenMail]
    totals: list[Money]

    def invoice_count(self) -> int:
        """Count the invoices that the mails of the day are about."""
        return sum(len(mail.numbers) for mail in self.mails)


def by_day(mails: Sequence[ForeseenMail]) -> list[ForeseenDay]:
    """Gather mails that are in the order of their days."""
    days = []
    for day, group in groupby(mails, key=lambda mail: mail.day):
        sent = list(group)
        currencies = sorted({mail.amount.currency for mail in sent})
        totals = [add_up([mail.amount for mail in sent if mail.amount.currency == each], each) for each in currencies]
        days.append(ForeseenDay(day, sent, totals))
    return days


@dataclass(frozen=True, slots=True)
class Move:
    """A mail of now beside what becomes of it."""

    before: ForeseenMail
    after: ForeseenMail


@dataclass(frozen=True, slots=True)
class Difference:
    """How the mails after a change differ from those of now."""

    added: list[ForeseenMail]
    gone: list[ForeseenMail]
    moved: list[Move]
    changed: list[Move]  # on the same day, but by another rule or template, or about other invoices
    same_count: int
    ends_on: date | None = None  # the last day that was compared, if not all were

    def is_nothing(self) -> bool:
        """Say whether a change would change no mail."""
        return not self.count()

    def count(self) -> int:
        """Count the mails that would change."""
        return sum(len(each) for each in (self.added, self.gone, self.moved, self.changed))

    def first_changes(self) -> list["Change"]:
        """Return the first of all changes by day and customer."""
        changes = [Change("Added", None, mail) for mail in self.added]
        changes += [Change("Gone", mail, None) for mail in self.gone]
        changes += [Change("Moved", move.before, move.after) for move in self.moved]
        changes += [Change("Written differently", move.before, move.after) for move in self.changed]
        return sorted(changes, key=lambda each: (each.day(), each.mail().company_name.lower()))[:CHANGES_SHOWN]


@dataclass(frozen=True, slots=True)
class Change:
    """One mail as it is now and as it would be; None is no mail."""

    words: str
    before: ForeseenMail | None
    after: ForeseenMail | None

    def mail(self) -> ForeseenMail:
        """Return what would be sent, or is no longer."""
        mail = self.after or self.before
        assert mail is not None
        return mail

    def day(self) -> date:
        """Return the first day that differs."""
        return min(mail.day for mail in (self.before, self.after) if mail)


def rehearse_change(rule: Rule, *, now: datetime) -> Difference:
    """Say how the mails of the coming days would differ if a rule were as it is given; nothing is stored."""
    active = active_rules(rule.merchant)
    others = [each for each in active if each.id != rule.id]
    after = sorted([*others, rule], key=lambda each: each.position) if rule.is_active else others
    foreseen = [rehearse(rule.merchant, rules, now=now) for rules in (active, after)]
    ends_on = min((each.ends_on for each in foreseen if each.ends_on), default=None)
    return replace(compare(*(each.until(ends_on) for each in foreseen)), ends_on=ends_on)


def compare(before: Sequence[ForeseenMail], after: Sequence[ForeseenMail]) -> Difference:
    """Say what a change adds, takes away, moves to another day and writes differently."""
    old = {(*mail.recipient, mail.day): mail for mail in before}
    new = {(*mail.recipient, mail.day): mail for mail in after}
    both = [Move(old[key], new[key]) for key in old if key in new]
    changed = [move for move in both if _written(move.before) != _written(move.after)]
    added, gone = [new[key] for key in new if key not in old], [old[key] for key in old if key not in new]
    moved = list(_moves(gone, added))
    stayed = {id(mail) for move in moved for mail in (move.before, move.after)}
    return Difference(
        added=[mail for mail in added if id(mail) not in stayed],
        gone=[mail for mail in gone if id(mail) not in stayed],
        moved=moved,
        changed=changed,
        same_count=len(both) - len(changed),
    )


def _written(mail: ForeseenMail) -> tuple[object, ...]:
    return mail.rule.id, mail.rule.template_id, mail.numbers


def _moves(gone: Sequence[ForeseenMail], added: Sequence[ForeseenMail]) -> Iterator[Move]:
    """Pair what goes with what comes to the same customer about the same invoices, on the nearest day."""
    coming: dict[tuple[UUID, str], list[ForeseenMail]] = {}
    for mail in added:
        coming.setdefault(mail.recipient, []).append(mail)
    for mail in gone:
        alike = [each for each in coming.get(mail.recipient, []) if set(each.numbers) & set(mail.numbers)]
        if alike:
            nearest = min(alike, key=lambda each: abs(each.day - mail.day))
            coming[mail.recipient].remove(nearest)
            yield Move(mail, nearest)
