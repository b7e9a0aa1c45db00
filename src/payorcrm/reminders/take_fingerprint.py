"""Takes the fingerprint of all that a rehearsal depends on: another one says that something has changed since."""

from datetime import datetime, timedelta
from hashlib import sha256

from django.db import connection

from payorcrm.core.clock import day_in
from payorcrm.merchants.models import Merchant
from payorcrm.reminders.foresee import coming_runs
from payorcrm.reminders.models import Schedule
from payorcrm.reminders.sending_days import schedule_of


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
