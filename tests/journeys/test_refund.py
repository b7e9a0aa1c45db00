"""A bookkeeper gives a part back and records a cheque; she and her customer see the same, and the books are right."""

from collections.abc import Callable
from datetime import UTC, datetime

from playwright.sync_api import BrowserContext

from payorcrm.core.models import User
from payorcrm.ledger.check import check_books
from payorcrm.payments.collect import collect
from payorcrm.payments.models import Payment
from tests.factories.journey import Business, open_business, session_of
from tests.factories.system import RunningSystem
from tests.journeys.person import Person
from tests.payments.kit import order_for


def test_part_is_refunded_and_a_cheque_recorded_and_both_sides_see_it(
    system: RunningSystem, new_profile: Callable[..., BrowserContext]
) -> None:
    business = open_business(system, "300.00")
    (billed,) = business.bill("80.00")
    paid = collect(order=order_for(business.save_card(), billed), now=datetime.now(UTC))
    person = signed_in(new_profile(), system, business.owner)

    give_back(person, business, paid)
    cheque = record_cheque(person, business)

    person.open(f"/m/{business.merchant.slug}/payments/")
    assert_same_rows(person, paid, cheque)
    customer = signed_in(new_profile(width=360), system, business.payer)
    customer.open("/portal/payments/")
    assert_same_rows(customer, paid, cheque)
    customer.open(f"/portal/payments/{paid.id}/")
    customer.sees("$30.00 of this payment was given back to you.")
    customer.look()
    assert "Returned goods" in str(business.mail("Refund: $30.00").get_body(("plain",)))
    assert check_books() == []


def signed_in(context: BrowserContext, system: RunningSystem, user: User) -> Person:
    context.add_cookies([{"name": "session", "value": session_of(user), "url": system.url}])
    return Person(context.new_page())


def give_back(person: Person, business: Business, paid: Payment) -> None:
    person.open(f"/m/{business.merchant.slug}/payments/{paid.id}/")
    person.page.get_by_role("link", name="Refund").click()
    person.page.get_by_label("Amount to give back").fill("30")
    person.page.get_by_label("Credited: the customer does not owe it any more").check()
    person.page.get_by_label("Reason").fill("Returned goods")
    person.look()
    person.page.get_by_role("button", name="Give it back").dblclick()
    person.sees("Partly refunded")
    person.look()


def record_cheque(person: Person, business: Business) -> Payment:
    person.open(f"/m/{business.merchant.slug}/customers/{business.customer.id}/payments/record/")
    person.page.get_by_label("Amount", exact=True).fill("450")
    person.page.get_by_label("Reference").fill("1042")
    person.sees("stays unapplied")
    person.look()
    person.press("Record the payment")
    person.sees("is recorded")
    person.look()
    return Payment.objects.get(customer=business.customer, offline_reference="1042")


def assert_same_rows(person: Person, paid: Payment, cheque: Payment) -> None:
    rows = {row.inner_text() for row in person.page.locator("#list tbody tr").all()}
    (refunded,) = [row for row in rows if paid.reference in row]
    (recorded,) = [row for row in rows if cheque.reference in row]
    assert "Partly refunded" in refunded
    assert "$80.00" in refunded
    assert "Cheque 1042" in recorded
    assert "$450.00" in recorded
