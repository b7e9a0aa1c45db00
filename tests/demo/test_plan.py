"""The plan of the demo business: the same every time, whatever day it is."""

from datetime import date, timedelta

import pytest

from payorcrm.core.money import Money
from payorcrm.demo.plan_invoices import plan_invoices
from payorcrm.demo.plan_lines import plan_lines
from payorcrm.demo.plan_payments import plan_payments
from payorcrm.invoices.lines import check_lines

TODAY = date(2026, 11, 22)


def test_plan_is_the_same_every_time_and_moves_with_the_day():
    first, second, next_week = plan_invoices(TODAY), plan_invoices(TODAY), plan_invoices(TODAY + timedelta(days=7))

    assert first == second
    assert [each.due_on + timedelta(days=7) for each in first] == [each.due_on for each in next_week]
    assert plan_payments(first, TODAY) == plan_payments(second, TODAY)


@pytest.mark.parametrize("days", range(0, 366, 13))
def test_plan_holds_on_any_day_of_the_year(days: int):
    today = TODAY + timedelta(days=days)
    invoices = plan_invoices(today)
    payments = plan_payments(invoices, today)
    paid = [number for payment in payments for number in payment.invoices]

    assert all(each.issued_on <= min(each.due_on, today) for each in invoices)
    assert all(payment.invoices and payment.day < today for payment in payments)
    assert len(paid) == len(set(paid))


def test_lines_add_up_to_their_invoices_at_believable_prices():
    for planned in plan_invoices(TODAY):
        lines = plan_lines(planned)

        check_lines(lines, total=Money(planned.total, planned.currency))
        assert 2 <= len(lines) <= 4
        assert all(line.amount.minor > 0 for line in lines)
        assert lines[-1].amount < Money(6_000, planned.currency)
