"""No order of payments, refunds, returns, moves, offline money and imports makes books that the facts do not prove."""

import tempfile
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from payorcrm.core.errors import Refused
from payorcrm.core.money import Money
from payorcrm.gateways.base import ChargeResult, Outcome, RefundResult
from payorcrm.invoices.models import Invoice
from payorcrm.ledger.balances import balance_of
from payorcrm.ledger.check import check_books
from payorcrm.ledger.models import Account
from payorcrm.payments.models import Allocation, OfflineKind, Payment, PaymentState, Refund
from payorcrm.payments.reallocate import Wish, fingerprint_of, reallocate
from payorcrm.payments.record_offline import OfflineMoney, record_offline
from payorcrm.payments.refund import RefundOrder, reserve_refund
from payorcrm.payments.reserve import reserve
from payorcrm.payments.reverse_offline import reverse_offline
from payorcrm.payments.settle import settle
from payorcrm.payments.settle_refund import settle_refund
from tests.factories.models import NOW, CustomerFactory, GatewayAccountFactory, InvoiceFactory, PaymentMethodFactory
from tests.invoices.kit import import_lines, line_for
from tests.payments.kit import order_for

ACTS = ["charge", "offline", "answer", "refund", "refund_answer", "move", "reverse", "import"]
ANSWERS = [Outcome.SUCCEEDED, Outcome.SUCCEEDED, Outcome.PENDING, Outcome.RETURNED, Outcome.CANCELED, Outcome.NOT_SENT]
REFUND_ANSWERS = [Outcome.SUCCEEDED, Outcome.SUCCEEDED, Outcome.PENDING, Outcome.DECLINED, Outcome.NOT_SENT]
STEP = st.tuples(st.sampled_from(ACTS), st.integers(0, 5), st.integers(0, 5), st.integers(1, 9000))


class MoneyMoves(TestCase):
    """Hypothesis rolls the database back after every example."""

    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @example([900], [("refund", 0, 0, 500), ("answer", 0, 3, 1), ("refund_answer", 0, 0, 1)])
    @example([900], [("refund", 0, 0, 500), ("refund_answer", 0, 0, 1), ("answer", 0, 3, 1)])
    @example([900, 80], [("offline", 0, 0, 700), ("move", 1, 1, 60), ("refund", 1, 1, 650), ("refund_answer", 0, 0, 1)])
    @example([900], [("refund", 0, 1, 500), ("refund_answer", 0, 0, 1), ("import", 0, 1, 800), ("refund", 0, 0, 400)])
    @given(totals=st.lists(st.integers(1, 9000), min_size=1, max_size=3), steps=st.lists(STEP, max_size=14))
    def test_any_order_of_events_leaves_books_that_the_facts_prove(self, totals, steps):
        world = World(totals)

        for place, step in enumerate(steps):
            with suppress(Refused):
                world.take(step, NOW + timedelta(minutes=place))

        assert check_books() == []
        assert world.money_in() == world.money_kept()
        for invoice in Invoice.objects.all():
            assert 0 <= invoice.in_flight <= invoice.balance <= invoice.total
        for payment in Payment.objects.all():
            assert 0 <= payment.refunded + payment.refunding <= payment.amount


class World:
    """One customer with some invoices, the first of them paid by card, and what may happen to them."""

    def __init__(self, totals):
        self.customer = CustomerFactory()
        GatewayAccountFactory(merchant=self.customer.merchant)
        self.method = PaymentMethodFactory(customer=self.customer)
        self.invoices = [InvoiceFactory(customer=self.customer, amount=Money(total, "USD")) for total in totals]
        self._charge(0, 0, 0, NOW)
        self._answer(0, 0, 0, NOW)

    def take(self, step, now):
        act, first, second, amount = step
        getattr(self, f"_{act}")(first, second, amount, now)

    def money_in(self):
        """Add up what came and was not sent back, from the payments alone."""
        arrived = {PaymentState.SUCCEEDED, PaymentState.REFUNDED}
        return sum(each.amount * (each.state in arrived) - each.refunded for each in Payment.objects.all())

    def money_kept(self):
        """Add up the accounts that hold money, from the ledger alone."""
        accounts = (Account.CLEARING, Account.BANK)
        return sum(balance_of(self.customer.merchant_id, account, "USD").minor for account in accounts)

    def _invoice(self, place):
        return Invoice.objects.get(id=self.invoices[place % len(self.invoices)].id)

    def _row(self, model, place):
        rows = list(model.objects.order_by("submitted_at", "id"))
        return rows[place % len(rows)] if rows else None

    def _charge(self, first, second, amount, now):
        reserve(order=order_for(self.method, *{self._invoice(first), self._invoice(second)}), now=now)

    def _answer(self, first, second, amount, now):
        payment = self._row(Payment, first)
        if payment and payment.method:
            outcome = ANSWERS[second]
            code = "R01" if outcome is Outcome.RETURNED else ""
            result = ChargeResult(outcome=outcome, reference=f"ch_{payment.id}", return_code=code)
            settle(payment=payment, result=result, now=now)

    def _offline(self, first, second, amount, now):
        invoice = self._invoice(first)
        part = min(amount, invoice.payable_money().minor) if invoice.status == "open" else 0
        money = OfflineMoney(
            key=uuid4(),
            customer=self.customer,
            kind=OfflineKind.CHEQUE,
            reference="",
            received_on=now.date(),
            amount=Money(amount, "USD"),
            by_invoice={invoice.id: part} if part else {},
        )
        record_offline(money=money, now=now)

    def _refund(self, first, second, amount, now):
        payment = self._row(Payment, first)
        if payment:
            order = RefundOrder(
                key=uuid4(),
                amount=Money(min(amount, payment.refundable_money().minor), "USD"),
                seen=payment.refunded + payment.refunding,
                reason="Because",
                is_owed_again=second % 2 == 0,
            )
            reserve_refund(payment.id, order, now)

    def _refund_answer(self, first, second, amount, now):
        refund = self._row(Refund, first)
        if refund:
            settle_refund(refund=refund, result=RefundResult(REFUND_ANSWERS[second % 5]), now=now)

    def _move(self, first, second, amount, now):
        payment, invoice = self._row(Payment, first), self._invoice(second)
        if payment:
            has = sum(Allocation.objects.filter(payment=payment, invoice=invoice).values_list("amount", flat=True))
            most = has + (invoice.payable_money().minor if invoice.status == "open" else 0)
            others = dict.fromkeys(payment.allocations.values_list("invoice_id", flat=True), 0) if first % 2 else {}
            wish = Wish(others | {invoice.id: min(amount, most, payment.amount)}, fingerprint_of(payment))
            reallocate(payment_id=payment.id, wish=wish, now=now)

    def _reverse(self, first, second, amount, now):
        payment = self._row(Payment, first)
        if payment:
            reverse_offline(payment_id=payment.id, reason="Bounced", tells_customer=False, now=now)

    def _import(self, first, second, amount, now):
        invoice = self._invoice(first)
        total = Money(amount, "USD").to_decimal()
        line = line_for(invoice, total=str(total), balance=str(total if second % 2 else 0))
        with tempfile.TemporaryDirectory() as folder:
            import_lines(self.customer.merchant, Path(folder), line, skip_bad_rows=True)
