"""Paying with a card or bank account that is entered on the way, at the processor's own fields."""

from collections.abc import Callable

from playwright.sync_api import expect

from payorcrm.payment_methods.models import PaymentMethod
from tests.factories.journey import assert_charged_once, link_in, open_business, words_of
from tests.factories.system import RunningSystem
from tests.journeys.person import Person, enter_account, enter_card

CARD = "4242424242424242"
CHALLENGED = "4000002760003184"


def test_new_card_pays_and_is_not_kept(
    system: RunningSystem, person: Person, both_views_show: Callable[..., None]
) -> None:
    business = open_business(system)

    person.open(link_in(business.remind(), "Pay $245.75 with new card"))
    person.look("with a new card")
    person.press("Pay $245.75")
    expect(person.fields().get_by_role("alert")).to_contain_text("Nothing was charged")
    person.look("with an empty card")
    enter_card(person.fields(), CARD)
    person.press("Pay $245.75")

    person.sees_title("Paid: $245.75")
    assert business.payment().reference in words_of(business.mail("Receipt: $245.75"))
    assert not PaymentMethod.objects.saved().filter(customer=business.customer).exists()
    assert business.statuses() == {("paid", 0, 0)}
    both_views_show(business, business.payment(), "Paid")
    assert_charged_once(business)


def test_new_card_that_is_saved_has_a_button_in_the_next_reminder(system: RunningSystem, person: Person) -> None:
    business = open_business(system, "120.00")
    person.open(link_in(business.remind(), "Pay $120.00 with new card"))
    enter_card(person.fields(), CARD)
    person.page.get_by_label("Save this card for next time").check()
    person.press("Pay $120.00")
    person.sees_title("Paid: $120.00")
    assert_charged_once(business)

    business.bill("75.00")

    person.open(link_in(business.remind(), "Pay $75.00 with card •••• 4242"))
    person.ask()
    person.open(link_in(business.confirmation(), "Pay $75.00 now"))
    person.sees_title("Paid: $75.00")
    saved = PaymentMethod.objects.saved().get(customer=business.customer)
    assert saved.consent_text.startswith("Keep this card")
    assert [charge.amount for charge in business.charges()] == [12000, 7500]


def test_new_bank_account_is_authorized_and_mailed(
    system: RunningSystem, person: Person, both_views_show: Callable[..., None]
) -> None:
    business = open_business(system, "120.00")

    person.open(link_in(business.remind(), "Pay $120.00 with new bank account"))
    person.look("with a new account")
    enter_account(person.fields(), "000123458820", routing="110000001", again="000123458821")
    person.press("Continue")
    expect(person.fields().locator("#routing_number-complaint")).to_be_visible()
    expect(person.fields().locator("#account_number_again-complaint")).to_contain_text("differ")
    enter_account(person.fields(), "000123458820")
    person.press("Continue")

    person.sees_title("Authorize the payment to Harbor Supply")
    person.sees("I authorize Harbor Supply")
    person.look()
    person.page.get_by_label("I accept this authorization").check()
    person.page.get_by_label("Save this account for next time").check()
    person.press("Authorize and pay $120.00")

    person.sees_title("Submitted: $120.00")
    payment = business.payment()
    mandate = payment.mandate
    assert mandate is not None
    assert "$120.00" in mandate.text
    assert "8820" in mandate.text
    assert "revoke" in mandate.text
    assert mandate.address == "127.0.0.1"
    assert "Chrome" in mandate.user_agent
    mail = words_of(business.mail("On its way: $120.00"))
    assert " ".join(mandate.text.split()) in mail
    assert mandate.reference in mail
    assert PaymentMethod.objects.saved().get(customer=business.customer).holder_type == "business"
    assert business.statuses() == {("open", 12000, 12000)}
    both_views_show(business, payment, "Processing")
    assert_charged_once(business)


def test_hosted_page_leads_back_without_a_card(system: RunningSystem, person: Person) -> None:
    business = open_business(system, "120.00")

    person.open(link_in(business.remind(), "with new card"))
    person.page.get_by_role("link", name="the processor's own page").click()
    person.sees_title("Enter your card")
    person.look()
    person.press("Continue")
    person.sees("Please check:")
    person.look("with complaints")
    person.page.get_by_role("link", name="Go back without entering it").click()

    person.sees_title("Pay Harbor Supply")
    assert business.charges() == []


def test_second_step_completed_pays(system: RunningSystem, person: Person) -> None:
    business = open_business(system)
    _pay_with_challenge(person, link_in(business.remind(), "with new card"))

    person.press("Complete")

    person.sees_title("Paid: $245.75")
    assert business.statuses() == {("paid", 0, 0)}
    assert_charged_once(business)


def test_second_step_failed_charges_nothing(
    system: RunningSystem, person: Person, both_views_show: Callable[..., None]
) -> None:
    business = open_business(system, "120.00")
    _pay_with_challenge(person, link_in(business.remind(), "with new card"))

    person.press("Fail")

    person.sees_title("Not charged: $120.00")
    person.sees("extra step that your bank asked for was not completed")
    person.look()
    assert business.statuses() == {("open", 12000, 0)}
    assert [charge.status for charge in business.charges()] == ["declined"]
    both_views_show(business, business.payment(), "Declined")


def _pay_with_challenge(person: Person, link: str) -> None:
    person.open(link)
    enter_card(person.fields(), CHALLENGED)
    person.page.locator("button.primary").click()
    person.sees_title("Your bank asks for one more step")
    person.look()
    person.page.get_by_role("link", name="Continue at the bank").click()
    person.sees_title("Is this payment yours?")
    person.look()
