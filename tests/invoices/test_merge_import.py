"""What a file may change of an invoice that is known, and what it may not."""

from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from payorcrm.core.money import Money
from payorcrm.invoices.models import Invoice, InvoiceEvent, InvoiceStatus
from payorcrm.invoices.void import void
from payorcrm.ledger.check import check_books
from payorcrm.ledger.models import EntryKind
from payorcrm.payments.models import PaymentState
from tests.factories.models import NOW, CustomerFactory, InvoiceFactory, MerchantFactory, request_for, usd
from tests.invoices.kit import everything, history, import_lines, line_for, pay, postings, stand

pytestmark = pytest.mark.django_db


@pytest.fixture
def merchant():
    return MerchantFactory()


@pytest.fixture
def invoice(merchant):
    return InvoiceFactory(
        customer=CustomerFactory(merchant=merchant, number="C1", company_name="Acme"), amount=usd("100.00")
    )


def say(invoice, tmp_path, *, total="100.00", balance="100.00"):
    return import_lines(invoice.merchant, tmp_path, line_for(invoice, total=total, balance=balance))


def test_a_lower_balance_is_settled_elsewhere_in_history_and_ledger(invoice, tmp_path):
    report = say(invoice, tmp_path, balance="30.00")

    assert (report.new_count, report.changed_count, report.unchanged_count) == (0, 1, 0)
    assert stand(invoice) == ("open", "$100.00", "$30.00")
    assert history(invoice) == [("settled_elsewhere", 7000)]
    assert postings(EntryKind.SETTLED_ELSEWHERE) == {("receivable", "C1", -7000), ("settled_elsewhere", "C1", 7000)}
    assert check_books() == []


def test_a_balance_of_nothing_makes_the_invoice_paid(invoice, tmp_path):
    say(invoice, tmp_path, balance="0")

    assert stand(invoice) == ("paid", "$100.00", "$0.00")
    assert check_books() == []


def test_a_higher_balance_takes_back_what_was_settled_elsewhere(invoice, tmp_path):
    say(invoice, tmp_path, balance="0")

    say(invoice, tmp_path, balance="60.00")

    assert stand(invoice) == ("open", "$100.00", "$60.00")
    assert sorted(history(invoice)) == [("settled_elsewhere", -6000), ("settled_elsewhere", 10000)]
    assert check_books() == []


def test_a_changed_total_moves_the_balance_and_is_told_in_the_history(invoice, tmp_path):
    report = say(invoice, tmp_path, total="120.00", balance="120.00")

    assert report.changed_count == 1
    assert stand(invoice) == ("open", "$120.00", "$120.00")
    assert history(invoice) == [("changed", 0)]
    assert InvoiceEvent.objects.get().note == "Total changed from $100.00 to $120.00."
    assert postings(EntryKind.INVOICES_CHANGED) == {("receivable", "C1", 2000), ("invoiced", "C1", -2000)}
    assert check_books() == []


def test_a_total_lowered_under_what_is_owed_settles_nothing_by_itself(invoice, tmp_path):
    say(invoice, tmp_path, balance="20.00")

    say(invoice, tmp_path, total="50.00", balance="20.00")

    assert stand(invoice) == ("open", "$50.00", "$20.00")
    assert check_books() == []


def test_without_a_balance_column_the_balance_follows_the_total(invoice, tmp_path):
    say(invoice, tmp_path, balance="40.00")
    header = "customerNumber,invoiceNumber,invoiceAmount,dueDate"

    import_lines(invoice.merchant, tmp_path, f"C1,{invoice.number},130,{invoice.due_on}", header=header)

    assert stand(invoice) == ("open", "$130.00", "$70.00")
    assert check_books() == []


def test_changed_days_are_told_in_the_history(invoice, tmp_path):
    line = f"C1,{invoice.number},100,100,2026-12-24,2026-11-24,USD"

    report = import_lines(invoice.merchant, tmp_path, line)

    assert report.changed_count == 1
    assert Invoice.objects.values_list("due_on", "issued_on").get() == (date(2026, 12, 24), date(2026, 11, 24))
    note = InvoiceEvent.objects.get().note
    assert "Due date changed from Oct 21, 2026 to Dec 24, 2026." in note
    assert "Invoice date changed from Sep 21, 2026 to Nov 24, 2026." in note
    assert postings(EntryKind.INVOICES_CHANGED) == set()


def test_an_invoice_moves_to_another_customer_with_what_is_owed_on_it(invoice, tmp_path):
    say(invoice, tmp_path, balance="30.00")
    CustomerFactory(merchant=invoice.merchant, number="C2", company_name="Beta")

    report = import_lines(
        invoice.merchant, tmp_path, line_for(invoice, total="100", balance="30").replace("C1,", "C2,")
    )

    assert report.changed_count == 1
    assert Invoice.objects.get().customer.number == "C2"
    assert InvoiceEvent.objects.get(kind="changed").note == "Moved from Acme to Beta."
    assert postings(EntryKind.INVOICES_CHANGED) == {
        ("receivable", "C1", -3000),
        ("invoiced", "C1", 3000),
        ("receivable", "C2", 3000),
        ("invoiced", "C2", -3000),
    }
    assert check_books() == []


