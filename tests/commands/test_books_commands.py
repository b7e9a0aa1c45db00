"""Commands about customers and invoices, on a database with rows: what they say and what they exit with."""

from pathlib import Path

import pytest
from django.db import transaction

from payorcrm.commands.exits import Exit
from payorcrm.customers.models import Customer
from payorcrm.invoices.models import Invoice
from payorcrm.reminders.models import Reminder
from tests.factories.line import payorcrm_here
from tests.factories.models import CustomerFactory, InvoiceFactory, MerchantFactory

pytestmark = pytest.mark.django_db(transaction=True)

CUSTOMERS = "customerno,companyname,emailaddress1\nC1,Acme Tools,jo@acme.example\nC2,Birch & Co,al@birch.example\n"
BAD_INVOICES = (
    "customerNumber,invoiceNumber,invoiceAmount,balanceAmount,invoiceDate,dueDate,currency\n"
    "C1,INV-1,120.00,120.00,2026-09-01,2026-10-01,USD\n"
    "C1,INV-2,[lots],120.00,2026-09-01,2026-10-01,USD\n"
)


@pytest.fixture
def customers(tmp_path: Path) -> Path:
    path = tmp_path / "customers.csv"
    path.write_text(CUSTOMERS)
    return path


@pytest.fixture
def bad_invoices(tmp_path: Path) -> Path:
    path = tmp_path / "invoices.csv"
    path.write_text(BAD_INVOICES)
    return path


def test_import_says_what_it_understood_and_did(customers: Path) -> None:
    merchant = MerchantFactory()

    answer = payorcrm_here("import", "customers", str(customers))

    assert answer.returncode == Exit.OK, answer.stderr
    assert "Columns understood: customerno" in answer.stdout
    assert "Imported: 2 new, 0 changed, 0 unchanged, 0 skipped." in answer.stdout
    assert set(Customer.objects.filter(merchant=merchant).values_list("number", flat=True)) == {"C1", "C2"}


@pytest.mark.parametrize("words", [[], ["--skip-bad-rows"]])
def test_nothing_in_a_file_reaches_the_terminal_as_a_command(bad_invoices: Path, words: list[str]) -> None:
    CustomerFactory(number="C1")
    bad_invoices.write_text(
        BAD_INVOICES.replace("[lots]", "\x1b[2J\0\x07\u202eä").replace("currency", "currency,\x1b]0;x")
    )

    answer = payorcrm_here("import", "invoices", str(bad_invoices), *words)

    assert answer.returncode == Exit.REFUSED, answer.stderr
    assert "\\x1b[2J\\x00\\x07\\u202eä" in answer.stdout
    assert not set(answer.stdout) & {"\x1b", "\0", "\x07", "\u202e"}


def test_nothing_in_a_header_reaches_the_terminal_as_a_command(bad_invoices: Path) -> None:
    CustomerFactory(number="C1")
    bad_invoices.write_text("ap\x1b[2Jples,pears\n1,2\n")

    answer = payorcrm_here("import", "invoices", str(bad_invoices))

    assert answer.returncode == Exit.REFUSED
    assert "ap\\x1b[2Jples" in answer.stderr
    assert "\x1b" not in answer.stderr


def test_bad_row_is_shown_as_it_stands_and_nothing_is_imported(bad_invoices: Path) -> None:
    CustomerFactory(number="C1")

    answer = payorcrm_here("import", "invoices", str(bad_invoices))

    assert answer.returncode == Exit.REFUSED
    assert "“[lots]”" in answer.stdout
    assert "Nothing was imported." in answer.stdout
    assert not Invoice.objects.exists()


def test_other_rows_are_imported_when_bad_ones_are_skipped(bad_invoices: Path) -> None:
    CustomerFactory(number="C1")

    words = ["import", "invoices", str(bad_invoices), "--skip-bad-rows"]
    answer = payorcrm_here(*words)

    assert answer.returncode == Exit.REFUSED
    assert "Imported: 1 new" in answer.stdout
    assert list(Invoice.objects.values_list("number", flat=True)) == ["INV-1"]


def test_unknown_order_of_dates_is_refused_with_those_there_are(customers: Path) -> None:
    MerchantFactory()

    words = ["import", "customers", str(customers), "--dates", "stardate"]
    answer = payorcrm_here(*words)

    assert answer.returncode == Exit.REFUSED
    assert answer.stderr == "payorcrm: --dates is one of: mdy, dmy, ymd.\n"


def test_merchant_must_be_named_when_there_are_two(customers: Path) -> None:
    MerchantFactory(slug="harbor")
    MerchantFactory(slug="quay")

    answer = payorcrm_here("import", "customers", str(customers))

    assert answer.returncode == Exit.REFUSED
    assert answer.stderr == "payorcrm: Say which merchant with --merchant: harbor, quay.\n"


def test_unknown_merchant_is_refused_with_those_there_are(customers: Path) -> None:
    MerchantFactory(slug="harbor")

    words = ["import", "customers", str(customers), "--merchant", "quay"]
    answer = payorcrm_here(*words)

    assert answer.returncode == Exit.REFUSED
    assert answer.stderr == "payorcrm: There is no merchant “quay”. There are: harbor.\n"


def test_remind_queues_one_mail_for_a_customer() -> None:
    customer = CustomerFactory(number="C1")
    with transaction.atomic():
        InvoiceFactory.create_batch(2, customer=customer)

    answer = payorcrm_here("remind", "--customer", "C1")

    assert answer.returncode == Exit.OK, answer.stderr
    assert "1 reminder queued" in answer.stdout
    assert Reminder.objects.filter(customer=customer).count() == 1


def test_a_rehearsal_to_what_is_no_address_is_refused() -> None:
    with transaction.atomic():
        InvoiceFactory()

    answer = payorcrm_here("remind", "--to", "nonsense")

    assert answer.returncode == Exit.REFUSED
    assert answer.stderr == "payorcrm: “nonsense” is not an e-mail address; nothing was sent.\n"
    assert Reminder.objects.count() == 0


def test_books_that_agree_exit_with_ok() -> None:
    with transaction.atomic():
        InvoiceFactory()

    answer = payorcrm_here("check-books")

    assert answer.returncode == Exit.OK, answer.stderr
    assert "The books agree." in answer.stdout


def test_books_that_disagree_are_listed_and_exit_with_refused() -> None:
    with transaction.atomic():
        invoice = InvoiceFactory(number="INV-7")
    Invoice.objects.filter(id=invoice.id).update(balance=100)

    answer = payorcrm_here("check-books")

    assert answer.returncode == Exit.REFUSED
    assert "INV-7" in answer.stdout
    assert "Nothing was changed." in answer.stdout


def test_trust_lifts_the_limit_of_a_new_account_once() -> None:
    merchant = MerchantFactory(is_trusted=False, name="Harbor")

    answers = [payorcrm_here("trust-merchant", merchant.slug) for _ in range(2)]

    merchant.refresh_from_db()
    assert merchant.is_trusted
    assert [answer.returncode for answer in answers] == [Exit.OK, Exit.OK]
    assert answers[0].stdout == "Harbor is trusted: nothing limits its mails any more.\n"
    assert answers[1].stdout == "Harbor is trusted already.\n"
