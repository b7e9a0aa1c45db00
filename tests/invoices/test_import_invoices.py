"""An import brings invoices to what a file says, once, and proves it in history and ledger."""

from datetime import date

import openpyxl
import pytest

from payorcrm.core.dates import DateOrder
from payorcrm.core.headers import MissingColumns, UnclearColumns
from payorcrm.core.rehearsing import rehearsing
from payorcrm.customers.models import Import
from payorcrm.invoices.import_invoices import import_invoices
from payorcrm.invoices.models import Invoice, InvoiceEvent
from payorcrm.ledger.check import check_books
from payorcrm.ledger.models import Entry, EntryKind
from tests.factories.models import NOW, CustomerFactory, MerchantFactory
from tests.invoices.kit import everything, history, import_lines, import_text, postings

pytestmark = pytest.mark.django_db


@pytest.fixture
def merchant():
    return MerchantFactory()


@pytest.fixture(autouse=True)
def customers(merchant):
    return [
        CustomerFactory(merchant=merchant, number=number, company_name=name)
        for number, name in (("C1", "Acme"), ("C2", "Beta"))
    ]


def reasons(report):
    return [(bad.row, bad.column, bad.value, bad.reason) for bad in report.bad_rows]


def test_new_invoices_are_open_and_in_the_ledger_once_per_customer(merchant, tmp_path):
    report = import_lines(
        merchant,
        tmp_path,
        'C1,INV-1,"$1,150.00","$1,150.00",2026-08-05,2026-07-05,USD',
        'C1,INV-2,50.00,50.00,"Aug 6, 2026",7/25/2026,',
        "C2,INV-3,(0.00),0,2026-08-05,2026-07-05,usd",
        "C2,INV-4,20,20,2026-08-05,2026-07-05,USD",
    )

    assert (report.new_count, report.changed_count, report.unchanged_count, report.skipped_count) == (4, 0, 0, 0)
    first = Invoice.objects.get(number="INV-1")
    assert (first.customer.number, first.status, first.total, first.balance, first.currency) == (
        "C1",
        "open",
        115000,
        115000,
        "USD",
    )
    assert (first.issued_on, first.due_on) == (date(2026, 7, 5), date(2026, 8, 5))
    assert Invoice.objects.get(number="INV-3").status == "paid"
    assert Entry.objects.count() == 1
    assert postings(EntryKind.INVOICES_ISSUED) == {
        ("receivable", "C1", 120000),
        ("invoiced", "C1", -120000),
        ("receivable", "C2", 2000),
        ("invoiced", "C2", -2000),
    }
    assert check_books() == []


def test_dry_run_reports_the_same_and_changes_nothing(merchant, tmp_path):
    lines = ("C1,INV-1,100,40,2026-08-05,2026-07-05,USD", "C2,INV-2,30,30,2026-08-05,2026-07-05,")
    before = everything()

    with rehearsing():
        rehearsed = import_lines(merchant, tmp_path, *lines)

    assert everything() == before
    imported = import_lines(merchant, tmp_path, *lines)
    assert rehearsed.new_count == imported.new_count == 2


def test_what_was_settled_before_the_first_import_is_in_history_and_ledger(merchant, tmp_path):
    import_lines(
        merchant, tmp_path, "C1,INV-1,100,40,2026-08-05,2026-07-05,USD", "C1,INV-2,30,0,2026-08-05,2026-07-05,USD"
    )

    part, whole = Invoice.objects.order_by("number")
    assert (part.status, part.balance) == ("open", 4000)
    assert (whole.status, whole.balance) == ("paid", 0)
    assert history(part) == [("settled_elsewhere", 6000)]
    assert history(whole) == [("settled_elsewhere", 3000)]
    assert postings(EntryKind.SETTLED_ELSEWHERE) == {("receivable", "C1", -9000), ("settled_elsewhere", "C1", 9000)}
    assert check_books() == []


def test_importing_twice_changes_nothing(merchant, tmp_path):
    lines = (
        "C1,INV-1,100,40,2026-08-05,2026-07-05,USD",
        "C2,INV-2,30,30,2026-08-05,2026-07-05,",
        "C2,INV-3,30,0,2026-08-05,2026-07-05,USD",
    )
    import_lines(merchant, tmp_path, *lines)
    before = everything()

    report = import_lines(merchant, tmp_path, *lines)

    assert (report.new_count, report.changed_count, report.unchanged_count) == (0, 0, 3)
    assert everything() == before


def test_a_file_without_balances_and_invoice_dates_changes_nothing_the_second_time(merchant, tmp_path):
    header = "customerNumber,invoiceNumber,invoiceAmount,dueDate"
    import_lines(merchant, tmp_path, "C1,INV-1,100,2026-12-05", header=header)
    before = everything()

    report = import_lines(merchant, tmp_path, "C1,INV-1,100,2026-12-05", header=header)

    assert report.unchanged_count == 1
    assert everything() == before
    assert Invoice.objects.get().issued_on == date(2026, 11, 20)


