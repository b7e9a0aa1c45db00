"""What processors send: kept once and raw, only with the right signature, applied by asking the processor."""

import hmac
import json
import time

import pytest
from django.urls import reverse

from payorcrm.core.clock import now
from payorcrm.gateways.base import GatewayEvent
from payorcrm.gateways.sandbox.provision import return_debit, settle_debit
from payorcrm.ledger.check import check_books
from payorcrm.merchants.models import GatewayAccount
from payorcrm.payments.apply_event import PaymentNotThereYet, apply_event, fetch_missed_events, keep_events
from payorcrm.payments.collect import collect
from payorcrm.payments.models import PaymentState, ReceivedEvent
from tests.factories.models import NOW, GatewayAccountFactory, InvoiceFactory
from tests.payments.kit import order_for


@pytest.fixture
def account(db):
    return GatewayAccountFactory(webhook_secret="whsec_real")


def send(client, account, secret, body):
    text = json.dumps(body)
    moment = int(time.time())
    signature = hmac.new(secret.encode(), f"{moment}.{text}".encode(), "sha256").hexdigest()
    path = reverse("webhooks:receive", args=[account.gateway, account.merchant.slug])
    headers = {"Sandbox-Signature": f"t={moment},v1={signature}"}
    return client.post(path, text, content_type="application/json", headers=headers)


def test_event_with_a_wrong_signature_is_refused_and_not_kept(client, account):
    answer = send(client, account, "whsec_guessed", {"id": "evt_1"})

    assert answer.status_code == 400
    assert not ReceivedEvent.objects.exists()


def test_event_for_an_unknown_merchant_is_not_found(client, account):
    path = reverse("webhooks:receive", args=["sandbox", "nobody"])

    assert client.post(path, "{}", content_type="application/json").status_code == 404


def test_same_event_is_kept_once_per_merchant(account):
    event = GatewayEvent("evt_1", "charge.settled", "ch_1", NOW, "{}")

    kept = [keep_events(account=account, events=[event], now=NOW) for _ in range(2)]

    assert kept == [1, 0]
    assert ReceivedEvent.objects.count() == 1


def test_event_that_overtakes_its_payment_is_tried_again(account):
    keep_events(account=account, events=[GatewayEvent("evt_1", "charge.settled", "ch_1", NOW, "{}")], now=NOW)

    with pytest.raises(PaymentNotThereYet):
        apply_event(event_id=ReceivedEvent.objects.get().id, now=NOW)


def test_debit_that_clears_and_comes_back_is_followed_by_fetching_events(merchant, saved):
    debit_account = saved("000123458820", bank=True)
    invoice = InvoiceFactory(customer=debit_account.customer)
    payment = collect(order=order_for(debit_account, invoice), now=now())
    keys = GatewayAccount.objects.get(merchant=merchant)

    settle_debit(keys.credentials(), payment.gateway_reference)
    catch_up(keys)
    payment.refresh_from_db()
    cleared = payment.state
    return_debit(keys.credentials(), payment.gateway_reference, "R10")
    catch_up(keys)

    payment.refresh_from_db()
    invoice.refresh_from_db()
    assert cleared == PaymentState.SUCCEEDED
    assert (payment.state, payment.return_code) == (PaymentState.RETURNED, "R10")
    assert invoice.payable_money() == invoice.total_money()
    assert check_books() == []


def catch_up(account):
    fetch_missed_events(account_id=account.id, now=now())
    for event in ReceivedEvent.objects.filter(applied_at=None):
        apply_event(event_id=event.id, now=now())
