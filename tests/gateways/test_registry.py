"""The registry: gateways by name, and no call to a processor inside a transaction."""

import pytest
from django.db import transaction

from payorcrm.gateways.base import Credentials, Gateway, MethodKind
from payorcrm.gateways.registry import UnknownGateway, gateway
from tests.gateways.kit import request_for
from tests.gateways.sandbox.kit import SandboxKit

KEYS = Credentials("pk", "sk", "whsec")


def test_gateway_that_is_not_configured_is_unknown() -> None:
    with pytest.raises(UnknownGateway):
        gateway("carrier_pigeon", KEYS)


def test_secrets_are_not_shown() -> None:
    assert repr(KEYS) == "Credentials(public_key='pk')"


@pytest.fixture
def guarded(sandbox_kit: SandboxKit) -> Gateway:
    return gateway("sandbox", sandbox_kit.credentials)


@pytest.mark.django_db(transaction=True)
def test_call_inside_a_transaction_is_refused(guarded: Gateway, sandbox_kit: SandboxKit) -> None:
    request = request_for(sandbox_kit.method(MethodKind.CARD, "succeeds"))

    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        guarded.charge(request)

    assert sandbox_kit.charges_of(request.idempotency_key) == 0


@pytest.mark.django_db(transaction=True)
def test_call_outside_a_transaction_goes_through(guarded: Gateway, sandbox_kit: SandboxKit) -> None:
    request = request_for(sandbox_kit.method(MethodKind.CARD, "succeeds"))

    guarded.charge(request)

    assert sandbox_kit.charges_of(request.idempotency_key) == 1
