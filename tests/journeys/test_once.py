"""However often a person presses, reloads or goes back, one payment is made."""

from collections.abc import Callable

from playwright.sync_api import BrowserContext, Page, expect

from tests.factories.journey import assert_charged_once, link_in, open_business
from tests.factories.system import RunningSystem
from tests.journeys.person import Person, enter_card


def test_double_click_sends_one_confirmation(system: RunningSystem, new_profile: Callable[..., BrowserContext]) -> None:
    business = open_business(system, "120.00")
    business.save_card()
    # Without scripts the button is all there is, and nothing guards it.
    person = Person(new_profile(java_script_enabled=False).new_page())
    link = link_in(business.remind(), "card •••• 0027")

    person.open(link)
    person.page.get_by_role("button", name="Pay $120.00").dblclick()
    person.sees_title("One click left")
    person.open(link)
    person.page.get_by_role("button", name="Pay $120.00").click()
    person.sees_title("One click left")

    business.confirmation()
    assert business.mails_about("Confirm your payment") == 1


def test_double_click_on_pay_charges_a_new_card_once(system: RunningSystem, person: Person) -> None:
    business = open_business(system, "120.00")

    person.open(link_in(business.remind(), "with new card"))
    enter_card(person.fields(), "4242424242424242")
    person.page.get_by_role("button", name="Pay $120.00").dblclick()

    person.sees_title("Paid: $120.00")
    assert_charged_once(business)


def test_two_tabs_back_and_reload_pay_once(system: RunningSystem, person: Person) -> None:
    business = open_business(system)
    business.save_card()
    person.open(link_in(business.remind(), "card •••• 0027"))
    person.ask()
    link = link_in(business.confirmation(), "Pay $245.75 now")
    tabs = [person.page, person.page.context.new_page()]

    for tab in tabs:
        tab.goto(link, wait_until="commit")
    for tab in tabs:
        expect(tab.get_by_role("heading", level=1)).to_contain_text("Paid: $245.75")
    person.page.reload()
    person.sees_title("Paid: $245.75")
    person.page.go_back()
    person.sees_title("Already paid on")
    person.open(link)

    person.sees(business.payment().reference)
    assert _payment_shown(tabs[0]) == _payment_shown(tabs[1])
    assert_charged_once(business)


def test_back_from_a_result_does_not_pay_a_new_card_again(system: RunningSystem, person: Person) -> None:
    business = open_business(system, "120.00")
    person.open(link_in(business.remind(), "with new card"))
    enter_card(person.fields(), "4242424242424242")
    person.press("Pay $120.00")
    person.sees_title("Paid: $120.00")

    person.page.go_back()

    person.sees_title("Already paid on")
    person.look()
    assert_charged_once(business)


def _payment_shown(page: Page) -> str:
    return page.locator("dd.code").inner_text()
