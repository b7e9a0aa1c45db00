"""The pages behind payment buttons: GET shows, POST acts, a link opens nothing but its own mail's invoices."""

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import settings
from django.db import connection
from django.db.models import F
from django.test import Client

from payorcrm.core.clock import now
from payorcrm.core.money import Money
from payorcrm.gateways.base import MethodKind
from payorcrm.invoices.models import Invoice
from payorcrm.mail.models import Mail
from payorcrm.merchants.models import GatewayAccount
from payorcrm.merchants.queries import gateway_of
from payorcrm.payment_methods.models import Mandate, PaymentMethod
from payorcrm.payment_methods.remove import remove_method
from payorcrm.payments.collect import collect
from payorcrm.payments.confirm import request_confirmation
from payorcrm.payments.links import BANK, CARD, payment_link, read_payment_token
from payorcrm.payments.models import Confirmation, Payment, PaymentState
from payorcrm.payments.secrets import secrets_of
from payorcrm.portal.forms import new_checkout
from tests.factories.models import NOW, CustomerFactory, InvoiceFactory, request_for, usd
from tests.gateways.sandbox.kit import CARD as CARD_FIELDS
from tests.gateways.sandbox.kit import post_form
from tests.payments.kit import amounts_collected, order_for

BANK_FIELDS = {
    "routing_number": "110000000",
    "account_number": "000123455456",
    "account_number_again": "000123455456",
    "name": "Acme Tools",
    "account_type": "checking",
    "holder_type": "business",
}


@pytest.fixture
def card(saved):
    return saved()


@pytest.fixture
def asked(card):
    return request_for(
        InvoiceFactory(customer=card.customer, number="INV-70", amount=usd("70.00")),
        InvoiceFactory(customer=card.customer, number="INV-50", amount=usd("50.00")),
    )


def path_for(request, choice, moment=None):
    return urlsplit(payment_link(request.id, str(choice), moment or now())).path


def browser_token(merchant, kind):
    """Return what the processor's fields hand to the page when a payer has filled them in."""
    line = gateway_of(GatewayAccount.objects.get(merchant=merchant))
    session = line.start_saving_method(
        kind, return_url=f"{settings.PUBLIC_URL}/back/", parent_origin=settings.PUBLIC_URL
    )
    answer = post_form(session.hosted_url, CARD_FIELDS if kind is MethodKind.CARD else BANK_FIELDS)
    return parse_qs(urlsplit(answer.headers["Location"]).query)["method_token"][0]


def test_page_shows_the_mails_invoices_at_todays_balance_and_nothing_else(client, card, asked):
    InvoiceFactory(customer=card.customer, number="INV-OTHER")
    collect(order=order_for(card, asked.lines.get(invoice__number="INV-70").invoice), now=NOW)

    shown = client.get(path_for(asked, card.id)).content.decode()

    assert "$50.00" in shown
    assert "INV-50" in shown
    assert "$120.00" not in shown
    assert "INV-OTHER" not in shown


@pytest.mark.parametrize("method", ["get", "head"])
def test_looking_at_a_page_changes_nothing(client, card, asked, method):
    for choice in (card.id, CARD, BANK):
        assert getattr(client, method)(path_for(asked, choice)).status_code == 200

    assert (Mail.objects.count(), Confirmation.objects.count(), Payment.objects.count()) == (0, 0, 0)


def test_pressing_sends_the_confirmation_and_says_where_without_telling_the_address(client, card, asked):
    answer = client.post(path_for(asked, card.id), follow=True)

    address = card.customer.contacts.get().email
    assert Mail.objects.get().to_address == address
    assert address not in answer.content.decode()
    assert f"j•••@{address.partition('@')[2]}" in answer.content.decode()


def test_link_in_the_browser_that_asked_pays_without_the_code(client, card, asked):
    client.post(path_for(asked, card.id))
    path = f"/confirm/{secrets_of(Confirmation.objects.get()).token}/"

    shown = client.get(path)
    answer = client.post(path, {"agreed": 12_000}, follow=True)

    assert 'data-post="when-visible"' in shown.content.decode()
    assert "Paid: " in answer.content.decode()
    assert amounts_collected() == [usd("120.00")]


