"""What leaves as CSV opens harmlessly."""

import csv
import io
from contextlib import closing
from datetime import date, datetime
from decimal import Decimal

import pytest
from openpyxl import load_workbook

from payorcrm.ui.exports import csv_response, harmless, xlsx_response


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "＝1"])
def test_a_formula_becomes_text(cell):
    assert harmless(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["Acme", "", "1150.00", "a=b", "Fish; chips", "a;b=c", -5])
def test_other_cells_stay(cell):
    assert harmless(cell) == cell


@pytest.mark.parametrize(
    ("cell", "written"), [("Acme;=1+1", "Acme;'=1+1"), ("Acme; \t@A1", "Acme; \t'@A1"), ("Acme\n-2+3", "Acme\n'-2+3")]
)
def test_a_formula_inside_a_cell_stays_text_where_cells_are_parted_at_semicolons(cell, written):
    assert harmless(cell) == written


def test_an_export_is_streamed_and_read_back_whole():
    response = csv_response(
        "payments.csv", ["Customer", "Amount"], [["=cmd|' /C calc'!A0", "12.00"], ['Quote "Q", Ltd', "1"]]
    )

    text = b"".join(response.streaming_content).decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(text))) == [
        ["Customer", "Amount"],
        ["'=cmd|' /C calc'!A0", "12.00"],
        ['Quote "Q", Ltd', "1"],
    ]
    assert response["Content-Disposition"] == 'attachment; filename="payments.csv"'


@pytest.mark.django_db  # a closed answer looks after the connections
def test_a_workbook_keeps_numbers_days_and_moments_as_what_they_are():
    row = [Decimal("1150.00"), 7, date(2026, 11, 26), datetime(2026, 11, 26, 20, 3, 9), "-5", None]

    book = xlsx_response("all.xlsx", list("abcdef"), [row])

    with closing(book):
        cells = load_workbook(io.BytesIO(b"".join(book.streaming_content))).active[2]
    assert [cell.value for cell in cells[:5]] == [1150, 7, datetime(2026, 11, 26), row[3], "-5"]
    assert [cell.data_type for cell in cells[:5]] == ["n", "n", "d", "d", "s"]
    assert harmless(row[3]) == "2026-11-26 20:03:09"
