"""The page of payment processors."""

from typing import ClassVar

import pytest
from django.urls import reverse

from payorcrm.gateways.base import MethodKind
from payorcrm.gateways.sandbox.gateway import SandboxGateway
from payorcrm.merchants.models import GatewayAccount, Role
from payorcrm.merchants.queries import CannotTakePayments, account_for_new
from tests.backoffice.rows import client_of
from tests.factories.models import CustomerFactory, GatewayAccountFactory, MerchantFactory, PaymentMethodFactory

pytestmark = pytest.mark.django_db
SANDBOX = {"gateway": "sandbox"}


def post(merchant, name, form=SANDBOX, role=Role.OWNER):
    return client_of(merchant, role).post(reverse(f"backoffice:{name}", args=[merchant.slug]), form, follow=True)


def page(merchant, role=Role.OWNER) -> str:
    return client_of(merchant, role).get(reverse("backoffice:settings_payments", args=[merchant.slug])).text


def test_one_press_connects_the_sandbox(sandbox):
    merchant = MerchantFactory()
    assert "Connect Sandbox with one press" in page(merchant)

    response = post(merchant, "gateway_connect_test")

    assert "Sandbox is connected. It moves no real money." in response.text
    assert "Disconnect Sandbox" in response.text


def test_wrong_keys_are_said_beside_what_was_typed_and_secrets_are_not_shown(sandbox):
    merchant = MerchantFactory()

    typed = {"public_key": "pk_mine", "secret_key": "sk_very_secret", "webhook_secret": "whsec_mine"}
    response = post(merchant, "gateway_connect", SANDBOX | typed)

    assert "The processor does not know this secret key. Nothing was stored." in response.text
    assert "pk_mine" in response.text
    assert "sk_very_secret" not in response.text
    assert not GatewayAccount.objects.exists()


def test_a_processor_that_does_not_answer_is_said(settings):
    settings.SANDBOX_URL = "http://localhost:1"

    response = post(MerchantFactory(), "gateway_connect_test")

    assert "does not answer. Please try again in a moment. Nothing was changed." in response.text


class CardsOnly(SandboxGateway):
    """A second processor, which takes no bank accounts."""

    name: ClassVar[str] = "cards_only"
    label: ClassVar[str] = "Cards Only"
    kinds: ClassVar[frozenset[MethodKind]] = frozenset({MethodKind.CARD})


@pytest.fixture
def two_processors(settings):
    settings.PAYMENT_GATEWAYS |= {"cards_only": "tests.backoffice.test_gateways.CardsOnly"}
    merchant = MerchantFactory()
    for name in ("cards_only", "sandbox"):
        GatewayAccountFactory(merchant=merchant, gateway=name)
    return merchant


def new_go_to(merchant):
    return [account_for_new(merchant.id, kind).gateway for kind in (MethodKind.CARD, MethodKind.BANK_ACCOUNT)]


def test_new_cards_go_where_the_owner_says_and_bank_accounts_only_where_they_are_taken(two_processors):
    before = new_go_to(two_processors)
    shown = page(two_processors)
    done = post(two_processors, "gateway_choose", {"cards": "sandbox", "accounts": "sandbox"})
    after = new_go_to(two_processors)
    refused = post(two_processors, "gateway_choose", {"cards": "sandbox", "accounts": "cards_only"})
    post(two_processors, "gateway_choose", {"cards": "cards_only"})

    assert before == ["cards_only", "sandbox"]
    assert "New cards go to" in shown
    assert "What customers have saved already stays where it is." in done.text
    assert after == ["sandbox", "sandbox"]
    assert "not one of the available choices" in refused.text
    assert new_go_to(two_processors) == ["cards_only", "sandbox"]


def test_without_the_processor_that_was_chosen_the_other_takes_new_cards(two_processors):
    post(two_processors, "gateway_choose", {"cards": "sandbox", "accounts": "sandbox"})
    post(two_processors, "gateway_disconnect")

    assert account_for_new(two_processors.id, MethodKind.CARD).gateway == "cards_only"
    with pytest.raises(CannotTakePayments):
        account_for_new(two_processors.id, MethodKind.BANK_ACCOUNT)
    assert "New cards go to" not in page(two_processors)


def test_disconnecting_is_refused_with_the_number_of_what_hangs_on_it():
    merchant = MerchantFactory()
    GatewayAccountFactory(merchant=merchant)
    for _ in range(2):
        PaymentMethodFactory(customer=CustomerFactory(merchant=merchant))

    response = post(merchant, "gateway_disconnect")

    assert response.status_code == 409
    assert "2 cards and bank accounts are saved at this processor" in response.text
    assert "2 cards and bank accounts are saved" in page(merchant)
    assert "Disconnect Sandbox" not in page(merchant)


def test_secret_keys_stand_on_no_page():
    merchant = MerchantFactory()
    GatewayAccountFactory(merchant=merchant, secret_key="sk_hidden", webhook_secret="whsec_hidden")

    text = page(merchant)

    assert "pk_test" in text
    assert "sk_hidden" not in text
    assert "whsec_hidden" not in text


@pytest.mark.parametrize("role", [Role.COLLECTOR, Role.VIEWER])
@pytest.mark.parametrize("name", ["gateway_connect", "gateway_connect_test", "gateway_disconnect"])
def test_only_owners_connect_and_disconnect(role, name):
    merchant = MerchantFactory()
    GatewayAccountFactory(merchant=merchant)

    assert post(merchant, name, role=role).status_code == 403
    assert GatewayAccount.objects.exists()


def test_where_real_money_moves_a_rehearsal_is_not_offered(settings):
    settings.IS_REHEARSAL = False
    merchant = MerchantFactory()

    assert "No processor is offered here" in page(merchant)
    assert post(merchant, "gateway_connect_test").status_code == 404