def test_link_in_another_browser_asks_for_the_code(client, card, asked):
    client.post(path_for(asked, card.id))
    secrets = secrets_of(Confirmation.objects.get())
    path = f"/confirm/{secrets.token}/"
    other = Client()

    shown = other.get(path)
    without = other.post(path, {"agreed": 12_000})
    unpaid = amounts_collected()
    answer = other.post(path, {"agreed": 12_000, "code": f" {secrets.code[:3]} {secrets.code[3:]}"}, follow=True)

    assert "Six digits from the mail" in shown.content.decode()
    assert "when-visible" not in shown.content.decode()
    assert (without.status_code, unpaid) == (422, [])
    assert "Paid: " in answer.content.decode()


def test_cookie_of_one_confirmation_opens_no_other(client, card, asked, saved):
    client.post(path_for(asked, card.id))
    other_card = saved("5555555555554444", customer=card.customer)
    other = Client()
    other.post(path_for(asked, other_card.id))
    theirs = Confirmation.objects.get(method=other_card)

    answer = client.post(f"/confirm/{secrets_of(theirs).token}/", {"agreed": 12_000})

    assert answer.status_code == 422
    assert amounts_collected() == []


def test_confirming_again_shows_the_first_payment(client, card, asked):
    client.post(path_for(asked, card.id))
    path = f"/confirm/{secrets_of(Confirmation.objects.get()).token}/"
    first = client.post(path, {"agreed": 12_000}, follow=True)

    again = [client.get(path, follow=True), client.post(path, {"agreed": 12_000}, follow=True)]

    reference = Payment.objects.get().reference
    assert all(reference in answer.content.decode() for answer in [first, *again])
    assert amounts_collected() == [usd("120.00")]


def test_page_that_is_opened_while_another_tab_pays_leads_to_that_payment(client, card, asked):
    client.post(path_for(asked, card.id))
    path = f"/confirm/{secrets_of(Confirmation.objects.get()).token}/"
    paid = []

    def pay_meanwhile(execute, sql, *rest):
        if "payments_confirmationline" in sql and not paid:
            paid.append(True)
            paid.append(client.post(path, {"agreed": 12_000}))
        return execute(sql, *rest)

    with connection.execute_wrapper(pay_meanwhile):
        answer = client.get(path, follow=True)

    assert Payment.objects.get().reference in answer.content.decode()
    assert "Paid: " in answer.content.decode()
    assert paid[1].status_code == 302


def test_less_left_than_confirmed_is_shown_before_it_is_charged(client, card, asked):
    client.post(path_for(asked, card.id))
    path = f"/confirm/{secrets_of(Confirmation.objects.get()).token}/"
    collect(order=order_for(card, asked.lines.get(invoice__number="INV-70").invoice), now=NOW)

    stale = client.post(path, {"agreed": 12_000}, follow=True).content.decode()
    before = amounts_collected()
    client.post(path, {"agreed": 5_000})

    assert "lower than you confirmed" in stale
    assert "when-visible" not in stale
    assert before == [usd("70.00")]
    assert amounts_collected() == [usd("70.00"), usd("50.00")]


def test_everything_paid_meanwhile_says_when_and_how(client, card, asked):
    client.post(path_for(asked, card.id))
    path = f"/confirm/{secrets_of(Confirmation.objects.get()).token}/"
    collect(order=order_for(card, *[line.invoice for line in asked.lines.all()]), now=NOW)

    shown = client.get(path).content.decode()

    assert "Already paid on" in shown
    assert "0027" in shown


def test_expired_link_mails_a_fresh_one_to_the_address_on_file(client, card, asked):
    path = path_for(asked, card.id, now() - timedelta(days=91))

    shown = client.get(path)
    answer = client.post(f"{path}fresh/")
    client.post(f"{path}fresh/")

    assert shown.status_code == 410
    assert "INV-70" not in shown.content.decode()
    assert answer.status_code == 200
    assert [mail.kind for mail in Mail.objects.all()] == ["fresh_link"]


