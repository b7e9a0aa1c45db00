"""Importing a file in the browser: what is shown before, what is asked, and what happens once."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from procrastinate.contrib.django.models import ProcrastinateJob

from payorcrm.core.clock import day_in, now
from payorcrm.customers.models import Customer, Import, InvitationRun
from payorcrm.invoices.import_kept_file import run_import
from payorcrm.invoices.models import ImportFile, ImportState, Invoice
from payorcrm.ledger.check import check_books
from payorcrm.merchants.models import Merchant, Role, Setup
from payorcrm.reminders import foresee_import
from tests.backoffice.import_kit import (
    CUSTOMERS,
    INVOICES,
    client,
    drop,
    dropped,
    import_customers,
    merchant,
    page,
    place,
    start,
)
from tests.backoffice.rows import client_of
from tests.factories.models import CustomerFactory
from tests.reminders.rules import switch_all_on

__all__ = ["client", "merchant"]

pytestmark = pytest.mark.django_db


def then(client: Client, merchant: Merchant, *due_in: int) -> str:
    """Return what the preview of new invoices, due in so many days, says of the rules."""
    today = day_in(merchant.time_zone, now())
    rows = [f"N{place},C1,100.00,{today + timedelta(days=days)}" for place, days in enumerate(due_in)]
    drop(client, merchant, "invoices", "\n".join(["num,customerno,amount,duedate", *rows]))
    text = page(client, merchant, "import_preview")
    assert not Invoice.objects.exists()
    found = re.search(r'<p id="then">(.*?)</p>', text, re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", "", found[1]).split()) if found else ""


def test_a_preview_says_what_the_rules_would_send_about_new_invoices(merchant, travel_to, monkeypatch):
    travel_to(datetime(2026, 3, 30, 12, 0, tzinfo=UTC))
    client = client_of(merchant)
    CustomerFactory(merchant=merchant, number="C1")
    off = "No rule is on, so no reminder of them goes out by itself."
    assert then(client, merchant, -40, -3, 20) == f"2 of the new invoices are overdue already: $200.00. {off}"
    assert then(client, merchant, 20) == f"None of the new invoices is overdue yet. {off}"

    switch_all_on(merchant, now=now())

    next_run = "The next run of your rules, Mar 30, 2026, 9:00 AM EDT,"
    assert f"{next_run} speaks of none of the new ones; later runs do as your rules say." in then(client, merchant, -3)
    assert then(client, merchant, -7, 10, 20).endswith(f"{next_run} speaks of 2 of the new ones.")
    assert then(client, merchant, *[-7] * 101).endswith(
        f"{next_run} would speak of 101 of the new ones, and would wait until you release it: "
        "It has 101 invoices; no run before it shows what is usual."
    )

    monkeypatch.setattr(foresee_import, "MOST_TIME", timedelta(0))

    assert then(client, merchant, -7) == (
        "1 of the new invoices is overdue already: $100.00. Your book is too large to say here which of the new ones "
        "the next run of your rules, Mar 30, 2026, 9:00 AM EDT, speaks of. "
        "Rehearse the next days once they are imported."
    )


def test_columns_that_are_not_understood_are_asked_for_with_their_first_values(client, merchant):
    answer = drop(client, merchant, "customers", "customerno,companyname,Fax\nC1,Birch & Co,555-0100\n")

    assert answer.redirect_chain == [(place(merchant, "import_columns", dropped().id), 302)]
    assert "Column 1: customerno" in answer.text
    assert '<option value="customer number" selected>' in answer.text
    assert "Birch &amp; Co" in answer.text
    assert "555-0100" in answer.text
    assert Customer.objects.count() == 0


def test_a_file_whose_columns_are_understood_shows_how_it_was_read_and_what_it_would_change(client, merchant):
    answer = drop(client, merchant, "customers", CUSTOMERS)

    assert answer.redirect_chain == [(place(merchant, "import_preview", dropped().id), 302)]
    assert readings(answer.text) == [
        ["customerno", "Customer number", "C1"],
        ["companyname", "Company name", "Acme Tools"],
        ["emailaddress1", "E-mail", "jo@acme.example"],
    ]
    assert place(merchant, "import_columns", dropped().id) in answer.text
    assert "Import 2 rows" in answer.text
    assert Customer.objects.count() == 0


def readings(text: str) -> list[list[str]]:
    """Return the rows of “How the columns were read”."""
    table = re.search(r'<table class="table readings">.*?</table>', text, re.DOTALL)
    rows = re.findall(r"<tr>(.*?)</tr>", table[0], re.DOTALL)[1:] if table else []
    return [[_plain(cell) for cell in re.findall(r"<td.*?</td>", row, re.DOTALL)] for row in rows]


def _plain(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("num,customerno,duedate\nI1,C1,2026-12-01\n", id="no amount"),
        pytest.param("num,customerno,amount,duedate,Terms\nI1,C1,1.00,2026-12-01,x\n", id="a column that is not known"),
        pytest.param("num,customerno,amount,total,duedate\nI1,C1,1.00,1.00,2026-12-01\n", id="two totals"),
    ],
)
def test_what_a_file_leaves_open_is_asked_before_the_preview(client, merchant, text):
    answer = drop(client, merchant, "invoices", text)

    assert answer.redirect_chain == [(place(merchant, "import_columns", dropped().id), 302)]


def test_a_column_that_was_left_out_is_not_asked_for_again(client, merchant):
    text = "customerno,companyname,Fax,\nC1,Birch & Co,555-0100,\n"
    drop(client, merchant, "customers", text)
    chosen = {"column_0": "customer number", "column_1": "company name", "column_2": ""}
    client.post(place(merchant, "import_columns", dropped().id), chosen)

    again = drop(client, merchant, "customers", text)

    assert again.redirect_chain == [(place(merchant, "import_preview", dropped().id), 302)]
    assert ["Fax", "Not used", "555-0100"] in readings(again.text)


def test_customers_are_previewed_then_imported_once_with_their_invitations(client, merchant):
    drop(client, merchant, "customers", CUSTOMERS)
    before = page(client, merchant, "import_preview")

    start(client, merchant, sends_invitations="yes")
    start(client, merchant, sends_invitations="yes")
    jobs = ProcrastinateJob.objects.filter(task_name__endswith="import_kept_file").count()
    run_import(dropped().id, now=now())
    run_import(dropped().id, now=now())

    assert "2 mails" in before
    assert "Import 2 rows" in before
    assert jobs == 1
    assert Customer.objects.filter(merchant=merchant).count() == 2
    assert InvitationRun.objects.get().lines.count() == 2
    assert Import.objects.get().new_count == 2
    assert dropped().content is None
    assert "2 new, 0 changed" in page(client, merchant, "import_progress")


def test_a_dropped_file_is_never_written_to_a_disk_where_a_killed_worker_would_leave_it(
    client, merchant, monkeypatch, tmp_path
):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))

    drop(client, merchant, "customers", CUSTOMERS)
    before = page(client, merchant, "import_preview")
    start(client, merchant)
    run_import(dropped().id, now=now())

    assert "Import 2 rows" in before
    assert dropped().state == "done"


def test_saying_no_invites_nobody(client, merchant):
    drop(client, merchant, "customers", CUSTOMERS)

    start(client, merchant)
    run_import(dropped().id, now=now())

    assert Customer.objects.count() == 2
    assert not InvitationRun.objects.exists()


def test_nobody_is_invited_by_default_while_the_checklist_has_a_step_for_it(client, merchant):
    drop(client, merchant, "customers", CUSTOMERS)
    without = page(client, merchant, "import_preview")
    Setup.objects.create(merchant=merchant)
    during = page(client, merchant, "import_preview")
    Setup.objects.update(closed_at=now())
    after = page(client, merchant, "import_preview")

    ticked = 'name="sends_invitations" value="yes" checked'
    assert [ticked in text for text in (without, during, after)] == [True, False, True]
    assert "A later step of setting up invites them all." in during


def test_bad_rows_are_named_and_the_good_ones_imported(client, merchant):
    CustomerFactory(merchant=merchant, number="C1")
    drop(client, merchant, "invoices", INVOICES)
    before = page(client, merchant, "import_preview")
    csv = b"".join(client.get(place(merchant, "import_bad_rows", dropped().id))).decode()

    start(client, merchant, skips_bad_rows="yes")
    run_import(dropped().id, now=now())

    assert "There is no customer with this number." in before
    assert "Import 1 good row" in before
    assert "This import sends no mails." in before
    assert "3,customerno,C9," in csv
    assert "4,amount,x," in csv
    assert list(Invoice.objects.values_list("number", flat=True)) == ["I1"]
    assert check_books() == []
    assert "The skipped rows are not in your books." in page(client, merchant, "import_progress")


def test_bad_rows_without_leave_to_skip_them_leave_all_as_it_was(client, merchant):
    CustomerFactory(merchant=merchant, number="C1")
    drop(client, merchant, "invoices", INVOICES)

    start(client, merchant)
    run_import(dropped().id, now=now())

    assert not Invoice.objects.exists()
    assert dropped().state == ImportState.FAILED
    assert "Nothing was imported" in page(client, merchant, "import_progress")


def test_columns_in_other_words_are_chosen_and_remembered(client, merchant):
    foreign = "Kundennummer;Firma;Post\nC1;Acme;jo@acme.example\n"
    drop(client, merchant, "customers", foreign)
    refused = page(client, merchant, "import_preview")
    chosen = {"column_0": "customer number", "column_1": "company name", "column_2": "e-mail"}

    after = client.post(place(merchant, "import_columns", dropped().id), chosen, follow=True).text
    again = drop(client, merchant, "customers", foreign).text

    assert "This file cannot be imported as it is" in refused
    assert "Import 1 row" in after
    assert ["Post", "E-mail", "jo@acme.example"] in readings(again)
    assert "Import 1 row" in again


def test_one_meaning_for_two_columns_is_refused(client, merchant):
    drop(client, merchant, "customers", CUSTOMERS)
    chosen = {"column_0": "customer number", "column_1": "customer number", "column_2": ""}

    text = client.post(place(merchant, "import_columns", dropped().id), chosen).text

    assert "You chose “customerno” and “companyname” as the customer number." in text


def test_columns_chosen_in_another_tab_stop_an_old_preview(client, merchant):
    drop(client, merchant, "customers", CUSTOMERS)
    chosen = {"column_0": "customer number", "column_1": "company name", "column_2": ""}
    client.post(place(merchant, "import_columns", dropped().id), chosen)

    response = client.post(place(merchant, "import_preview", dropped().id), {"version": "0"})

    assert response.status_code == 409
    assert "look at the preview once more" in response.text
    assert dropped().state == ImportState.WAITING


def test_dates_that_could_be_two_are_refused_until_their_order_is_chosen(client, merchant):
    CustomerFactory(merchant=merchant, number="C1")
    drop(client, merchant, "invoices", "num,customerno,amount,duedate\nI1,C1,100.00,03/04/2026\n")
    before = page(client, merchant, "import_preview")
    chosen = {"column_0": "invoice number", "column_1": "customer number", "column_2": "total", "column_3": "due date"}

    after = client.post(place(merchant, "import_columns", dropped().id), {**chosen, "dates": "dmy"}, follow=True).text

    assert "Nothing to import" in before
    assert "Choose columns and dates" in before
    assert "Import 1 row" in after
    assert "Day first: 03/04/2026 is April 3" in after


@pytest.mark.parametrize("text", ["", "\n\n", "%PDF-1.7 nothing"])
def test_what_is_no_table_is_refused_kindly(client, merchant, text):
    answer = drop(client, merchant, "customers", text).text

    if dropped_any := ImportFile.objects.first():
        answer = page(client, merchant, "import_preview")
        assert dropped_any.state == ImportState.WAITING
    assert "Nothing was imported." in answer or "cannot be imported as it is" in answer


def test_a_file_of_more_columns_than_a_page_can_ask_about_is_refused_at_once(client, merchant):
    answer = drop(client, merchant, "customers", ",".join(f"column {place}" for place in range(501)))

    assert "The file has 501 columns; at most 500" in answer.text
    assert not ImportFile.objects.exists()


def test_too_large_a_file_is_refused(client, merchant, monkeypatch):
    monkeypatch.setattr("payorcrm.invoices.keep_file.MOST_BYTES", 10)

    assert "larger than 20 MB" in drop(client, merchant, "customers", CUSTOMERS).text
    assert not ImportFile.objects.exists()


def test_a_viewer_sees_past_imports_and_is_offered_no_file_to_drop(merchant):
    text = client_of(merchant, Role.VIEWER).get(place(merchant, "imports")).text

    assert "Nothing was imported yet" in text
    assert 'type="file"' not in text


@pytest.mark.parametrize("count", [1, 30])
def test_list_costs_the_same_however_long(client, merchant, count, django_assert_num_queries):
    for _ in range(count):
        drop(client, merchant, "customers", CUSTOMERS)
        start(client, merchant)
        run_import(dropped().id, now=now())
    client.get(place(merchant, "imports"))

    with django_assert_num_queries(5):
        client.get(place(merchant, "imports"))


def test_empty_list_of_customers_leads_to_the_import(client, merchant):
    assert place(merchant, "imports") in client.get(reverse("backoffice:customers", args=[merchant.slug])).text


def test_next_file_is_taken_for_invoices_once_something_was_imported(client, merchant):
    assert '<option value="customers" selected>' in client.get(place(merchant, "imports")).text

    import_customers(client, merchant)

    assert '<option value="invoices" selected>' in client.get(place(merchant, "imports")).text
