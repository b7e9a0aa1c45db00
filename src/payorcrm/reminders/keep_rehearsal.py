"""Works a rehearsal of the active rules out once and keeps it: the pages that show it only read.

It is found again by a fingerprint of all that it was worked out from. A change of any of it leads to a new one.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from hashlib import sha256
from itertools import groupby
from operator import attrgetter
from uuid import UUID

from django.db import connection, transaction

from payorcrm.core.clock import day_in
from payorcrm.core.jobs import enqueue_named
from payorcrm.invoices.models import Invoice, InvoiceStatus
from payorcrm.merchants.models import Merchant
from payorcrm.reminders.foresee import END, ForeseenRun, coming_runs, foresee
from payorcrm.reminders.models import KeptRehearsal, RehearsedDay, RehearsedMail, Schedule
from payorcrm.reminders.run_rules import active_rules
from payorcrm.reminders.sending_days import schedule_of

# A page works out a rehearsal of so many open invoices by itself; a job does the larger ones.
MOST_FOR_A_PAGE = 5000
# A job that has not worked it out by then was lost, or is slow: another one does no harm.
PATIENCE = timedelta(minutes=2)
# One that was shown stays for a while after something has changed, for whoever pages through it.
KEPT_AFTER_A_CHANGE, KEPT = timedelta(hours=1), timedelta(days=1)
NUMBERS_SHOWN = 20


def rehearsal_of(merchant: Merchant, *, now: datetime) -> KeptRehearsal:
    """Return what the active rules would send by what is known now; a large one may still have to be worked out."""
    given = {"merchant": merchant, "fingerprint": fingerprint_of(merchant, now)}
    kept, is_new = KeptRehearsal.objects.get_or_create(**given, defaults={"asked_at": now})
    if kept.worked_out_at is None and (is_new or kept.asked_at < now - PATIENCE):
        if Invoice.objects.filter(merchant=merchant, status=InvoiceStatus.OPEN)[MOST_FOR_A_PAGE:].exists():
            KeptRehearsal.objects.filter(id=kept.id).update(asked_at=now)
            enqueue_named("payorcrm.reminders.jobs.work_out_rehearsal", rehearsal_id=str(kept.id))
        else:
            work_out(kept.id, now=now)
            kept.refresh_from_db()
    return kept


def work_out(kept_id: UUID, *, now: datetime) -> None:
    """Fill in a rehearsal once. While somebody else is at it, this leaves it alone."""
    with transaction.atomic(), connection.cursor() as cursor:
        waiting = KeptRehearsal.objects.select_for_update(skip_locked=True, of=("self",)).select_related("merchant")
        kept = waiting.filter(id=kept_id, worked_out_at=None).first()
        if kept is None:
            return
        rules = active_rules(kept.merchant)
        runs = foresee(kept.merchant, rules, now=now)
        cursor.execute(KEEP, {"rehearsal": kept.id})
        cursor.execute(TOTALS)
        RehearsedDay.objects.bulk_create(_days(kept, runs, cursor.fetchall()))
        cursor.execute(END)
        kept.worked_out_at, kept.rule_count = now, len(rules)
        kept.invoice_count = Invoice.objects.filter(merchant=kept.merchant, status=InvoiceStatus.OPEN).count()
        kept.save()


Total = tuple[date, str, int, int, int]


def _days(kept: KeptRehearsal, runs: Sequence[ForeseenRun], totals: Sequence[Total]) -> Iterator[RehearsedDay]:
    """Return the days on which something is sent; a run that is late may share its day with the next one."""
    for day, of_day in groupby(runs, key=attrgetter("sent_on")):
        sums = [row for row in totals if row[0] == day]
        if sums:
            yield RehearsedDay(
                rehearsal=kept,
                day=day,
                mail_count=sum(row[2] for row in sums),
                invoice_count=sum(row[3] for row in sums),
                totals=[[int(row[4]), row[1]] for row in sums],
                held_because=" ".join(run.held_because for run in of_day if run.held_because),
            )


KEEP = """
INSERT INTO reminders_rehearsedmail (rehearsal_id, day, customer_id, rule_id, currency, amount, invoice_ids)
SELECT %(rehearsal)s, mail.sent_on, mail.customer_id, mail.rule_id, mail.currency, mail.amount, mail.invoice_ids
FROM foreseen_mail AS mail JOIN customers_customer AS customer ON customer.id = mail.customer_id
ORDER BY mail.sent_on, lower(customer.company_name), mail.customer_id, mail.currency
"""
TOTALS = """
SELECT sent_on, currency, count(*), sum(cardinality(invoice_ids)), sum(amount)
FROM foreseen_mail GROUP BY sent_on, currency ORDER BY sent_on, currency
"""


def fingerprint_of(merchant: Merchant, now: datetime) -> str:
    """Return what differs as soon as anything does that a rehearsal depends on, the days that are to come included."""
    schedule: Schedule = schedule_of(merchant)
    days = [day.isoformat() for day, _ in coming_runs(merchant, schedule, now)]
    since = now - max(LONG, timedelta(days=schedule.min_days_between + 2))
    with connection.cursor() as cursor:
        cursor.execute(STATE, {"merchant": merchant.id, "since": since})
        rows = cursor.fetchall()
    return sha256(repr((day_in(merchant.time_zone, now), days, sorted(rows))).encode()).hexdigest()


# Older runs and mails bear on nothing that is to come.
LONG = timedelta(days=14)
# PostgreSQL writes into each row which transaction made it what it is. A row that is new, changed or gone changes the
# number of rows or the sum of these.
_OF_MERCHANT = (
    "customers_customer",
    "customers_contact",
    "customers_notification",
    "customers_portalaccess",
    "mail_suppression",
    "payment_methods_paymentmethod",
    "payments_payment",
    "invoices_invoicedocument",
    "reminders_dayrun",
    "reminders_hold",
    "reminders_rule",
    "reminders_schedule",
    "reminders_remindertemplate",
)
_CHANGES = "count(*), sum(rows.xmin::text::bigint)"
STATE = " UNION ALL ".join(
    [
        f"SELECT '{name}', {_CHANGES} FROM {name} AS rows WHERE rows.merchant_id = %(merchant)s"  # noqa: S608
        for name in _OF_MERCHANT
    ]
    + [
        f"SELECT 'merchant', {_CHANGES} FROM merchants_merchant AS rows WHERE rows.id = %(merchant)s",  # noqa: S608
        f"""SELECT 'invoice', {_CHANGES} FROM invoices_invoice AS rows
        WHERE rows.merchant_id = %(merchant)s AND rows.status = 'open'""",  # noqa: S608
        f"""SELECT 'reminder', {_CHANGES}
        FROM reminders_reminderrun AS run JOIN reminders_reminder AS reminder ON reminder.run_id = run.id
        JOIN mail_mail AS rows ON rows.id = reminder.mail_id
        WHERE run.merchant_id = %(merchant)s AND run.started_at > %(since)s""",  # noqa: S608
        f"""SELECT 'mail', {_CHANGES} FROM mail_mail AS rows
        WHERE rows.merchant_id = %(merchant)s AND rows.sent_at > %(since)s""",  # noqa: S608
    ]
)


def name_invoices(mails: Sequence[RehearsedMail], *, most: int = NUMBERS_SHOWN) -> dict[int, list[str]]:
    """Return the numbers of the first invoices of some mails, by the mails' ids."""
    with connection.cursor() as cursor:
        cursor.execute(NUMBERS, {"mails": [mail.id for mail in mails], "most": most})
        return dict(cursor.fetchall())


