"""Ends the claims of killed workers: what they had not handed over goes back to the queue, the rest never does."""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from payorcrm.mail.models import Mail, MailState
from payorcrm.mail.record import MAX_ATTEMPTS, Result, write_down
from payorcrm.mail.transport import Answer

NOT_SENT = "The worker that was about to send this mail stopped."
IN_DOUBT = (
    "The worker stopped while the mail server was taking this mail. It has probably arrived; "
    "send it again only if it has not."
)
# A worker that was only asleep for so long finds its clock against it before it sends anything.
FORGOTTEN_AFTER = timedelta(days=1)

Claims = tuple[list[UUID], list[datetime | None]]


def stuck_after() -> timedelta:
    """Return how long a mail may be claimed before its worker is taken for dead."""
    return timedelta(seconds=settings.MAIL_STUCK_AFTER_SECONDS)


def release_stuck(*, now: datetime) -> None:
    """End claims that are too old, as the notes of their workers say.

    A mail that was not handed over is due again, or has failed after too many tries. One that the server took counts
    as sent. One whose answer nobody read is not sent again by itself: it has failed, and says why.
    """
    if not Mail.objects.filter(state=MailState.SENDING, claimed_at__lt=now - stuck_after()).exists():
        return
    with transaction.atomic():
        stuck = list(Mail.objects.raw(LOCK_STUCK, [now - stuck_after()]))
        claims: Claims = ([mail.id for mail in stuck], [mail.claimed_at for mail in stuck])
        results = _handed_over(stuck, claims, now)
        write_down(results, now=now)
        with connection.cursor() as cursor:
            handed_over = {result.mail.id for result in results}
            unsent = [mail.id for mail in stuck if mail.id not in handed_over]
            cursor.execute(RELEASE, {"now": now, "mails": unsent, "tries": MAX_ATTEMPTS, "error": NOT_SENT})
            cursor.execute(TEAR_OUT, [now - FORGOTTEN_AFTER])


def _handed_over(stuck: list[Mail], claims: Claims, now: datetime) -> list[Result]:
    mail_by_id = {mail.id: mail for mail in stuck}
    with connection.cursor() as cursor:
        cursor.execute(TAKE_BACK, [now, *claims])
        cursor.execute(READ_NOTES, [*claims])
        notes = cursor.fetchall()
    return [
        Result(
            mail_by_id[mail_id], Answer(MailState.SENT) if was_taken else Answer(MailState.FAILED, IN_DOUBT), subject
        )
        for mail_id, subject, was_taken in notes
    ]


LOCK_STUCK = "SELECT * FROM mail_mail WHERE state = 'sending' AND claimed_at < %s ORDER BY id FOR UPDATE SKIP LOCKED"

# From here on the worker, should it still live, is not allowed to hand these over.
TAKE_BACK = """
INSERT INTO mail_handover (mail_id, claimed_at, begun_at)
SELECT mail_id, claimed_at, %s FROM unnest(%s::uuid[], %s::timestamptz[]) AS claim (mail_id, claimed_at)
ON CONFLICT DO NOTHING
"""

# A line hands over one mail after another, so all of its mails but the last were answered.
READ_NOTES = """
WITH latest AS (SELECT line, max(place) AS place FROM mail_handover WHERE line IS NOT NULL GROUP BY line)
SELECT note.mail_id, note.subject, coalesce(note.was_taken, note.place < latest.place)
FROM mail_handover AS note
JOIN unnest(%s::uuid[], %s::timestamptz[]) AS claim (mail_id, claimed_at) USING (mail_id, claimed_at)
JOIN latest USING (line)
WHERE note.was_taken IS NOT false
"""

RELEASE = """
UPDATE mail_mail SET
    state = CASE WHEN attempt_count < %(tries)s THEN 'deferred' ELSE 'failed' END,
    send_after = %(now)s, claimed_at = NULL, last_error = %(error)s
WHERE id = ANY(%(mails)s)
"""

TEAR_OUT = "DELETE FROM mail_handover WHERE begun_at < %s"
