"""Writes reminders when they are sent, from what is owed at that moment."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from html import escape
from uuid import UUID

from django.utils.translation import gettext, gettext_noop, ngettext

from payorcrm.core.errors import Inconsistent
from payorcrm.core.language import speaking
from payorcrm.core.money import Money
from payorcrm.mail.compose import Composed, Draft, LateComposed, Unsendable, after_sending, composer
from payorcrm.mail.models import Mail
from payorcrm.merchants.models import Merchant
from payorcrm.payments.buttons import label_of_new, label_of_saved, new_method_choices
from payorcrm.payments.links import CARD, payment_link, unsubscribe_link
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
    parts_in,
    sign_in_html,
    sign_in_text,
)
from payorcrm.reminders.render import CannotFill, Values, compile_template

KIND = "reminder"
CONFIRMED_FIRST = gettext_noop(
    "With a saved card or bank account, nothing is charged before you have confirmed it by mail."
)
NO_ACCOUNT = gettext_noop("You need no account and no password for this.")


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
    """Write one reminder in its customer's language. Raises CannotFill."""
    with speaking(fact.language):
        return _draft(fact, now)


def _draft(fact: Facts, now: datetime) -> Draft:
    merchant, template = fact.merchant, fact.run.template
    listing = Listing(fact.rows, fact.currency, fact.today, payment_link(fact.request_id, CARD, now))
    total = listing.total()
    compiled = compile_template(in_their_words(template.subject), in_their_words(template.body), merchant.accent_color)
    written = compiled.write(_values(fact, listing, total, _buttons(fact, listing, total, now)))
    rehearsal = fact.run.to_address
    return Draft(
        subject=f"[Test] {written.subject}" if rehearsal else written.subject,
        html=written.html,
        text=written.text,
        merchant=merchant,
        preheader=_preheader(listing, total),
        reason=_why_a_rehearsal(fact) if rehearsal else _why(merchant),
        language=fact.language,
        # A rehearsal goes to someone else, who must not be able to end the customer's reminders.
        list_unsubscribe="" if rehearsal else unsubscribe_link(fact.customer_id, now),
    )


def _values(fact: Facts, listing: Listing, total: Money, buttons: list[Button]) -> Values:
    parts = parts_in(fact.merchant.accent_color)
    note = gettext(CONFIRMED_FIRST if fact.methods else NO_ACCOUNT)
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
    amount = total.format()
    saved = [
        Button(label_of_saved(amount, method.kind, method.last4), payment_link(fact.request_id, str(method.id), now))
        for method in fact.methods
    ]
    new = [
        Button(label_of_new(amount, choice), payment_link(fact.request_id, choice, now))
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


def _why(merchant: Merchant) -> str:
    return gettext("You get this mail because %(merchant)s sent you invoices.") % {"merchant": merchant.name}


def _why_a_rehearsal(fact: Facts) -> str:
    return f"This is a test: {fact.company_name} did not get this mail and does not count as reminded."
