"""What leaves as CSV opens harmlessly."""

import csv
import io

import pytest

from payorcrm.ui.exports import csv_response, harmless


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "＝1"])
def test_a_formula_becomes_text(cell):
    assert harmless(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["Acme", "", "1150.00", "a=b", -5])
def test_other_cells_stay(cell):
    assert harmless(cell) == cell


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
