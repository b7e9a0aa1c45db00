"""Whom a run would remind, and whom not."""

from datetime import UTC, datetime, timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from payorcrm.core.money import Money
from payorcrm.invoices.models import InvoiceStatus
from payorcrm.reminders.select import LeftOut, overdue_summary
from payorcrm.reminders.send import send_reminders
from tests.factories.models import NOW, TODAY, CustomerFactory, InvoiceFactory, MerchantFactory, usd

pytestmark = pytest.mark.django_db


def test_a_summary_counts_mails_customers_invoices_and_money() -> None:
    merchant = MerchantFactory()
    acme, boats = CustomerFactory(merchant=merchant), CustomerFactory(merchant=merchant)
    InvoiceFactory(customer=acme, amount=usd("100.00"))
    InvoiceFactory(customer=acme, amount=usd("50.00"))
    InvoiceFactory(customer=acme, amount=Money(7_000, "EUR"))
    InvoiceFactory(customer=boats, amount=usd("1.00"))
    InvoiceFactory()

    summary = overdue_summary(merchant, NOW)

    assert (summary.mail_count, summary.customer_count, summary.invoice_count) == (3, 2, 4)
    assert summary.totals == [Money(7_000, "EUR"), usd("151.00")]
    assert summary.left_out == []


def test_customers_are_left_out_for_a_reason() -> None:
    merchant = MerchantFactory()
    nobody = CustomerFactory(merchant=merchant, contact=False, company_name="Nobody Inc.")
    no_mail = CustomerFactory(merchant=merchant, contact__email="", company_name="Acme")
    gone = CustomerFactory(merchant=merchant, unsubscribed_at=NOW)
    switched_off = CustomerFactory(merchant=merchant, is_reminded=False)
    for customer in (nobody, no_mail, gone, switched_off):
        InvoiceFactory(customer=customer)

    summary = overdue_summary(merchant, NOW)

    assert summary.mail_count == 0
    assert [(group.reason, group.customer_count) for group in summary.left_out] == [
        (LeftOut.NO_ADDRESS, 2),
        (LeftOut.UNSUBSCRIBED, 1),
        (LeftOut.NOT_REMINDED, 1),
    ]
    assert summary.left_out[0].names == ["Acme", "Nobody Inc."]
    assert send_reminders(merchant=merchant, now=NOW).reminder_count == 0


@pytest.mark.parametrize(
    "fields",
    [
        {"due_on": TODAY},
        {"due_on": TODAY + timedelta(days=1)},
        {"status": InvoiceStatus.DRAFT},
        {"in_flight": 12_000},
        {"in_flight": 1},
    ],
)
def test_an_invoice_that_is_not_overdue_or_is_being_paid_is_no_reason(fields: dict[str, object]) -> None:
    invoice = InvoiceFactory(**fields)

    assert overdue_summary(invoice.merchant, NOW).invoice_count == 0


@pytest.mark.parametrize(("days", "count"), [(-5, 1), (0, 1), (1, 1), (10, 1), (11, 0)])
def test_the_least_delay_is_respected(days: int, count: int) -> None:
    invoice = InvoiceFactory(due_on=TODAY - timedelta(days=10))

    assert overdue_summary(invoice.merchant, NOW, days).invoice_count == count


def test_the_day_is_the_merchants_own() -> None:
    invoice = InvoiceFactory(due_on=TODAY, customer__merchant__time_zone="America/Los_Angeles")
    still_today = datetime(2026, 11, 21, 7, 59, tzinfo=UTC)

    assert overdue_summary(invoice.merchant, still_today).invoice_count == 0
    assert overdue_summary(invoice.merchant, still_today + timedelta(minutes=1)).invoice_count == 1


def test_chosen_customers_only() -> None:
    merchant = MerchantFactory()
    chosen, _ = (InvoiceFactory(customer=CustomerFactory(merchant=merchant)) for _ in range(2))

    assert overdue_summary(merchant, NOW, customer_ids=[chosen.customer_id]).invoice_count == 1
    assert overdue_summary(merchant, NOW, customer_ids=[]).invoice_count == 0
    assert overdue_summary(merchant, NOW).invoice_count == 2


@pytest.mark.parametrize("count", [1, 30])
def test_a_summary_takes_one_query(count: int, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    merchant = MerchantFactory()
    for _ in range(count):
        InvoiceFactory(customer=CustomerFactory(merchant=merchant))

    with django_assert_num_queries(1):
        assert overdue_summary(merchant, NOW).mail_count == count


def test_every_reason_has_a_label() -> None:
    assert all(reason.label for reason in LeftOut)
