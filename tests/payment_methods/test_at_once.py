"""Several tabs and people at the same moment: one saved card, one default, three tries."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from payorcrm.gateways.base import MethodKind
from payorcrm.gateways.base import VerificationOutcome as Outcome
from payorcrm.mail.models import Mail
from payorcrm.payment_methods.add import add_method
from payorcrm.payment_methods.choose_default import make_default
from payorcrm.payment_methods.models import PaymentMethod, Verification
from payorcrm.payment_methods.remove import remove_method
from payorcrm.payment_methods.save import Consent, MethodGone
from payorcrm.payment_methods.verify import verify_deposits
from tests.factories.models import NOW, TODAY, CustomerFactory, PaymentMethodFactory
from tests.payment_methods.kit import NEEDS_DEPOSITS, RIGHT, WRONG, entered
from tests.payments.kit import merchant_at_the_sandbox, save_method

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(acts: list[Callable[[], Any]]) -> list[Any]:
    """Do everything at the same moment, each on a connection of its own."""

    def on_its_own(act: Callable[[], Any]) -> Any:
        try:
            return act()
        except MethodGone as gone:
            return gone
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as people:
        return list(people.map(on_its_own, acts))


def test_same_card_added_in_six_tabs_is_saved_once(sandbox):
    merchant = merchant_at_the_sandbox()
    customer = CustomerFactory(merchant=merchant)
    tokens = [entered(merchant, "4242424242424242") for _ in range(6)]
    consent = Consent("Keep it.", None, NOW)

    added = at_once(
        [
            lambda each=each: add_method(
                customer=customer, kind=MethodKind.CARD, method_token=each, consent=consent, now=NOW
            )
            for each in tokens
        ]
    )

    saved = PaymentMethod.objects.saved().get()
    assert sum(each.is_new for each in added) == 1
    assert {each.method.id for each in added} == {saved.id}
    assert Mail.objects.filter(kind="method_added").count() == 1


def test_defaults_chosen_at_once_leave_one(db):
    customer = CustomerFactory()
    methods = PaymentMethodFactory.create_batch(6, customer=customer)

    at_once([lambda each=each: make_default(method_id=each.id, today=TODAY) for each in methods])

    assert PaymentMethod.objects.filter(is_default=True).count() == 1


def test_wrong_amounts_sent_by_ten_at_once_are_three_tries(sandbox):
    account = save_method(merchant_at_the_sandbox(), NEEDS_DEPOSITS, bank=True)

    verdicts = at_once([lambda: verify_deposits(method=account, amounts=WRONG, now=NOW)] * 10)

    account.refresh_from_db()
    assert {verdict.outcome for verdict in verdicts} <= {Outcome.WRONG, Outcome.FAILED}
    assert verify_deposits(method=account, amounts=RIGHT, now=NOW).outcome is Outcome.FAILED
    assert (account.verification, account.verification_try_count) == (Verification.FAILED, 3)
    assert Mail.objects.filter(kind="method_not_verified").count() == 1


def test_removed_while_it_is_verified_and_made_default_ends_removed(sandbox):
    account = save_method(merchant_at_the_sandbox(), NEEDS_DEPOSITS, bank=True)

    at_once(
        [
            *[lambda: verify_deposits(method=account, amounts=RIGHT, now=NOW)] * 3,
            *[lambda: remove_method(method_id=account.id, now=NOW)] * 3,
        ]
    )

    account.refresh_from_db()
    assert account.removed_at == NOW
    assert Mail.objects.filter(kind="method_removed").count() == 1
    assert Mail.objects.filter(kind="method_verified").count() <= 1
