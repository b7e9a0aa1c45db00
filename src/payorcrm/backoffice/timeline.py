"""Everything that happened with one customer, whatever table it comes from, the latest first, a page at a time."""

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.urls import reverse

from payorcrm.backoffice.audit_labels import ADDED_BY_HAND, CHANGED, TOLD_OF_CUSTOMERS
from payorcrm.core.money import Money
from payorcrm.customers.models import Customer
from payorcrm.invoices.models import InvoiceEventKind
from payorcrm.mail.models import MailState
from payorcrm.payments.models import PaymentState, RefundState
from payorcrm.reminders.models import HoldReason

PAGE_SIZE = 30


@dataclass(frozen=True, slots=True)
class Happening:
    """One line: when, its state for the dot, words, perhaps an amount, a remark, and the page that says more."""

    at: datetime
    state: str
    words: str
    amount: Money | None
    remark: str
    address: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """A page of lines, and the word that leads to older ones; empty at the end."""

    rows: list[Happening]
    older: str = ""


def timeline_of(customer: Customer, *, slug: str, before: str = "", size: int = PAGE_SIZE) -> Timeline:
    """Return a page of what happened with a customer, after the line that `before` names."""
    at, key = _read(before)
    with connection.cursor() as cursor:
        given: dict[str, Any] = {"customer": customer.id, "at": at, "key": key, "size": size + 1}
        said = {"added": ADDED_BY_HAND, "changed": CHANGED, "told": sorted(TOLD_OF_CUSTOMERS)}
        cursor.execute(_LINES, given | said)
        rows = cursor.fetchall()
    older = _write(rows[size - 1]) if len(rows) > size else ""
    return Timeline([_happening(row, slug) for row in rows[:size]], older)


def _happening(row: tuple[Any, ...], slug: str) -> Happening:
    at, _, source, state, title, amount, currency, remark, link = row
    words, page = _WORDS[source](state, title), _PAGES.get(source)
    address = reverse(f"backoffice:{page}", args=[slug, link]) if page and link else ""
    return Happening(at, state, words, Money(amount, currency) if amount else None, remark or "", address)


_WORDS = {
    "added": lambda _, title: f"Added by hand by {title}",
    "changed": lambda _, title: title,
    "imported": lambda _, title: f"Added by the file {title}",
    "brought": lambda _, title: f"Changed by the file {title}",
    "issued": lambda _, title: f"Invoice {title} recorded",
    "invoice": lambda state, title: f"Invoice {title}: {InvoiceEventKind(state).label.lower()}",
    "payment": lambda state, title: f"Payment {title}: {PaymentState(state).label.lower()}",
    "refund": lambda state, title: f"Refund {title}: {RefundState(state).label.lower()}",
    "mail": lambda state, title: f"Mail “{title}”: {MailState(state).label.lower()}",
    "note": lambda _, title: f"Note by {title}",
    "held": lambda _, title: f"On hold: {HoldReason(title).label}",
    "ended": lambda _, title: f"Hold ended: {HoldReason(title).label}",
    "attached": lambda _, title: f"{title} attached",
    "invited": lambda _, title: f"Invited to the portal: {title}",
    "accepted": lambda _, title: f"Chose a password: {title}",
    "access": lambda _, title: f"Access to the portal removed: {title}",
    "seen": lambda _, title: f"Last seen in the portal: {title}",
    "viewing": lambda _, title: f"{title} looked at the portal as this customer",
    "method": lambda _, title: f"{title} saved",
    "unsaved": lambda _, title: f"{title} removed",
}
_PAGES = {"issued": "invoice", "invoice": "invoice", "payment": "payment", "refund": "payment"} | dict.fromkeys(
    ("held", "ended", "attached"), "invoice"
)


def _write(row: tuple[Any, ...]) -> str:
    key = json.dumps([row[0].isoformat(), row[1]])
    return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def _read(text: str) -> tuple[datetime | None, str]:
    """Read the place of a line; one that was tampered with leads to the first page."""
    try:
        at, key = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        moment = datetime.fromisoformat(at)
        source, _, row_id = str(key).partition(" ")
        if moment.tzinfo is None or moment.year < 2 or moment.year > 9998 or source not in _SOURCES:
            return None, ""
        return moment, f"{source} {UUID(row_id)}"
    except (ValueError, TypeError, binascii.Error, RecursionError):
        return None, ""


