"""The customer's cards and accounts: named, offered first, removed, verified, and never another customer's."""

from datetime import UTC, datetime

import pytest
from django.urls import reverse

from payorcrm.mail.models import Mail
from payorcrm.payment_methods.mandate import record_mandate
from payorcrm.payment_methods.models import PaymentMethod, Verification
from payorcrm.payments.collect import collect
from tests.factories.browsing import browse
from tests.factories.models import (
    NOW,
    CustomerFactory,
    InvoiceFactory,
    PaymentMethodFactory,
    PortalAccessFactory,
    usd,
)
from tests.factories.sandbox import free_port
from tests.payment_methods.kit import NEEDS_DEPOSITS, RIGHT, WRONG, entered
from tests.payments.kit import ACCEPTANCE, order_for


@pytest.fixture
def customer(merchant, client):
    customer = CustomerFactory(merchant=merchant)
    client.force_login(PortalAccessFactory(customer=customer).user)
    return customer


@pytest.fixture
def alone(db, client):
    """A customer whose merchant has no processor."""
    access = PortalAccessFactory()
    client.force_login(access.user)
    return access.customer


@pytest.fixture
def pending(customer, saved):
    return saved(NEEDS_DEPOSITS, bank=True, customer=customer)


def address(name, *ids):
    return reverse(f"portal:{name}", args=ids)


def page(client, name, *ids):
    return client.get(address(name, *ids)).content.decode()


def press(client, to, /, *ids, **fields):
    return client.post(address(to, *ids), fields, follow=True)


def mandate_of(method):
    return record_mandate(method=method, text="I authorize this.", amount=usd("12.00"), acceptance=ACCEPTANCE)


def test_trying_out_many_cards_is_refused_for_an_hour(client, customer):
    answers = [client.post(address("method_add"), {"method_token": "tok_made_up"}) for _ in range(21)]

    assert [answer.status_code for answer in answers] == [422] * 20 + [429]
    assert "Too many were tried here" in answers[-1].content.decode()


def test_list_says_what_each_method_is(client, alone, travel_to):
    travel_to(datetime(2026, 11, 20, 15, tzinfo=UTC))
    PaymentMethodFactory(customer=alone, name="Fleet card", is_default=True, last_used_at=NOW)
    PaymentMethodFactory(customer=alone, last4="1111", expiry_month=12, expiry_year=2026)
    PaymentMethodFactory(customer=alone, last4="2222", expiry_month=10, expiry_year=2026)
    PaymentMethodFactory(customer=alone, bank=True, verification=Verification.PENDING)
    PaymentMethodFactory(customer=alone, bank=True, last4="6666", verification=Verification.FAILED)

    text = page(client, "methods")

    for words in (
        "Fleet card",
        "Offered first",
        "Nov 20, 2026",
        "This card expires next month",
        "This card has expired",
    ):
        assert words in text
    for words in ("Being verified", "Enter the two amounts", "This account cannot pay", "Jo Miller", "12/2030"):
        assert words in text
    assert text.index("Fleet card") < text.index("1111")


@pytest.mark.parametrize("count", [1, 30])
def test_list_costs_the_same_however_long(client, alone, count, django_assert_num_queries):
    PaymentMethodFactory.create_batch(count, customer=alone)
    page(client, "methods")

    with django_assert_num_queries(4):
        page(client, "methods")


def test_nothing_saved_leads_to_adding(client, alone):
    text = page(client, "methods")

    assert "Nothing saved yet" in text
    assert f"{address('method_add')}?with=bank" in text


def test_method_is_named_and_offered_first(client, alone):
    first = PaymentMethodFactory(customer=alone, is_default=True)
    second = PaymentMethodFactory(customer=alone)

    press(client, "method_rename", second.id, name="  Fuel \n only ")
    answer = press(client, "method_default", second.id)

    first.refresh_from_db()
    second.refresh_from_db()
    assert (second.name, second.is_default, first.is_default) == ("Fuel only", True, False)
    assert "is offered first" in answer.content.decode()


def test_name_that_is_too_long_is_refused(client, alone):
    method = PaymentMethodFactory(customer=alone)

    answer = press(client, "method_rename", method.id, name="x" * 61)

    method.refresh_from_db()
    assert (answer.status_code, method.name) == (422, "")


