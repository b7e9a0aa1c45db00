"""The main walk for people on small phones, without scripts, and without a pointer."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext

from tests.factories.journey import assert_charged_once, code_in, link_in, open_business
from tests.factories.system import RunningSystem
from tests.journeys.person import Person, enter_account, enter_card

NARROW = 360


@pytest.fixture
def phone_without_scripts(new_profile: Callable[..., BrowserContext]) -> Person:
    """Somebody with a small phone that runs no scripts."""
    return Person(new_profile(width=NARROW, java_script_enabled=False).new_page())


def test_saved_card_pays_without_scripts(system: RunningSystem, phone_without_scripts: Person) -> None:
    person, business = phone_without_scripts, open_business(system)
    business.save_card()

    person.open(link_in(business.remind(), "card •••• 0027"))
    person.move()
    person.press("Pay $245.75 with card")
    person.sees("confirmation to j•••@")
    person.open(link_in(business.confirmation(), "Pay $245.75 now"))
    person.press("Pay $245.75 now")

    person.sees_title("Paid: $245.75")
    assert_charged_once(business)


def test_new_card_pays_without_scripts_on_the_hosted_page(system: RunningSystem, phone_without_scripts: Person) -> None:
    person, business = phone_without_scripts, open_business(system, "120.00")

    person.open(link_in(business.remind(), "with new card"))
    person.page.get_by_role("link", name="the processor's own page").click()
    person.sees_title("Enter your card")
    enter_card(person.page, "4242424242424242")
    person.press("Continue")
    person.sees("Your details have reached the payment processor.")
    person.press("Pay $120.00")

    person.sees_title("Paid: $120.00")
    assert_charged_once(business)


def test_new_account_pays_without_scripts_on_the_hosted_page(
    system: RunningSystem, phone_without_scripts: Person
) -> None:
    person, business = phone_without_scripts, open_business(system, "120.00")

    person.open(link_in(business.remind(), "with new bank account"))
    person.page.get_by_role("link", name="the processor's own page").click()
    enter_account(person.page, "000123458820")
    person.press("Continue")
    person.press("Continue")
    person.page.get_by_label("I accept this authorization").check()
    person.press("Authorize and pay $120.00")

    person.sees_title("Submitted: $120.00")
    assert_charged_once(business)


def test_saved_card_pays_on_a_small_phone(system: RunningSystem, new_profile: Callable[..., BrowserContext]) -> None:
    business = open_business(system)
    business.save_card()
    person = Person(new_profile(width=NARROW, has_touch=True).new_page())

    person.open(link_in(business.remind(), "card •••• 0027"))
    person.page.touchscreen.tap(180, 300)
    person.sees_title("One click left")
    person.open(link_in(business.confirmation(), "Pay $245.75 now"))

    person.sees_title("Paid: $245.75")
    assert person.page.evaluate("document.documentElement.scrollWidth") <= NARROW
    assert_charged_once(business)


def test_code_and_keyboard_pay(system: RunningSystem, person: Person, other_person: Person) -> None:
    business = open_business(system)
    business.save_card()

    person.open(link_in(business.remind(), "card •••• 0027"))
    person.page.keyboard.press("Tab")
    person.sees_title("One click left")
    confirmation = business.confirmation()
    other_person.open(link_in(confirmation, "Pay $245.75 now"))
    other_person.tab_to("Six digits from the mail")
    other_person.page.keyboard.type(code_in(confirmation))
    other_person.page.keyboard.press("Enter")

    other_person.sees_title("Paid: $245.75")
    assert_charged_once(business)


def test_new_card_and_keyboard_pay(system: RunningSystem, person: Person) -> None:
    business = open_business(system, "120.00")

    person.open(link_in(business.remind(), "with new card"))
    for label, text in (("Card number", "4242424242424242"), ("Expiry date", "1239"), ("Security code", "123")):
        person.tab_to(label)
        person.page.keyboard.type(text)
    person.tab_to("Name on card")
    person.page.keyboard.type("Jo Miller")
    person.tab_to("Save this card for next time")
    person.page.keyboard.press("Space")
    person.tab_to("Pay $120.00")
    person.page.keyboard.press("Enter")

    person.sees_title("Paid: $120.00")
    person.tab_to("Skip to the content")
    person.page.keyboard.press("Enter")
    assert person.page.evaluate("document.activeElement.id") == "content"
    assert_charged_once(business)


def test_new_account_and_keyboard_pay(system: RunningSystem, person: Person) -> None:
    business = open_business(system, "120.00")

    person.open(link_in(business.remind(), "with new bank account"))
    person.tab_to("Routing number")
    person.page.keyboard.type("110000000")
    for label, text in (("Account number", "000123458820"), ("Account number again", "000123458820")):
        person.tab_to(label)
        person.page.keyboard.type(text)
    person.tab_to("Name on account")
    person.page.keyboard.type("Acme Tools")
    person.tab_to("Continue")
    person.page.keyboard.press("Enter")
    person.sees_title("Authorize the payment")
    person.tab_to("I accept this authorization")
    person.page.keyboard.press("Space")
    person.tab_to("Authorize and pay $120.00")
    person.page.keyboard.press("Enter")

    person.sees_title("Submitted: $120.00")
    assert_charged_once(business)
