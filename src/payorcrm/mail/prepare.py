"""Turns rows of the outbox into finished messages, a batch at a time; one bad mail does not stop the others."""

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import NamedTuple, TypeVar
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist

from payorcrm.core.crypto import CannotDecrypt, decrypt
from payorcrm.core.errors import Inconsistent, Refused
from payorcrm.mail.drafts import Composed, Composer, Draft, LateComposed, Unsendable, composer_of
from payorcrm.mail.layout import Layout, fill_html, fill_text, layout_of
from payorcrm.mail.message import Envelope, ascii_address, write_message
from payorcrm.mail.models import Mail, MailSender, MailState
from payorcrm.mail.suppress import is_stopped, stopped_among
from payorcrm.mail.trace import trace_header
from payorcrm.mail.transport import Answer, Outgoing
from payorcrm.merchants.models import Merchant

T = TypeVar("T")

SEALED = "sealed"
PRODUCT_NAME = "PayorCRM"
# What wrong facts or a mistake in a template raise. A lost database is not among them: it stops the batch, and the
# mails wait.
FAULTS = (ArithmeticError, AttributeError, LookupError, ObjectDoesNotExist, Refused, TypeError, ValueError)

log = logging.getLogger(__name__)

Prepared = Outgoing | Answer


class Others(NamedTuple):
    """The further addresses of a mail, and those of them that mail cannot be sent to."""

    also_to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


ALONE = Others()
Finished = Composed | bytes


@dataclass(slots=True)
class Batch:
    """A batch that is composed, or nearly: `write` finishes one mail. Contradictions are for an engineer."""

    now: datetime
    composed: dict[UUID, LateComposed | bytes] = field(default_factory=dict)
    contradictions: list[Inconsistent] = field(default_factory=list)
    senders: dict[UUID | None, MailSender] = field(default_factory=dict)
    layouts: dict[tuple[UUID | None, str], Layout] = field(default_factory=dict)
    # Addresses that mails of runs do not go to, and why.
    stopped: dict[tuple[UUID, str], str] = field(default_factory=dict)

    def write(self, mail: Mail) -> Prepared:
        """Return the message of a mail, or what became of it already, without touching the database."""
        composed = self.composed.get(mail.id)
        return _finish(mail, _call(composed, mail, self) if callable(composed) else composed, self)


def prepare(mails: list[Mail], *, now: datetime) -> Batch:
    """Compose a batch. Raises nothing for a single mail; contradictions come back with the batch."""
    batch = Batch(now, senders=_senders_of(mails))
    for kind, group in _by_kind(mails):
        batch.composed |= _unsealed(group, batch) if kind == SEALED else _compose(kind, group, batch)
    # Composers may direct a mail to where its customer wants mails by now.
    batch.stopped = stopped_among(mails)
    return batch


def _senders_of(mails: list[Mail]) -> dict[UUID | None, MailSender]:
    senders = MailSender.objects.filter(merchant__in={mail.merchant_id for mail in mails if mail.merchant_id})
    return {sender.merchant_id: sender for sender in senders.defer("password")}


def _by_kind(mails: list[Mail]) -> Iterator[tuple[str, list[Mail]]]:
    groups: dict[str, list[Mail]] = {}
    for mail in mails:
        groups.setdefault(mail.kind, []).append(mail)
    yield from groups.items()


def _compose(kind: str, mails: list[Mail], batch: Batch) -> Mapping[UUID, LateComposed | bytes]:
    composer = composer_of(kind)
    if composer is None:
        return _all_unsendable(mails, f"Nothing in this program writes mails of the kind “{kind}”.")
    try:
        return composer(mails, batch.now)
    except Inconsistent as error:
        batch.contradictions.append(error)
        return _all_unsendable(mails, f"Stopped before sending: {error}")
    except FAULTS as error:
        log.warning("A batch of “%s” could not be written (%s); now one by one", kind, error)
        return {mail.id: _compose_alone(composer, mail, batch) for mail in mails}


def _compose_alone(composer: Composer, mail: Mail, batch: Batch) -> LateComposed:
    return _call(lambda: composer([mail], batch.now).get(mail.id), mail, batch)


def _call(make: Callable[[], T], mail: Mail, batch: Batch) -> T | Unsendable:
    """Make a draft; a fault becomes the reason why this one mail is not sent."""
    try:
        return make()
    except Inconsistent as error:
        batch.contradictions.append(error)
        return Unsendable(f"Stopped before sending: {error}")
    except FAULTS as error:
        log.exception("Mail %s could not be written", mail.id)
        return Unsendable(f"This mail could not be written: {error}")