def test_changed_link_is_not_found(client, card, asked):
    path = path_for(asked, card.id)

    answer = client.get(path[:-6] + "AAAAA/")

    assert answer.status_code == 404


def test_new_card_pays_at_once_and_is_kept_only_when_asked_for(client, merchant, card, asked):
    token = browser_token(merchant, MethodKind.CARD)
    form = {"checkout": new_checkout(asked, usd("120.00"), now()), "method_token": token}

    answer = client.post(path_for(asked, CARD), form, follow=True)

    assert "Paid: " in answer.content.decode()
    assert PaymentMethod.objects.saved().count() == 1
    assert amounts_collected() == [usd("120.00")]


def test_new_card_that_is_to_be_kept_is_saved_with_its_consent(client, merchant, card, asked):
    token = browser_token(merchant, MethodKind.CARD)
    form = {"checkout": new_checkout(asked, usd("120.00"), now()), "method_token": token, "save": "yes"}

    client.post(path_for(asked, CARD), form)

    kept = PaymentMethod.objects.saved().get(last4="4242")
    assert "only charged when I confirm" in kept.consent_text


def test_same_page_sent_twice_pays_once(client, merchant, card, asked):
    token = browser_token(merchant, MethodKind.CARD)
    form = {"checkout": new_checkout(asked, usd("120.00"), now()), "method_token": token}

    answers = [client.post(path_for(asked, CARD), form, follow=True) for _ in range(2)]

    assert all("Paid: " in answer.content.decode() for answer in answers)
    assert amounts_collected() == [usd("120.00")]


def test_checkout_of_another_request_is_refused(client, merchant, card, asked):
    stranger = request_for(InvoiceFactory(customer=CustomerFactory(merchant=merchant)))
    form = {"checkout": new_checkout(stranger, usd("120.00"), now()), "method_token": "tok_x"}

    answer = client.post(path_for(asked, CARD), form)

    assert answer.status_code == 422
    assert amounts_collected() == []


def test_new_bank_account_is_authorized_on_a_page_of_its_own(client, merchant, card, asked):
    token = browser_token(merchant, MethodKind.BANK_ACCOUNT)
    form = {"checkout": new_checkout(asked, usd("120.00"), now()), "method_token": token}

    review = client.post(path_for(asked, BANK), form, follow=True)
    not_accepted = client.post(review.request["PATH_INFO"], {"checkout": form["checkout"]})
    before = Payment.objects.count()
    answer = client.post(review.request["PATH_INFO"], {"checkout": form["checkout"], "accept": "yes"}, follow=True)

    assert "to debit $120.00 once" in review.content.decode()
    assert (not_accepted.status_code, before) == (422, 0)
    assert "Submitted: " in answer.content.decode()
    assert Payment.objects.get().state == PaymentState.PENDING
    assert "ending in 5456" in Mandate.objects.get().text
    assert Invoice.objects.filter(in_flight__gt=0).count() == 2


def test_saved_account_cannot_be_charged_through_the_review_page(client, saved):
    account = saved("000123455456", bank=True)
    asked = request_for(InvoiceFactory(customer=account.customer))
    form = {"checkout": new_checkout(asked, usd("120.00"), now()), "accept": "yes"}

    answer = client.post(f"{path_for(asked, BANK)}review/{account.id}/", form)

    assert answer.status_code == 404
    assert Payment.objects.count() == 0


def test_declined_card_says_why_and_offers_the_other_ways(client, saved):
    card = saved("4000000000009995")
    asked = request_for(InvoiceFactory(customer=card.customer))
    client.post(path_for(asked, card.id))
    path = f"/confirm/{secrets_of(Confirmation.objects.get()).token}/"

    shown = client.post(path, {"agreed": 12_000}, follow=True).content.decode()

    assert "Not charged: " in shown
    assert "not enough money" in shown
    assert "New bank account" in shown


