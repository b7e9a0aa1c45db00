"""Writes reminders when they are sent, from what is owed at that moment."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from html import escape
from uuid import UUID

from django.utils.translation import gettext, gettext_noop, ngettext

from payorcrm.core.errors import Inconsistent
from payorcrm.core.language import speaking
from payorcrm.core.money import Money
from payorcrm.gateways.base import MethodKind
from payorcrm.mail.compose import Composed, Draft, LateComposed, Unsendable, after_sending, composer
from payorcrm.mail.models import Mail
from payorcrm.mail.proviso import Proviso
from payorcrm.merchants.models import Merchant
from payorcrm.payments.buttons import label_of_new, label_of_saved, new_method_choices
from payorcrm.payments.links import BANK, CARD, payment_link, unsubscribe_link
from payorcrm.reminders.default_template import in_their_words
from payorcrm.reminders.facts import Facts, read_facts
from payorcrm.reminders.mark import mark_reminded
from payorcrm.reminders.models import ReminderRun
from payorcrm.reminders.parts import (
    Button,
    Listing,
    buttons_html,
    buttons_text,
    day_in_words,
    invoice_list_html,
    invoice_list_text,
    invoice_pdfs_html,
    invoice_pdfs_text,
    parts_in,
    sign_in_html,
    sign_in_text,
    statement_pdf_html,
    statement_pdf_text,
)
from payorcrm.reminders.recheck import is_needed, recheck
from payorcrm.reminders.render import CannotFill, Values, compile_template
from payorcrm.reminders.still_true import Said, nothing_changed
from payorcrm.reminders.summary import summary_html, summary_text

KIND = "reminder"
CONFIRMED_FIRST = gettext_noop(
    "With a saved card or bank account, nothing is charged before you have confirmed it by mail."
)
NO_ACCOUNT = gettext_noop("You need no account and no password for this.")


class WrongRecipient(Inconsistent):
    """A reminder would have shown a customer what is not theirs; its run was stopped."""

    code = "wrong_recipient"


_KINDS = {CARD: MethodKind.CARD, BANK: MethodKind.BANK_ACCOUNT}


@dataclass(frozen=True, slots=True)
class Way:
    """A payment button and the kind of method that it pays with."""

    kind: str
    button: Button
    is_saved: bool


@composer(KIND)
def compose_reminders(mails: list[Mail], now: datetime) -> Mapping[UUID, LateComposed]:
    """Write reminders; one whose invoices are all settled by now is withdrawn.

    A mail that mixes customers stops its whole run: neither it nor any later mail of the run is sent.
    """
    facts = read_facts(mails, now=now)
    recheck(facts)
    _stop_contradicting_runs(facts)
    return {fact.mail.id: partial(_compose, fact, now) for fact in facts}


@after_sending(KIND)
def note_sent(mail_ids: list[UUID], now: datetime) -> None:
    """Mark the invoices of sent mails."""
    mark_reminded(mail_ids, now)


def _stop_contradicting_runs(facts: list[Facts]) -> None:
    for fact in facts:
        if fact.contradiction and not fact.run.stopped_because:
            reason = f"The run was stopped, nothing more of it is sent: {fact.contradiction}."
            ReminderRun.objects.filter(id=fact.run.id).update(stopped_because=reason)
            fact.run.stopped_because = reason


def _compose(fact: Facts, now: datetime) -> Composed:
    if fact.run.stopped_because:
        contradiction = WrongRecipient(fact.run.stopped_because) if fact.contradiction else None
        return Unsendable(fact.run.stopped_because, contradiction)
    if not is_needed(fact):
        return None
    try:
        return replace(draft_of(fact, now), proviso=_proviso(fact))
    except CannotFill as error:
        return Unsendable(str(error))


def _proviso(fact: Facts) -> Proviso:
    said = [Said(row.id, row.payable) for row in fact.rows if row.id]
    asked = [each.invoice_id for each in said]
    return nothing_changed(fact.customer_id, fact.recipients, said, asked, today=fact.today)


def draft_of(fact: Facts, now: datetime) -> Draft:
    """Write one reminder in its customer's language. Raises CannotFill."""
    with speaking(fact.language):
        return _draft(fact, now)


def _draft(fact: Facts, now: datetime) -> Draft:
    merchant = fact.merchant
    subject, body = fact.text()
    listing = Listing(fact.rows, fact.currency, fact.today, fact.request_id, now)
    total = listing.total()
    compiled = compile_template(in_their_words(subject), in_their_words(body), merchant.accent_color)
    values = _values(fact, listing, compiled.fields, ways_of(fact, listing, total, now))
    written = compiled.write(values)
    rehearsal = fact.run.to_address
    return Draft(
        subject=f"[Test] {written.subject}" if rehearsal else written.subject,
        html=written.html,
        text=written.text,
        merchant=merchant,
        preheader=_preheader(listing, total),
        reason=_why_a_rehearsal(fact) if rehearsal else why_of(merchant),
        language=fact.language,
        # A rehearsal goes to someone else, who must not be able to end the customer's reminders.
        list_unsubscribe="" if rehearsal else unsubscribe_link(fact.customer_id, now),
    )


