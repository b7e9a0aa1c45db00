"""A bookkeeper imports files in a real browser: one with errors, mended; and a large one whose worker is killed."""

from pathlib import Path

import psycopg

from payorcrm.customers.models import Customer
from payorcrm.invoices.models import ImportFile, ImportState, Invoice
from payorcrm.ledger.check import check_books
from payorcrm.merchants.models import Merchant
from tests.factories.journey import wait_until
from tests.factories.models import CustomerFactory, MerchantFactory, StaffFactory
from tests.factories.system import RunningSystem
from tests.journeys.person import Person
from tests.journeys.portal import fill_in_sign_in

HEAD = "Rechnung;customerno;amount;duedate\n"
HELD = 7_000_021
ROWS = 50_000
# The import waits in the database, its rows written and not committed, while this test holds the lock.
TRIGGERS = f"""
CREATE FUNCTION hold_import() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN PERFORM pg_advisory_xact_lock_shared({HELD}); RETURN NULL; END';
CREATE TRIGGER hold_import AFTER INSERT ON customers_import FOR EACH STATEMENT EXECUTE FUNCTION hold_import();
"""
NO_TRIGGERS = "DROP TRIGGER hold_import ON customers_import; DROP FUNCTION hold_import()"


def test_a_file_with_errors_is_mended_previewed_and_imported(
    system: RunningSystem, person: Person, tmp_path: Path
) -> None:
    merchant = _signed_in(person)
    person.page.get_by_role("link", name="Import a file").first.click()
    person.look("nothing imported")
    _drop(person, tmp_path, f"{HEAD}I1;C1;100.00;2026-12-01\nI2;C9;50.00;2026-12-01\n")
    person.sees_title("What do the columns mean?")
    person.look()
    person.page.get_by_label("Column 1: Rechnung").select_option("invoice number")
    person.press("See what would change")
    person.sees("There is no customer with this number.")
    person.look("bad rows")

    person.page.get_by_role("link", name="Drop the file again").click()
    _drop(person, tmp_path, f"{HEAD}I1;C1;100.00;2026-12-01\nI2;C1;50.00;2026-12-01\n")
    person.sees_title("What would change")
    person.look("good rows")
    person.press("Import 2 rows")

    person.sees("2 new, 0 changed, 0 unchanged, 0 skipped.")
    person.look("imported")
    person.page.get_by_role("link", name="Imports", exact=True).click()
    person.look("one imported")
    assert set(Invoice.objects.filter(merchant=merchant).values_list("number", flat=True)) == {"I1", "I2"}


def test_a_killed_worker_leaves_nothing_behind_and_another_imports_all(
    system: RunningSystem, person: Person, tmp_path: Path
) -> None:
    merchant = _signed_in(person)
    rows = "".join(f"I{row};C1;{row % 900 + 1}.00;2024-01-31\n" for row in range(ROWS))
    person.page.get_by_role("link", name="Import a file").first.click()
    _drop(person, tmp_path, "num;customerno;amount;duedate\n" + rows)
    person.sees_title("What would change")

    with psycopg.connect(system.database_url, autocommit=True) as hold:
        hold.execute(TRIGGERS)
        try:
            hold.execute("SELECT pg_advisory_lock(%s)", [HELD])
            person.press("Import 50,000 rows")
            wait_until(lambda: _is_waited_for(hold), "the worker has written the rows", patience=120)
            person.sees("All rows are imported together at the end, or none.")
            person.look("running")
            system.kill("worker")
            assert not Invoice.objects.filter(merchant=merchant).exists()
            hold.execute("SELECT pg_advisory_unlock(%s)", [HELD])
            system.start("worker")
            files = ImportFile.objects.filter(merchant=merchant)
            wait_until(lambda: files.get().state == ImportState.DONE, "another worker imports it", patience=240)
        finally:
            hold.execute(NO_TRIGGERS)

    person.sees("50,000 new")
    assert Invoice.objects.filter(merchant=merchant).count() == ROWS
    assert files.get().record.new_count == ROWS
    assert not check_books()


def _signed_in(person: Person) -> Merchant:
    merchant: Merchant = MerchantFactory()
    customer: Customer = CustomerFactory(merchant=merchant, number="C1")
    person.open("/account/login/")
    fill_in_sign_in(person, StaffFactory(merchant=merchant).user.email)
    person.page.get_by_role("link", name="Customers", exact=True).click()
    person.sees(customer.company_name)
    return merchant


def _drop(person: Person, folder: Path, text: str) -> None:
    path = folder / "invoices.csv"
    path.write_text(text)
    person.page.get_by_label("What is in the file").select_option("invoices")
    person.page.get_by_label("File", exact=True).set_input_files(path)
    person.press("Look at the file")


def _is_waited_for(hold: psycopg.Connection) -> bool:
    found = hold.execute("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = %s AND NOT granted", [HELD])
    return found.fetchone() is not None