def _all_unsendable(mails: list[Mail], reason: str) -> dict[UUID, LateComposed | bytes]:
    return {mail.id: Unsendable(reason) for mail in mails}


def _unsealed(mails: list[Mail], batch: Batch) -> dict[UUID, LateComposed | bytes]:
    """Open the messages that other libraries wrote."""
    return {mail.id: _unseal(mail, batch) for mail in mails}


def _unseal(mail: Mail, batch: Batch) -> Finished:
    if not mail.sealed_message:
        return Unsendable("The text of this mail was not kept.")
    try:
        return decrypt(bytes(mail.sealed_message))
    except CannotDecrypt as error:
        batch.contradictions.append(error)
        return Unsendable(str(error))


def _finish(mail: Mail, composed: Finished, batch: Batch) -> Prepared:
    if composed is None:
        return Answer(MailState.WITHDRAWN)
    if isinstance(composed, Unsendable):
        if composed.contradiction:
            batch.contradictions.append(composed.contradiction)
        return Answer(MailState.FAILED, composed.reason)
    written = _call(partial(_outgoing, mail, composed, batch), mail, batch)
    return Answer(MailState.FAILED, written.reason) if isinstance(written, Unsendable) else written


def _outgoing(mail: Mail, composed: Draft | bytes, batch: Batch) -> Prepared:
    if why := is_stopped(mail, mail.to_address, batch.stopped):
        return Answer(MailState.FAILED, why)
    try:
        address = ascii_address(mail.to_address)
        if isinstance(composed, bytes):
            return Outgoing(mail.id, address, mail.subject, composed)
        others = _reachable(mail, batch) if mail.also_to or mail.cc else ALONE
        message = _message_of(mail, composed, others, batch)
        subject, proviso, stoppable = composed.subject, composed.proviso, _stoppable(mail, batch)
        return Outgoing(mail.id, address, subject, message, *others, stoppable=stoppable, proviso=proviso)
    except Refused as error:
        return Answer(MailState.FAILED, str(error))


def _stoppable(mail: Mail, batch: Batch) -> tuple[str, ...]:
    """Return the addresses that a stop from now on keeps a mail of a run from; it is left out where there was one."""
    if not mail.is_bulk or mail.merchant_id is None:
        return ()
    addresses = (mail.to_address, *mail.also_to, *mail.cc)
    return tuple(address.lower() for address in addresses if not is_stopped(mail, address, batch.stopped))


def _reachable(mail: Mail, batch: Batch) -> Others:
    """Tell the further addresses that mail can be sent to from the others; the latter do not stop the mail."""
    left_out: list[str] = []

    def kept(addresses: list[str]) -> tuple[str, ...]:
        found = []
        for address in addresses:
            if why := is_stopped(mail, address, batch.stopped):
                left_out.append(f"{address} ({why})")
                continue
            try:
                found.append(ascii_address(address))
            except Refused as error:
                left_out.append(f"{address} ({error})")
        return tuple(found)

    return Others(kept(mail.also_to), kept(mail.cc), tuple(left_out))


def _message_of(mail: Mail, draft: Draft, others: Others, batch: Batch) -> bytes:
    merchant = draft.merchant
    layout = _layout_for(merchant, draft.language, batch)
    sender = batch.senders.get(mail.merchant_id)
    envelope = Envelope(
        message_id=mail.id,
        from_name=(sender and sender.from_name) or (merchant.name if merchant else PRODUCT_NAME),
        from_address=sender.from_address if sender and sender.uses_own_server else settings.MAIL_FROM,
        to_name=mail.to_name,
        to_address=mail.to_address,
        also_to=others.also_to,
        cc=others.cc,
        subject=draft.subject,
        reply_to=merchant.reply_to if merchant else "",
        list_unsubscribe=draft.list_unsubscribe,
        trace="" if sender and sender.uses_own_server else trace_header(mail.id),
    )
    return write_message(
        envelope,
        text=fill_text(draft, layout),
        html=fill_html(draft, layout),
        at=batch.now,
        attachments=draft.attachments,
    )


def _layout_for(merchant: Merchant | None, language: str, batch: Batch) -> Layout:
    key = merchant.id if merchant else None, language
    if key not in batch.layouts:
        batch.layouts[key] = layout_of(merchant, language)
    return batch.layouts[key]