def test_pages_behind_links_are_kept_out_of_caches_and_referers(client, card, asked):
    answer = client.get(path_for(asked, card.id))

    assert answer["Cache-Control"] == "no-store"
    assert answer["Referrer-Policy"] in ("no-referrer", "same-origin")
    assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]


def test_confirmation_of_a_removed_card_stops_and_offers_other_ways(client, card, asked):
    client.post(path_for(asked, card.id))
    path = f"/confirm/{secrets_of(Confirmation.objects.get()).token}/"
    remove_method(method_id=card.id, now=now())

    shown = client.get(path)
    answer = client.post(path, {"agreed": 12_000}, follow=True)

    for page in (shown, answer):
        assert page.status_code == 410
        assert "no longer saved" in page.content.decode()
        assert "when-visible" not in page.content.decode()
    assert amounts_collected() == []


def test_payment_that_also_paid_other_invoices_is_not_shown_behind_a_link(client, card, asked):
    stranger_to_the_mail = InvoiceFactory(customer=card.customer, number="INV-OTHER")
    invoices = [line.invoice for line in asked.lines.all()]
    collect(order=order_for(card, stranger_to_the_mail, *invoices), now=NOW)

    shown = client.get(path_for(asked, card.id)).content.decode()

    assert "Already paid on" in shown
    assert "$240.00" not in shown
    assert "/payment/" not in shown


def test_links_on_a_page_are_as_old_as_the_link_that_led_there(client, card, asked):
    opened = now() - timedelta(days=89)
    shown = client.get(path_for(asked, card.id, opened)).content.decode()

    tokens = set(re.findall(r"/pay/([\w-]{40,})/", shown))
    made = {read_payment_token(token).made_at for token in tokens}

    assert made == {opened.replace(microsecond=0)}


def test_very_old_confirmation_leads_to_no_fresh_payment_link(client, card, asked):
    long_ago = now() - timedelta(days=400)
    type(asked).objects.filter(id=asked.id).update(created_at=long_ago)
    asked.refresh_from_db()
    confirmation = request_confirmation(request=asked, method=card, now=long_ago).confirmation

    shown = client.get(f"/confirm/{secrets_of(confirmation).token}/").content.decode()
    (token,) = re.findall(r"/pay/([\w-]{40,})/", shown)

    assert client.get(f"/pay/{token}/").status_code == 410


def test_page_that_says_sent_is_only_there_when_something_was_sent(client, card, asked):
    answer = client.get(f"{path_for(asked, card.id)}sent/")

    assert answer.status_code == 302


def test_bank_account_is_not_offered_for_another_currency(client, card):
    invoice = InvoiceFactory(customer=card.customer, amount=Money(12_000, "CAD"))
    asked = request_for(invoice)

    shown = client.get(path_for(asked, card.id)).content.decode()
    bank = client.get(path_for(asked, BANK)).content.decode()

    assert "New bank account" not in shown
    assert "US dollars only" in bank


def test_browser_that_presses_again_later_still_needs_the_code(client, card, asked):
    client.post(path_for(asked, card.id))
    stranger = Client()
    stranger.post(path_for(asked, card.id))

    answer = stranger.post(f"/confirm/{secrets_of(Confirmation.objects.get()).token}/", {"agreed": 12_000})

    assert answer.status_code == 422
    assert amounts_collected() == []


def test_page_with_many_declined_cards_takes_no_more_for_an_hour(client, merchant, card, asked):
    for _ in range(10):
        declined = collect(order=order_for(card, *[line.invoice for line in asked.lines.all()]), now=now())
        Payment.objects.filter(id=declined.id).update(state=PaymentState.DECLINED)
        Invoice.objects.update(status="open", balance=F("total"), in_flight=0)
    token = browser_token(merchant, MethodKind.CARD)
    form = {"checkout": new_checkout(asked, usd("120.00"), now()), "method_token": token}

    answer = client.post(path_for(asked, CARD), form)

    assert answer.status_code == 429
    assert "Nothing was charged" in answer.content.decode()