# Triples of what, before and after, as lines of words.
_CHANGES = """(SELECT string_agg(concat(fact ->> 0, ': ',
            coalesce(nullif(replace(fact ->> 1, E'\\n', ', '), ''), 'nothing'), ' → ',
            coalesce(nullif(replace(fact ->> 2, E'\\n', ', '), ''), 'nothing')), E'\\n' ORDER BY place)
        FROM jsonb_array_elements(changes) WITH ORDINALITY AS each (fact, place) WHERE fact ->> 0 <> 'Customer')"""
# Without its last day and its note, which may have been changed since.
_HOLD = """SELECT {at}, hold.id, '{state}', hold.reason, NULL, '', concat_ws(', ', 'Invoice ' || invoice.number,
            'by ' || coalesce(nullif(who.name, ''), who.email)), invoice.id FROM reminders_hold AS hold
        LEFT JOIN invoices_invoice AS invoice ON invoice.id = hold.invoice_id
        LEFT JOIN core_user AS who ON who.id = {who} WHERE hold.customer_id = %(customer)s AND {at} IS NOT NULL"""
# Each gives: when, row, state, title, amount, currency, remark, what its page is named by.
_SOURCES = {
    # The entry of that moment with the number that the customer had then is the one that added it.
    "added": """SELECT entry.happened_at, entry.id, 'open', coalesce(nullif(entry.actor_name, ''), entry.actor_email),
        NULL, '', '', NULL FROM customers_customer AS customer JOIN staff_auditentry AS entry
        ON entry.merchant_id = customer.merchant_id AND entry.says = %(added)s
        AND entry.happened_at BETWEEN customer.created_at - interval '10 minutes' AND customer.created_at
        AND entry.changes @> jsonb_build_array(jsonb_build_array('Number', '', coalesce((
            SELECT change ->> 1 FROM staff_auditentry AS later, jsonb_array_elements(later.changes) AS change
            WHERE later.customer_id = customer.id AND later.says = %(changed)s AND change ->> 0 = 'Number'
            ORDER BY later.happened_at, later.id LIMIT 1), customer.number)))
        WHERE customer.id = %(customer)s""",
    "changed": f"""SELECT happened_at, id, 'changed', CASE says WHEN %(changed)s THEN 'Changed by ' || actor ELSE
        concat(actor, ' ', lower(left(says, 1)), substr(says, 2)) END, NULL, '', concat_ws(E'\\n',
        CASE WHEN says <> %(changed)s THEN nullif(about, '') END, {_CHANGES}), NULL
        FROM (SELECT *, coalesce(nullif(actor_name, ''), actor_email) AS actor FROM staff_auditentry) AS entry
        WHERE customer_id = %(customer)s AND says = ANY(%(told)s)""",  # noqa: S608
    "imported": """SELECT file.finished_at, file.id, 'open', file.file_name, NULL, '', '', NULL
        FROM customers_customer AS customer JOIN customers_import AS file ON file.merchant_id = customer.merchant_id
        AND file.kind = 'customers' AND file.finished_at = customer.created_at WHERE customer.id = %(customer)s""",
    "brought": f"""SELECT at, change.id, 'changed', file.file_name, NULL, '', {_CHANGES}, NULL
        FROM customers_customerchange AS change JOIN customers_import AS file ON file.id = change.source_id
        WHERE customer_id = %(customer)s""",  # noqa: S608
    "issued": """SELECT created_at, id, 'open', number, total, currency, '', id
        FROM invoices_invoice WHERE customer_id = %(customer)s AND status <> 'draft'""",
    "invoice": """SELECT event.at, event.id, event.kind, invoice.number, event.amount, invoice.currency, event.note,
        invoice.id FROM invoices_invoiceevent AS event JOIN invoices_invoice AS invoice ON invoice.id = event.invoice_id
        WHERE invoice.customer_id = %(customer)s""",
    "payment": """SELECT event.at, event.id, event.state, payment.reference, payment.amount, payment.currency,
        event.note, payment.id FROM payments_paymentevent AS event
        JOIN payments_payment AS payment ON payment.id = event.payment_id
        WHERE payment.customer_id = %(customer)s""",
    "refund": """SELECT coalesce(refund.settled_at, refund.submitted_at), refund.id, refund.state, refund.reference,
        refund.amount, refund.currency, refund.reason, payment.id FROM payments_refund AS refund
        JOIN payments_payment AS payment ON payment.id = refund.payment_id
        WHERE payment.customer_id = %(customer)s""",
    "mail": """SELECT coalesce(sent_at, queued_at), id, state,
        coalesce(nullif(subject, ''), initcap(replace(kind, '_', ' '))), NULL, '', 'to ' || to_address, NULL
        FROM mail_mail WHERE customer_id = %(customer)s""",
    "note": """SELECT note.written_at, note.id, 'changed', coalesce(nullif(author.name, ''), author.email), NULL, '',
        note.text, NULL FROM customers_note AS note JOIN core_user AS author ON author.id = note.author_id
        WHERE note.customer_id = %(customer)s""",
    "held": _HOLD.format(at="hold.held_at", state="held", who="hold.held_by_id"),
    "ended": _HOLD.format(at="hold.ended_at", state="hold_ended", who="hold.ended_by_id"),
    "attached": """SELECT file.uploaded_at, file.id, 'attached', file.file_name, NULL, '', concat_ws(', ',
            'Invoice ' || invoice.number, 'by ' || coalesce(nullif(who.name, ''), who.email)), invoice.id
        FROM invoices_invoicefile AS file JOIN invoices_invoice AS invoice ON invoice.id = file.invoice_id
        LEFT JOIN core_user AS who ON who.id = file.uploaded_by_id WHERE invoice.customer_id = %(customer)s""",
    "viewing": """SELECT viewing.started_at, viewing.id, 'sent', coalesce(nullif(who.name, ''), who.email), NULL, '',
        '', NULL FROM customers_viewing AS viewing JOIN core_user AS who ON who.id = viewing.user_id
        WHERE viewing.customer_id = %(customer)s""",
}
_ACCESS = """SELECT {at}, access.id, '{state}', known.email, NULL, '', '', NULL FROM customers_portalaccess AS access
    JOIN core_user AS known ON known.id = access.user_id
    LEFT JOIN customers_invitation AS invitation ON invitation.access_id = access.id
    WHERE access.customer_id = %(customer)s AND {at} IS NOT NULL"""
