"""Twenty people, or one very impatient one, pay the same invoices at the same moment: they are paid once."""

from concurrent.futures import ThreadPoolExecutor

from payorcrm.core.clock import now
from payorcrm.invoices.models import Invoice
from payorcrm.ledger.check import check_books
from payorcrm.payments.request_payment import request_all_unpaid
from tests.factories.journey import assert_charged_once, open_business, wait_until
from tests.factories.models import request_for
from tests.factories.payers import Press, press_in_portal, press_of_confirmation, press_of_new_card
from tests.factories.system import RunningSystem

THREADS = 20
CARDS = ("4000000050000027", "5555555555554444", "378282246310005", "6011111111111117", "4242424242424242")


def test_twenty_presses_of_one_confirmation_pay_once(system: RunningSystem) -> None:
    business = open_business(system)
    card = business.save_card()
    press = press_of_confirmation(system, request_for(*_invoices(business.customer)), card)

    answers = _at_once([press] * THREADS)

    assert answers == [302] * THREADS
    assert business.payment().idempotency_key == press.key
    assert business.statuses() == {("paid", 0, 0)}
    assert_charged_once(business)


def test_twenty_ways_to_pay_the_same_invoices_pay_once(system: RunningSystem) -> None:
    business = open_business(system)
    mails = [request_for(*_invoices(business.customer)) for _ in range(2)]
    methods = [*map(business.save_card, CARDS[:4]), business.save_account("000123456789")]
    presses = [press_of_confirmation(system, mail, method) for mail in mails for method in methods]
    presses += [press_of_new_card(system, business, mail, number) for mail in mails for number in CARDS]

    answers = _at_once(presses)

    assert answers == [302] * THREADS
    wait_until(lambda: not business.payment().is_in_flight(), "the payment that won is answered")
    assert business.payment().state == "succeeded"
    assert business.statuses() == {("paid", 0, 0)}
    assert_charged_once(business)


def test_overlapping_mails_paid_at_once_take_each_invoice_once(system: RunningSystem) -> None:
    business = open_business(system, "10.00", "20.00", "30.00", "40.00")
    first, second, third, fourth = _invoices(business.customer)
    card = business.save_card()
    sets = [(first, second), (second, third), (third, fourth), (fourth, first)] * 5
    presses = [press_of_confirmation(system, request_for(*chosen), card) for chosen in sets]

    _at_once(presses)

    charged = sum(charge.amount for charge in business.charges())
    paid = sum(invoice.total - invoice.balance for invoice in _invoices(business.customer))
    assert len(business.charges()) == 2
    assert charged == paid == 10000
    assert {payment.state for payment in business.payments()} == {"succeeded"}
    assert check_books() == []


def test_presses_in_the_portal_and_of_mails_at_once_pay_once(system: RunningSystem) -> None:
    business = open_business(system)
    methods = [*map(business.save_card, CARDS[:3]), business.save_account("000123456789")]
    choices = [request_all_unpaid(customer=business.customer, user=business.payer, now=now()) for _ in range(2)]
    mail = request_for(*_invoices(business.customer))
    presses = [press_in_portal(system, business, choice, method) for choice in choices for method in methods] * 2
    presses += [press_of_confirmation(system, mail, method) for method in methods]

    answers = _at_once(presses)

    assert answers == [302] * THREADS
    wait_until(lambda: not business.payment().is_in_flight(), "the payment that won is answered")
    assert business.statuses() == {("paid", 0, 0)}
    assert_charged_once(business)


def _at_once(presses: list[Press]) -> list[int]:
    with ThreadPoolExecutor(len(presses)) as threads:
        return list(threads.map(Press.now, presses))


def _invoices(customer: object) -> list[Invoice]:
    return list(Invoice.objects.filter(customer=customer).order_by("total"))
