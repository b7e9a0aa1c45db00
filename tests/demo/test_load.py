"""Loading the demo business: where it is allowed, and after an interruption."""

from datetime import date

import pytest
from django.conf import settings as current

from payorcrm.customers.models import Customer
from payorcrm.demo.business import NAME
from payorcrm.demo.load import NotADemo, load_demo_business
from payorcrm.demo.make_payments import make_payments
from payorcrm.demo.plan_invoices import plan_invoices
from payorcrm.demo.plan_payments import plan_payments
from payorcrm.gateways.sandbox.provision import open_test_account
from payorcrm.ledger.check import check_books
from payorcrm.merchants.models import Merchant
from payorcrm.payments.models import Payment
from tests.factories.models import MerchantFactory

TODAY = date(2026, 11, 22)


@pytest.fixture
def new_at_the_processor(db, sandbox, monkeypatch):
    """A business that the processor has not met before."""
    monkeypatch.setattr("payorcrm.demo.load.NAME", f"{NAME}, interrupted")


def test_interrupted_loading_is_taken_up_again(new_at_the_processor, monkeypatch):
    def stop_early(merchant, account, plan):
        make_payments(merchant, account, plan[:20])
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("payorcrm.demo.load.make_payments", stop_early)
        with pytest.raises(KeyboardInterrupt):
            load_demo_business()
    made = set(Payment.objects.values_list("reference", flat=True))

    load_demo_business()

    assert len(made) == 20
    assert made < set(Payment.objects.values_list("reference", flat=True))
    assert Payment.objects.filter(offline_kind="").count() == len(plan_payments(plan_invoices(TODAY), TODAY))
    assert check_books() == []


def test_another_merchants_database_is_left_alone(db):
    MerchantFactory()

    assert load_demo_business() == []
    assert Customer.objects.count() == 0


def test_production_refuses_the_demo_business(db, settings):
    settings.IS_PRODUCTION = True

    with pytest.raises(NotADemo):
        load_demo_business()

    assert not Merchant.objects.exists()


def test_processor_gives_the_demo_the_same_keys_on_every_start(sandbox):
    name = f"{NAME} {current.SANDBOX_URL}"

    assert open_test_account(name, "") == open_test_account(name, "http://localhost:9123/webhooks/sandbox/x/")
