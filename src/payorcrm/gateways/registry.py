"""The only way to a concrete gateway: by its name in the setting `PAYMENT_GATEWAYS`."""

from collections.abc import Callable
from functools import cache, wraps
from typing import Any, cast

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from payorcrm.core.errors import Inconsistent
from payorcrm.gateways.base import Credentials, Gateway

_NETWORK_CALLS = (
    *("check_keys", "charge", "refund", "cancel", "look_up", "look_up_refund"),
    *("finish_saving_method", "verify_method", "remove_method", "fetch_events"),
)


class UnknownGateway(Inconsistent):
    """A row names a gateway that `PAYMENT_GATEWAYS` does not."""

    code = "unknown_gateway"
    message = "This gateway is not configured."


@cache
def gateway_class(name: str) -> type[Gateway]:
    """Return the gateway called `name`, its network calls guarded. Raises UnknownGateway."""
    try:
        concrete = import_string(settings.PAYMENT_GATEWAYS[name])
    except KeyError:
        raise UnknownGateway(f"The gateway “{name}” is not in PAYMENT_GATEWAYS.") from None
    guarded = {call: _outside_transactions(getattr(concrete, call)) for call in _NETWORK_CALLS}
    return cast(type[Gateway], type(concrete.__name__, (concrete,), guarded))


def gateway(name: str, credentials: Credentials) -> Gateway:
    """Return one merchant's line to the processor behind `name`. Raises UnknownGateway."""
    return gateway_class(name)(credentials)


def offered_gateways() -> list[type[Gateway]]:
    """Return the gateways that a merchant may connect here; one that moves no real money only in a rehearsal."""
    found = [gateway_class(name) for name in settings.PAYMENT_GATEWAYS]
    return [each for each in found if settings.IS_REHEARSAL or not each.is_rehearsal]


def open_test_account(name: str, account_name: str, *, webhook_url: str) -> Credentials:
    """Open a test account at the processor behind `name`. Raises UnknownGateway, GatewayUnavailable."""
    open_account = _outside_transactions(gateway_class(name).open_test_account)
    return cast(Credentials, open_account(account_name, webhook_url=webhook_url))


def _outside_transactions(call: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(call)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        # A durable block refuses to be nested: a lock must never be held across the network.
        with transaction.atomic(durable=True):
            pass
        return call(*args, **kwargs)

    return guarded
