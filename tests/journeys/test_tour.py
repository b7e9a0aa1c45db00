"""The customer portal from end to end: staff invite, a clerk signs in, pays in four ways, and finds the proof."""

import csv
import io
from collections.abc import Callable

from playwright.sync_api import expect

from payorcrm.payment_methods.models import PaymentMethod
from tests.factories.journey import Business, open_business, wait_until, words_of
from tests.factories.models import CustomerFactory
from tests.factories.papers import text_of as text_of_pdf
from tests.factories.system import RunningSystem
from tests.journeys.person import Person, enter_account, enter_card
from tests.journeys.portal import (
    assert_processor_agrees,
    business_without_logins,
    choose,
    choose_password,
    enter_portal,
    file_behind,
    fill_in_sign_in,
    first_password_in,
    invoices_of,
    last_payment,
    pay_button,
    send_back,
    settle,
    tick_box,
    with_invited_payer,
)

CARD = "4242424242424242"
PENDING = "000123458820"
BothViews = Callable[..., None]


def test_invited_clerk_pays_by_card_by_account_and_by_the_saved_one_and_finds_the_proof(
    system: RunningSystem, person: Person, other_person: Person, both_views_show: BothViews
) -> None:
    business = business_without_logins(system, "120.00", "80.50", "45.25", "10.00")
    invite_from_back_office(other_person, business)

    sign_in_with_first_password(person, business)
    business = with_invited_payer(business)
    other_person.page.reload()
    other_person.sees("Has login")
    pay_two_by_new_card(person, business, both_views_show)
    pay_one_by_new_account(person, business, both_views_show)
    pay_one_by_saved_account(person, business, both_views_show)

    find_proof(person, business)
    assert business.statuses() == {("paid", 0, 0)}
    assert {payment.made_by_id for payment in business.payments()} == {business.payer.id}
    assert PaymentMethod.objects.saved().filter(customer=business.customer).count() == 2
    assert [charge.amount for charge in business.charges()] == [20_050, 4_525, 1_000]
    assert_processor_agrees(business)


def invite_from_back_office(staff: Person, business: Business) -> None:
    """Sign in as staff, choose two customers, look at the preview, send, and watch the progress; end at a customer."""
    unreachable = CustomerFactory(merchant=business.merchant, contact=False)
    unasked = CustomerFactory(merchant=business.merchant)
    staff.open("/account/login/")
    fill_in_sign_in(staff, business.owner.email)
    staff.page.get_by_role("link", name="Customers", exact=True).click()
    staff.look("before invitations")
    for customer in (business.customer, unreachable):
        staff.page.get_by_role("checkbox", name=f"Choose {customer.company_name}", exact=True).check()
    staff.press("Invite to the portal…")

    staff.sees_title("Invite 2 customers to the portal?")
    staff.sees(business.address)
    staff.sees(unreachable.company_name)
    staff.look()
    staff.press("Send 1 invitation")
    staff.sees_title("Invitations")
    staff.sees("2 of 2 customers gone through")
    wait_until(lambda: staff.page.reload() and staff.page.get_by_text("Mails sent1").count(), "the mail is sent")
    staff.look()
    staff.open(f"/m/{business.merchant.slug}/customers/{business.customer.id}/")
    staff.sees("Invited")
    staff.look("invited")
    assert not any(unasked.contacts.get().email in mail["X-Envelope-To"] for mail in business.inbox.mails)


def sign_in_with_first_password(person: Person, business: Business) -> None:
    """Type the password of the invitation at the entrance that it names, and choose an own one."""
    invitation = business.mail("Your access")
    assert f"/c/{business.merchant.slug}/" in words_of(invitation)
    enter_portal(person, business, email=business.address, password=first_password_in(invitation))
    person.look("first password")
    choose_password(person)
    person.look("unpaid")


def pay_two_by_new_card(person: Person, business: Business, both_views_show: BothViews) -> None:
    """Tick two invoices, and pay them with a card that is kept."""
    first, second, *_ = invoices_of(business)
    tick_box(person, first).check()
    expect(pay_button(person)).to_have_text("Pay 1 invoice, $120.00")
    tick_box(person, second).check()
    expect(pay_button(person)).to_have_text("Pay 2 invoices, $200.50")
    person.look("two selected")
    pay_button(person).click()
    person.sees_title(f"Pay {business.merchant.name}")
    person.look("new card")
    enter_card(person.fields(), CARD)
    person.page.get_by_label("Save this card for next time").check()
    person.press("Pay $200.50 with new card")

    person.sees_title("Paid: $200.50")
    person.look("paid")
    payment = last_payment(business)
    person.sees(payment.reference)
    both_views_show(business, payment, "Paid")
    assert payment.reference in words_of(business.mail("Receipt: $200.50"))


