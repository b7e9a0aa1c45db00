"""The pay page of the portal: what it says, what it costs, and that it pays once."""

from datetime import timedelta

import pytest
from django.urls import reverse

from payorcrm.core.clock import now
from payorcrm.customers.view_as import VIEWING, start_viewing
from payorcrm.gateways.base import MethodKind
from payorcrm.invoices.models import Invoice
from payorcrm.ledger.check import check_books
from payorcrm.payment_methods.models import PaymentMethod, Verification
from payorcrm.payments.checkout import MOST_DECLINES_AN_HOUR
from payorcrm.payments.models import Payment, PaymentRequest, PaymentState
from tests.factories.many import owe_alike
from tests.factories.models import (
    NOW,
    PaymentMethodFactory,
    PortalAccessFactory,
    StaffFactory,
    request_for,
    usd,
)
from tests.gateways.sandbox.kit import CARD as CARD_FIELDS
from tests.payments.kit import amounts_collected
from tests.portal.checkout_kit import ACCOUNT, access, card, choose, entered, hidden, invoices, press, text

__all__ = ["access", "card", "invoices"]

DECLINED = "4000000000000002"
BANK_FIELDS = {
    "routing_number": "110000000",
    "account_number": ACCOUNT,
    "account_number_again": ACCOUNT,
    "name": "Acme Tools",
    "account_type": "checking",
    "holder_type": "business",
}


def test_saved_card_pays_the_selection_with_one_press(client, access, invoices, card):
    address = choose(client, *invoices)

    shown = client.get(address)
    answer = press(client, address, card.id)

    assert "Pay $120.00 with card •••• 0027" in text(shown)
    assert "Paid: $120.00" in text(answer)
    assert amounts_collected() == [usd("120.00")]
    payment = Payment.objects.get()
    assert payment.made_by == access.user
    assert PaymentMethod.objects.get().last_used_at == payment.settled_at
    assert check_books() == []


def test_saved_account_is_debited_only_with_its_authorization(client, access, invoices, saved):
    account = saved(ACCOUNT, customer=access.customer, bank=True)
    address = choose(client, *invoices)

    refused = press(client, address, account.id)
    answer = press(client, address, account.id, accept="yes")

    assert "I authorize" in text(refused)
    assert "Please accept the authorization" in text(refused)
    assert "Authorize and pay $120.00 from bank account •••• 8820" in text(refused)
    assert "Submitted: $120.00" in text(answer)
    assert Payment.objects.get().mandate.text.startswith("I authorize")


def test_new_card_pays_and_is_saved_with_consent(client, access, invoices):
    address = choose(client, *invoices)

    answer = press(
        client,
        address,
        "card",
        method_token=entered(access.merchant, MethodKind.CARD, CARD_FIELDS),
        save="yes",
    )

    assert "Paid: $120.00" in text(answer)
    assert PaymentMethod.objects.saved().get().consent_text.startswith("Keep this card")


def test_new_account_is_reviewed_then_debited_and_saved(client, access, invoices):
    address = choose(client, *invoices)

    review = press(client, address, "bank", method_token=entered(access.merchant, MethodKind.BANK_ACCOUNT, BANK_FIELDS))
    made = {"checkout": hidden(review), "accept": "yes", "save": "yes"}
    answer = client.post(review.request["PATH_INFO"], made, follow=True)
    again = client.post(review.request["PATH_INFO"], made, follow=True)

    assert "Authorize the payment to" in text(review)
    assert "Submitted: $120.00" in text(answer)
    assert "Submitted: $120.00" in text(again)
    assert PaymentMethod.objects.saved().count() == Payment.objects.count() == 1


def test_account_that_needs_deposits_is_saved_when_its_owner_agrees_and_nothing_is_debited(client, access, invoices):
    number = {"account_number": "000111111113", "account_number_again": "000111111113"}
    address = choose(client, *invoices)

    shown = press(
        client, address, "bank", method_token=entered(access.merchant, MethodKind.BANK_ACCOUNT, BANK_FIELDS | number)
    )
    kept_before = PaymentMethod.objects.saved().count()
    answer = client.post(shown.request["PATH_INFO"], follow=True)
    page = client.get(address)

    assert "Nothing was debited" in text(shown)
    assert "Two small deposits" in text(shown)
    assert kept_before == 0
    assert "The account is saved." in text(answer)
    assert PaymentMethod.objects.saved().get().verification == Verification.PENDING
    assert not Payment.objects.exists()
    assert "This account is being verified." in text(page)
    assert "How do you want to pay?" in text(page)


def test_pressing_again_shows_the_first_payment(client, access, invoices, card):
    address = choose(client, *invoices)
    sent = {"checkout": hidden(client.get(address))}

    answers = [client.post(f"{address}?with={card.id}", sent, follow=True) for _ in range(3)]
    reloaded = client.get(address, follow=True)

    assert all("Paid: $120.00" in text(answer) for answer in [*answers, reloaded])
    assert len(amounts_collected()) == 1


