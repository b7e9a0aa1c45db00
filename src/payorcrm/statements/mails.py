"""Writes statements when they are sent, from what is owed at that moment, and draws the PDF that goes with each."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from html import escape
from uuid import UUID

from django.utils.translation import gettext

from payorcrm.core.errors import Inconsistent
from payorcrm.core.language import speaking
from payorcrm.core.money import Money
from payorcrm.core.typeset import DocumentTakesTooLong
from payorcrm.customers.models import Customer
from payorcrm.invoices.draw_statement import draw_statement
from payorcrm.mail.compose import Attachment, Composed, Draft, LateComposed, Unsendable, composer
from payorcrm.mail.layout import fill_html, layout_of
from payorcrm.mail.models import Mail
from payorcrm.mail.proviso import Proviso
from payorcrm.merchants.models import Merchant
from payorcrm.payments.links import unsubscribe_link
from payorcrm.reminders.default_template import in_their_words
from payorcrm.reminders.facts import Facts
from payorcrm.reminders.mails import BLOCKS, ways_of, why_of
from payorcrm.reminders.models import ReminderTemplate
from payorcrm.reminders.parts import Listing
from payorcrm.reminders.recheck import readdress
from payorcrm.reminders.render import CannotFill, Values, compile_template
from payorcrm.reminders.still_true import Said, nothing_changed
from payorcrm.reminders.summary import FIELD, summary_html, summary_text
from payorcrm.statements.facts import StatementFacts, facts_of, read_statements
from payorcrm.statements.send import KIND
from payorcrm.ui.documents import pdf_name


class StatementOfTwo(Inconsistent):
    """A statement would have shown a customer what is not theirs; it was not sent."""

    code = "statement_of_two"


@composer(KIND)
def compose_statements(mails: list[Mail], now: datetime) -> Mapping[UUID, LateComposed]:
    """Write statements; one of a customer who owes nothing any more is withdrawn, unless its rule wants it."""
    facts = read_statements(mails, now=now)
    readdress(facts)
    return {fact.mail.id: partial(_compose, fact, now) for fact in facts}


def _compose(fact: StatementFacts, now: datetime) -> Composed:
    if fact.contradiction:
        return Unsendable(f"Stopped before sending: {fact.contradiction}.", StatementOfTwo(fact.contradiction))
    if not fact.is_wanted():
        return None
    try:
        with speaking(fact.language):
            return replace(_draft(fact, now, (_pdf(fact),)), proviso=_proviso(fact))
    except (CannotFill, DocumentTakesTooLong) as error:
        return Unsendable(str(error))


def _proviso(fact: StatementFacts) -> Proviso:
    said = [Said(each.id, each.balance, each.in_flight) for each in fact.owed.listed]
    asked = [row.id for part in fact.payable for row in part.rows if row.id]
    return nothing_changed(fact.customer.id, fact.recipients, said, asked, today=fact.owed.today)


def preview_statement(*, merchant: Merchant, template: ReminderTemplate, customer: Customer, now: datetime) -> str:
    """Return the HTML of the mail that a customer would get now. Its links lead nowhere. Raises CannotFill."""
    customer.merchant = merchant
    fact = facts_of(merchant=merchant, template=template, customer=customer, includes_settled=True, now=now)
    with speaking(fact.language):
        return fill_html(_draft(fact, now, ()), layout_of(merchant, fact.language))


def _pdf(fact: StatementFacts) -> Attachment:
    name = gettext("Statement %(day)s") % {"day": fact.owed.today.isoformat()}
    return Attachment(pdf_name(name), "application/pdf", draw_statement(fact.owed))


def _draft(fact: StatementFacts, now: datetime, attachments: tuple[Attachment, ...]) -> Draft:
    merchant = fact.run.merchant
    subject, body = fact.run.version.text_in(fact.language)
    compiled = compile_template(in_their_words(subject), in_their_words(body), merchant.accent_color)
    written = compiled.write(_values(fact, compiled.fields, now))
    return Draft(
        subject=written.subject,
        html=written.html,
        text=written.text,
        merchant=merchant,
        preheader=f"{gettext('Total owed')}: {_total(fact)}",
        reason=why_of(merchant),
        language=fact.language,
        list_unsubscribe=unsubscribe_link(fact.customer.id, now),
        attachments=attachments,
    )


def _values(fact: StatementFacts, fields: frozenset[str], now: datetime) -> Values:
    person = fact.payable[0]
    plain = {
        "first_name": person.first_name,
        "last_name": person.last_name,
        "customer_company_name": person.company_name,
        "total_invoice_amount": _total(fact),
    }
    html = {name: escape(plain[name]) for name in fields & plain.keys()}
    text = {name: plain[name] for name in fields & plain.keys()}
    listings = [_listing(part, now) for part in fact.payable]
    for name in fields - plain.keys():
        html[name], text[name] = _block(name, fact, listings, now)
    return Values(html, text)


def _block(name: str, fact: StatementFacts, listings: list[Listing], now: datetime) -> tuple[str, str]:
    """Write a field that is more than a word: lists once a currency, buttons of all currencies together."""
    if name == FIELD:
        accent = fact.run.merchant.accent_color
        return summary_html(fact.owed, accent, has_pdf=True), summary_text(fact.owed, has_pdf=True)
    parts = list(zip(fact.payable, listings, strict=True))
    payable = [(part, listing) for part, listing in parts if part.rows]
    if name in _LISTS:
        written = [BLOCKS[name](part, listing, []) for part, listing in payable]
        return "".join(html for html, _ in written), "\n\n".join(text for _, text in written)
    ways = [way for part, listing in payable for way in ways_of(part, listing, listing.total(), now)]
    return BLOCKS[name](*parts[0], ways)


_LISTS = frozenset({"invoice_list", "invoice_pdfs"})


def _listing(part: Facts, now: datetime) -> Listing:
    return Listing(part.rows, part.currency, part.today, part.request_id, now)


def _total(fact: StatementFacts) -> str:
    owed = [account.owed for account in fact.owed.accounts] or [Money.zero(fact.run.merchant.currency)]
    return " + ".join(amount.format() for amount in owed)
