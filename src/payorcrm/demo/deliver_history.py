"""Counts the mails of the invented past as sent, without sending them: the mailbox begins with today's."""

from datetime import datetime

from payorcrm.mail.claim import WayOut
from payorcrm.mail.deliver import deliver_batch
from payorcrm.mail.models import MailState
from payorcrm.mail.transport import Answer, Outgoing, Transport


class _Past(Transport):
    """A way out that was used long ago: what goes into it is gone."""

    def send(self, outgoing: Outgoing, now: datetime) -> Answer:
        return Answer(MailState.SENT)


def deliver_history(moment: datetime) -> None:
    """Write the mails that were due at a moment, and record them as sent then."""
    while mails := WayOut().claim(now=moment):
        deliver_batch(mails, _Past(), lambda: moment)