def test_other_users_page_leads_to_the_payment_that_won(client, access, invoices, card, saved):
    address = choose(client, *invoices)
    mine = {"checkout": hidden(client.get(address))}
    theirs = PortalAccessFactory(customer=access.customer).user
    press(client, address, card.id)
    client.force_login(theirs)

    answer = client.post(f"{address}?with={card.id}", mine, follow=True)
    choosing = client.post(reverse("portal:basket"), {"invoice": [str(one.id) for one in invoices]}, follow=True)

    assert "Paid: $120.00" in text(answer)
    assert "Nothing is left to pay of what you chose" in text(choosing)
    assert len(amounts_collected()) == 1


def test_declined_card_leads_to_the_other_ways_and_a_stale_page_to_the_decline(client, access, invoices, card, saved):
    declined = saved(DECLINED, customer=access.customer)
    address = choose(client, *invoices)
    stale = {"checkout": hidden(client.get(address))}

    first = press(client, address, declined.id)
    again = client.post(f"{address}?with={card.id}", stale, follow=True)
    paid = press(client, address, card.id)
    later = client.post(f"{address}?with={declined.id}", stale, follow=True)

    assert "Not charged: $120.00" in text(first)
    assert f"{address}?with={card.id}" in first.content.decode()
    assert "Not charged: $120.00" in text(again)
    assert "Paid: $120.00" in text(paid)
    assert "Paid: $120.00" in text(later)
    assert amounts_collected() == [usd("120.00")]
    assert Payment.objects.count() == 2


def test_returned_payment_ends_its_request_and_the_invoices_can_be_chosen_again(client, access, invoices, card):
    address = choose(client, *invoices)
    press(client, address, card.id)
    Payment.objects.update(state=PaymentState.RETURNED, return_code="R01", returned_at=now())
    Invoice.objects.update(status="open", balance=5_000, in_flight=0)

    shown = client.get(address, follow=True)
    anew = choose(client, *invoices)

    assert "Sent back: $120.00" in text(shown)
    assert "You can choose them again" in text(shown)
    assert anew != address
    assert client.get(anew).status_code == 200


def test_trying_out_cards_is_stopped_with_a_kind_word(client, access, invoices, card):
    address = choose(client, *invoices)
    for number in range(MOST_DECLINES_AN_HOUR):
        Payment.objects.create(
            merchant=access.merchant,
            customer=access.customer,
            method=card,
            gateway="sandbox",
            reference=f"PAY-{number}",
            idempotency_key=f"key-{number}",
            amount=1,
            currency="USD",
            state=PaymentState.DECLINED,
            submitted_at=now(),
        )

    answer = press(client, address, card.id)

    assert "Too many payments were declined here" in text(answer)
    assert amounts_collected() == []


def test_changed_amount_charges_nothing_and_shows_the_new_one(client, access, invoices, card):
    address = choose(client, *invoices)
    sent = {"checkout": hidden(client.get(address))}
    Invoice.objects.filter(number="INV-50").update(balance=4_000)

    answer = client.post(f"{address}?with={card.id}", sent, follow=True)

    assert "the amount has changed to $110.00" in text(answer)
    assert "Pay $110.00 with card •••• 0027" in text(answer)
    assert amounts_collected() == []


def test_tampered_page_is_out_of_date(client, access, invoices, card):
    address = choose(client, *invoices)

    answer = client.post(f"{address}?with={card.id}", {"checkout": "AAAA"})

    assert answer.status_code == 422
    assert "This page is out of date" in text(answer)


def test_default_method_comes_first_then_the_last_used(client, access, invoices, card, saved):
    other = saved("5555555555554444", customer=access.customer)
    address = choose(client, *invoices)
    PaymentMethod.objects.filter(id=other.id).update(last_used_at=NOW)
    last_used = text(client.get(address))
    PaymentMethod.objects.filter(id=card.id).update(is_default=True)

    assert "Pay $120.00 with card •••• 4444" in last_used
    assert "Pay $120.00 with card •••• 0027" in text(client.get(address))


def test_expired_card_is_shown_with_its_reason_and_cannot_be_chosen(client, access, invoices):
    expired = PaymentMethodFactory(customer=access.customer, expiry_year=2020)
    address = choose(client, *invoices)

    shown = client.get(f"{address}?with={expired.id}")
    answer = client.post(f"{address}?with={expired.id}", {"checkout": hidden(shown)})

    assert "This card has expired." in text(shown)
    assert f'href="{address}?with={expired.id}' not in shown.content.decode()
    assert answer.url == address
    assert "this card or bank account cannot pay now" in text(client.get(address))


def test_tab_of_another_account_of_the_same_person_says_so_and_charges_nothing(client, access, invoices, card):
    address = choose(client, *invoices)
    sent = {"checkout": hidden(client.get(address))}
    other = PortalAccessFactory(user=access.user)
    client.post(reverse("portal:switch_customer"), {"access": other.id})

    answer = client.post(f"{address}?with={card.id}", sent)

    assert answer.status_code == 409
    assert "belongs to another of your accounts" in text(answer)
    assert reverse("portal:accounts") in answer.text
    assert not Payment.objects.exists()


