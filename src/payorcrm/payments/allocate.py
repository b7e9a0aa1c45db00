"""Moving the invoices of a payment as a whole: paid, released, reopened; in the caller's transaction."""

from datetime import datetime

from django.db import connection

from payorcrm.core.money import Money
from payorcrm.ledger.models import Account, EntryKind
from payorcrm.ledger.post import Line, Source, post_entry
from payorcrm.payments.models import Payment


def allocate(*, payment: Payment, now: datetime) -> None:
    """Pay the invoices that the payment reserved, and post it to the ledger."""
    _lock_invoices_of(payment)
    allocated = _run(
        """UPDATE invoices_invoice i
              SET in_flight = i.in_flight - a.amount, balance = i.balance - a.amount,
                  status = CASE WHEN i.balance = a.amount THEN 'paid' ELSE i.status END
             FROM payments_allocation a WHERE a.payment_id = %s AND a.invoice_id = i.id RETURNING a.amount""",
        payment,
    )
    _post(payment, EntryKind.PAYMENT, Money(allocated, payment.currency), sign=1, now=now)


def release(*, payment: Payment) -> None:
    """Give back what the payment reserved; the money did not move."""
    _lock_invoices_of(payment)
    _run(
        """UPDATE invoices_invoice i SET in_flight = i.in_flight - a.amount
             FROM payments_allocation a WHERE a.payment_id = %s AND a.invoice_id = i.id""",
        payment,
    )


def reopen(*, payment: Payment, kind: EntryKind, now: datetime) -> None:
    """Make the payment's invoices owed again, at their original due dates, and reverse its ledger entry.

    What was refunded before is gone twice now, and stands on an account of its own.
    """
    _lock_invoices_of(payment)
    allocated = _run(
        """UPDATE invoices_invoice i SET balance = i.balance + a.amount, status = 'open'
             FROM payments_allocation a WHERE a.payment_id = %s AND a.invoice_id = i.id RETURNING a.amount""",
        payment,
    )
    _post(payment, kind, Money(allocated, payment.currency), sign=-1, now=now)


def reserve_again(*, payment: Payment) -> None:
    """Reserve what is still payable of the payment's invoices: it had been released by mistake, or never reserved.

    What was paid some other way meanwhile stays unapplied: the allocations shrink to what is left.
    """
    _lock_invoices_of(payment)
    _run(
        """UPDATE payments_allocation a SET amount = least(a.amount, i.balance - i.in_flight)
             FROM invoices_invoice i
            WHERE a.payment_id = %s AND i.id = a.invoice_id AND i.status = 'open' AND i.in_flight < i.balance""",
        payment,
    )
    _run(
        """DELETE FROM payments_allocation a USING invoices_invoice i
            WHERE a.payment_id = %s AND i.id = a.invoice_id AND (i.status <> 'open' OR i.in_flight >= i.balance)""",
        payment,
    )
    _run(
        """UPDATE invoices_invoice i SET in_flight = i.in_flight + a.amount
             FROM payments_allocation a WHERE a.payment_id = %s AND a.invoice_id = i.id""",
        payment,
    )


def _lock_invoices_of(payment: Payment) -> None:
    # In id order, the order of every other lock on invoices.
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT 1 FROM invoices_invoice i JOIN payments_allocation a ON a.invoice_id = i.id
                WHERE a.payment_id = %s ORDER BY i.id FOR UPDATE OF i""",
            [payment.id],
        )


def _post(payment: Payment, kind: EntryKind, allocated: Money, *, sign: int, now: datetime) -> None:
    unapplied = payment.amount_money() - payment.refunded_money() - allocated
    lines = [
        Line(money_account_of(payment), Money(sign * payment.amount, payment.currency)),
        Line(Account.RECEIVABLE, Money(-sign * allocated.minor, payment.currency), payment.customer_id),
        Line(Account.UNAPPLIED, Money(-sign * unapplied.minor, payment.currency), payment.customer_id),
        Line(Account.GIVEN_BACK_TWICE, Money(-sign * payment.refunded, payment.currency), payment.customer_id),
    ]
    post_entry(
        merchant_id=payment.merchant_id, kind=kind, postings=lines, source=Source("payment", payment.id), now=now
    )


def money_account_of(payment: Payment) -> Account:
    """Return where the money of a payment is."""
    return Account.BANK if payment.is_offline() else Account.CLEARING


def _run(statement: str, payment: Payment) -> int:
    """Run a statement about the payment; return the sum of the amounts that it returns, if any."""
    with connection.cursor() as cursor:
        cursor.execute(statement, [payment.id])
        return sum(amount for (amount,) in cursor.fetchall()) if cursor.description else 0