def test_account_that_cannot_pay_is_not_offered_first(client, alone):
    method = PaymentMethodFactory(customer=alone, bank=True, verification=Verification.PENDING)

    answer = press(client, "method_default", method.id)

    method.refresh_from_db()
    assert not method.is_default
    assert "can be offered first" in answer.content.decode()


def test_removing_asks_first_and_mails(client, alone):
    method = PaymentMethodFactory(customer=alone)

    asked = page(client, "method_remove", method.id)
    answer = press(client, "method_remove", method.id).content.decode()

    assert "Remove this card?" in asked
    assert "is removed and will not be charged again" in answer
    assert not PaymentMethod.objects.saved().exists()
    assert Mail.objects.get().kind == "method_removed"


def test_method_in_use_stays_and_the_reason_is_given(client, customer, saved):
    account = saved("000123458820", bank=True, customer=customer)
    collect(order=order_for(account, InvoiceFactory(customer=customer)), now=NOW)

    answers = [client.get(address("method_remove", account.id)), client.post(address("method_remove", account.id))]

    assert [answer.status_code for answer in answers] == [409, 409]
    assert all("is under way" in answer.content.decode() for answer in answers)
    assert PaymentMethod.objects.saved().get() == account


@pytest.mark.parametrize("name", ["method_rename", "method_default", "method_remove", "method_verify", "method"])
def test_method_removed_in_another_tab_leads_kindly_to_the_list(client, alone, name):
    method = PaymentMethodFactory(customer=alone, bank=True, verification=Verification.PENDING, removed_at=NOW)

    asked = client.get(address(name, method.id), follow=True)
    answer = press(client, name, method.id, name="New", first="32", second="45") if name != "method" else asked

    assert answer.redirect_chain[-1][0] == address("methods")
    assert "was removed meanwhile" in answer.content.decode()


def test_card_is_added_without_paying(client, customer):
    shown = client.get(address("method_add"), {"with": "card"}).content.decode()
    token = entered(customer.merchant, "4242424242424242")

    answer = client.post(f"{address('method_add')}?with=card", {"method_token": token}, follow=True)

    method = PaymentMethod.objects.saved().get()
    assert method.consent_text.split(".")[0] in shown.replace("&#x27;", "'")
    assert "is saved. Nothing was charged." in answer.content.decode()
    assert not method.payments.exists()


def test_account_that_needs_deposits_leads_to_its_verification(client, customer):
    token = entered(customer.merchant, NEEDS_DEPOSITS, bank=True)

    answer = client.post(f"{address('method_add')}?with=bank", {"method_token": token}, follow=True)

    method = PaymentMethod.objects.saved().get()
    assert answer.redirect_chain[-1][0] == address("method_verify", method.id)
    assert "3 tries are left" in answer.content.decode()


def test_same_card_again_says_so(client, customer):
    for _ in range(2):
        token = entered(customer.merchant, "4242424242424242")
        answer = client.post(address("method_add"), {"method_token": token}, follow=True)

    assert "was saved before" in answer.content.decode()


def test_token_that_is_refused_shows_the_fields_again(client, customer):
    answer = client.post(address("method_add"), {"method_token": "tok_made_up"})

    assert answer.status_code == 422
    assert "could not be used" in answer.content.decode()
    assert "<iframe" in answer.content.decode()


def test_processor_that_is_away_keeps_what_was_entered(client, customer, settings):
    settings.SANDBOX_URL = f"http://127.0.0.1:{free_port()}"

    answer = client.post(address("method_add"), {"method_token": "tok_good"})

    assert answer.status_code == 422
    assert "does not answer" in answer.content.decode()
    assert 'value="tok_good"' in answer.content.decode()


def test_merchant_without_a_processor_is_told_kindly(client, alone):
    answer = client.get(address("method_add"))

    assert answer.status_code == 409
    assert "not set up yet" in answer.content.decode()


def test_fields_speak_the_language_of_the_page(client, customer):
    text = client.get(address("method_add"), headers={"Accept-Language": "es"}).content.decode()

    assert "lang=es" in text


def test_wrong_amounts_cost_a_try_and_the_right_ones_verify(client, pending):
    wrong = press(client, "method_verify", pending.id, first=str(WRONG[0]), second=str(WRONG[1])).content.decode()
    right = press(client, "method_verify", pending.id, first="$0.45", second=".32").content.decode()

    pending.refresh_from_db()
    assert "2 tries are left." in wrong
    assert "This account is verified" in right
    assert pending.verification == Verification.VERIFIED


