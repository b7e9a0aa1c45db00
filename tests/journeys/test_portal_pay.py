"""Signed-in customers choose invoices and pay them, in a real browser on the running system."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Route, expect

from payorcrm.core.models import User
from payorcrm.invoices.models import Invoice
from payorcrm.ledger.check import check_books
from payorcrm.merchants.models import Merchant
from payorcrm.payments.models import Payment
from tests.factories.journey import Business, open_business, session_of
from tests.factories.models import PortalAccessFactory
from tests.factories.system import RunningSystem
from tests.journeys.person import Person, enter_account, enter_card

NARROW = 360
CARD = "4242424242424242"
SETTLES = "000123455456"
PENDING = "000123458820"


@pytest.fixture
def signed_in(new_profile: Callable[..., BrowserContext], system: RunningSystem) -> Callable[..., Person]:
    """Return a function that puts a user of the portal in front of a browser."""

    def sign_in(business: Business, **options: object) -> Person:
        context = new_profile(**options)
        context.add_cookies([{"name": "session", "value": session_of(business.payer), "url": system.url}])
        return Person(context.new_page())

    return sign_in


def choose(person: Person, *invoices: Invoice) -> None:
    """Choose invoices in the list and go on to pay them."""
    person.open("/portal/invoices/")
    for invoice in invoices:
        person.page.get_by_role("checkbox", name=invoice.number).check()
    person.page.locator(".paybar button.primary").click()
    person.sees_title("Pay Harbor Supply")


def pick(person: Person, way: str) -> None:
    """Choose a way to pay."""
    person.page.get_by_role("link", name=way).click()


def charged(business: Business) -> list[int]:
    """Return the amounts that the processor has taken or is taking."""
    return [charge.amount for charge in business.charges() if charge.status in ("succeeded", "pending")]


def last_payment(business: Business) -> Payment:
    """Return the newest payment."""
    return business.payments()[-1]


@pytest.mark.parametrize("width", [1280, NARROW])
@pytest.mark.parametrize("language", ["en", "es"])
def test_pages_with_the_processors_fields_do_not_move_while_they_load(
    system: RunningSystem, signed_in: Callable[..., Person], width: int, language: str
) -> None:
    business = open_business(system, "120.00")
    User.objects.filter(id=business.payer.id).update(language=language)
    person = signed_in(business, width=width, height=1600)
    late: list[Route] = []  # the fields come after the page stands
    person.page.route("**/fields/**", lambda route: late.append(route) if not late else route.continue_())

    for fields in ("card", "bank"):
        late.clear()
        with person.page.expect_request("**/fields/**"):
            person.page.goto(f"/portal/methods/add/?with={fields}", wait_until="domcontentloaded")
        below = person.page.locator("form[data-fields-origin] button")
        before = below.bounding_box()
        late[0].continue_()
        expect(person.fields().get_by_role("textbox").first).to_be_visible()
        person.page.wait_for_timeout(300)  # the fields tell their height once more when all of it is there

        assert below.bounding_box() == before


def test_declined_card_is_followed_by_another_method(
    system: RunningSystem, signed_in: Callable[..., Person], both_views_show: Callable[..., None]
) -> None:
    business = open_business(system, "120.00")
    business.save_card("4000000000000002")
    business.save_card(CARD)
    person = signed_in(business)

    choose(person, *Invoice.objects.filter(customer=business.customer))
    pick(person, "0002")
    person.press("Pay $120.00 with card •••• 0002")
    person.sees_title("Not charged: $120.00")
    person.look("declined")
    both_views_show(business, last_payment(business), "Declined")
    person.page.get_by_role("link", name="4242").click()
    person.press("Pay $120.00 with card •••• 4242")

    person.sees_title("Paid: $120.00")
    both_views_show(business, last_payment(business), "Paid")
    assert charged(business) == [12_000]
    assert check_books() == []


def test_part_of_an_invoice_is_paid(
    system: RunningSystem, signed_in: Callable[..., Person], both_views_show: Callable[..., None]
) -> None:
    business = open_business(system, "120.00")
    business.save_card(CARD)
    Merchant.objects.filter(id=business.merchant.id).update(allows_part_payments=True)
    (invoice,) = Invoice.objects.filter(customer=business.customer)
    person = signed_in(business)

    choose(person, invoice)
    person.page.get_by_text("Pay a part").click()
    person.page.get_by_label(invoice.number).fill("500")
    person.press("Use these amounts")
    person.sees(f"Invoice {invoice.number}: at most $120.00 can be paid.")
    person.look("part refused")
    person.page.get_by_label(invoice.number).fill("50")
    person.press("Use these amounts")
    person.press("Pay $50.00 with card •••• 4242")

    person.sees_title("Paid: $50.00")
    both_views_show(business, last_payment(business), "Paid")
    assert business.statuses() == {("open", 7_000, 0)}
    assert charged(business) == [5_000]
    assert check_books() == []


def test_phone_without_scripts_pays_by_new_card_and_new_account(
    system: RunningSystem, signed_in: Callable[..., Person], both_views_show: Callable[..., None]
) -> None:
    business = open_business(system, "120.00", "45.25")
    person = signed_in(business, width=NARROW, java_script_enabled=False)
    first, second = Invoice.objects.filter(customer=business.customer).order_by("-total")

    choose(person, first)
    person.page.get_by_role("link", name="the processor's own page").click()
    enter_card(person.page, CARD)
    person.press("Continue")
    person.sees("Your details have reached the payment processor.")
    person.press("Pay $120.00 with new card")
    person.sees_title("Paid: $120.00")

    choose(person, second)
    pick(person, "New bank account")
    person.page.get_by_role("link", name="the processor's own page").click()
    enter_account(person.page, PENDING)
    person.press("Continue")
    person.press("Continue")
    person.page.get_by_label("I accept this authorization").check()
    person.press("Authorize and pay $45.25")
    person.sees_title("Submitted: $45.25")

    both_views_show(business, last_payment(business), "Processing")
    assert charged(business) == [12_000, 4_525]
    assert check_books() == []


def test_keyboard_alone_pays_by_a_saved_account(system: RunningSystem, signed_in: Callable[..., Person]) -> None:
    business = open_business(system, "120.00")
    business.save_account(PENDING)
    person = signed_in(business)
    choose(person, *Invoice.objects.filter(customer=business.customer))

    person.tab_to("I accept this authorization")
    person.page.keyboard.press("Space")
    person.tab_to("Authorize and pay $120.00 from bank account •••• 8820")
    person.page.keyboard.press("Enter")

    person.sees_title("Submitted: $120.00")
    assert charged(business) == [12_000]
    assert check_books() == []


def test_small_phone_pays_with_one_press(system: RunningSystem, signed_in: Callable[..., Person]) -> None:
    business = open_business(system)
    business.save_card(CARD)
    person = signed_in(business, width=NARROW, has_touch=True)
    choose(person, *Invoice.objects.filter(customer=business.customer))

    person.page.get_by_role("button", name="Pay $245.75 with card •••• 4242").tap()

    person.sees_title("Paid: $245.75")
    assert person.page.evaluate("document.documentElement.scrollWidth") <= NARROW
    assert charged(business) == [24_575]


def test_double_click_two_tabs_back_and_reload_pay_once(
    system: RunningSystem, signed_in: Callable[..., Person]
) -> None:
    business = open_business(system, "120.00")
    business.save_card(CARD)
    person = signed_in(business)
    choose(person, *Invoice.objects.filter(customer=business.customer))
    address = person.page.url
    other = person.page.context.new_page()
    other.goto(address)

    person.page.get_by_role("button", name="Pay $120.00").dblclick()
    person.sees_title("Paid: $120.00")
    other.get_by_role("button", name="Pay $120.00").click()
    expect(other.get_by_role("heading", level=1)).to_contain_text("Paid: $120.00")
    person.page.go_back()
    person.sees_title("Paid: $120.00")
    person.page.reload()
    person.sees_title("Paid: $120.00")

    assert charged(business) == [12_000]
    assert check_books() == []


def test_silent_processor_leaves_a_page_that_waits_and_no_second_payment(
    system: RunningSystem, signed_in: Callable[..., Person]
) -> None:
    business = open_business(system, "120.00")
    business.save_card("4100000000081001")
    person = signed_in(business)
    choose(person, *Invoice.objects.filter(customer=business.customer))
    address = person.page.url

    person.press("Pay $120.00 with card •••• 1001")
    person.sees_title("We are checking with the bank")
    person.look("waiting")
    other = person.page.context.new_page()
    other.goto(address)
    expect(other.get_by_role("heading", level=1)).not_to_contain_text("Pay Harbor Supply")

    person.sees_title("Paid: $120.00")
    assert charged(business) == [12_000]
    assert check_books() == []


def test_second_step_comes_back_into_the_portal(system: RunningSystem, signed_in: Callable[..., Person]) -> None:
    business = open_business(system, "120.00")
    business.save_card("4000002760003184")
    person = signed_in(business)
    choose(person, *Invoice.objects.filter(customer=business.customer))

    person.press("Pay $120.00 with card •••• 3184")
    person.sees_title("Your bank asks for one more step")
    person.page.get_by_role("link", name="Continue at the bank").click()
    person.press("Complete")

    person.sees_title("Paid: $120.00")
    person.page.get_by_role("link", name="Back to invoices").click()
    person.sees_title("Invoices")
    assert charged(business) == [12_000]


def test_account_that_needs_deposits_is_not_debited(system: RunningSystem, signed_in: Callable[..., Person]) -> None:
    business = open_business(system, "120.00")
    person = signed_in(business)
    choose(person, *Invoice.objects.filter(customer=business.customer))

    pick(person, "New bank account")
    enter_account(person.fields(), "000111111113")
    person.press("Continue")
    person.sees_title("This account must be verified first")
    person.look("to save")
    person.press("Save this account and verify it")
    person.sees("The account is saved.")
    person.look("saved")

    assert business.charges() == []
    assert business.payments() == []


def test_two_users_of_one_customer_pay_once(system: RunningSystem, signed_in: Callable[..., Person]) -> None:
    business = open_business(system, "120.00")
    business.save_card(CARD)
    colleague = Business(
        business.inbox,
        business.merchant,
        business.customer,
        business.owner,
        PortalAccessFactory(customer=business.customer).user,
    )
    person, other = signed_in(business), signed_in(colleague)
    choose(person, *Invoice.objects.filter(customer=business.customer))
    other.open(person.page.url)
    other.sees_title("Pay Harbor Supply")

    person.press("Pay $120.00 with card •••• 4242")
    person.sees_title("Paid: $120.00")
    other.press("Pay $120.00 with card •••• 4242")
    other.sees_title("Paid: $120.00")

    assert charged(business) == [12_000]
    assert check_books() == []
