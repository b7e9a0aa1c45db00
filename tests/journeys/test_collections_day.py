"""A stranger opens an account and lives through a collections day, from two files to the money in the books."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

from playwright.sync_api import BrowserContext, Route, expect

from payorcrm.core import clock
from payorcrm.ledger.check import check_books
from payorcrm.merchants.models import Merchant
from payorcrm.payments.models import Payment
from tests.factories.due_runs import run_due_rules
from tests.factories.inbox import Inbox, html_of, links_in
from tests.factories.journey import link_in
from tests.journeys.person import Person, enter_card

ADDRESS = "ines@collections-day.example"
CUSTOMER_ADDRESS = "pat@bolt.example"
HEAD = "number,company,first name,last name,email,category"
CUSTOMERS = f"{HEAD}\nC1,Bolt “&” Sons 🔩,Pat,Vega,{CUSTOMER_ADDRESS},Retail\n"
# The clerk's own name for a column, an amount with a letter in it, and a customer whom nobody knows.
INVOICES = "Our ref,customer number,amount,due date\nA-1,C1,{amount},{late}\nA-2,{customer},80.50,{soon}\n"

EDITOR = "**/django_prose_editor/editor*.js"


def test_a_day_from_opening_an_account_to_the_money_in_the_books(
    inbox: Inbox, new_profile: Callable[..., BrowserContext], other_person: Person, tmp_path: Path
) -> None:
    person = Person(new_profile(timezone_id="America/New_York").new_page())
    _open_account(person, inbox)
    _connect_processor(person)
    _import_customers_and_invoices(person, tmp_path)
    _write_template(person)
    _send_every_day_from_midnight(person)
    _write_rule_by_keyboard(person)

    run_due_rules(now=clock.now())  # what the worker does every five minutes
    mail = inbox.wait_for_mail(to=CUSTOMER_ADDRESS, subject="Bolt “&” Sons 🔩 owes $120.00")
    assert "Dear Pat" in html_of(mail)
    assert "A-1" in html_of(mail)
    assert "A-2" not in html_of(mail)
    _pay(other_person, link_in(mail, "Pay $120.00 with new card"))

    payment = Payment.objects.get(customer__merchant__reply_to=ADDRESS)
    _see_the_money(person, payment)
    _see_why(person)
    assert check_books() == []


def _open_account(person: Person, inbox: Inbox) -> None:
    person.open("/signup/")
    person.page.get_by_label("Name of your business").fill("Vega Bolts")
    person.page.get_by_label("Your name").fill("Ines Vega")
    person.page.get_by_label("Your e-mail address").fill(ADDRESS)
    person.page.get_by_label("Password").fill("three calm lobsters")
    person.press("Mail me the link")
    person.sees_title("One press left, in your inbox")
    person.open(links_in(inbox.wait_for_mail(to=ADDRESS, subject="One press opens your account"))[0])
    person.press("Open the account")
    person.sees("Setting up: 0 of 9 done")
    merchant = Merchant.objects.get(reply_to=ADDRESS)
    assert (merchant.time_zone, merchant.currency) == ("America/New_York", "USD")


def _connect_processor(person: Person) -> None:
    _follow(person, "Connect a processor")
    person.press("Connect Sandbox with one press")
    person.sees("Sandbox is connected. It moves no real money.")
    _follow(person, "Back to setting up")


def _import_customers_and_invoices(person: Person, folder: Path) -> None:
    _follow(person, "Import customers")
    _drop(person, folder / "customers.csv", CUSTOMERS)
    person.sees("How the columns were read")
    person.press("Import 1 row")
    person.sees("1 new, 0 changed, 0 unchanged, 0 skipped.")
    _follow(person, "Import their invoices")

    days = {"late": _today() - timedelta(days=7), "soon": _today() + timedelta(days=5)}
    _drop(person, folder / "invoices.csv", INVOICES.format(amount="12O.00", customer="C7", **days))
    person.page.get_by_label("Column 1: Our ref").select_option("invoice number")
    person.press("See what would change")
    person.sees("12O.00")
    person.sees("There is no customer with this number.")
    person.sees("Nothing to import")
    _follow(person, "Take another file")
    _drop(person, folder / "invoices.csv", INVOICES.format(amount="120.00", customer="C1", **days))
    person.sees("Our ref")
    person.sees("This import sends no mails.")
    person.press("Import 2 rows")
    person.sees("2 new, 0 changed, 0 unchanged, 0 skipped.")
    _follow(person, "Back to setting up")
    person.sees("Setting up: 3 of 9 done")


def _drop(person: Person, path: Path, text: str, *, kind: str = "") -> None:
    path.write_text(text)
    if kind:
        person.page.get_by_label("What is in the file").select_option(kind)
    person.page.get_by_label("File", exact=True).set_input_files(path)
    person.press("Look at the file")


def _write_template(person: Person) -> None:
    keys = person.page.keyboard
    _follow(person, "Reminders")
    late: list[Route] = []  # what makes the editor comes after somebody has gone to the text
    person.page.route(EDITOR, lambda route: late.append(route))
    person.page.get_by_text("New template").click()
    with person.page.expect_request(EDITOR):
        person.page.get_by_role("button", name="Friendly reminder").click()
    person.page.get_by_label("Name", exact=True).fill("Plain words")
    person.page.get_by_label("Subject").fill("{{customer_company_name}} owes {{total_invoice_amount}}")
    person.page.get_by_role("textbox", name="Text").focus()
    late[0].continue_()
    expect(person.page.get_by_text("Insert fields")).to_be_visible()
    keys.press("Control+A")
    keys.type("Dear ")
    _insert(person, "First Name")
    keys.type(", these are late:")
    keys.press("Enter")
    _insert(person, "Invoice List")
    _insert(person, "Payment Links")
    person.sees("Every field, link, picture and colour is in order.")
    preview = person.page.frame_locator("iframe.frame:not(.coming)").locator("body")
    expect(preview).to_contain_text("Dear Pat, these are late:")
    expect(preview).to_contain_text("Pay $120.00 with new card")
    person.press("Save")
    person.sees("The template is saved.")


def _insert(person: Person, field: str) -> None:
    person.page.get_by_text("Insert fields").click()
    person.page.get_by_role("button", name=field, exact=True).click()


def _send_every_day_from_midnight(person: Person) -> None:
    """Choose a time that has come and days of which today is one, whenever this is walked."""
    _follow(person, "Reminders")
    _follow(person, "Rules")
    _follow(person, "Schedule")
    person.page.get_by_label("Time of day").fill("00:00")
    for day in ("Saturday", "Sunday"):
        person.page.get_by_label(day).check()
    person.press("Save")
    person.sees("schedule is saved")


def _write_rule_by_keyboard(person: Person) -> None:
    keys = person.page.keyboard
    _press(person, "New rule")
    person.tab_to("Name")
    keys.type("A week late")
    person.tab_to("Template")
    keys.type("Plain words")
    person.tab_to("Days of condition 1")
    keys.type("7")
    person.tab_to("Add condition")
    keys.press("Enter")
    expect(person.page.locator("#if-1")).to_be_focused()
    keys.type("Category is …")
    expect(person.page.get_by_label("Category of condition 2")).to_be_visible()
    person.tab_to("Category of condition 2")
    keys.type("Retail")
    _press(person, "Test rule")
    expect(person.page.get_by_role("heading", name="Matches today: 1")).to_be_focused()
    _press(person, "Rehearse 30 days")
    expect(person.page.get_by_role("heading", name="What would change in 30 days")).to_be_focused()
    person.sees("A-1")
    _press(person, "Save")
    person.sees("It is off: switch it on when you are sure of it.")
    _press(person, "Switch on")
    person.sees("“A week late” is on, for what becomes due from today.")


def _press(person: Person, name: str) -> None:
    """Go to a link or button by Tab, press Enter, and wait for the page that comes."""
    person.tab_to(name)
    with person.page.expect_navigation():
        person.page.keyboard.press("Enter")


def _pay(customer: Person, link: str) -> None:
    customer.open(link)
    enter_card(customer.fields(), "4242424242424242")
    customer.press("Pay $120.00")
    customer.sees_title("Paid: $120.00")


def _see_the_money(person: Person, payment: Payment) -> None:
    _follow(person, "Dashboard")
    person.sees(payment.reference)
    expect(person.page.locator("dl.stats").first).to_contain_text("$80.50")
    person.sees("Nobody is overdue")
    _follow(person, "Payments")
    row = person.page.get_by_role("row").filter(has_text=payment.reference)
    for text in ("Paid", "$120.00", "4242"):
        expect(row).to_contain_text(text)


def _see_why(person: Person) -> None:
    _follow(person, "Customers")
    _follow(person, "Bolt “&” Sons 🔩")
    person.page.get_by_role("link", name="Why").first.click()
    person.sees("by the rule “A week late”, template “Plain words”. About A-1.")


def _follow(person: Person, link: str) -> None:
    person.page.get_by_role("link", name=link, exact=True).first.click()


def _today() -> date:
    return clock.day_in("America/New_York", clock.now())
