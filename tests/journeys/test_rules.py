"""A bookkeeper writes a rule by keyboard alone, tests it, rehearses it and switches it on; another has no scripts."""

from collections.abc import Callable
from datetime import time, timedelta

from playwright.sync_api import BrowserContext, Page, Route, expect

from payorcrm.core import clock
from payorcrm.merchants.models import Merchant
from payorcrm.reminders.models import Rule
from tests.factories.models import CustomerFactory, InvoiceFactory, MerchantFactory, StaffFactory
from tests.factories.system import RunningSystem
from tests.journeys.person import Person
from tests.journeys.portal import fill_in_sign_in
from tests.reminders.rules import set_schedule


def test_a_rule_is_written_by_keyboard_tested_rehearsed_and_switched_on(system: RunningSystem, person: Person) -> None:
    merchant = _signed_in(person)
    page = person.page
    _follow(page, "Rules")
    _follow(page, "New rule")
    person.tab_to("Name")
    page.keyboard.type("Late retail")
    _tab_to(page, "a-0")
    page.keyboard.type("7")
    _press(page, "add-condition-")
    expect(page.locator("#if-1")).to_be_focused()
    _choose_on_a_slow_network(page, "Name")
    expect(page.get_by_label("Text of condition 2")).to_be_visible()
    _tab_to(page, "a-1")
    page.keyboard.type("Re")
    page.keyboard.press("Shift+Tab")
    _choose_on_a_slow_network(page, "Cat", meanwhile=lambda: page.keyboard.type("tail"))
    expect(page.get_by_label("Category of condition 2")).to_have_value("Retail")
    expect(page.get_by_label("Category of condition 2")).to_be_focused()
    _press(page, "add-group-")
    expect(page.locator("#joint-2")).to_be_focused()
    _press(page, "up-2")
    expect(page.locator("#up-1")).to_be_focused()
    _press(page, "remove-1")
    expect(page.locator("#if-1")).to_be_focused()
    expect(page.locator("#said")).to_have_text("Group 1 removed.")
    expect(page.locator("#meaning")).to_contain_text("by exactly 7 days and its customer is in the category “Retail”")
    person.look("written")

    _follow(page, "Test rule")
    expect(page.get_by_role("heading", name="Matches today: 1")).to_be_focused()
    person.look("tested")
    _follow(page, "Rehearse 30 days")
    expect(page.get_by_role("heading", name="What would change in 30 days")).to_be_focused()
    person.sees("Added")
    person.look("rehearsed")
    _follow(page, "Save")
    person.sees("It is off: switch it on when you are sure of it.")
    _follow(page, "Switch on")

    person.sees("“Late retail” is on, for what becomes due from today.")
    assert Rule.objects.get(merchant=merchant, is_active=True).name == "Late retail"
    person.look("on")
    _follow(page, "Rehearse 30 days")
    person.sees("1 mail on 1 day")
    person.look("rehearsal")


def test_a_rule_is_written_without_scripts(system: RunningSystem, new_profile: Callable[..., BrowserContext]) -> None:
    person = Person(new_profile(java_script_enabled=False).new_page())
    merchant = _signed_in(person)
    person.open(f"/m/{merchant.slug}/reminders/rules/new/")

    person.page.get_by_label("Name").fill("Soon due")
    person.page.get_by_label("Condition 1", exact=True).select_option("due_within")
    person.page.get_by_label("Days of condition 1").fill("3")
    person.press("Add condition")
    person.page.get_by_label("Condition 2", exact=True).select_option("name_contains")
    person.press("Say what it means")
    person.page.get_by_label("Text of condition 2").fill("Tools")
    person.press("Save")

    person.sees("it is due today or within 3 days and its customer has “Tools” in its name")
    assert Rule.objects.filter(merchant=merchant, name="Soon due").exists()


def _signed_in(person: Person) -> Merchant:
    """Make a merchant with one customer whose invoice has been late for seven days, and sign its owner in."""
    merchant = MerchantFactory()
    staff = StaffFactory(merchant=merchant)
    today = clock.day_in(merchant.time_zone, clock.now())
    # Late enough that no run comes between switching the rule on and the rehearsal.
    set_schedule(merchant, send_at=time(23, 59))
    customer = CustomerFactory(merchant=merchant, category="Retail")
    InvoiceFactory(customer=customer, due_on=today - timedelta(days=7))
    person.open(f"/m/{merchant.slug}/reminders/")
    fill_in_sign_in(person, staff.user.email)
    person.sees_title("Reminders")
    return merchant


def _choose_on_a_slow_network(page: Page, beginning: str, meanwhile: Callable[[], None] = lambda: None) -> None:
    """Type how a condition begins, go on to its field and do something there before the one answer comes."""
    held: list[Route] = []
    page.route("**/rules/new/", lambda route: held.append(route))
    with page.expect_request("**/rules/new/"):
        # Its first letters alone choose other conditions for a moment.
        page.keyboard.type(beginning)
    page.keyboard.press("Tab")
    page.keyboard.press("End")
    meanwhile()
    (asked,) = held
    with page.expect_response("**/rules/new/"):
        asked.continue_()
    page.unroute("**/rules/new/")


FOCUSED = """(wanted) => {
    const it = document.activeElement;
    return it.id === wanted || it.innerText?.trim() === wanted;
}"""


def _tab_to(page: Page, wanted: str) -> None:
    """Press Tab until what has this id or text has the focus."""
    for _ in range(90):
        if page.evaluate(FOCUSED, wanted):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not lead to “{wanted}”")


def _press(page: Page, wanted: str) -> None:
    """Go to a button or link by Tab, and press Enter."""
    _tab_to(page, wanted)
    page.keyboard.press("Enter")


def _follow(page: Page, wanted: str) -> None:
    """Do the same, and wait for the page that comes."""
    _tab_to(page, wanted)
    with page.expect_navigation():
        page.keyboard.press("Enter")
