"""Notes each mail just before the mail server gets it, so that a killed worker's mails are never sent a second time.

A note is the right to hand a mail over on one claim: the sender writes it before, `release_stuck` instead of it, and
the primary key lets only one of the two win. Notes are written on a connection of their own and wait for no disk.
There, too, a mail's proviso is looked at, and whether its addresses were stopped meanwhile: no note, no mail.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid4

import psycopg
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from psycopg import pq

from payorcrm.mail.models import Mail
from payorcrm.mail.proviso import Proviso, text_array
from payorcrm.mail.transport import Outgoing

# Only in this statement's own transaction: a pooler may give the connection to somebody else after it. If the
# database's machine loses power, the notes of the last moment (three times wal_writer_delay) are lost.
NO_WAIT = "set_config('synchronous_commit', 'off', true)"
NOTE = f"""
    INSERT INTO mail_handover (mail_id, claimed_at, line, place, subject, begun_at)
    SELECT $1::uuid, $2::timestamptz, $3::uuid, $4::int, $5::text, $6::timestamptz WHERE {{proviso}} AND NOT EXISTS (
        SELECT FROM mail_suppression
        WHERE merchant_id = $7::uuid AND address = ANY ($8::text[]) AND lifted_at IS NULL
    )
    ON CONFLICT DO NOTHING RETURNING {NO_WAIT}
"""  # noqa: S608
ANSWERED = f"""
    UPDATE mail_handover SET was_taken = $3::boolean
    WHERE mail_id = $1::uuid AND claimed_at = $2::timestamptz RETURNING {NO_WAIT}
"""  # noqa: S608
WITHOUT = Proviso("true", ())
NO_MERCHANT = UUID(int=0)


class Notebook:
    """The notes of one worker's line to the mail server; the last of them is the only one without an answer."""

    def __init__(self) -> None:
        self._line = str(uuid4())
        self._place = 0
        self._connection: psycopg.Connection | None = None
        self._is_waiting = False
        self._prepared: dict[str, bytes] = {}

    def note(self, mail: Mail, outgoing: Outgoing, now: datetime) -> None:
        """Begin to note that a mail is handed over; `is_noted` waits for it."""
        self._place += 1
        proviso = outgoing.proviso or WITHOUT
        claim = [str(mail.id), _moment(mail.claimed_at)]
        line = [self._line, str(self._place), outgoing.subject[:300], now.isoformat()]
        stoppable = [str(mail.merchant_id or NO_MERCHANT), text_array(outgoing.stoppable)]
        self._send(NOTE.format(proviso=proviso.sql), [*claim, *line, *stoppable, *proviso.values])

    def is_noted(self) -> bool:
        """Say whether the mail may go: not after another worker has taken it back, nor against its proviso."""
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

    def _send(self, statement: str, values: Sequence[str]) -> None:
        self._rows()
        connection = self._connected()
        sent = [value.replace("\0", "\ufffd").encode() for value in values]
        if settings.BEHIND_PGBOUNCER:
            connection.send_query_params(statement.encode(), sent)
        else:
            connection.send_query_prepared(self._name_of(statement, connection), sent)
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
        return self._connection.pgconn

    def _name_of(self, statement: str, connection: pq.abc.PGconn) -> bytes:
        """Prepare a statement once: planning an insertion takes twice as long as running it."""
        if statement not in self._prepared:
            self._prepared[statement] = f"note_{len(self._prepared)}".encode()
            connection.prepare(self._prepared[statement], statement.encode())
        return self._prepared[statement]


def _moment(moment: datetime | None) -> str:
    assert moment is not None
    return moment.isoformat()
