"""What goes wrong: old links, declines, silence, returns, and invoices that were paid meanwhile."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from playwright.sync_api import expect

from payorcrm.invoices.models import Invoice
from payorcrm.ledger.check import check_books
from payorcrm.payments.collect import collect
from payorcrm.payments.confirm import request_confirmation
from payorcrm.payments.links import CARD, payment_link
from payorcrm.payments.models import Confirmation, PaymentRequest
from payorcrm.payments.secrets import secrets_of
from tests.factories.journey import Business, assert_charged_once, link_in, open_business, words_of
from tests.factories.models import request_for
from tests.factories.system import RunningSystem
from tests.journeys.person import Person, enter_card
from tests.payments.kit import order_for

LONGER_MS = 45_000  # the time-out, the grace in which a lost request may still arrive, and the job's timetable
TIMES_OUT_AFTER = "4100000000081001"
TIMES_OUT_BEFORE = "4100000000052002"
DECLINED = "4000000000000002"
RETURNED_R01 = "000222222001"
RETURNED_R10_LATE = "000222222010"


def test_expired_payment_link_mails_a_fresh_one(system: RunningSystem, person: Person) -> None:
    business = open_business(system, "120.00")
    old = payment_link(_request(business).id, CARD, datetime.now(UTC) - timedelta(days=91))

    person.open(old)
    person.sees_title("This payment link has expired")
    person.look()
    person.press("Mail me a fresh link")
    person.sees_title("A fresh link is on its way")
    person.sees("j•••@")
    person.look()
    person.open(link_in(business.mail("Your new payment link"), "Pay $120.00 with new card"))
    enter_card(person.fields(), "4242424242424242")
    person.press("Pay $120.00")

    person.sees_title("Paid: $120.00")
    assert_charged_once(business)


def test_expired_confirmation_offers_a_new_one(system: RunningSystem, person: Person) -> None:
    business = open_business(system, "120.00")
    card = business.save_card()
    yesterday = datetime.now(UTC) - timedelta(hours=25)
    old = request_confirmation(request=_request(business), method=card, now=yesterday).confirmation

    person.open(f"{system.url}/confirm/{secrets_of(old).token}/")
    person.sees_title("This confirmation is no longer valid")
    person.look()
    person.page.get_by_role("link", name="Ask for a new one").click()
    person.ask()
    person.open(link_in(business.confirmation(), "Pay $120.00 now"))

    person.sees_title("Paid: $120.00")
    assert_charged_once(business)


def test_declined_card_is_replaced_from_the_result_page(
    system: RunningSystem, person: Person, both_views_show: Callable[..., None]
) -> None:
    business = open_business(system, "120.00")
    business.save_card(DECLINED)
    person.open(link_in(business.remind(), "card •••• 0002"))
    person.ask()

    person.open(link_in(business.confirmation(), "Pay $120.00 now"))
    person.sees_title("Not charged: $120.00")
    person.sees("Your bank declined the card")
    person.look()
    assert business.statuses() == {("open", 12000, 0)}
    person.page.get_by_role("link", name="New card").click()
    enter_card(person.fields(), "4242424242424242")
    person.press("Pay $120.00")

    person.sees_title("Paid: $120.00")
    declined, paid = business.payments()
    both_views_show(business, declined, "Declined")
    both_views_show(business, paid, "Paid")
    assert_charged_once(business)


def test_silence_before_and_after_charging_resolves_by_itself(
    system: RunningSystem, person: Person, other_person: Person
) -> None:
    charged, uncharged = open_business(system, "120.00"), open_business(system, "80.00")
    for business, card, who in ((charged, TIMES_OUT_AFTER, person), (uncharged, TIMES_OUT_BEFORE, other_person)):
        business.save_card(card)
        who.open(link_in(business.remind(), f"card •••• {card[-4:]}"))
        who.ask()
    links = [link_in(business.confirmation(), "now") for business in (charged, uncharged)]
    with system.paused("worker"):  # it might find out before anybody has seen the page
        for who, link in zip((person, other_person), links, strict=True):
            who.page.goto(link, wait_until="commit")
        for who in (person, other_person):
            who.sees_title("We are checking with the bank")
            who.sees("You will not be charged twice")
        assert uncharged.statuses() == {("open", 8000, 8000)}
    person.look()

    expect(person.page.get_by_role("heading", level=1)).to_contain_text("Paid: $120.00", timeout=LONGER_MS)
    expect(other_person.page.get_by_role("heading", level=1)).to_contain_text("Not charged: $80", timeout=LONGER_MS)
    assert_charged_once(charged)
    assert charged.statuses() == {("paid", 0, 0)}
    charged.mail("Receipt: $120.00")
    assert uncharged.charges() == []
    assert uncharged.statuses() == {("open", 8000, 0)}
    assert "Nothing was charged" in words_of(uncharged.mail("Not charged: your payment of $80.00"))
    other_person.page.get_by_role("link", name="New card").click()
    enter_card(other_person.fields(), "4242424242424242")
    other_person.press("Pay $80.00")
    other_person.sees_title("Paid: $80.00")
    assert_charged_once(uncharged)


def test_returned_debits_reopen_their_invoices_and_both_sides_are_told(
    system: RunningSystem, person: Person, both_views_show: Callable[..., None]
) -> None:
    for number, code, subject in (
        (RETURNED_R01, "R01", "On its way"),
        (RETURNED_R10_LATE, "R10", "Receipt: $120.00"),
    ):
        business = open_business(system, "120.00")
        due = set(Invoice.objects.filter(customer=business.customer).values_list("due_on", flat=True))
        business.save_account(number)
        person.open(link_in(business.remind(), f"bank account •••• {number[-4:]}"))
        person.ask()
        person.open(link_in(business.confirmation(), "Authorize and pay"))
        person.sees_title("$120.00")
        business.mail(subject)

        to_customer = words_of(business.mail("Sent back by your bank: $120.00"))
        to_merchant = business.inbox.wait_for_mail(to=business.owner.email, subject=f"({code})")

        assert code in to_customer
        assert "open again, at their original due dates" in to_customer
        assert business.payment().reference in words_of(to_merchant)
        person.page.reload()
        person.sees_title("Sent back: $120.00")
        person.look()
        assert business.statuses() == {("open", 12000, 0)}
        assert set(Invoice.objects.filter(customer=business.customer).values_list("due_on", flat=True)) == due
        assert [charge.status for charge in business.charges()] == ["returned"]
        both_views_show(business, business.payment(), "Returned")
        assert check_books() == []


def test_partly_paid_meanwhile_charges_the_rest_after_one_press(system: RunningSystem, person: Person) -> None:
    business = open_business(system)
    card = business.save_card()
    person.open(link_in(business.remind(), "card •••• 0027"))
    person.ask()
    largest = Invoice.objects.filter(customer=business.customer).latest("total")
    collect(order=order_for(card, largest), now=datetime.now(UTC))

    person.open(link_in(business.confirmation(), "Pay $245.75 now"))
    person.sees("The amount is lower than you confirmed.")
    person.sees("Some invoices were paid meanwhile.")
    person.look("with less to pay")
    assert len(business.payments()) == 1
    person.press("Pay $125.75 now")

    person.sees_title("Paid: $125.75")
    assert [charge.amount for charge in business.charges()] == [12000, 12575]
    assert business.statuses() == {("paid", 0, 0)}
    assert check_books() == []


def test_all_paid_meanwhile_says_when_and_how(system: RunningSystem, person: Person) -> None:
    business = open_business(system, "120.00")
    card = business.save_card()
    person.open(link_in(business.remind(), "card •••• 0027"))
    person.ask()
    payment = collect(order=order_for(card, *Invoice.objects.filter(customer=business.customer)), now=datetime.now(UTC))

    person.open(link_in(business.confirmation(), "Pay $120.00 now"))
    person.sees_title("Already paid on")
    person.sees("$120.00 by")
    person.sees("0027")
    person.look()
    person.page.get_by_role("link", name="Show the receipt").click()

    person.sees(payment.reference)
    assert Confirmation.objects.filter(customer=business.customer, closed_at=None).exists()
    assert_charged_once(business)


def _request(business: Business) -> PaymentRequest:
    return request_for(*Invoice.objects.filter(customer=business.customer))
