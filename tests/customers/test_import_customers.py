"""Customers and their contacts come from the upload API's files and from QuickBooks' lists."""

import openpyxl
import pytest
from django.core.exceptions import ObjectDoesNotExist

from payorcrm.core.headers import MissingColumns
from payorcrm.core.rehearsing import rehearsing
from payorcrm.customers.import_customers import import_customers
from payorcrm.customers.models import Contact, Customer, CustomerChange, Import, PortalAccess
from payorcrm.invoices.import_invoices import import_invoices
from payorcrm.invoices.models import Invoice
from payorcrm.mail.models import Mail
from tests.factories.models import NOW, CustomerFactory, MerchantFactory

pytestmark = pytest.mark.django_db
HEADER = "customerno,companyname,emailaddress1,firstname,lastname,phone,category"


@pytest.fixture
def merchant():
    return MerchantFactory()


@pytest.fixture
def bring(merchant, tmp_path):
    """Return a function that imports lines for the merchant."""

    def run(*lines, header=HEADER, encoding="utf-8", **options):
        path = tmp_path / "customers.csv"
        path.write_text("\n".join((header, *lines, "")), encoding=encoding)
        return import_customers(merchant=merchant, path=path, now=NOW, **options)

    return run


def counts(report):
    return report.new_count, report.changed_count, report.unchanged_count, report.skipped_count


def everything():
    return list(Customer.objects.order_by("id").values()), list(Contact.objects.order_by("id").values())


def test_customers_come_with_their_primary_contact(merchant, bring):
    report = bring('C1,"Müller & Co, Inc",jo@acme.example,Jo,Müller,+1 207 555 0100,Gold', encoding="utf-16")

    assert counts(report) == (1, 0, 0, 0)
    customer = Customer.objects.get()
    assert (customer.merchant, customer.number, customer.company_name) == (merchant, "C1", "Müller & Co, Inc")
    assert (customer.phone, customer.category, customer.is_reminded) == ("+1 207 555 0100", "Gold", True)
    contact = customer.contacts.get()
    assert (contact.first_name, contact.last_name, contact.email, contact.is_primary) == (
        "Jo",
        "Müller",
        "jo@acme.example",
        True,
    )
    assert Import.objects.values_list("kind", "new_count").get() == ("customers", 1)


def test_importing_twice_changes_nothing(bring):
    lines = ("C1,Acme,jo@acme.example;max@acme.example,Jo,Miller,1,Gold", "C2,Beta,,,,,")
    bring(*lines)
    before = everything()

    assert counts(bring(*lines)) == (0, 0, 2, 0)
    assert everything() == before


def test_a_changed_row_updates_customer_and_contact(bring):
    bring("C1,Acme,jo@acme.example,Jo,Miller,1,Gold", "C2,Beta,b@beta.example,,,,")

    report = bring("C1,Acme Tools,new@acme.example,Jo,Miller,2,Gold", "C2,Beta,b@beta.example,,,,")

    assert counts(report) == (0, 1, 1, 0)
    customer = Customer.objects.get(number="C1")
    assert (customer.company_name, customer.phone) == ("Acme Tools", "2")
    assert customer.contacts.get().email == "new@acme.example"


def written_down():
    """Return what files changed, by customer, as one line each."""
    changes = CustomerChange.objects.values_list("customer__number", "changes")
    return sorted((number, [" / ".join(fact) for fact in facts]) for number, facts in changes)


def test_what_a_file_changes_of_known_customers_is_written_down_before_and_after(bring):
    bring("C1,Acme,jo@acme.example,Jo,Lee,,Gold", "C2,Bolt,,,,,", "C3,Same,same@x.example,,,,")
    assert written_down() == []

    bring(
        'C1,Acme "Two",ann@acme.example,Jo,Lee,,Silver',
        "C2,Bolt,one@bolt.example two@bolt.example,,,,",
        "C3,Same,same@x.example,,,,",
        "C4,New,,,,,",
    )

    assert written_down() == [
        ("C1", ["E-mail / jo@acme.example / ann@acme.example"]),
        ("C1", ['Name / Acme / Acme "Two"', "Category / Gold / Silver"]),
        ("C2", ["E-mail /  / one@bolt.example"]),
        ("C2", ["Further contact /  / two@bolt.example"]),
    ]
    assert CustomerChange.objects.values_list("source", flat=True).distinct().get() == Import.objects.latest("id").id


def test_an_empty_cell_erases_nothing(bring):
    bring("C1,Acme,jo@acme.example,Jo,Miller,1,Gold")
    before = everything()

    assert counts(bring("C1,,,,,,")) == (0, 0, 1, 0)
    assert everything() == before


def test_further_addresses_become_contacts_that_are_not_primary(bring):
    bring("C1,Acme,jo@acme.example,max@acme.example", header="customerno,companyname,emailaddress1,emailaddress2")

    assert sorted(Contact.objects.values_list("email", "is_primary")) == [
        ("jo@acme.example", True),
        ("max@acme.example", False),
    ]


def test_a_customer_without_contact_gets_one(bring, merchant):
    customer = CustomerFactory(merchant=merchant, number="C1", company_name="Acme")
    customer.contacts.all().delete()

    assert counts(bring("C1,Acme,jo@acme.example,,,,")) == (0, 1, 0, 0)
    assert customer.contacts.get().is_primary


