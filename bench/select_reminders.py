"""Selecting a day's reminders by the seven rules over 1,000,000 open invoices of 100,000 customers.

Beside it: a bare count with the same predicates, rule by rule. It is an ordinary day: the five days before are done.
Also measured are the growth from a tenth of the invoices, and how long a rehearsal of thirty days takes.
"""

import statistics
import time
from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from bench.dashboard import _CUSTOMERS
from bench.harness import Bench, Target, Way

if TYPE_CHECKING:
    from payorcrm.merchants.models import Merchant

INVOICES, CUSTOMERS = 1_000_000, 100_000
SHARE = 1 / 3  # at most three times the time of the bare count
MOST_GROWTH = 11

BARE, SELECTED, GATHERED = "bare count", "seven rules", "seven rules and mails gathered"


def measure(bench: Bench) -> None:
    """Compare the statements of the rules with bare counts, at full size and at a tenth of it."""
    count, customers = bench.scaled(INVOICES), bench.scaled(CUSTOMERS)
    small = _Day(_fill(count // 10, customers // 10))
    large = _Day(_fill(count, customers))
    ways = [Way(BARE, large.count), Way(SELECTED, large.match), Way(GATHERED, large.gather)]
    title = f"A day of seven rules over {count:,} open invoices"
    bench.compare(title, unit="invoices", count=count, ways=ways, target=Target(SELECTED, BARE, SHARE))
    growth = statistics.median(_taken(large.match) / _taken(small.match) for _ in range(bench.rounds))
    sizes = f"from {count // 10:,} to {count:,} invoices"
    bench.expect(growth <= MOST_GROWTH, f"{sizes} it takes {growth:.1f} times as long; {MOST_GROWTH} is allowed")
    bench.note(
        f"A rehearsal of 30 days over {count // 10:,} invoices: {_taken(small.rehearse):.1f} s, {small.mails:,} mails"
    )


def _taken(run: Any) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


class _Day:
    """One merchant's rules and invoices, and the statements of a day."""

    def __init__(self, merchant: "Merchant") -> None:
        from payorcrm.core import clock
        from payorcrm.reminders.match import match_values
        from payorcrm.reminders.models import DayRun, Schedule
        from payorcrm.reminders.switch_rules import rules_of, switch_on

        self.merchant, self.now, self.mails = merchant, clock.now(), 0
        schedule = Schedule.objects.create(merchant=merchant, weekdays=list(range(7)))
        for rule in rules_of(merchant):
            switch_on(rule, now=self.now - timedelta(days=400))
        self.rules = rules_of(merchant)
        self.values = match_values(merchant, schedule, self.now)
        today: date = self.values["today"]
        self.days = [today - timedelta(days=back) for back in range(5, -1, -1)]
        run = DayRun.objects.create(merchant=merchant, day=today - timedelta(days=1), started_at=self.now)
        self._do_before(run.id)

    def _do_before(self, run_id: Any) -> None:
        from django.db import connection, transaction

        from payorcrm.reminders.match import match_by

        with transaction.atomic(), connection.cursor() as cursor:
            match_by(self.values, self.rules, self.days[:-1])
            cursor.execute(_STEPS, {"run": run_id})
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE reminders_step")

    def _execute(self, statements: Sequence[tuple[str, dict[str, Any]]]) -> None:
        from django.db import connection, transaction

        from payorcrm.reminders.match import BEGIN

        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(BEGIN)
            for statement, values in statements:
                cursor.execute(statement, values)

    def match(self) -> None:
        """Run one statement a rule, as a run does."""
        from payorcrm.reminders.match import match_statement

        self._execute([match_statement(self.values, rule, self.days) for rule in self.rules])

    def gather(self) -> None:
        """Run them, and say what becomes of each customer."""
        from django.db import transaction

        from payorcrm.reminders.match import match_by

        with transaction.atomic():
            match_by(self.values, self.rules, self.days)

    def count(self) -> None:
        """Count what the statements find, and keep nothing."""
        from payorcrm.reminders.match import match_statement

        statements = [match_statement(self.values, rule, self.days) for rule in self.rules]
        self._execute([(_counting(statement), values) for statement, values in statements])

    def rehearse(self) -> None:
        """Foresee thirty days."""
        from payorcrm.reminders.rehearse import rehearse

        self.mails = len(rehearse(self.merchant, self.rules, now=self.now).mails)


def _counting(statement: str) -> str:
    return "SELECT count(*)\n" + statement[statement.index("FROM unnest") :]


def _fill(count: int, customers: int) -> "Merchant":
    from django.db import connection

    from tests.factories.models import MerchantFactory

    merchant: Merchant = MerchantFactory()
    with connection.cursor() as cursor:
        cursor.execute(_CUSTOMERS, [merchant.id, customers])
        cursor.execute(_CONTACTS, [merchant.id])
        cursor.execute(_INVOICES, [merchant.id, count, customers])
        cursor.execute("VACUUM ANALYZE invoices_invoice, customers_customer, customers_contact")
    return merchant


_CONTACTS = """
INSERT INTO customers_contact (id, merchant_id, customer_id, first_name, last_name, email, phone, is_primary)
SELECT gen_random_uuid(), merchant_id, id, 'Jo', 'Miller', 'jo@' || lower(number) || '.example', '', true
  FROM customers_customer WHERE merchant_id = %s
"""
# Each was in the books before it was due.
_INVOICES = """
WITH numbered AS (
  SELECT id, merchant_id, row_number() OVER () AS place FROM customers_customer WHERE merchant_id = %s
)
INSERT INTO invoices_invoice (id, merchant_id, customer_id, number, status, issued_on, due_on, currency, total, balance,
       in_flight, created_at)
SELECT gen_random_uuid(), numbered.merchant_id, numbered.id, 'INV-' || n, 'open', current_date - n %% 400,
       current_date - n %% 400 + 30, 'USD', 1000 + n, 1000 + n, 0, current_date - n %% 400
  FROM generate_series(1, %s) n JOIN numbered ON numbered.place = n %% %s + 1
"""
_STEPS = """
INSERT INTO reminders_step (rule_id, invoice_id, day, day_run_id, state)
SELECT rule_id, invoice_id, day, %(run)s, 'sent' FROM matched
"""
