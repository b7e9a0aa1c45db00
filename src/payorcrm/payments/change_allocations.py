"""Moving amounts of one payment between invoices and what is unapplied; in the caller's transaction."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from payorcrm.core.ids import uuid7_batch
from payorcrm.invoices.models import InvoiceEventKind
from payorcrm.payments.models import Payment


@dataclass(frozen=True, slots=True)
class Changes:
    """How many minor units more, or less, of a payment go to each invoice; `batch` is what caused it."""

    by_invoice: Mapping[UUID, int]
    batch: UUID
    made_by_id: UUID | None
    refund_id: UUID | None = None


def lock_payment(payment_id: UUID) -> Payment:
    """Lock a payment, before any invoice, and read it."""
    return Payment.objects.select_for_update(of=("self",)).select_related("merchant", "customer").get(id=payment_id)


def change_allocations(payment: Payment, changes: Changes, *, now: datetime) -> None:
    """Give more or less of a payment to invoices; what they owe changes the other way."""
    _write(payment, changes, now, _MOVE_BALANCES)


def credit_allocations(payment: Payment, changes: Changes, *, note: str, now: datetime) -> None:
    """Take amounts of a payment from invoices and credit the invoices with them: no more is owed than before."""
    _write(payment, changes, now, _CREDIT, {"kind": InvoiceEventKind.CREDITED, "note": note})


def _write(
    payment: Payment, changes: Changes, now: datetime, invoices: str, more: Mapping[str, Any] | None = None
) -> None:
    by_invoice = {invoice_id: change for invoice_id, change in changes.by_invoice.items() if change}
    if not by_invoice:
        return
    given: dict[str, Any] = {
        "payment": payment.id,
        "merchant": payment.merchant_id,
        "customer": payment.customer_id,
        "currency": payment.currency,
        "invoices": list(by_invoice),
        "changes": list(by_invoice.values()),
        "ids": list(uuid7_batch(len(by_invoice))),
        "event_ids": list(uuid7_batch(len(by_invoice))),
        "batch": changes.batch,
        "made_by": changes.made_by_id,
        "refund": changes.refund_id,
        "now": now,
    } | dict(more or {})
    with connection.cursor() as cursor:
        for statement in (_LOCK, _DROP, _UPDATE, _INSERT, invoices, _REMEMBER):
            cursor.execute(statement, given)


_ASKED = "unnest(%(invoices)s::uuid[], %(changes)s::bigint[]) AS asked (invoice_id, change)"
# In id order, the order of every other lock on invoices.
_LOCK = "SELECT 1 FROM invoices_invoice WHERE id = ANY(%(invoices)s) ORDER BY id FOR UPDATE"
_DROP = f"""
DELETE FROM payments_allocation a USING {_ASKED}
 WHERE a.payment_id = %(payment)s AND a.invoice_id = asked.invoice_id AND a.amount + asked.change = 0"""  # noqa: S608
_UPDATE = f"""
UPDATE payments_allocation a SET amount = a.amount + asked.change FROM {_ASKED}
 WHERE a.payment_id = %(payment)s AND a.invoice_id = asked.invoice_id"""  # noqa: S608
_INSERT = f"""
INSERT INTO payments_allocation (merchant_id, payment_id, invoice_id, customer_id, amount, currency)
SELECT %(merchant)s, %(payment)s, asked.invoice_id, %(customer)s, asked.change, %(currency)s FROM {_ASKED}
 WHERE asked.change > 0 AND NOT EXISTS
   (SELECT FROM payments_allocation a WHERE a.payment_id = %(payment)s AND a.invoice_id = asked.invoice_id)"""  # noqa: S608
_MOVE_BALANCES = f"""
UPDATE invoices_invoice i SET balance = i.balance - asked.change,
       status = CASE WHEN i.balance = asked.change THEN 'paid' ELSE 'open' END
  FROM {_ASKED} WHERE i.id = asked.invoice_id"""  # noqa: S608
_CREDIT = """
INSERT INTO invoices_invoiceevent (id, merchant_id, invoice_id, kind, at, amount, note, source_id)
SELECT id, %(merchant)s, invoice_id, %(kind)s, %(now)s, -change, %(note)s, %(batch)s
  FROM unnest(%(event_ids)s::uuid[], %(invoices)s::uuid[], %(changes)s::bigint[]) AS asked (id, invoice_id, change)"""
_REMEMBER = """
INSERT INTO payments_allocationchange
       (id, merchant_id, payment_id, invoice_id, refund_id, batch, change, currency, made_by_id, at)
SELECT id, %(merchant)s, %(payment)s, invoice_id, %(refund)s, %(batch)s, change, %(currency)s, %(made_by)s, %(now)s
  FROM unnest(%(ids)s::uuid[], %(invoices)s::uuid[], %(changes)s::bigint[]) AS asked (id, invoice_id, change)"""
