"""Fifty payments, while web server and worker are killed at each of the three phases: none is lost, none made twice."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import psycopg
import pytest

from payorcrm.invoices.models import Invoice
from payorcrm.ledger.check import check_books
from payorcrm.payments.models import Payment, ReceivedEvent
from tests.factories.journey import Business, open_business, wait_until
from tests.factories.models import request_for
from tests.factories.payers import CUT_OFF, Press, press_of_confirmation
from tests.factories.system import RunningSystem

CARD = "4000000050000027"
TIMES_OUT_AFTER = "4100000000081001"
TIMES_OUT_BEFORE = "4100000000052002"
ACCOUNT = "000123456789"
AT_ONCE = 8  # as many as the web server takes on at once
LOCK = 7_000_001

Inserted, Updated = "BEFORE INSERT ON payments_payment", "BEFORE UPDATE ON payments_payment"


@pytest.fixture
def crash(system: RunningSystem) -> Iterator["Crash"]:
    """Fifty confirmed payments of one merchant's customer; afterwards everything runs again."""
    crash = Crash(system)
    yield crash
    crash.threads.shutdown(wait=False, cancel_futures=True)
    system.start_what_is_missing()
    for name in ("processor", "web", "worker"):
        system.resume(name)


def test_crashes_at_each_phase_lose_nothing_and_charge_nothing_twice(crash: "Crash") -> None:
    crash.while_reserving()
    crash.while_web_waits_for_the_processor()
    crash.while_web_settles()
    crash.while_worker_waits_for_the_processor()
    crash.while_worker_settles()
    crash.at_any_moment()
    assert len(crash.pressed) == 50

    crash.wait_until_resolved()
    crash.assert_records_agree()
    assert {payment.state for payment in crash.business.payments()} == {"succeeded", "failed"}
    crash.press_again_what_was_not_charged()
    crash.wait_until_resolved()
    crash.assert_records_agree()

    assert crash.business.statuses() == {("paid", 0, 0)}


