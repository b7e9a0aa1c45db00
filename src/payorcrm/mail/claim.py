"""Claims the next mails of one way out: those of a merchant with a server of its own, or those of everybody else."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from payorcrm.mail.limit import allowed_now
from payorcrm.mail.models import Mail

BATCH_SIZE = 200


@dataclass(frozen=True, slots=True)
class WayOut:
    """A queue of the outbox: of one merchant's own server or, without a merchant, of the installation's."""

    merchant_id: UUID | None = None
    limit: int = BATCH_SIZE

    def claim(self, *, now: datetime) -> list[Mail]:
        """Mark the next mails as being sent, single ones before those of a run, and return them, committed.

        Those of new accounts are put off to their next day once they are over the day's limit.
        """
        with transaction.atomic(durable=True):
            allowed = [] if self.merchant_id else allowed_now(now=now, most=self.limit)
            due = self._due if self.merchant_id else self._due + OF_TRUSTED
            mails = list(Mail.objects.raw(CLAIM.format(due=due), {**self._values(now), "allowed": allowed}))
        return sorted(mails, key=lambda mail: (mail.is_bulk, mail.send_after, mail.id))

    def has_due(self, *, now: datetime) -> bool:
        """Say whether something is left to claim."""
        with connection.cursor() as cursor:
            cursor.execute(HAS_DUE.format(due=self._due), self._values(now))
            return bool(cursor.fetchone()[0])

    @property
    def _due(self) -> str:
        return DUE + (OF_MERCHANT if self.merchant_id else OF_NO_OWN_SERVER)

    def _values(self, now: datetime) -> dict[str, Any]:
        return {"now": now, "limit": self.limit, "merchant": self.merchant_id}


DUE = "state IN ('queued', 'deferred') AND send_after <= %(now)s AND "
OF_MERCHANT = "merchant_id = %(merchant)s"
OF_NO_OWN_SERVER = (
    "(merchant_id IS NULL OR merchant_id NOT IN (SELECT merchant_id FROM mail_mailsender WHERE uses_own_server))"
)
OF_TRUSTED = """ AND (
    merchant_id IS NULL OR id = ANY(%(allowed)s)
    OR merchant_id NOT IN (SELECT id FROM merchants_merchant WHERE NOT is_trusted)
)"""

# Materialized, for PostgreSQL may plan a subquery as the inner side of a nested loop: run once more for each row of
# the outer side, it passes over the rows that are changed already, and takes more than the limit.
CLAIM = """
WITH next AS MATERIALIZED (
    SELECT id FROM mail_mail WHERE {due}
    ORDER BY is_bulk, send_after, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
UPDATE mail_mail AS mail SET state = 'sending', claimed_at = %(now)s, attempt_count = attempt_count + 1
FROM next WHERE mail.id = next.id
RETURNING mail.*
"""
HAS_DUE = "SELECT EXISTS (SELECT FROM mail_mail WHERE {due})"
