"""Writes reminders when they are sent, from what is owed at that moment."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from html import escape
from uuid import UUID

from payorcrm.core.errors import Inconsistent
from payorcrm.core.money import Money
from payorcrm.mail.compose import Composed, Draft, LateComposed, Unsendable, after_sending, composer
from payorcrm.mail.models import Mail
from payorcrm.payments.buttons import NEW_METHODS, new_method_choices
from payorcrm.payments.links import CARD, payment_link, unsubscribe_link
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
    parts_in,
    sign_in_html,
    sign_in_text,
)
from payorcrm.reminders.render import CannotFill, Values, compile_template

KIND = "reminder"
CONFIRMED_FIRST = "With a saved card or bank account, nothing is charged before you have confirmed it by mail."
NO_ACCOUNT = "You need no account and no password for this."


class WrongRecipient(Inconsistent):
    """A reminder would have shown a customer what is not theirs; its run was stopped."""

    code = "wrong_recipient"


@composer(KIND)
def compose_reminders(mails: list[Mail], now: datetime) -> Mapping[UUID, LateComposed]:
    """Write reminders; one whose invoices are all settled by now is withdrawn.

    A mail that mixes customers stops its whole run: neither it nor any later mail of the run is sent.
    """
    facts = read_facts(mails, now=now)
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
    if fact.is_unsubscribed or not fact.rows:
        return None
    try:
        return draft_of(fact, now)
    except CannotFill as error:
        return Unsendable(str(error))


def draft_of(fact: Facts, now: datetime) -> Draft:
    """Write one reminder. Raises CannotFill."""
    merchant, template = fact.merchant, fact.run.template
    listing = Listing(fact.rows, fact.currency, fact.today, payment_link(fact.request_id, CARD, now))
    total = listing.total()
    compiled = compile_template(template.subject, template.body, merchant.accent_color)
    written = compiled.write(_values(fact, listing, total, _buttons(fact, listing, total, now)))
    rehearsal = fact.run.to_address
    return Draft(
        subject=f"[Test] {written.subject}" if rehearsal else written.subject,
        html=written.html,
        text=written.text,
        merchant=merchant,
        preheader=_preheader(listing, total),
        reason=_why_a_rehearsal(fact) if rehearsal else f"You get this mail because {merchant.name} sent you invoices.",
        # A rehearsal goes to someone else, who must not be able to end the customer's reminders.
        list_unsubscribe="" if rehearsal else unsubscribe_link(fact.customer_id, now),
    )


def _values(fact: Facts, listing: Listing, total: Money, buttons: list[Button]) -> Values:
    parts = parts_in(fact.merchant.accent_color)
    note = CONFIRMED_FIRST if fact.methods else NO_ACCOUNT
    text = {
        "first_name": fact.first_name,
        "last_name": fact.last_name,
        "customer_company_name": fact.company_name,
        "total_invoice_amount": total.format(),
    }
    blocks = {
        "invoice_list": invoice_list_html(parts, listing),
        "payment_buttons": buttons_html(parts, buttons, note),
        "login_register": sign_in_html(parts) if fact.may_sign_in else "",
    }
    text_blocks = {
        "invoice_list": invoice_list_text(listing),
        "payment_buttons": buttons_text(buttons, note),
        "login_register": sign_in_text() if fact.may_sign_in else "",
    }
    return Values(html={name: escape(value) for name, value in text.items()} | blocks, text=text | text_blocks)


def _buttons(fact: Facts, listing: Listing, total: Money, now: datetime) -> list[Button]:
    pay = f"Pay {total.format()} with"
    saved = [
        Button(f"{pay} {method.noun_with_digits}", payment_link(fact.request_id, str(method.id), now))
        for method in fact.methods
    ]
    new = [
        Button(f"{pay} {NEW_METHODS[choice]}", payment_link(fact.request_id, choice, now))
        for choice in new_method_choices(fact.currency)
    ]
    return saved + new


def _preheader(listing: Listing, total: Money) -> str:
    oldest, count = listing.rows[0], len(listing.rows)
    if count == 1:
        return f"Invoice {oldest.number} was due on {day_in_words(oldest.due_on)}."
    return f"{count:,} invoices, {total.format()} together. The oldest was due on {day_in_words(oldest.due_on)}."


def _why_a_rehearsal(fact: Facts) -> str:
    return f"This is a test: {fact.company_name} did not get this mail and does not count as reminded."
