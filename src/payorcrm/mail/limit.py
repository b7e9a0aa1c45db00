"""How many mails a day a business that signed itself up may send over the installation's own server.

Until the operator trusts it, or it has a server of its own, what is over the limit waits until the next day.
Days are of UTC: a merchant's own day would begin anew with another time zone.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection

from payorcrm.mail.models import Mail, MailQuerySet, MailSender, MailState
from payorcrm.merchants.models import Merchant

# What waits for the limit says so with these words first, and nothing else does.
OVER = "Over the limit of a new account"
# One part in so many is kept for single mails, which somebody waits for: no run uses it up.
KEPT_PART = 5


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a limited merchant may send today, and what waits for the next day."""

    limit: int
    used: int
    waiting: int
    again_at: datetime


def allowed_now(*, now: datetime, most: int) -> list[UUID]:
    """Return the next mails of limited merchants that may go now, and put off those that may not.

    In a transaction: the merchants stay locked until its end, so that two workers do not use up the same day twice.
    Nobody is waited for: the mails of a merchant that is locked elsewhere stay as they are until the next sweep.
    """
    with connection.cursor() as cursor:
        cursor.execute(LOCK, {"now": now})
        merchants = [merchant_id for (merchant_id,) in cursor.fetchall()]
        if not merchants:
            return []
        # A statement of its own: it has to see what others claimed until the one before got its locks.
        a_day = settings.NEW_ACCOUNT_MAILS_PER_DAY
        ceilings = {"single_ceiling": a_day, "bulk_ceiling": a_day - a_day // KEPT_PART}
        cursor.execute(ALLOW, {"now": now, "merchants": merchants, "most": most, "why": _why(a_day), **ceilings})
        return [mail_id for (mail_id,) in cursor.fetchall()]


def allowance_of(merchant: Merchant, *, now: datetime) -> Allowance | None:
    """Return how a limited merchant stands; None for one that the operator trusts or that has its own server."""
    if merchant.is_trusted or MailSender.objects.filter(merchant=merchant, uses_own_server=True).exists():
        return None
    with connection.cursor() as cursor:
        cursor.execute(USED_TODAY, {"now": now, "merchants": [merchant.id]})
        (used,) = cursor.fetchone()
    tomorrow = now.astimezone(UTC).date() + timedelta(days=1)
    return Allowance(
        limit=settings.NEW_ACCOUNT_MAILS_PER_DAY,
        used=int(used),
        waiting=over_limit(merchant).filter(send_after__gt=now).count(),
        again_at=datetime.combine(tomorrow, time.min, tzinfo=UTC),
    )


def over_limit(merchant: Merchant) -> MailQuerySet:
    """Return the mails that wait for the limit."""
    return Mail.objects.filter(merchant=merchant, state=MailState.DEFERRED, last_error__startswith=OVER)


def _why(a_day: int) -> str:
    return f"{OVER}: {a_day} mails to customers a day. It goes out by itself, on the next day at the earliest."


# Each address counts. What goes to the merchant's own people, and to nobody else, does not.
_WEIGHT = """
CASE WHEN mail.also_to = '{}' AND mail.cc = '{}' AND EXISTS (
    SELECT FROM merchants_staff AS staff JOIN core_user AS person ON person.id = staff.user_id
    WHERE staff.merchant_id = mail.merchant_id AND lower(person.email) = lower(mail.to_address)
) THEN 0 ELSE 1 + cardinality(mail.also_to) + cardinality(mail.cc) END
"""

LOCK = """
SELECT id FROM merchants_merchant AS merchant WHERE NOT is_trusted
AND NOT EXISTS (SELECT FROM mail_mailsender WHERE merchant_id = merchant.id AND uses_own_server)
AND EXISTS (
    SELECT FROM mail_mail WHERE merchant_id = merchant.id AND state IN ('queued', 'deferred') AND send_after <= %(now)s
)
ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
"""

_USED = f"""
WITH limited AS (
    SELECT id, time_zone, today, today + interval '24 hours' AS tomorrow,
        (today + interval '24 hours') AT TIME ZONE time_zone AS tomorrow_there
    FROM merchants_merchant, date_trunc('day', %(now)s::timestamptz, 'UTC') AS today WHERE id = ANY(%(merchants)s)
),
used AS (
    SELECT mail.merchant_id, sum({_WEIGHT}) AS weight
    FROM limited JOIN mail_mail AS mail ON mail.merchant_id = limited.id
    WHERE mail.state = 'sending' OR mail.sent_at >= limited.today
    GROUP BY mail.merchant_id
)
"""  # noqa: S608

USED_TODAY = f"{_USED} SELECT coalesce(sum(weight), 0) FROM used"  # noqa: S608

# What somebody else is just changing is left out: it may be claimed, or canceled, by the time it would be put off.
# Single mails first, as they are claimed. The rest of a run goes out at its time of day there.
ALLOW = f"""
{_USED},
due AS (
    SELECT mail.id, mail.merchant_id, mail.is_bulk, mail.send_after, {_WEIGHT} AS weight FROM mail_mail AS mail
    WHERE merchant_id = ANY(%(merchants)s) AND state IN ('queued', 'deferred') AND send_after <= %(now)s
    FOR NO KEY UPDATE OF mail SKIP LOCKED
),
ranked AS (
    SELECT due.*, coalesce(used.weight, 0) - due.weight + sum(due.weight)
        OVER (PARTITION BY merchant_id ORDER BY is_bulk, send_after, id) AS before,
        CASE WHEN is_bulk THEN %(bulk_ceiling)s ELSE %(single_ceiling)s END AS ceiling
    FROM due LEFT JOIN used USING (merchant_id)
),
put_off AS (
    UPDATE mail_mail AS mail SET state = 'deferred', last_error = %(why)s, send_after = CASE WHEN mail.is_bulk THEN (
        tomorrow_there::date + (time_there < tomorrow_there::time)::int + time_there
    ) AT TIME ZONE limited.time_zone ELSE limited.tomorrow END
    FROM ranked JOIN limited ON limited.id = ranked.merchant_id,
        LATERAL (SELECT (ranked.send_after AT TIME ZONE limited.time_zone)::time AS time_there) AS began
    WHERE mail.id = ranked.id AND ranked.weight > 0 AND ranked.before >= ranked.ceiling
)
SELECT id FROM ranked WHERE weight = 0 OR before < ceiling ORDER BY is_bulk, send_after, id LIMIT %(most)s
"""  # noqa: S608
