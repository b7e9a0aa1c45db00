"""Tables are read whatever program wrote them: encodings, delimiters, report headers, workbooks."""

import datetime as dt
from zipfile import ZIP_DEFLATED, ZipFile

import openpyxl
import pytest

from payorcrm.core.encodings import UnreadableFile
from payorcrm.core.headers import MissingColumns, NoHeader, UnclearColumns
from payorcrm.core.tables import BATCH_ROWS, Layout, open_table

LAYOUT = Layout(
    names={
        "number": ("num", "invoicenumber"),
        "name": ("customer", "company"),
        "amount": ("amount", "total"),
        "due": ("duedate",),
    },
    required=(("number",), ("amount",)),
    exact={"number", "amount"},
    key=("number",),
    sums={"amount"},
)
LINES = "Num,Customer,Amount,Due date\n1,Müller & Söhne,10.00,2026-08-05\n2,“Café”,€5,2026-08-06\n"
ROWS = [(2, "1", "Müller & Söhne", "10.00", "2026-08-05"), (3, "2", "“Café”", "€5", "2026-08-06")]


def write(folder, content):
    path = folder / "table.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def read(path):
    """Return all rows as (row, number, name, amount, due), and what is wrong."""
    rows, bad = [], []
    with open_table(path, LAYOUT) as table:
        for batch in table.batches():
            empty = [""] * len(batch.rows)
            columns = [batch.columns.get(meaning, empty) for meaning in LAYOUT.names]
            rows += list(zip(batch.rows, *columns, strict=True))
            bad += batch.bad_rows
    return rows, bad


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_every_encoding_and_line_end_is_read_alike(tmp_path, encoding, ends):
    path = write(tmp_path, LINES.replace("\n", ends).encode(encoding))

    assert read(path) == (ROWS, [])


@pytest.mark.parametrize("mark", [b"\xff\xfe", b"\xfe\xff"])
def test_utf_16_is_read_with_either_byte_order_mark(tmp_path, mark):
    encoding = "utf-16-le" if mark == b"\xff\xfe" else "utf-16-be"

    assert read(write(tmp_path, mark + LINES.encode(encoding))) == (ROWS, [])


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_every_delimiter_is_recognised(tmp_path, delimiter):
    assert read(write(tmp_path, LINES.replace(",", delimiter))) == (ROWS, [])


def test_a_decimal_comma_does_not_make_the_comma_the_delimiter(tmp_path):
    rows, _ = read(write(tmp_path, "Num;Customer;Amount\n1;Acme;1.150,00\n2;Beta;2.150,00\n"))

    assert [row[3] for row in rows] == ["1.150,00", "2.150,00"]


def test_quoted_values_keep_line_feeds_and_rows_are_counted_as_a_spreadsheet_does(tmp_path):
    rows, bad = read(write(tmp_path, 'Num,Customer,Amount\n1,"Acme\nTools, ""Inc""",10\n\n,,\n2,Beta,20\n'))

    assert rows == [(2, "1", 'Acme\nTools, "Inc"', "10", ""), (5, "2", "Beta", "20", "")]
    assert bad == []


def test_a_row_with_more_values_than_columns_is_bad(tmp_path):
    rows, bad = read(write(tmp_path, "Num,Customer,Amount\n1,Acme,1,150.00\n2,Beta,20\n"))

    assert [row[1] for row in rows] == ["2"]
    assert [(one.row, one.value) for one in bad] == [(2, "150.00")]
    assert "4 values for 3 columns" in bad[0].reason


def test_a_short_row_is_filled_with_empty_values(tmp_path):
    assert read(write(tmp_path, "Num,Amount,Customer,Due date\n1,10\n"))[0] == [(2, "1", "", "10", "")]


def test_a_quotation_mark_that_is_never_closed_swallows_no_rows_silently(tmp_path):
    rows, bad = read(write(tmp_path, 'Num,Customer,Amount\n1,Acme,10\n2,"Beta,20\n3,Gamma,30\n'))

    assert [row[1] for row in rows] == ["1"]
    assert [one.row for one in bad] == [3]
    assert "never closed" in bad[0].reason


def test_a_stray_quotation_mark_is_bad_and_the_next_rows_are_read(tmp_path):
    rows, bad = read(write(tmp_path, 'Num,Customer,Amount\n1,"Acme" Inc,10\n2,Beta,20\n'))

    assert [row[1] for row in rows] == ["2"]
    assert [one.row for one in bad] == [2]


def test_report_titles_above_the_header_and_totals_below_are_left_out(tmp_path):
    report = (
        "Harbor Supply\nOpen Invoices\nAs of August 5, 2026\n\n,Num,Customer,Due date,Amount\n"
        "Acme Tools,,,,\n,1,Acme,2026-08-05,10.00\nTotal for Acme Tools,,,,$10.00\nTOTAL,,,,$10.00\n"
        '"Wednesday, Aug 5, 2026 03:12 PM GMT-7",,,,\n'
    )

    assert read(write(tmp_path, report)) == ([(7, "1", "Acme", "10.00", "2026-08-05")], [])


def test_a_row_without_its_number_is_not_taken_for_a_total(tmp_path):
    rows, _ = read(write(tmp_path, "Num,Customer,Amount,Due date\n,Total Wine,10.00,2026-08-05\n,,10.00,\n"))

    assert [row[0] for row in rows] == [2, 3]


def test_names_count_without_capitals_spaces_and_punctuation(tmp_path):
    rows, _ = read(write(tmp_path, "Invoice_Number , AMOUNT,due-date\n1,10,2026-08-05\n"))

    assert rows == [(2, "1", "", "10", "2026-08-05")]