def test_bad_rows_are_reported_and_nothing_is_imported(bring):
    report = bring(
        "C1,Acme,,,,,", "C2,Beta,nonsense,,,,", ",Gamma,,,,,", "C1,Delta,,,,,", f"C5,{'X' * 201},,,,,", "C6,E\0,,,,,"
    )

    assert not report.is_imported
    assert Customer.objects.count() == 0
    assert [(bad.row, bad.column, bad.value) for bad in report.bad_rows] == [
        (3, "emailaddress1", "nonsense"),
        (4, "customerno", ""),
        (5, "customerno", "C1"),
        (6, "companyname", "X" * 201),
        (7, "companyname", "E\0"),
    ]
    assert "Row 2 has the same" in report.bad_rows[2].reason


def test_skip_bad_rows_imports_the_others(bring):
    report = bring("C1,Acme,,,,,", "C2,Beta,nonsense,,,,", skip_bad_rows=True)

    assert counts(report) == (1, 0, 0, 1)
    assert Customer.objects.get().number == "C1"


def test_customers_of_another_merchant_are_out_of_reach(bring):
    other = CustomerFactory(number="C1", company_name="Theirs")

    assert counts(bring("C1,Ours,,,,,")) == (1, 0, 0, 0)
    other.refresh_from_db()
    assert other.company_name == "Theirs"


def test_missing_columns_are_named(bring):
    with pytest.raises(MissingColumns, match="customer number"):
        bring("Acme,jo@acme.example", header="companyname,emailaddress1")


def test_quickbooks_lists_number_customers_by_display_name_as_its_invoices_do(merchant, bring, tmp_path):
    header = (
        "Customer full name,Company name,Email,Phone numbers,Street Address,City,State,Zip,Customer type,Open balance"
    )
    line = (
        '"Acme, Jo",Acme Tools Inc,"jo@acme.example, max@acme.example",Phone: (207) 555-0100,'
        '1 Quay Street,Portland,ME,04101,Retail,"$1,150.00"'
    )

    report = bring(line, header=header)
    (tmp_path / "i.csv").write_text(
        'Num,Customer,Amount,Due date\n1,"Acme, Jo",10,2026-08-05\n2,acme tools inc,10,2026-08-05\n'
    )
    invoices = import_invoices(merchant=merchant, path=tmp_path / "i.csv", now=NOW)

    assert report.ignored_columns == ["Open balance"]
    customer = Customer.objects.get()
    assert (customer.number, customer.company_name, customer.category) == ("Acme, Jo", "Acme Tools Inc", "Retail")
    assert customer.address == "1 Quay Street\nPortland, ME 04101"
    assert customer.contacts.get(is_primary=True).email == "jo@acme.example"
    assert invoices.new_count == Invoice.objects.filter(customer=customer).count() == 2


def test_a_contact_name_is_divided_at_its_last_space(bring):
    bring("C1,Acme,Mary Ann Miller", "C2,Beta,Cher", header="customerno,companyname,contactname")

    assert list(Contact.objects.order_by("customer__number").values_list("first_name", "last_name")) == [
        ("Mary Ann", "Miller"),
        ("Cher", ""),
    ]


def test_a_person_without_a_company_is_called_by_name(bring):
    bring("C1,Jo,Miller", header="customerno,firstname,lastname")

    assert Customer.objects.get().company_name == "Jo Miller"


def test_a_workbook_is_read_too(merchant, tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["customerNo", "companyName", "zip"])
    book.active.append([1001, "Acme", 4101])
    book.save(tmp_path / "customers.xlsx")

    import_customers(merchant=merchant, path=tmp_path / "customers.xlsx", now=NOW)

    assert Customer.objects.values_list("number", "address").get() == ("1001", "4101")
    with pytest.raises(ObjectDoesNotExist):
        Contact.objects.get()


def test_report_names_the_new_customers_and_whom_a_run_would_invite(bring):
    bring("C1,Acme,jo@acme.example,,,,")

    report = bring("C1,Acme,jo@acme.example,,,,", "C2,Beta,b@beta.example,,,,", "C3,Gamma,,,,,")

    new = Customer.objects.filter(number__in=["C2", "C3"])
    assert set(report.new_customer_ids) == {customer.id for customer in new}
    assert (report.invitations.to_invite, report.invitations.addresses) == (1, ["b@beta.example"])
    assert [(customer.number, reason.value) for customer, reason in report.invitations.skipped] == [
        ("C3", "no_address")
    ]
    assert PortalAccess.objects.count() == Mail.objects.count() == 0


def test_import_without_new_customers_would_invite_nobody(bring):
    bring("C1,Acme,jo@acme.example,,,,")

    assert bring("C1,Acme Tools,jo@acme.example,,,,").invitations is None


def test_dry_run_reports_the_same_and_changes_nothing(bring):
    bring("C1,Acme,jo@acme.example,,,,")
    before = everything()
    lines = ("C1,Acme Tools,new@acme.example,,,,", "C2,Beta,b@beta.example,,,,")

    with rehearsing():
        rehearsed = bring(*lines)

    assert everything() == before
    assert Import.objects.count() == 1
    assert counts(rehearsed) == counts(bring(*lines)) == (1, 1, 0, 0)