def test_quickbooks_exports_are_understood(merchant, tmp_path):
    report = import_text(
        merchant,
        tmp_path,
        "Harbor Supply\nInvoice List\nSince 2026\n\n"
        "Date,Transaction type,Num,Customer,Due date,Terms,Amount,Open balance\n"
        '07/25/2026,Invoice,1001,acme,08/25/2026,Net 30,"1,150.00",150.00\n'
        "07/25/2026,Invoice,1002,C2,08/25/2026,Net 30,20.00,20.00\n"
        'TOTAL,,,,,,"1,170.00",170.00\n',
    )

    assert report.understood == [
        ("Date", "invoice date"),
        ("Transaction type", "transaction type"),
        ("Num", "invoice number"),
        ("Customer", "customer name"),
        ("Due date", "due date"),
        ("Amount", "total"),
        ("Open balance", "balance"),
    ]
    assert report.ignored_columns == ["Terms"]
    assert report.bad_rows == []
    assert list(Invoice.objects.order_by("number").values_list("number", "customer__number", "total", "balance")) == [
        ("1001", "C1", 115000, 15000),
        ("1002", "C2", 2000, 2000),
    ]


def test_a_workbook_is_imported_like_a_text_file(merchant, tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["Num", "Customer", "Date", "Due date", "Amount", "Open balance"])
    book.active.append([1001, "Acme", date(2026, 7, 5), date(2026, 8, 5), 1150.5, 150])
    book.save(tmp_path / "invoices.xlsx")

    report = import_invoices(merchant=merchant, path=tmp_path / "invoices.xlsx", now=NOW)

    assert report.bad_rows == []
    assert Invoice.objects.values_list("number", "total", "balance", "due_on").get() == (
        "1001",
        115050,
        15000,
        date(2026, 8, 5),
    )


def test_every_bad_row_is_reported_with_row_column_value_and_reason_and_nothing_is_imported(merchant, tmp_path):
    report = import_lines(
        merchant,
        tmp_path,
        "C1,INV-1,100,100,2026-08-05,2026-07-05,USD",
        "C9,INV-2,100,100,2026-08-05,2026-07-05,USD",
        "C1,,100,100,2026-08-05,2026-07-05,USD",
        "C1,INV-4,-100,100,2026-08-05,2026-07-05,USD",
        "C1,INV-5,100,ten,2026-08-05,2026-07-05,USD",
        "C1,INV-6,100,100,03/04/2026,2026-07-05,USD",
        "C1,INV-7,100,100,,2026-07-05,USD",
        "C1,INV-8,100,100,2026-08-05,2026-07-05,US$",
        "C1,INV-1,100,100,2026-08-05,2026-07-05,USD",
        "C1,INV-10,100,100.01,2026-08-05,2026-07-05,USD",
        "C1,INV-11,100,100,2046-08-05,2026-07-05,USD",
        f"C1,{'X' * 65},100,100,2026-08-05,2026-07-05,USD",
        "C1,INV\0-13,100,100,2026-08-05,2026-07-05,USD",
        "C1,INV-14,€100,100,2026-08-05,2026-07-05,USD",
        "C1,INV-15,1,150.00,1,150.00,2026-08-05,2026-07-05,USD",
        "C1,INV-16,100,,2026-08-05,2026-07-05,USD",
    )

    assert not report.is_imported
    assert Invoice.objects.count() == Entry.objects.count() == Import.objects.count() == 0
    found = {(bad.row, bad.column): bad.reason for bad in report.bad_rows}
    assert list(found) == sorted(found)
    expected = {
        (3, "customerNumber"): "no customer with this number",
        (4, "invoiceNumber"): "empty",
        (5, "invoiceAmount"): "negative",
        (6, "balanceAmount"): "not an amount",
        (7, "dueDate"): "could mean",
        (8, "dueDate"): "empty",
        (9, "currency"): "not a currency",
        (10, "invoiceNumber"): "Row 2 has the same",
        (11, "balanceAmount"): "more than the invoice's total, $100.00",
        (12, "dueDate"): "ten years",
        (13, "invoiceNumber"): "65 characters",
        (14, "invoiceNumber"): "NUL",
        (15, "invoiceAmount"): "not in USD",
        (16, ""): "values for 7 columns",
        (17, "balanceAmount"): "empty",
    }
    assert found.keys() == expected.keys()
    assert [place for place, words in expected.items() if words not in found[place]] == []
    assert (7, "dueDate", "03/04/2026") in [row[:3] for row in reasons(report)]