def pay_one_by_new_account(person: Person, business: Business, both_views_show: BothViews) -> None:
    """Enter a bank account, accept the authorization, wait while the debit is under way, and see it clear."""
    third = invoices_of(business)[2]
    choose(person, third)
    person.sees("Pay $45.25 with card •••• 4242")
    person.look("saved card")
    person.page.get_by_role("link", name="New bank account").click()
    enter_account(person.fields(), PENDING)
    person.press("Continue")
    person.sees_title("Authorize the payment")
    person.look("authorization")
    person.page.get_by_label("I accept this authorization").check()
    person.page.get_by_label("Save this account for next time").check()
    person.press("Authorize and pay $45.25")
    person.sees_title("Submitted: $45.25")
    person.look("submitted")
    see_it_clear(person, business, both_views_show)


def pay_one_by_saved_account(person: Person, business: Business, both_views_show: BothViews) -> None:
    """Pay the last invoice with the account that was just kept, which is preselected."""
    choose(person, invoices_of(business)[3])
    person.look("saved account")
    person.page.get_by_label("I accept this authorization").check()
    person.press("Authorize and pay $10.00 from bank account •••• 8820")
    person.sees_title("Submitted: $10.00")
    see_it_clear(person, business, both_views_show)


def see_it_clear(person: Person, business: Business, both_views_show: BothViews) -> None:
    """See a debit under way in the lists, let the bank clear it, and see that on the page of its result."""
    payment, result = last_payment(business), person.page.url
    both_views_show(business, payment, "Processing")
    person.open("/portal/invoices/?tab=processing")
    person.sees(payment.allocations.get().invoice.number)
    person.look("processing")

    settle(business, payment)
    person.open(result)
    person.sees_title(f"Paid: {payment.amount_money()}")
    both_views_show(business, payment, "Paid")
    business.mail(f"Receipt: {payment.amount_money()}")


def find_proof(person: Person, business: Business) -> None:
    """Find everything paid in the lists, the receipt, the statement and the file for the books."""
    payments = business.payments()
    person.open("/portal/invoices/")
    person.sees("Nothing to pay")
    person.look("nothing to pay")
    person.page.get_by_role("link", name="Paid", exact=True).click()
    person.look("paid tab")
    statement = text_of_pdf(file_behind(person, "Statement (PDF)").content)
    assert business.customer.company_name in statement

    person.page.get_by_role("link", name="Payments", exact=True).click()
    person.sees_title("Payments")
    person.look("three payments")
    rows = list(csv.reader(io.StringIO(file_behind(person, "Download as CSV").content.decode("utf-8-sig"))))
    assert [row[0] for row in rows[1:]] == [payment.reference for payment in reversed(payments)]
    person.page.get_by_role("link", name=payments[0].reference).click()
    person.look("history")
    receipt = text_of_pdf(file_behind(person, "Receipt (PDF)").content)
    for text in (payments[0].reference, "$200.50", "4242", *(each.number for each in invoices_of(business)[:2])):
        assert text in receipt


def test_debit_that_comes_back_is_explained_and_paid_by_card(
    system: RunningSystem, person: Person, both_views_show: BothViews
) -> None:
    business = open_business(system, "120.00")
    business.save_account(PENDING)
    enter_portal(person, business)
    choose(person, *invoices_of(business))
    person.page.get_by_label("I accept this authorization").check()
    person.press("Authorize and pay $120.00 from bank account •••• 8820")
    person.sees_title("Submitted: $120.00")
    returned = last_payment(business)
    settle(business, returned)
    assert business.statuses() == {("paid", 0, 0)}

    send_back(business, returned, "R01")
    business.mail("Sent back by your bank: $120.00")
    both_views_show(business, returned, "Returned")
    person.open("/portal/payments/")
    person.page.get_by_role("link", name=returned.reference).click()
    person.sees("Sent back by the bank.")
    person.sees("there was not enough money in the account (R01)")
    person.look("returned")
    assert business.statuses() == {("open", 12_000, 0)}
    person.press("Pay 1 invoice again")
    person.page.get_by_role("link", name="New card").click()
    enter_card(person.fields(), CARD)
    person.press("Pay $120.00 with new card")

    person.sees_title("Paid: $120.00")
    both_views_show(business, last_payment(business), "Paid")
    assert business.statuses() == {("paid", 0, 0)}
    assert_processor_agrees(business)