def test_columns_that_mean_nothing_here_are_named(tmp_path):
    with open_table(write(tmp_path, "Terms,Num,Amount,Memo,\nNet 30,1,10,x,\n"), LAYOUT) as table:
        assert table.understood == [("Num", "number"), ("Amount", "amount")]
        assert table.ignored_columns == ["Terms", "Memo"]


def test_missing_columns_are_named_with_what_was_found(tmp_path):
    with pytest.raises(MissingColumns) as refused, open_table(write(tmp_path, "Num,Customer\n1,Acme\n"), LAYOUT):
        pass

    assert "amount" in str(refused.value)
    assert "Num, Customer" in str(refused.value)


def test_two_columns_that_could_both_be_the_amount_are_refused(tmp_path):
    with (
        pytest.raises(UnclearColumns, match="Amount"),
        open_table(write(tmp_path, "Num,Amount,Total\n1,10,12\n"), LAYOUT),
    ):
        pass


def test_a_file_without_known_columns_is_refused_with_what_it_begins_with(tmp_path):
    with pytest.raises(NoHeader, match="apples, pears"), open_table(write(tmp_path, "apples,pears\n1,2\n"), LAYOUT):
        pass


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK\x03\x04 not a workbook",
        b"\xff\xfeN",
        b"Num,Amount\n\x81\x8d\x8f,1\n",
        "Num,Amount\nÄÖÜ,1\n".encode() + b"\xff",
    ],
)
def test_what_is_no_table_is_refused(tmp_path, content):
    with pytest.raises(UnreadableFile), open_table(write(tmp_path, content), LAYOUT) as table:
        list(table.batches())


def test_a_nul_character_stays_in_its_value(tmp_path):
    rows, _ = read(write(tmp_path, "Num,Customer,Amount\n1,Ac\0me,10\n"))

    assert rows[0][2] == "Ac\0me"


def test_many_rows_come_in_batches_and_keep_their_numbers(tmp_path):
    count = 2 * BATCH_ROWS + 7
    seen = []
    path = write(tmp_path, "Num,Amount\n" + "".join(f"{n},1\n" for n in range(count)))

    with open_table(path, LAYOUT, progress=lambda done, total: seen.append((done, total))) as table:
        batches = list(table.batches())

    assert [len(batch.rows) for batch in batches] == [BATCH_ROWS, BATCH_ROWS, 7]
    assert batches[-1].rows[-1] == count + 1
    assert seen[-1] == (path.stat().st_size, path.stat().st_size)


def write_workbook(folder, *sheets):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets:
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    path = folder / "table.xlsx"
    book.save(path)
    return path


def test_a_workbook_gives_numbers_and_days_as_texts(tmp_path):
    header = ["Num", "Customer", "Amount", "Due date"]
    first = [1001, "Müller", 1150.1 + 1150.1 + 1150.1, dt.date(2026, 8, 5)]
    second = ["A-1", "x", 20, dt.datetime(2026, 8, 6, 13, 30)]

    rows, bad = read(write_workbook(tmp_path, ("Sheet", [header, first, second])))

    assert rows == [(2, "1001", "Müller", "3450.3", "2026-08-05"), (3, "A-1", "x", "20", "2026-08-06")]
    assert bad == []


def test_a_workbook_report_is_read_from_the_sheet_and_row_that_have_the_columns(tmp_path):
    report = [
        ["Open Invoices"],
        [],
        [],
        [None, "Num", "Customer", "Amount"],
        [None, "1", "Acme", 10],
        ["Total", None, None, 10],
    ]

    rows, _ = read(write_workbook(tmp_path, ("Notes", [["read me"]]), ("Export", report)))

    assert rows == [(5, "1", "Acme", "10", "")]


def test_a_workbook_that_does_not_begin_in_its_first_cell_keeps_its_row_numbers(tmp_path):
    book = openpyxl.Workbook()
    for place, value in {"C4": "Num", "D4": "Amount", "C5": "7", "D5": 10}.items():
        book.active[place] = value
    book.save(tmp_path / "table.xlsx")

    assert read(tmp_path / "table.xlsx")[0] == [(5, "7", "", "10", "")]


@pytest.mark.parametrize(("cell", "reason"), [("XFD1048576", "1,000 columns"), ("AZ1048576", "reaches to row")])
def test_a_workbook_with_one_cell_far_away_is_refused(tmp_path, cell, reason):
    book = openpyxl.Workbook()
    book.active["A1"], book.active[cell] = "Num", "x"
    book.save(tmp_path / "table.xlsx")

    with pytest.raises(UnreadableFile, match=reason), open_table(tmp_path / "table.xlsx", LAYOUT):
        pass


def test_a_workbook_that_unpacks_to_too_much_is_refused(tmp_path):
    path = write_workbook(tmp_path, ("Sheet", [["Num", "Amount"]]))
    with ZipFile(path, "a", ZIP_DEFLATED) as archive, archive.open("xl/media/zeros.bin", "w") as part:
        for _ in range(310):
            part.write(bytes(1_000_000))

    with pytest.raises(UnreadableFile, match="larger than 300 MB"), open_table(path, LAYOUT):
        pass


def test_a_zipped_file_that_is_no_workbook_is_refused(tmp_path):
    with ZipFile(tmp_path / "table.xlsx", "w") as archive:
        archive.writestr("content.xml", "<x/>")

    with pytest.raises(UnreadableFile, match="not an Excel workbook"), open_table(tmp_path / "table.xlsx", LAYOUT):
        pass