NUMBERS = """
SELECT mail.id, (array_agg(invoice.number ORDER BY invoice.due_on, invoice.number))[1:%(most)s]
FROM reminders_rehearsedmail AS mail
CROSS JOIN unnest(mail.invoice_ids) AS named (id)
JOIN invoices_invoice AS invoice ON invoice.id = named.id
WHERE mail.id = ANY(%(mails)s::bigint[])
GROUP BY mail.id
"""


def first_mails(kept: KeptRehearsal, *, most: int) -> list[RehearsedMail]:
    """Return the first mails of each day."""
    with connection.cursor() as cursor:
        cursor.execute(FIRST, {"rehearsal": kept.id, "most": most})
        ids = [mail_id for (mail_id,) in cursor.fetchall()]
    return list(RehearsedMail.objects.filter(id__in=ids).select_related("customer", "rule__template").order_by("id"))


FIRST = """
SELECT mail.id
FROM reminders_rehearsedday AS each
CROSS JOIN LATERAL (
    SELECT id FROM reminders_rehearsedmail AS mail
    WHERE mail.rehearsal_id = each.rehearsal_id AND mail.day = each.day ORDER BY mail.id LIMIT %(most)s
) AS mail
WHERE each.rehearsal_id = %(rehearsal)s
"""


def forget_rehearsals(*, now: datetime) -> None:
    """Throw away what is old, and what something has changed since."""
    latest = KeptRehearsal.objects.order_by("merchant_id", "-asked_at", "-id").distinct("merchant_id")
    old = KeptRehearsal.objects.filter(asked_at__lt=now - KEPT_AFTER_A_CHANGE).exclude(id__in=latest.values("id"))
    (old | KeptRehearsal.objects.filter(asked_at__lt=now - KEPT)).delete()
