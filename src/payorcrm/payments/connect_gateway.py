"""Connects a merchant to a payment processor, and ends the connection while nothing hangs on it."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from django.conf import settings
from django.db import transaction

from payorcrm.core.errors import Refused
from payorcrm.gateways.base import Credentials, GatewayUnavailable, KeysNotAccepted, MethodKind
from payorcrm.gateways.registry import gateway, open_test_account
from payorcrm.merchants.models import GatewayAccount, Merchant
from payorcrm.merchants.queries import able_accounts
from payorcrm.payment_methods.models import PaymentMethod
from payorcrm.payments.models import IN_FLIGHT_STATES, OPEN_REFUND_STATES, Payment, Refund


class NotConnected(Refused):
    """A connection was to be ended that is not there."""

    code = "not_connected"
    message = "This processor is not connected. Nothing was changed."


class GatewayInUse(Refused):
    """Payments are under way, or customers have saved cards and accounts, at an account of a processor."""

    code = "gateway_in_use"
    status: ClassVar[int] = 409

    def __init__(self, use: "Use") -> None:
        super().__init__(f"The connection stays as it is: {use} at this processor.")
        self.use = use


@dataclass(frozen=True, slots=True)
class Use:
    """What hangs on a merchant's connection to one processor."""

    under_way: int
    methods: int
    refunds: int = 0

    def __bool__(self) -> bool:
        return bool(self.under_way or self.methods or self.refunds)

    def __str__(self) -> str:
        parts = []
        if self.under_way:
            parts.append(f"{_count(self.under_way, 'payment')} {'is' if self.under_way == 1 else 'are'} under way")
        if self.refunds:
            parts.append(f"{_count(self.refunds, 'refund')} {'is' if self.refunds == 1 else 'are'} on the way")
        if self.methods:
            are = "is" if self.methods == 1 else "are"
            parts.append(f"{_count(self.methods, 'card or bank account', 'cards and bank accounts')} {are} saved")
        return " and ".join(parts)


def use_of(merchant: Merchant, name: str) -> Use:
    """Count what hangs on a connection."""
    under_way = Payment.objects.filter(merchant=merchant, gateway=name, state__in=IN_FLIGHT_STATES)
    methods = PaymentMethod.objects.saved().filter(merchant=merchant, gateway=name)
    refunds = Refund.objects.filter(merchant=merchant, payment__gateway=name, state__in=OPEN_REFUND_STATES)
    return Use(under_way.count(), methods.count(), refunds.count())


def connect_gateway(
    *, merchant: Merchant, name: str, credentials: Credentials, also: Callable[[], None] | None = None
) -> GatewayAccount:
    """Store keys that the processor has accepted; those of another account only while nothing hangs on the first.

    New keys of the same account replace the old ones at any time. An account that was connected before its id was kept
    is asked for it with the keys held so far; if these have ended already, new keys count as another account's.
    `also` is called in the transaction that stores them.
    Raises KeysNotAccepted, GatewayUnavailable, GatewayInUse, UnknownGateway.
    """
    account_id = gateway(name, credentials).check_keys()
    _learn_id_first(merchant, name, account_id, credentials)
    with transaction.atomic():
        held = GatewayAccount.objects.select_for_update().filter(merchant=merchant, gateway=name).first()
        if held and not _is_same(held, account_id, credentials) and (use := use_of(merchant, name)):
            raise GatewayInUse(use)
        keys = {
            "account_id": account_id,
            "public_key": credentials.public_key,
            "secret_key": credentials.secret_key,
            "webhook_secret": credentials.webhook_secret,
        }
        account, _ = GatewayAccount.objects.update_or_create(merchant=merchant, gateway=name, defaults=keys)
        if also:
            also()
    return account


def _learn_id_first(merchant: Merchant, name: str, account_id: str, credentials: Credentials) -> None:
    held = GatewayAccount.objects.filter(merchant=merchant, gateway=name, account_id="").first()
    if held and held.public_key == credentials.public_key:
        _note_id(held, account_id)
    elif held:
        learn_id(account_id=held.id)


def accounts_without_id() -> list[UUID]:
    """Return the connections that were made before the processor's own ids of accounts were kept."""
    return list(GatewayAccount.objects.filter(account_id="").values_list("id", flat=True))


def learn_id(*, account_id: UUID) -> None:
    """Ask the processor which account a connection of old opens; while it does not say, the id stays unknown."""
    held = GatewayAccount.objects.filter(id=account_id, account_id="").first()
    if held is None:
        return
    with suppress(KeysNotAccepted, GatewayUnavailable):
        _note_id(held, gateway(held.gateway, held.credentials()).check_keys())


def _note_id(held: GatewayAccount, account_id: str) -> None:
    """Note the id of an account, on what is saved at it as well."""
    with transaction.atomic():
        # Not if somebody else has just stored keys: the answer was about those that were held.
        unknown = GatewayAccount.objects.filter(id=held.id, account_id="", public_key=held.public_key)
        if unknown.update(account_id=account_id):
            saved = PaymentMethod.objects.filter(merchant=held.merchant_id, gateway=held.gateway, account_id="")
            saved.update(account_id=account_id)


def _is_same(held: GatewayAccount, account_id: str, credentials: Credentials) -> bool:
    if held.account_id:
        return held.account_id == account_id
    return held.public_key == credentials.public_key


def connect_test_account(*, merchant: Merchant, name: str, also: Callable[[], None] | None = None) -> GatewayAccount:
    """Open an account of the processor's test mode and connect it. Raises GatewayUnavailable, GatewayInUse."""
    account_name = f"{merchant.slug} {merchant.id.hex[-12:]}"
    keys = open_test_account(name, account_name, webhook_url=webhook_address(merchant, name))
    return connect_gateway(merchant=merchant, name=name, credentials=keys, also=also)


def disconnect_gateway(*, merchant: Merchant, name: str) -> None:
    """Forget a merchant's keys at a processor. Raises NotConnected, GatewayInUse."""
    with transaction.atomic():
        account = GatewayAccount.objects.select_for_update().filter(merchant=merchant, gateway=name).first()
        if account is None:
            raise NotConnected
        if use := use_of(merchant, name):
            raise GatewayInUse(use)
        account.delete()


def choose_for_new(*, merchant: Merchant, kind: MethodKind, name: str) -> None:
    """Let one of the connected processors take the cards, or bank accounts, that are entered from now on.

    What is saved already stays where it is. Raises NotConnected.
    """
    field = "takes_new_cards" if kind == MethodKind.CARD else "takes_new_accounts"
    with transaction.atomic():
        Merchant.objects.select_for_update(no_key=True).get(id=merchant.id)
        chosen = next((each for each in able_accounts(merchant.id, kind) if each.gateway == name), None)
        if chosen is None:
            raise NotConnected
        accounts = GatewayAccount.objects.filter(merchant=merchant)
        accounts.exclude(id=chosen.id).filter(**{field: True}).update(**{field: False})
        accounts.filter(id=chosen.id).update(**{field: True})


def webhook_address(merchant: Merchant, name: str) -> str:
    """Return where a processor sends what happened to a merchant's payments."""
    return f"{settings.PUBLIC_URL}/webhooks/{name}/{merchant.slug}/"


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"
