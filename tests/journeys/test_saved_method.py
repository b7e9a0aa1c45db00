"""Paying from the inbox with a saved card or bank account, as the original promises: two mails, no further press."""

from collections.abc import Callable
from datetime import UTC, datetime

from playwright.sync_api import expect

from payorcrm.gateways.sandbox.provision import settle_debit
from payorcrm.payments.models import Confirmation
from payorcrm.reminders.select import overdue_summary
from tests.factories.journey import assert_charged_once, code_in, link_in, open_business, words_of
from tests.factories.system import RunningSystem
from tests.journeys.person import Person

A_MOMENT_MS = 700


def test_saved_card_pays_from_reminder_and_confirmation(
    system: RunningSystem, person: Person, both_views_show: Callable[..., None]
) -> None:
    business = open_business(system)
    business.save_card()

    person.open(link_in(business.remind(), "Pay $245.75 with card •••• 0027"))
    person.sees_title("Pay Harbor Supply")
    person.look("with a saved method")
    person.page.wait_for_timeout(A_MOMENT_MS)
    assert not Confirmation.objects.filter(customer=business.customer).exists(), "nobody has moved yet"
    person.move()
    person.sees(f"confirmation to j•••@{business.address.split('@')[1]}")
    person.look()
    person.open(link_in(business.confirmation(), "Pay $245.75 now"))

    person.sees_title("Paid: $245.75")
    payment = business.payment()
    person.sees(payment.reference)
    person.look()
    assert payment.reference in words_of(business.mail("Receipt: $245.75"))
    assert business.statuses() == {("paid", 0, 0)}
    both_views_show(business, payment, "Paid")
    assert_charged_once(business)


def test_saved_bank_account_is_submitted_and_clears_later(
    system: RunningSystem, person: Person, both_views_show: Callable[..., None]
) -> None:
    business = open_business(system, "120.00")
    business.save_account()
    reminder = business.remind()

    person.open(link_in(reminder, "Pay $120.00 with bank account •••• 8820"))
    person.ask()
    confirmation = business.confirmation()
    assert "I authorize" in words_of(confirmation)
    person.open(link_in(confirmation, "Authorize and pay $120.00 now"))

    person.sees_title("Submitted: $120.00")
    person.sees("expected to clear by")
    person.sees("Processing")
    person.look()
    payment = business.payment()
    assert payment.mandate is not None
    assert _line(payment.mandate.text) in words_of(business.mail("On its way: $120.00"))
    assert business.statuses() == {("open", 12000, 12000)}
    assert overdue_summary(business.merchant, datetime.now(UTC)).mail_count == 0
    both_views_show(business, payment, "Processing")
    person.open(link_in(reminder, "with new card"))
    person.sees_title("Your payment is already under way")
    person.look()

    settle_debit(business.account.credentials(), payment.gateway_reference)

    assert payment.reference in words_of(business.mail("Receipt: $120.00"))
    person.page.get_by_role("link", name="Show the receipt").or_(
        person.page.get_by_role("link", name="See the payment")
    ).click()
    person.sees_title("Paid: $120.00")
    assert business.statuses() == {("paid", 0, 0)}
    both_views_show(business, payment, "Paid")
    assert_charged_once(business)


def test_other_browser_needs_the_six_digits(system: RunningSystem, person: Person, other_person: Person) -> None:
    business = open_business(system)
    business.save_card()
    person.open(link_in(business.remind(), "card •••• 0027"))
    person.ask()
    confirmation = business.confirmation()
    code = Confirmation.objects.get(customer=business.customer)
    digits = code_in(confirmation)

    other_person.open(link_in(confirmation, "Pay $245.75 now"))
    other_person.sees_title("Confirm your payment")
    other_person.sees("5 tries left")
    other_person.look("with a code")
    _try_code(other_person, _wrong(digits))
    other_person.sees("this is not the code in the mail (4 tries left)")
    other_person.look("with a wrong code")
    assert business.payments() == []
    _try_code(other_person, f"{digits[:3]} {digits[3:]}")

    other_person.sees_title("Paid: $245.75")
    code.refresh_from_db()
    assert code.code_attempt_count == 1
    assert_charged_once(business)


def test_five_wrong_codes_lock_the_confirmation(system: RunningSystem, person: Person, other_person: Person) -> None:
    business = open_business(system)
    business.save_card()
    reminder = business.remind()
    person.open(link_in(reminder, "card •••• 0027"))
    person.ask()
    confirmation = business.confirmation()
    wrong = _wrong(code_in(confirmation))

    other_person.open(link_in(confirmation, "Pay $245.75 now"))
    for _ in range(5):
        _try_code(other_person, wrong)

    other_person.sees("No tries are left for this code.")
    expect(other_person.page.get_by_label("Six digits")).to_have_count(0)
    other_person.look("locked")
    assert business.payments() == []
    other_person.page.get_by_role("link", name="Ask for a new confirmation").click()
    other_person.ask()
    other_person.open(link_in(business.confirmation(), "Pay $245.75 now"))
    other_person.sees_title("Paid: $245.75")
    assert_charged_once(business)


def _try_code(person: Person, code: str) -> None:
    person.page.get_by_label("Six digits").fill(code)
    with person.page.expect_navigation():
        person.press("Pay $245.75")


def _wrong(digits: str) -> str:
    return f"{(int(digits) + 1) % 1_000_000:06d}"


def _line(text: str) -> str:
    return " ".join(text.split())