def _values(fact: Facts, listing: Listing, fields: frozenset[str], ways: list[Way]) -> Values:
    """Write the fields that the template uses, and no others: a run does this a hundred thousand times."""
    plain = {
        "first_name": fact.first_name,
        "last_name": fact.last_name,
        "customer_company_name": fact.company_name,
        "total_invoice_amount": listing.total().format(),
    }
    html = {name: escape(plain[name]) for name in fields & plain.keys()}
    text = {name: plain[name] for name in fields & plain.keys()}
    for name in fields - plain.keys():
        html[name], text[name] = BLOCKS[name](fact, listing, ways)
    return Values(html, text)


Both = tuple[str, str]


def _invoice_list(fact: Facts, listing: Listing, _: list[Way]) -> Both:
    return invoice_list_html(parts_in(fact.merchant.accent_color), listing), invoice_list_text(listing)


def _payment_buttons(fact: Facts, _: Listing, ways: list[Way]) -> Both:
    if not ways:
        return "", ""
    has_saved = any(way.is_saved for way in ways)
    note, buttons = gettext(CONFIRMED_FIRST if has_saved else NO_ACCOUNT), [way.button for way in ways]
    return buttons_html(parts_in(fact.merchant.accent_color), buttons, note), buttons_text(buttons, note)


def _card_buttons(fact: Facts, listing: Listing, ways: list[Way]) -> Both:
    return _payment_buttons(fact, listing, [way for way in ways if way.kind == MethodKind.CARD])


def _bank_buttons(fact: Facts, listing: Listing, ways: list[Way]) -> Both:
    return _payment_buttons(fact, listing, [way for way in ways if way.kind == MethodKind.BANK_ACCOUNT])


def _statement_pdf(fact: Facts, listing: Listing, _: list[Way]) -> Both:
    return statement_pdf_html(parts_in(fact.merchant.accent_color), listing), statement_pdf_text(listing)


def _invoice_pdfs(fact: Facts, listing: Listing, _: list[Way]) -> Both:
    return invoice_pdfs_html(parts_in(fact.merchant.accent_color), listing), invoice_pdfs_text(listing)


def _statement_summary(fact: Facts, _: Listing, __: list[Way]) -> Both:
    if not fact.owed:
        return "", ""
    return summary_html(fact.owed, fact.merchant.accent_color, has_pdf=False), summary_text(fact.owed, has_pdf=False)


def _sign_in(fact: Facts, _: Listing, __: list[Way]) -> Both:
    if not fact.may_sign_in:
        return "", ""
    slug = fact.merchant.slug
    return sign_in_html(parts_in(fact.merchant.accent_color), slug), sign_in_text(slug)


# How each field that is more than a word is written, as HTML and as text.
BLOCKS: dict[str, Callable[[Facts, Listing, list[Way]], Both]] = {
    "invoice_list": _invoice_list,
    "payment_buttons": _payment_buttons,
    "card_payment_buttons": _card_buttons,
    "bank_payment_buttons": _bank_buttons,
    "statement_pdf": _statement_pdf,
    "invoice_pdfs": _invoice_pdfs,
    "statement_summary": _statement_summary,
    "login_register": _sign_in,
}


def ways_of(fact: Facts, listing: Listing, total: Money, now: datetime) -> list[Way]:
    """Return a button for each saved method of the customer and for each new one that can pay in the currency."""
    amount = total.format()
    saved = [
        Way(
            method.kind,
            Button(
                label_of_saved(amount, method.kind, method.last4), payment_link(fact.request_id, str(method.id), now)
            ),
            is_saved=True,
        )
        for method in fact.methods
    ]
    new = [
        Way(
            _KINDS[choice],
            Button(label_of_new(amount, choice), payment_link(fact.request_id, choice, now)),
            is_saved=False,
        )
        for choice in new_method_choices(fact.currency)
    ]
    return saved + new


def _preheader(listing: Listing, total: Money) -> str:
    oldest, count = listing.rows[0], len(listing.rows)
    shown = {
        "number": oldest.number,
        "day": day_in_words(oldest.due_on),
        "amount": total.format(),
        "count": f"{count:,}",
    }
    if oldest.due_on >= listing.today:
        words = ngettext(
            "Invoice %(number)s is due on %(day)s.",
            "%(count)s invoices, %(amount)s together. The first is due on %(day)s.",
            count,
        )
        return words % shown
    words = ngettext(
        "Invoice %(number)s was due on %(day)s.",
        "%(count)s invoices, %(amount)s together. The oldest was due on %(day)s.",
        count,
    )
    return words % shown


def why_of(merchant: Merchant) -> str:
    """Say why a customer gets mails like this one."""
    return gettext("You get this mail because %(merchant)s sent you invoices.") % {"merchant": merchant.name}


def _why_a_rehearsal(fact: Facts) -> str:
    return f"This is a test: {fact.company_name} did not get this mail and does not count as reminded."
