"""Records what became of sent mails, many in one statement, and what follows from it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction

from payorcrm.mail.drafts import after_sending_of
from payorcrm.mail.models import Mail, MailState, SuppressionReason
from payorcrm.mail.suppress import suppress
from payorcrm.mail.transport import KEPT_BACK, KEPT_BACK_AGAIN, Answer

# One minute, five, fifteen, an hour, then every four hours: two days in all.
RETRY_AFTER = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=1))
LATER_RETRY_AFTER = timedelta(hours=4)
MAX_ATTEMPTS = 16


@dataclass(frozen=True, slots=True)
class Result:
    """A mail and what became of it."""

    mail: Mail
    answer: Answer
    subject: str = ""


def record(results: list[Result], *, now: datetime) -> None:
    """Write the outcomes down in one transaction; what another worker has taken over meanwhile is left alone."""
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            # If the database's machine loses power now, these mails are sent again.
            cursor.execute("SET LOCAL synchronous_commit = off")
        write_down(results, now=now)


def write_down(results: list[Result], *, now: datetime) -> None:
    """Write outcomes in the current transaction, with what follows from them; the notes of handing over may go."""
    if not results:
        return
    rows = [_row(result, now) for result in results]
    columns = [list(column) for column in zip(*rows, strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(RECORD, [*columns, now])
        recorded = {mail_id for (mail_id,) in cursor.fetchall()}
    written = [result for result in results if result.mail.id in recorded]
    _after_sending(written, now)
    _after_bouncing(written, now)


def retry_at(attempt_count: int, *, now: datetime) -> datetime:
    """Return when a mail that was tried so many times is tried again."""
    later = RETRY_AFTER[attempt_count - 1] if 0 < attempt_count <= len(RETRY_AFTER) else LATER_RETRY_AFTER
    return now + later


RECORD = """
WITH result AS (
    SELECT * FROM unnest(
        %s::uuid[], %s::timestamptz[], %s::text[], %s::int[], %s::timestamptz[], %s::text[], %s::text[]
    ) AS result (id, claimed_at, state, attempt_count, send_after, subject, error)
),
closed_notes AS (
    DELETE FROM mail_handover AS note USING result
    WHERE note.mail_id = result.id AND note.claimed_at = result.claimed_at
)
UPDATE mail_mail AS mail SET
    state = result.state,
    attempt_count = result.attempt_count,
    send_after = coalesce(result.send_after, mail.send_after),
    sent_at = CASE WHEN result.state = 'sent' THEN %s::timestamptz END,
    subject = CASE WHEN result.subject = '' THEN mail.subject ELSE result.subject END,
    last_error = result.error,
    sealed_message = CASE WHEN result.state = 'sent' THEN NULL ELSE mail.sealed_message END,
    claimed_at = NULL
FROM result
WHERE mail.id = result.id AND mail.state = 'sending' AND mail.claimed_at = result.claimed_at
RETURNING mail.id
"""


def _row(result: Result, now: datetime) -> tuple[UUID, datetime | None, str, int, datetime | None, str, str]:
    mail, answer = result.mail, _patient(result)
    state, error, again, tries = answer.state, answer.error, None, mail.attempt_count
    if not answer.is_try:
        tries, again = max(tries - 1, 0), now + RETRY_AFTER[0]
    elif state == MailState.DEFERRED and tries >= MAX_ATTEMPTS:
        state, error = MailState.FAILED, f"Given up after {tries} tries. {error}"
    elif state == MailState.DEFERRED:
        again = retry_at(tries, now=now)
    return mail.id, mail.claimed_at, state.value, tries, again, result.subject[:300], error.replace("\0", "\ufffd")


def _patient(result: Result) -> Answer:
    """Let the second time that a mail is kept back running be a try, for the facts that it waits for may never come."""
    is_again = result.answer == KEPT_BACK and result.mail.last_error in (KEPT_BACK.error, KEPT_BACK_AGAIN)
    return Answer(KEPT_BACK.state, KEPT_BACK_AGAIN) if is_again else result.answer


def _after_sending(results: list[Result], now: datetime) -> None:
    sent: dict[str, list[UUID]] = {}
    for result in results:
        if result.answer.state == MailState.SENT:
            sent.setdefault(result.mail.kind, []).append(result.mail.id)
    for kind, mail_ids in sent.items():
        follow_up = after_sending_of(kind)
        if follow_up:
            follow_up(mail_ids, now)


def _after_bouncing(results: list[Result], now: datetime) -> None:
    """Stop runs of mails to addresses that the mail server says do not exist."""
    for result in results:
        if result.answer.state == MailState.BOUNCED:
            suppress(
                mail=result.mail,
                address=result.mail.to_address,
                reason=SuppressionReason.BOUNCED,
                note=result.answer.error.replace("\0", "\ufffd"),
                at=now,
            )