_SOURCES |= {
    "invited": _ACCESS.format(at="invitation.invited_at", state="invited"),
    "accepted": _ACCESS.format(at="invitation.accepted_at", state="signs_in"),
    "access": _ACCESS.format(at="access.removed_at", state="void"),
    "seen": _ACCESS.format(at="access.last_used_at", state="signs_in"),
}
_METHOD = """SELECT {at}, id, '{state}', concat_ws(' ',
    coalesce(nullif(initcap(brand), ''), nullif(bank_name, ''), 'Account'), '••••', last4), NULL, '', name, NULL
    FROM payment_methods_paymentmethod WHERE customer_id = %(customer)s AND {at} IS NOT NULL"""
_SOURCES |= {
    "method": _METHOD.format(at="saved_at", state="used"),
    "unsaved": _METHOD.format(at="removed_at", state="void") + " AND saved_at IS NOT NULL",
}


def _part(source: str, select: str) -> str:
    return f"""(SELECT at, '{source} ' || id AS key, '{source}' AS source, state, title, amount::bigint, currency,
               remark, link::uuid
        FROM ({select}) AS each (at, id, state, title, amount, currency, remark, link)
        WHERE %(at)s::timestamptz IS NULL OR (at, '{source} ' || id) < (%(at)s, %(key)s)
        ORDER BY at DESC, key DESC LIMIT %(size)s)"""  # noqa: S608


_PARTS = [_part(source, select) for source, select in _SOURCES.items()]
_LINES = " UNION ALL ".join(_PARTS) + " ORDER BY at DESC, key DESC LIMIT %(size)s"