def test_merchant_without_a_processor_is_explained_inside_the_portal(client, access, invoices):
    address = choose(client, *invoices)
    access.merchant.gateway_accounts.all().delete()

    answer = client.get(address)

    assert answer.status_code == 409
    assert "Online payment is not set up yet" in text(answer)
    assert reverse("portal:invoices") in answer.text


def test_request_of_a_mail_has_no_page_in_the_portal(client, access, invoices):
    mailed = request_for(*invoices)

    assert client.get(reverse("portal:checkout", args=[mailed.id])).status_code == 404


def test_saved_account_and_an_old_one_cannot_be_debited_through_the_review_page(client, access, invoices):
    saved_one = PaymentMethodFactory(customer=access.customer, bank=True)
    old = PaymentMethodFactory(
        customer=access.customer, bank=True, saved_at=None, created_at=now() - timedelta(hours=2)
    )
    address = choose(client, *invoices)

    answers = [client.get(f"{address}review/{method.id}/").status_code for method in (saved_one, old)]

    assert answers == [404, 404]


@pytest.mark.parametrize("count", [1, 10, 10_000])
def test_page_costs_the_same_however_much_is_paid(client, access, card, count, django_assert_num_queries):
    owe_alike(access.customer, count)
    address = client.post(reverse("portal:basket"), {"all": "unpaid"}).url
    client.get(address)

    with django_assert_num_queries(10):
        page = client.get(address)
    with django_assert_num_queries(7):
        listed = client.get(f"{address}invoices/")

    assert len(page.content) < 60_000
    assert ("and 9,990 more" in text(page)) == (count == 10_000)
    assert listed.status_code == 200


def test_ten_thousand_invoices_are_chosen_and_paid_at_once(client, access, card):
    ids = owe_alike(access.customer, 10_000)

    address = client.post(reverse("portal:basket"), {"invoice": [str(one) for one in ids]}).url
    answer = press(client, address, card.id)

    assert "Paid: $1,200,000.00" in text(answer)
    assert "9970 more invoices belong to this payment" in text(answer).replace(",", "")
    assert len(answer.content) < 60_000
    assert not Invoice.objects.exclude(status="paid").exists()


def test_result_is_asked_for_again_while_the_answer_is_out(client, access, invoices, saved):
    silent = saved("4100000000052002", customer=access.customer)
    address = choose(client, *invoices)

    answer = press(client, address, silent.id)
    payment = Payment.objects.get()
    fragment = client.get(reverse("portal:payment_result", args=[payment.id]), headers={"HX-Request": "true"})

    assert "We are checking with the bank" in text(answer)
    assert '<meta http-equiv="refresh"' in answer.content.decode()
    assert f'hx-get="{reverse("portal:payment_result", args=[payment.id])}"' in fragment.content.decode()
    assert "<html" not in fragment.content.decode()
    assert client.get(address).url == reverse("portal:payment_result", args=[payment.id])


def test_second_step_leads_back_into_the_portal(client, access, invoices, saved):
    asking = saved("4000002760003184", customer=access.customer)

    answer = press(client, choose(client, *invoices), asking.id)

    assert "Your bank asks for one more step" in text(answer)
    assert Payment.objects.get().needs_action()


def test_staff_who_look_see_the_page_without_a_button_and_cannot_pay(client, access, invoices, card):
    address = choose(client, *invoices)
    sent = {"checkout": hidden(client.get(address))}
    staff = StaffFactory(merchant=access.merchant).user
    client.force_login(staff)
    session = client.session
    session[VIEWING] = str(start_viewing(customer=access.customer, user=staff, now=now()).id)
    session.save()

    shown = client.get(address)
    answers = [
        client.post(f"{address}?with={card.id}", sent),
        client.post(reverse("portal:basket"), {"all": "unpaid"}),
        client.post(f"{address}part/"),
    ]

    assert "Nothing can be paid." in text(shown)
    assert "<button" not in shown.content.decode().partition("<main")[2].partition("</main")[0]
    assert [answer.status_code for answer in answers] == [403] * 3
    assert not Payment.objects.exists()


def test_staff_who_look_open_no_session_at_the_processor(client, access, invoices, sandbox):
    address = choose(client, *invoices)
    staff = StaffFactory(merchant=access.merchant).user
    viewing = start_viewing(customer=access.customer, user=staff, now=now())
    client.force_login(staff)
    session = client.session
    session[VIEWING] = str(viewing.id)
    session.save()

    shown = client.get(f"{address}?with=card")

    assert "Nothing can be paid." in text(shown)
    assert "fields" not in shown.context


def test_looking_changes_nothing(client, access, invoices, card):
    address = choose(client, *invoices)

    for choice in (card.id, "card", "bank", "nonsense"):
        assert client.get(f"{address}?with={choice}").status_code == 200

    assert (Payment.objects.count(), PaymentRequest.objects.count()) == (0, 1)
