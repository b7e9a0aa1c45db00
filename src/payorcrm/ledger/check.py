"""Proving the books: every stored balance is computed again from the facts, and what disagrees is listed.

Reads tables of the packages above by their names in SQL, so that the ledger depends on none of them.
"""

from dataclasses import dataclass

from django.db import connection


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One number that is stored and one that the facts give, in minor units of a currency."""

    what: str
    row: str
    currency: str
    stored: int
    computed: int

    def __str__(self) -> str:
        return (
            f"{self.what} of {self.row}: stored {self.stored}, computed {self.computed} ({self.currency}, minor units)"
        )


def check_books() -> list[Disagreement]:
    """Return every disagreement in all merchants' books; an empty list means that they are right.

    Reads one snapshot, so that payments made meanwhile do not look like errors.
    """
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(f"({statement})" for statement in _CHECKS))
        return [Disagreement(*row) for row in cursor.fetchall()]


_INVOICE_BALANCES = """
SELECT 'Balance', 'invoice ' || i.number, i.currency, i.balance,
       i.total - coalesce(e.amount, 0) - coalesce(p.amount, 0)
  FROM invoices_invoice i
  LEFT JOIN (SELECT invoice_id, sum(amount)::bigint AS amount FROM invoices_invoiceevent GROUP BY 1) e
    ON e.invoice_id = i.id
  LEFT JOIN (SELECT a.invoice_id, sum(a.amount)::bigint AS amount
               FROM payments_allocation a JOIN payments_payment p ON p.id = a.payment_id
              WHERE p.state IN ('succeeded', 'disputed', 'refunded') GROUP BY 1) p ON p.invoice_id = i.id
 WHERE i.balance <> i.total - coalesce(e.amount, 0) - coalesce(p.amount, 0)"""

_INVOICES_IN_FLIGHT = """
SELECT 'Amount in flight', 'invoice ' || i.number, i.currency, i.in_flight, coalesce(p.amount, 0)
  FROM invoices_invoice i
  LEFT JOIN (SELECT a.invoice_id, sum(a.amount)::bigint AS amount
               FROM payments_allocation a JOIN payments_payment p ON p.id = a.payment_id
              WHERE p.state IN ('submitting', 'pending') GROUP BY 1) p ON p.invoice_id = i.id
 WHERE i.in_flight <> coalesce(p.amount, 0)"""

_RECEIVABLES = """
SELECT 'Receivable', 'customer ' || c.number, coalesce(l.currency, i.currency),
       coalesce(l.amount, 0), coalesce(i.amount, 0)
  FROM (SELECT customer_id, currency, sum(amount)::bigint AS amount FROM ledger_posting
         WHERE account = 'receivable' GROUP BY 1, 2) l
  FULL JOIN (SELECT customer_id, currency, sum(balance)::bigint AS amount FROM invoices_invoice
              WHERE status <> 'draft' GROUP BY 1, 2) i USING (customer_id, currency)
  JOIN customers_customer c ON c.id = customer_id
 WHERE coalesce(l.amount, 0) <> coalesce(i.amount, 0)"""

# What was refunded of a payment that came back later, too, is gone twice.
_MONEY = """
SELECT CASE account WHEN 'bank' THEN 'Money in the bank' ELSE 'Money at the processor' END, 'merchant ' || m.slug,
       coalesce(l.currency, p.currency), coalesce(l.amount, 0), coalesce(p.amount, 0)
  FROM (SELECT merchant_id, currency, account, sum(amount)::bigint AS amount FROM ledger_posting
         WHERE account IN ('clearing', 'bank') GROUP BY 1, 2, 3) l
  FULL JOIN (SELECT merchant_id, currency, CASE offline_kind WHEN '' THEN 'clearing' ELSE 'bank' END AS account,
                    sum(CASE WHEN state IN ('succeeded', 'disputed', 'refunded') THEN amount ELSE 0 END
                        - refunded)::bigint AS amount
               FROM payments_payment GROUP BY 1, 2, 3) p USING (merchant_id, currency, account)
  JOIN merchants_merchant m ON m.id = merchant_id
 WHERE coalesce(l.amount, 0) <> coalesce(p.amount, 0)"""

_UNAPPLIED = """
SELECT 'Unapplied amount', 'customer ' || c.number, coalesce(l.currency, p.currency),
       coalesce(l.amount, 0), coalesce(p.amount, 0)
  FROM (SELECT customer_id, currency, sum(amount)::bigint AS amount FROM ledger_posting
         WHERE account = 'unapplied' GROUP BY 1, 2) l
  FULL JOIN (SELECT p.customer_id, p.currency, sum(coalesce(a.amount, 0) + p.refunded - p.amount)::bigint AS amount
               FROM payments_payment p
               LEFT JOIN (SELECT payment_id, sum(amount) AS amount FROM payments_allocation GROUP BY 1) a
                 ON a.payment_id = p.id
              WHERE p.state IN ('succeeded', 'disputed', 'refunded') GROUP BY 1, 2) p USING (customer_id, currency)
  JOIN customers_customer c ON c.id = customer_id
 WHERE coalesce(l.amount, 0) <> coalesce(p.amount, 0)"""

_REFUNDS = """
SELECT 'Given back', 'payment ' || p.reference, p.currency, p.refunded, coalesce(r.done, 0)
  FROM payments_payment p
  LEFT JOIN (SELECT payment_id, sum(amount) FILTER (WHERE state = 'succeeded')::bigint AS done,
                    sum(amount) FILTER (WHERE state IN ('submitting', 'pending'))::bigint AS under_way
               FROM payments_refund GROUP BY 1) r ON r.payment_id = p.id
 WHERE p.refunded <> coalesce(r.done, 0) OR p.refunding <> coalesce(r.under_way, 0)"""

_ENTRIES = """
SELECT 'Sum', 'ledger entry ' || entry_id, currency, sum(amount)::bigint, 0::bigint
  FROM ledger_posting GROUP BY entry_id, currency HAVING sum(amount) <> 0"""

# What a payment that came back had paid stays written down, whatever was refunded of it.
_ALLOCATIONS = """
SELECT 'Allocated amount', 'payment ' || p.reference, p.currency, a.amount, p.amount - p.refunded
  FROM payments_payment p
  JOIN (SELECT payment_id, sum(amount)::bigint AS amount FROM payments_allocation GROUP BY 1) a ON a.payment_id = p.id
 WHERE a.amount > p.amount - CASE WHEN p.state IN ('succeeded', 'disputed', 'refunded') THEN p.refunded ELSE 0 END"""

# What refunds under way have set aside is there; of a payment that came back meanwhile nothing is left to take.
_REFUND_PARTS = """
SELECT 'Set aside for refunds', 'payment ' || p.reference || ', invoice ' || i.number, p.currency,
       held.amount, coalesce(a.amount, 0)
  FROM (SELECT r.payment_id, part.invoice_id, sum(part.amount)::bigint AS amount
          FROM payments_refundpart part JOIN payments_refund r ON r.id = part.refund_id
         WHERE r.state IN ('submitting', 'pending') GROUP BY 1, 2) held
  JOIN payments_payment p ON p.id = held.payment_id
  JOIN invoices_invoice i ON i.id = held.invoice_id
  LEFT JOIN payments_allocation a ON a.payment_id = held.payment_id AND a.invoice_id = held.invoice_id
 WHERE p.state = 'succeeded' AND held.amount > coalesce(a.amount, 0)"""

_CHECKS = (
    *(_INVOICE_BALANCES, _INVOICES_IN_FLIGHT, _RECEIVABLES, _MONEY, _UNAPPLIED),
    *(_REFUNDS, _REFUND_PARTS, _ENTRIES, _ALLOCATIONS),
)
