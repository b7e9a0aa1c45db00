"""One invoice in two places: a mail and an open tab, two users of one customer, the back button after paying."""

from collections.abc import Callable

from tests.factories.journey import link_in, open_business
from tests.factories.models import PortalAccessFactory
from tests.factories.system import RunningSystem
from tests.journeys.person import Person
from tests.journeys.portal import (
    assert_processor_agrees,
    choose,
    enter_portal,
    invoices_of,
    last_payment,
    pay_button,
    tick_box,
)

BothViews = Callable[..., None]


def test_invoice_paid_from_the_mail_is_not_paid_again_in_an_open_tab(
    system: RunningSystem, person: Person, other_person: Person, both_views_show: BothViews
) -> None:
    business = open_business(system, "120.00")
    business.save_card()
    reminder = business.remind()
    enter_portal(person, business)
    choose(person, *invoices_of(business))
    person.sees("Pay $120.00 with card •••• 0027")

    other_person.open(link_in(reminder, "card •••• 0027"))
    other_person.ask()
    other_person.open(link_in(business.confirmation(), "Pay $120.00 now"))
    other_person.sees_title("Paid: $120.00")
    person.press("Pay $120.00 with card •••• 0027")

    person.sees_title("Already paid on")
    person.sees("Nothing more was charged.")
    person.look("paid from the mail")
    person.page.get_by_role("link", name="Show the receipt").click()
    person.sees(last_payment(business).reference)
    person.open("/portal/invoices/")
    person.sees("Nothing to pay")
    both_views_show(business, last_payment(business), "Paid")
    assert [charge.amount for charge in business.charges()] == [12_000]
    assert_processor_agrees(business)


def test_two_users_with_open_lists_pay_an_invoice_once_and_going_back_shows_the_result(
    system: RunningSystem, person: Person, other_person: Person, both_views_show: BothViews
) -> None:
    business = open_business(system, "120.00")
    business.save_card()
    colleague = PortalAccessFactory(customer=business.customer).user
    (invoice,) = invoices_of(business)
    enter_portal(other_person, business, email=colleague.email)
    tick_box(other_person, invoice).check()
    enter_portal(person, business)
    tick_box(person, invoice).check()
    pay_button(person).click()
    person.press("Pay $120.00 with card •••• 0027")
    person.sees_title("Paid: $120.00")

    pay_button(other_person).click()
    other_person.sees("Nothing is left to pay of what you chose")
    other_person.sees("Nothing to pay")
    other_person.look("paid by a colleague")
    person.page.reload()
    person.sees_title("Paid: $120.00")
    person.page.go_back()
    person.sees_title("Paid: $120.00")
    person.page.go_back()
    person.page.reload()
    person.sees("Nothing to pay")

    both_views_show(business, last_payment(business), "Paid")
    assert last_payment(business).made_by == business.payer
    assert [charge.amount for charge in business.charges()] == [12_000]
    assert_processor_agrees(business)