def test_skip_bad_rows_imports_the_others(merchant, tmp_path):
    report = import_lines(
        merchant,
        tmp_path,
        "C1,INV-1,100,100,2026-08-05,2026-07-05,USD",
        "C9,INV-2,ten,100,2026-08-05,2026-07-05,USD",
        "C1,INV-3,100,200,2026-08-05,2026-07-05,USD",
        "C1,INV-1,100,100,2026-08-05,2026-07-05,USD",
        skip_bad_rows=True,
    )

    assert report.is_imported
    assert (report.new_count, report.skipped_count) == (1, 3)
    assert [bad.row for bad in report.bad_rows] == [3, 3, 4, 5]
    assert [invoice.number for invoice in Invoice.objects.all()] == ["INV-1"]
    assert check_books() == []


def test_the_order_of_dates_is_taken_from_the_option_and_never_from_other_rows(merchant, tmp_path):
    lines = ("C1,INV-1,100,100,13/04/2026,2026-04-01,USD", "C1,INV-2,100,100,03/04/2026,2026-04-01,USD")

    refused = import_lines(merchant, tmp_path, *lines)
    report = import_lines(merchant, tmp_path, *lines, dates=DateOrder.DMY)

    assert [bad.row for bad in refused.bad_rows] == [3]
    assert report.new_count == 2
    assert Invoice.objects.get(number="INV-2").due_on == date(2026, 4, 3)


def test_missing_columns_are_named(merchant, tmp_path):
    with pytest.raises(MissingColumns) as refused:
        import_lines(merchant, tmp_path, "C1,1", header="customerNumber,invoiceNumber")

    assert "due date" in str(refused.value)
    assert "total" in str(refused.value)
    assert "customerNumber, invoiceNumber" in str(refused.value)


def test_of_two_columns_for_one_thing_the_better_name_counts_and_the_other_is_reported(merchant, tmp_path):
    header = "No.,Invoice number,Customer number,Account number,Amount,Due date"

    report = import_lines(merchant, tmp_path, "1,INV-1,C1,9,100,2026-08-05", header=header)

    assert report.ignored_columns == ["No.", "Account number"]
    assert Invoice.objects.values_list("number", "customer__number").get() == ("INV-1", "C1")


def test_two_columns_that_could_both_be_the_total_are_refused(merchant, tmp_path):
    with pytest.raises(UnclearColumns, match="“Amount” and “Total”"):
        import_lines(merchant, tmp_path, "INV-1,C1,100,120,2026-08-05", header="Num,Customer,Amount,Total,Due date")


def test_two_customers_of_one_name_are_not_told_apart_by_guessing(merchant, tmp_path):
    CustomerFactory(merchant=merchant, number="C3", company_name="ACME")

    report = import_lines(merchant, tmp_path, "Acme,INV-1,100,2026-08-05", header="Customer,Num,Amount,Due date")

    assert "Several customers" in report.bad_rows[0].reason


def test_other_rows_than_invoices_are_bad(merchant, tmp_path):
    report = import_lines(
        merchant, tmp_path, "Payment,Acme,7,100,2026-08-05", header="Transaction type,Customer,Num,Amount,Due date"
    )

    assert "not an invoice" in report.bad_rows[0].reason


def test_another_merchants_customers_and_invoices_are_out_of_reach(merchant, tmp_path):
    other = MerchantFactory()
    CustomerFactory(merchant=other, number="C1")
    CustomerFactory(merchant=other, number="X1")
    line = "C1,INV-1,100,100,2026-08-05,2026-07-05,USD"
    import_lines(merchant, tmp_path, line)

    report = import_lines(other, tmp_path, line, "X1,INV-2,1,1,2026-08-05,2026-07-05,USD")
    refused = import_lines(merchant, tmp_path, "X1,INV-3,1,1,2026-08-05,2026-07-05,USD")

    assert report.new_count == 2
    assert Invoice.objects.filter(number="INV-1").count() == 2
    assert not refused.is_imported
    assert check_books() == []


def test_each_currency_has_its_own_postings_and_decimals(merchant, tmp_path):
    import_lines(
        merchant,
        tmp_path,
        "C1,INV-1,100,100,2026-08-05,2026-07-05,USD",
        "C1,INV-2,1150,1150,2026-08-05,2026-07-05,JPY",
        "C1,INV-3,1.150,1.150,2026-08-05,2026-07-05,KWD",
    )

    assert dict(Invoice.objects.values_list("currency", "total")) == {"USD": 10000, "JPY": 1150, "KWD": 1150}
    assert check_books() == []


def test_the_import_is_kept_with_its_counts(merchant, tmp_path):
    import_lines(merchant, tmp_path, "C1,INV-1,100,40,2026-08-05,2026-07-05,USD")

    kept = Import.objects.get()
    assert (kept.kind, kept.file_name, kept.new_count, kept.merchant) == ("invoices", "invoices.csv", 1, merchant)
    assert set(Entry.objects.values_list("source_kind", "source_id")) == {("import", kept.id)}
    assert InvoiceEvent.objects.get().source_id == kept.id
