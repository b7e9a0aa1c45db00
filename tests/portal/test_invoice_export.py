"""The invoices of the portal as a file."""

import csv
import io

import pytest
from django.urls import reverse
from openpyxl import load_workbook

from payorcrm.core.money import Money
from tests.factories.models import usd
from tests.portal.invoice_kit import access, customer, exported, owe, owe_many, signed_in

__all__ = ["access", "customer", "signed_in"]

pytestmark = pytest.mark.django_db


def test_the_csv_has_all_rows_of_the_tab(signed_in, customer):
    owe_many(customer, 95)
    owe(customer, "=HYPERLINK(1)", due_in=-900, amount=usd("1234.50"))

    rows = list(csv.reader(io.StringIO(exported(signed_in, "csv", "?tab=unpaid"))))

    assert len(rows) == 1 + 76 + 1
    assert rows[0][0] == "Invoice"
    assert rows[1][0] == "'=HYPERLINK(1)"
    assert rows[1][3:] == ["Overdue", "USD", "1234.50", "1234.50", "0.00"]


def test_the_workbook_has_numbers_days_and_no_formula(signed_in, customer):
    invoice = owe(customer, "=1+1", amount=usd("1234.50"))
    owe(customer, "yen", due_in=20, amount=Money(500, "JPY"))

    sheet = load_workbook(io.BytesIO(exported(signed_in, "xlsx"))).active

    first, second = list(sheet.iter_rows(min_row=2))
    assert (first[0].value, first[0].data_type) == ("=1+1", "s")
    assert (first[2].value.date(), first[2].data_type) == (invoice.due_on, "d")
    assert (first[5].value, first[5].data_type, first[5].number_format) == (1234.5, "n", "#,##0.00")
    assert (second[5].value, second[5].number_format) == (500, "#,##0")


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_ten_thousand_rows_leave_in_a_file(signed_in, customer, kind, django_assert_max_num_queries):
    owe_many(customer, 10_000)

    with django_assert_max_num_queries(12):
        whole = exported(signed_in, kind, "?tab=unpaid")

    if kind == "csv":
        assert whole.count("\r\n") == 8001
    else:
        assert load_workbook(io.BytesIO(whole), read_only=True).active.max_row == 8001


def test_there_is_no_other_kind_of_file(signed_in):
    assert signed_in.get(reverse("portal:invoices_export", args=["pdf"])).status_code == 404
