"""Notes each mail just before the mail server gets it, so that a killed worker's mails are never sent a second time.

A note is the right to hand a mail over on one claim: the sender writes it before, `release_stuck` instead of it, and
the primary key lets only one of the two win. Notes are written on a connection of their own and wait for no disk.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import uuid4

import psycopg
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from psycopg import pq

from payorcrm.mail.models import Mail

# Only in this statement's own transaction: a pooler may give the connection to somebody else after it. If the
# database's machine loses power, the notes of the last moment (three times wal_writer_delay) are lost.
NO_WAIT = "set_config('synchronous_commit', 'off', true)"
NOTE, ANSWERED = b"note", b"answered"
STATEMENTS = {
    NOTE: f"""
        INSERT INTO mail_handover (mail_id, claimed_at, line, place, subject, begun_at)
        VALUES ($1::uuid, $2::timestamptz, $3::uuid, $4::int, $5::text, $6::timestamptz)
        ON CONFLICT DO NOTHING RETURNING {NO_WAIT}
    """.encode(),  # noqa: S608
    ANSWERED: f"""
        UPDATE mail_handover SET was_taken = $3::boolean
        WHERE mail_id = $1::uuid AND claimed_at = $2::timestamptz RETURNING {NO_WAIT}
    """.encode(),  # noqa: S608
}


class Notebook:
    """The notes of one worker's line to the mail server; the last of them is the only one without an answer."""

    def __init__(self) -> None:
        self._line = str(uuid4())
        self._place = 0
        self._connection: psycopg.Connection | None = None
        self._is_waiting = False

    def note(self, mail: Mail, subject: str, now: datetime) -> None:
        """Begin to note that a mail is handed over; `is_noted` waits for it."""
        self._place += 1
        claimed_at = _moment(mail.claimed_at)
        self._send(NOTE, [str(mail.id), claimed_at, self._line, str(self._place), subject[:300], now.isoformat()])

    def is_noted(self) -> bool:
        """Say whether the mail may be handed over: not after another worker has taken it back."""
        return self._rows() == 1

    def answered(self, mail: Mail, *, was_taken: bool) -> None:
        """Note what the server said. That it took a mail need not be noted where another one follows."""
        self._send(ANSWERED, [str(mail.id), _moment(mail.claimed_at), str(was_taken)])
        self._rows()

    def close(self) -> None:
        """Wait for what was begun and close the connection."""
        if self._connection:
            self._rows()
            self._connection.close()
        self._connection = None

    def _send(self, name: bytes, values: Sequence[str]) -> None:
        self._rows()
        connection = self._connected()
        sent = [value.replace("\0", "\ufffd").encode() for value in values]
        if settings.BEHIND_PGBOUNCER:
            connection.send_query_params(STATEMENTS[name], sent)
        else:
            connection.send_query_prepared(name, sent)
        connection.flush()
        self._is_waiting = True

    def _rows(self) -> int:
        """Wait for the statement under way and return how many rows it changed."""
        count = 0
        while self._is_waiting:
            result = self._connected().get_result()
            if result is None:
                self._is_waiting = False
            elif result.status == pq.ExecStatus.TUPLES_OK:
                count = result.ntuples
            else:
                raise psycopg.OperationalError(result.get_error_message())
        return count

    def _connected(self) -> pq.abc.PGconn:
        if self._connection is None:
            parameters = connections[DEFAULT_DB_ALIAS].get_connection_params()
            self._connection = psycopg.connect(**parameters, autocommit=True)
            self._prepare(self._connection.pgconn)
        return self._connection.pgconn

    def _prepare(self, connection: pq.abc.PGconn) -> None:
        # Planning an insertion takes twice as long as running it; a pooler may send the next one somewhere else.
        if not settings.BEHIND_PGBOUNCER:
            for name, statement in STATEMENTS.items():
                connection.prepare(name, statement)


def _moment(moment: datetime | None) -> str:
    assert moment is not None
    return moment.isoformat()