class Crash:
    """The payers, and the ways in which the system is killed under them."""

    def __init__(self, system: RunningSystem) -> None:
        self.system = system
        self.business: Business = open_business(system, *(f"{10 + number}.00" for number in range(50)))
        self.methods = {number: self.business.save_card(number) for number in (CARD, TIMES_OUT_AFTER, TIMES_OUT_BEFORE)}
        self.methods[ACCOUNT] = self.business.save_account(ACCOUNT)
        self.waiting = list(Invoice.objects.filter(customer=self.business.customer).order_by("total"))
        self.pressed: dict[str, Invoice] = {}
        self.threads = ThreadPoolExecutor(AT_ONCE)

    def while_reserving(self) -> None:
        """Phase one, not yet committed."""
        with self._held(Inserted) as hold:
            answers = self._press(CARD, AT_ONCE)
            hold.wait_for(AT_ONCE)
            self.system.kill("web")
            self.system.kill("worker")
        assert [answer.result() for answer in answers] == [CUT_OFF] * AT_ONCE
        assert not self.business.payments()
        self.system.start_what_is_missing()

    def while_web_waits_for_the_processor(self) -> None:
        """Phase two: some are charged, some are not, some requests are read after their sender's death."""
        answers = self._press(TIMES_OUT_AFTER, 4) + self._press(TIMES_OUT_BEFORE, 2)
        self._wait_for(lambda: self._count("submitting") == 6 and len(self.business.charges()) == 4)
        self.system.pause("processor")
        answers += self._press(CARD, 2)
        self._wait_for(lambda: self._count("submitting") == AT_ONCE)
        self.system.kill("web")
        assert [answer.result() for answer in answers] == [CUT_OFF] * AT_ONCE
        self.system.resume("processor")
        self.system.start_what_is_missing()

    def while_web_settles(self) -> None:
        """Phase three: the money was taken, and the transaction that writes it down is cut off."""
        charged = len(self.business.charges())
        with self._held(Updated, f"NEW.method_id = '{self.methods[CARD].id}'") as hold:
            answers = self._press(CARD, AT_ONCE)
            hold.wait_for(AT_ONCE)
            assert len(self.business.charges()) >= charged + AT_ONCE
            self.system.kill("web")
        assert [answer.result() for answer in answers] == [CUT_OFF] * AT_ONCE
        self.system.start_what_is_missing()

    def while_worker_waits_for_the_processor(self) -> None:
        """Phase two of a debit's event: the worker asks what became of the charge."""
        answers = self._press(ACCOUNT, AT_ONCE)
        assert [answer.result() for answer in answers] == [302] * AT_ONCE
        self.system.pause("worker")
        self._wait_for(lambda: ReceivedEvent.objects.filter(kind="charge.succeeded", applied_at=None).exists())
        self.system.pause("processor")
        self.system.resume("worker")
        self._wait_for(self._worker_asks)
        self.system.kill("worker")
        self.system.resume("processor")
        self.system.start_what_is_missing()

    def while_worker_settles(self) -> None:
        """Phase three of a debit's event."""
        with self._held(Updated, "NEW.state = 'succeeded'") as hold:
            answers = self._press(ACCOUNT, AT_ONCE)
            hold.wait_for(1)
            self.system.kill("worker")
        assert [answer.result() for answer in answers] == [302] * AT_ONCE
        self.system.start_what_is_missing()

    def at_any_moment(self) -> None:
        """Both die as soon as one of ten payers is charged."""
        charged = len(self.business.charges())
        self._press(CARD, 5)
        self._press(ACCOUNT, 5)
        self._wait_for(lambda: len(self.business.charges()) > charged)
        self.system.kill("web")
        self.system.kill("worker")
        self.system.start_what_is_missing()

    def wait_until_resolved(self) -> None:
        """Wait until no payment is under way."""
        self._wait_for(lambda: not Payment.objects.in_flight().filter(customer=self.business.customer).exists())

    def press_again_what_was_not_charged(self) -> None:
        """Let the payers of what is still open press again, with a card that works."""
        still_open = Invoice.objects.filter(customer=self.business.customer, status="open").order_by("total")
        self.waiting = list(still_open)
        answers = self._press(CARD, len(self.waiting))
        assert {answer.result() for answer in answers} <= {302}

    def assert_records_agree(self) -> None:
        """Compare payments, invoices and the processor's own records."""
        charges = self.business.charges()
        assert {charge.status for charge in charges} == {"succeeded"}
        taken = {(p.idempotency_key, p.amount) for p in self.business.payments() if p.state == "succeeded"}
        assert taken == {(charge.key, charge.amount) for charge in charges}
        paid_for = [self.pressed[charge.key] for charge in charges]
        assert len({invoice.id for invoice in paid_for}) == len(charges), "an invoice was charged twice"
        assert sum(invoice.total for invoice in paid_for) == sum(charge.amount for charge in charges)
        paid = Invoice.objects.filter(customer=self.business.customer, status="paid", balance=0, in_flight=0)
        assert {invoice.id for invoice in paid} == {invoice.id for invoice in paid_for}
        still_open = Invoice.objects.filter(customer=self.business.customer).exclude(status="paid")
        assert all(invoice.payable_money() == invoice.total_money() for invoice in still_open)
        assert check_books() == []

    def _press(self, number: str, count: int) -> list[Future[int]]:
        presses = []
        for _ in range(count):
            invoice = self.waiting.pop(0)
            press = press_of_confirmation(self.system, request_for(invoice), self.methods[number])
            self.pressed[press.key] = invoice
            presses.append(press)
        return [self.threads.submit(Press.now, press) for press in presses]

    def _count(self, state: str) -> int:
        return Payment.objects.filter(customer=self.business.customer, state=state).count()

    def _wait_for(self, is_so: Callable[[], bool]) -> None:
        wait_until(is_so, f"{[(p.state, p.method.last4) for p in self.business.payments()]}", patience=180)

    def _worker_asks(self) -> bool:
        with psycopg.connect(self.system.database_url) as connection:
            found = connection.execute(
                "SELECT FROM procrastinate_jobs WHERE status = 'doing' AND task_name LIKE '%apply_one_event'"
            )
            return found.rowcount > 0

    @contextmanager
    def _held(self, moment: str, condition: str = "true") -> Iterator["Hold"]:
        """Hold every statement of this kind in the database, by a trigger that waits for a lock of this test."""
        with psycopg.connect(self.system.database_url, autocommit=True) as connection:
            connection.execute("SELECT pg_advisory_lock(%s)", [LOCK])
            connection.execute(
                f"""CREATE OR REPLACE FUNCTION hold_on() RETURNS trigger LANGUAGE plpgsql AS
                    'BEGIN PERFORM pg_advisory_xact_lock_shared({LOCK}); RETURN NEW; END';
                    CREATE TRIGGER hold_on {moment} FOR EACH ROW WHEN ({condition}) EXECUTE FUNCTION hold_on()"""
            )
            try:
                yield Hold(connection)
            finally:
                connection.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
                connection.execute("DROP FUNCTION hold_on CASCADE")


class Hold:
    """Transactions that wait in the middle of what they do."""

    def __init__(self, connection: "psycopg.Connection[tuple[object, ...]]") -> None:
        self._connection = connection

    def wait_for(self, count: int) -> None:
        """Wait until so many transactions are held."""
        wait_until(lambda: self._held_now() >= count, f"{count} transactions are held")

    def _held_now(self) -> int:
        found = self._connection.execute(
            "SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = %s", [LOCK]
        )
        return found.rowcount