def test_third_wrong_try_says_what_to_do(client, pending):
    for _ in range(3):
        answer = press(client, "method_verify", pending.id, first="1", second="2").content.decode()

    assert "This account could not be verified" in answer
    assert "Nothing was charged" in answer
    assert "Remove it" in answer


def test_silence_of_the_processor_costs_no_try(client, pending, settings):
    settings.SANDBOX_URL = f"http://127.0.0.1:{free_port()}"

    answer = press(client, "method_verify", pending.id, first=str(RIGHT[0]), second=str(RIGHT[1])).content.decode()

    assert "No try was used" in answer
    assert "3 tries are left" in answer


@pytest.mark.parametrize("amount", ["", "0", "00", "1.32", "abc", "100", "-5", "٣٢", "3 2", "0.5\0"])
def test_amounts_that_are_none_cost_no_try(client, pending, amount):
    answer = client.post(address("method_verify", pending.id), {"first": amount, "second": "45"})

    pending.refresh_from_db()
    assert answer.status_code == 422
    assert pending.verification_try_count == 0


def test_mandate_is_shown_and_mailed_to_who_asks(client, alone):
    account = PaymentMethodFactory(customer=alone, bank=True)
    mandate = mandate_of(account)

    listed, shown = page(client, "method", account.id), page(client, "mandate", mandate.id)
    press(client, "mandate_mail", mandate.id)

    assert mandate.reference in listed
    assert "I authorize this." in shown
    mail = Mail.objects.get()
    assert (mail.kind, mail.about_id) == ("mandate_copy", mandate.id)
    assert mail.to_address == alone.portal_accesses.get().user.email


@pytest.mark.parametrize("count", [1, 12])
def test_mandates_cost_the_same_however_many(client, alone, count, django_assert_num_queries):
    account = PaymentMethodFactory(customer=alone, bank=True)
    for _ in range(count):
        mandate_of(account)
    page(client, "method", account.id)

    with django_assert_num_queries(5):
        page(client, "method", account.id)


NAMES = ["method", "method_rename", "method_default", "method_remove", "method_verify"]


@pytest.mark.parametrize("same_merchant", [True, False])
def test_another_customers_methods_are_not_found(client, alone, same_merchant):
    stranger = CustomerFactory(merchant=alone.merchant) if same_merchant else CustomerFactory()
    theirs = PaymentMethodFactory(customer=stranger, bank=True, last4="7788")
    mandate = mandate_of(theirs)
    asked = [(name, theirs.id) for name in NAMES] + [("mandate", mandate.id), ("mandate_mail", mandate.id)]

    answers = [client.post(address(*each)).status_code for each in asked]
    shown = [client.get(address(*each)).status_code for each in asked]

    assert set(answers) <= {404, 405}
    assert set(shown) <= {404, 405}
    assert [answers[at] == 404 or shown[at] == 404 for at in range(len(asked))] == [True] * len(asked)
    assert "7788" not in page(client, "methods")


def test_method_that_was_never_saved_is_not_found(client, alone):
    once = PaymentMethodFactory(customer=alone, saved_at=None)

    assert client.get(address("method", once.id)).status_code == 404


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (360, "dark")])
def test_pages_are_clean(client, alone, width, scheme, travel_to):
    travel_to(datetime(2026, 11, 20, 15, tzinfo=UTC))
    PaymentMethodFactory(customer=alone, name="Fleet card with quite a long name", is_default=True, last_used_at=NOW)
    PaymentMethodFactory(customer=alone, last4="2222", expiry_month=10, expiry_year=2026)
    pending = PaymentMethodFactory(
        customer=alone, bank=True, verification=Verification.PENDING, deposits_expected_on=NOW.date()
    )
    failed = PaymentMethodFactory(customer=alone, bank=True, last4="6666", verification=Verification.FAILED)
    mandate = mandate_of(failed)
    paths = [
        *(address("methods"), address("method", failed.id), address("mandate", mandate.id)),
        *(address("method_verify", pending.id), address("method_verify", failed.id)),
        *(address("method_remove", failed.id), address("method_add")),
    ]

    def visit(tab):
        found = {}
        for path in paths:
            tab.page.goto(f"http://localhost{path}")
            # A refusal is answered with 409, of which the console complains by itself.
            found[path] = [each for each in tab.problems() if "409" not in each]
        return found

    assert browse(client, visit, width=width, scheme=scheme) == {path: [] for path in paths}