@pytest.mark.parametrize("mention", [lambda invoice: pay(invoice, usd("10.00")), request_for])
def test_an_invoice_that_was_asked_for_or_paid_stays_with_its_customer(invoice, tmp_path, mention):
    mention(invoice)
    CustomerFactory(merchant=invoice.merchant, number="C2", company_name="Beta")
    before = everything()

    report = import_lines(
        invoice.merchant,
        tmp_path,
        line_for(invoice, total="100", balance="90").replace("C1,", "C2,"),
        skip_bad_rows=True,
    )

    (bad,) = report.bad_rows
    assert (bad.row, bad.column, bad.value) == (2, "customerNumber", "Beta")
    assert "Acme was already asked to pay" in bad.reason
    assert everything() == before


def test_the_currency_of_an_invoice_cannot_change(invoice, tmp_path):
    report = import_lines(
        invoice.merchant, tmp_path, line_for(invoice, total="100", balance="100").replace("USD", "EUR")
    )

    assert [(bad.column, bad.value) for bad in report.bad_rows] == [("currency", "EUR")]
    assert stand(invoice) == ("open", "$100.00", "$100.00")


@pytest.mark.parametrize("state", [PaymentState.SUBMITTING, PaymentState.PENDING])
def test_an_invoice_with_a_payment_in_flight_is_left_and_reported(invoice, tmp_path, state):
    pay(invoice, usd("40.00"), state=state)
    before = everything()

    report = say(invoice, tmp_path, balance="0")

    assert report.is_imported
    assert report.left_in_flight == [invoice.number]
    assert (report.changed_count, report.unchanged_count, report.skipped_count) == (0, 0, 1)
    assert everything() == before


@pytest.mark.parametrize("balance", ["0", "100.00"])
def test_a_void_invoice_is_left_and_reported_unless_the_file_agrees(invoice, tmp_path, balance):
    void(invoice_id=invoice.id, now=NOW)
    before = everything()

    report = say(invoice, tmp_path, balance=balance)

    assert report.left_closed == ([] if balance == "0" else [invoice.number])
    assert report.unchanged_count == (1 if balance == "0" else 0)
    assert everything() == before


# What was paid here, and what the file says then: the accounting system may not have heard of the payment yet.


@pytest.mark.parametrize(
    ("paid", "said", "balance"),
    [
        ("100.00", "100.00", "$0.00"),  # not heard: what was paid is not asked for again
        ("100.00", "0", "$0.00"),  # heard
        ("60.00", "100.00", "$40.00"),  # not heard
        ("60.00", "40.00", "$40.00"),  # heard
        ("60.00", "70.00", "$40.00"),  # something was settled, and the rest is what was paid here
        ("60.00", "10.00", "$10.00"),  # heard, and 30.00 settled elsewhere
        ("60.00", "0", "$0.00"),  # heard, and the rest settled elsewhere
    ],
)
def test_a_payment_made_here_is_never_asked_for_again(invoice, tmp_path, paid, said, balance):
    pay(invoice, usd(paid))

    say(invoice, tmp_path, balance=said)

    assert stand(invoice)[2] == balance
    assert check_books() == []
    before = everything()
    assert say(invoice, tmp_path, balance=said).unchanged_count == 1
    assert everything() == before


def test_what_was_settled_elsewhere_is_not_mistaken_for_what_was_paid_here(invoice, tmp_path):
    say(invoice, tmp_path, balance="80.00")
    pay(Invoice.objects.get(), usd("60.00"))

    report = say(invoice, tmp_path, balance="80.00")

    assert report.unchanged_count == 1
    assert stand(invoice)[2] == "$20.00"


def test_more_is_owed_again_only_when_no_payment_made_here_explains_it(invoice, tmp_path):
    say(invoice, tmp_path, balance="50.00")
    pay(Invoice.objects.get(), usd("20.00"))

    say(invoice, tmp_path, balance="90.00")

    assert stand(invoice)[2] == "$70.00"
    assert check_books() == []


def test_a_total_cannot_fall_under_what_was_paid_here(invoice, tmp_path):
    pay(invoice, usd("60.00"))

    report = say(invoice, tmp_path, total="50.00", balance="0")

    assert [(bad.column, bad.value) for bad in report.bad_rows] == [("invoiceAmount", "$50.00")]
    assert "$60.00 of this invoice was already paid here" in report.bad_rows[0].reason


cents = st.integers(min_value=0, max_value=10_000)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(paid=cents, files=st.lists(st.tuples(cents, cents), min_size=1, max_size=4))
def test_no_order_of_files_asks_for_more_than_is_owed(merchant, tmp_path, paid, files):
    invoice = InvoiceFactory(customer=CustomerFactory(merchant=merchant), amount=usd("100.00"))
    if paid:
        pay(invoice, Money(paid, "USD"))

    for one, other in files:
        total, balance = max(one, other, 1), min(one, other)
        say(invoice, tmp_path, total=str(Money(total, "USD")), balance=str(Money(balance, "USD")))
        stored = Invoice.objects.get(id=invoice.id)
        if stored.total == total:
            assert stored.balance <= balance
        assert stored.balance + paid <= stored.total
        assert stored.status == (InvoiceStatus.OPEN if stored.balance else InvoiceStatus.PAID)

    assert check_books() == []
