"""What a composer hands over for a mail, and the register of composers.

Mails are composed when they are sent: nothing secret lies in the outbox, and what is no longer needed is withdrawn.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from payorcrm.core.errors import Inconsistent
from payorcrm.mail.models import Mail
from payorcrm.mail.proviso import Proviso
from payorcrm.merchants.models import Merchant


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a mail."""

    file_name: str
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """One mail as its composer wants it; the layout, the headers and the sending come later.

    `html` is the inner, block-level part with its styles already inline (`render_draft` does that). `reason` ends
    the mail: why one gets it. `list_unsubscribe` is an absolute address that takes a one-click POST (RFC 8058).
    `language` is that of the words around it. Where `proviso` is not true any more when the mail is about to leave, it
    does not, and is composed anew a little later.
    """

    subject: str
    html: str
    text: str
    merchant: Merchant | None
    preheader: str = ""
    reason: str = ""
    list_unsubscribe: str = ""
    language: str = ""
    attachments: tuple[Attachment, ...] = ()
    proviso: Proviso | None = None


@dataclass(frozen=True, slots=True)
class Unsendable:
    """A composer's word that one mail cannot be written, and why; the others of its batch go on.

    A `contradiction` in our own records is raised for an engineer once the batch is recorded.
    """

    reason: str
    contradiction: Inconsistent | None = None


Composed = Draft | Unsendable | None
LateComposed = Composed | Callable[[], Composed]
Composer = Callable[[list[Mail], datetime], Mapping[UUID, LateComposed]]
AfterSending = Callable[[list[UUID], datetime], None]

_composers: dict[str, Composer] = {}
_after_sending: dict[str, AfterSending] = {}


def composer(kind: str) -> Callable[[Composer], Composer]:
    """Register who writes the mails of a kind.

    It is called as `(mails, now)` with up to a few hundred mails and returns a draft for each id; `None`, or no
    entry, withdraws a mail that is not needed any more. The number of its queries must not grow with the mails. What
    it raises as Refused, or by a plain mistake, fails the one mail that causes it; Inconsistent fails all of them.

    Instead of a draft it may return a function that makes one and does not touch the database: that is called while
    the mail server is busy with the mail before.
    """

    def register(function: Composer) -> Composer:
        _composers[kind] = function
        return function

    return register


def after_sending(kind: str) -> Callable[[AfterSending], AfterSending]:
    """Register what happens once mails of a kind are out: `(mail_ids, now)`, in the transaction that records it."""

    def register(function: AfterSending) -> AfterSending:
        _after_sending[kind] = function
        return function

    return register


def composer_of(kind: str) -> Composer | None:
    """Return who writes the mails of a kind."""
    return _composers.get(kind)


def after_sending_of(kind: str) -> AfterSending | None:
    """Return what follows the sending of a kind."""
    return _after_sending.get(kind)
