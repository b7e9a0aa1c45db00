"""The journal of a period: every posting of it, balanced, and of nobody else."""

import csv
import io
from datetime import timedelta

import pytest
from django.urls import reverse
from openpyxl import load_workbook

from payorcrm.core.money import add_up
from payorcrm.ledger.journal import journal_of, sums_of
from payorcrm.payments.models import OfflineKind
from payorcrm.payments.record_offline import OfflineMoney, record_offline
from payorcrm.payments.reverse_offline import reverse_offline
from tests.backoffice.rows import client_of
from tests.factories.models import NOW, CustomerFactory, InvoiceFactory, usd

pytestmark = pytest.mark.django_db
KEY = "01890000-0000-7000-8000-000000000001"


@pytest.fixture
def cheque():
    customer = CustomerFactory(company_name="=Formula & Sons")
    invoice = InvoiceFactory(customer=customer, amount=usd("80.00"))
    money = OfflineMoney(
        key=KEY,
        customer=customer,
        kind=OfflineKind.CHEQUE,
        reference="1042",
        received_on=NOW.date() - timedelta(days=40),
        amount=usd("100.00"),
        by_invoice={invoice.id: 8000},
    )
    return record_offline(money=money, now=NOW)


def period(payment, *, since, until):
    return list(journal_of(payment.merchant_id, since=since, before=until))


def test_every_side_of_an_entry_is_there_with_customer_and_reference(cheque):
    lines = period(cheque, since=NOW, until=NOW + timedelta(seconds=1))

    paid = [line for line in lines if line.kind == "Payment"]
    assert [(line.account, line.debit, line.credit) for line in paid if line.debit] == [
        ("Bank and cash", usd("100.00"), None)
    ]
    assert {(line.account, line.credit) for line in paid if line.credit} == {
        ("Accounts receivable", usd("80.00")),
        ("Unapplied payments", usd("20.00")),
    }
    assert {line.reference for line in paid} == {cheque.reference}
    assert {line.customer for line in paid if line.credit} == {"=Formula & Sons"}


def test_debits_and_credits_of_a_period_are_equal(cheque):
    reverse_offline(payment_id=cheque.id, reason="Bounced", tells_customer=False, now=NOW + timedelta(days=3))

    sums = sums_of(cheque.merchant_id, since=NOW - timedelta(days=400), before=NOW + timedelta(days=9))

    assert add_up([each.debit for each in sums], "USD") == add_up([each.credit for each in sums], "USD") != usd("0.00")
    bank = next(each for each in sums if each.account == "Bank and cash")
    assert (bank.debit, bank.credit) == (usd("100.00"), usd("100.00"))


def test_reversal_belongs_to_its_own_period_and_leaves_the_earlier_one_as_it_was(cheque):
    before = period(cheque, since=NOW, until=NOW + timedelta(days=1))
    reverse_offline(payment_id=cheque.id, reason="Bounced", tells_customer=False, now=NOW + timedelta(days=3))

    assert period(cheque, since=NOW, until=NOW + timedelta(days=1)) == before
    later = period(cheque, since=NOW + timedelta(days=3), until=NOW + timedelta(days=4))
    assert {line.kind for line in later} == {"Payment reversed"}


def test_another_merchants_entries_are_not_there(cheque):
    other = CustomerFactory()

    assert list(journal_of(other.merchant_id, since=NOW - timedelta(days=9), before=NOW + timedelta(days=9))) == []


def test_page_and_files_show_the_days_asked_for(cheque):
    client, day = client_of(cheque.merchant), NOW.date()
    asked = {"since": f"{day}", "until": f"{day}"}
    place = reverse("backoffice:journal_export", args=[cheque.merchant.slug])

    page = client.get(reverse("backoffice:journal", args=[cheque.merchant.slug]), asked).text
    text = b"".join(client.get(place, asked).streaming_content).decode("utf-8-sig")
    book = load_workbook(io.BytesIO(b"".join(client.get(place, asked | {"as": "xlsx"}).streaming_content)))

    rows = list(csv.DictReader(io.StringIO(text)))
    assert "Bank and cash" in page
    assert sum(float(row["Debit"] or 0) for row in rows) == sum(float(row["Credit"] or 0) for row in rows)
    assert {row["Customer"] for row in rows if row["Account"] == "Unapplied payments"} == {"'=Formula & Sons"}
    assert book.active.max_row == len(rows) + 1


@pytest.mark.parametrize("asked", [{}, {"since": "x"}, {"since": "2026-02-01", "until": "2026-01-01"}])
def test_days_that_cannot_be_read_show_last_month(cheque, asked):
    page = client_of(cheque.merchant).get(reverse("backoffice:journal", args=[cheque.merchant.slug]), asked)

    assert page.status_code == 200
    assert (page.context["since"].day, page.context["until"] + timedelta(days=1)) == (
        1,
        (page.context["since"] + timedelta(days=32)).replace(day=1),
    )
