"""A bank account that must be shown to be the customer's: entered, named by its two deposits, then paid with."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, expect

from payorcrm.gateways.sandbox.provision import deposits_of
from payorcrm.payment_methods.models import PaymentMethod, Verification
from tests.factories.journey import Business, assert_charged_once, link_in, open_business, session_of, wait_until
from tests.factories.system import RunningSystem
from tests.journeys.person import Person, enter_account

NEEDS_DEPOSITS = "000111111113"


@pytest.fixture(params=[{}, {"width": 360, "java_script_enabled": False}], ids=["wide", "narrow without JavaScript"])
def signed_in(
    request: pytest.FixtureRequest, new_profile: Callable[..., BrowserContext], system: RunningSystem
) -> Callable[[Business], Person]:
    """Return a function that puts the customer's user in front of a browser."""

    def sign_in(business: Business) -> Person:
        context = new_profile(**request.param)
        context.add_cookies([{"name": "session", "value": session_of(business.payer), "url": system.url}])
        return Person(context.new_page())

    return sign_in


def look(person: Person, variant: str = "") -> None:
    """Let axe look, which needs scripts."""
    if person.page.evaluate("() => matchMedia('(scripting: enabled)').matches"):
        person.look(variant)


def enter(person: Person) -> None:
    """Enter the account in the processor's fields, in their frame or on their own page."""
    expect(person.page.get_by_role("heading", level=1)).to_be_visible()
    hosted = person.page.get_by_role("link", name="the processor's own page")
    if person.page.locator("iframe").is_visible():
        enter_account(person.fields(), NEEDS_DEPOSITS)
        return
    hosted.click()
    person.sees_title("Enter your bank account")
    enter_account(person.page, NEEDS_DEPOSITS)
    person.press("Continue")


def name_deposits(person: Person, first: str, second: str) -> None:
    """Fill in the two amounts and send them."""
    person.page.get_by_label("First amount").fill(first)
    person.page.get_by_label("Second amount").fill(second)
    person.press("Verify this account")


def account_of(business: Business) -> PaymentMethod:
    """Return the customer's only saved method."""
    return PaymentMethod.objects.saved().get(customer=business.customer)


def pay_with_it(person: Person, total: str) -> None:
    """Pay all unpaid invoices with the account."""
    person.open("/portal/invoices/")
    person.page.get_by_role("checkbox").last.check()
    person.page.locator(".paybar button.primary").click()
    person.sees(f"Authorize and pay {total} from bank account •••• 1113")
    person.page.get_by_label("I accept this authorization").check()
    person.press(f"Authorize and pay {total}")
    person.sees_title(f": {total}")


def test_account_added_in_the_portal_pays_once_its_deposits_are_named(
    system: RunningSystem, signed_in: Callable[[Business], Person]
) -> None:
    business = open_business(system, "120.00")
    person = signed_in(business)

    person.open("/portal/methods/")
    look(person, "empty")
    person.page.get_by_role("link", name="Add a bank account").click()
    look(person, "bank")
    enter(person)
    person.press("I agree: save this account")

    person.sees_title("Show that this account is yours")
    look(person)
    name_deposits(person, "0.11", "0.12")
    person.sees("These are not the two amounts. 2 tries are left.")
    first, second = deposits_of(business.account.credentials(), account_of(business).token)
    person.open(link_in(business.mail("Two small deposits are on their way"), "Enter the two amounts"))
    name_deposits(person, f"0.{second:02}", f"{first}")

    person.sees_title("This account is verified")
    look(person)
    business.mail("is verified")
    person.open("/portal/methods/")
    look(person, "verified")
    pay_with_it(person, "$120.00")
    wait_until(lambda: business.payment().state == "succeeded", "the debit settles")
    assert account_of(business).verification == Verification.VERIFIED
    assert account_of(business).last_used_at is not None
    assert_charged_once(business)


def test_account_entered_while_paying_waits_for_its_deposits(
    system: RunningSystem, signed_in: Callable[[Business], Person]
) -> None:
    business = open_business(system, "80.00")
    person = signed_in(business)

    person.open("/portal/invoices/")
    person.page.get_by_role("checkbox").last.check()
    person.page.locator(".paybar button.primary").click()
    person.page.get_by_role("link", name="New bank account").click()
    enter(person)
    person.press("Continue")
    person.sees_title("This account must be verified first")
    look(person)
    person.press("Save this account and verify it")
    person.page.get_by_role("link", name="Enter the two amounts").click()
    for left in ("2 tries are left", "1 try is left"):
        name_deposits(person, "1", "2")
        person.sees(left)
    name_deposits(person, "1", "2")

    person.sees_title("This account could not be verified")
    person.sees("Nothing was charged")
    look(person)
    business.mail("could not be verified")
    person.page.get_by_role("link", name="Remove it").click()
    person.sees_title("Remove this bank account?")
    look(person)
    person.press("Remove")
    person.sees("is removed and will not be charged again")
    assert not PaymentMethod.objects.saved().filter(customer=business.customer).exists()
    assert business.charges() == []
    assert business.statuses() == {("open", 8000, 0)}
