"""Reads about merchants that several callers share."""

from operator import attrgetter
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from payorcrm.core.errors import Refused
from payorcrm.gateways.base import Gateway, MethodKind
from payorcrm.gateways.registry import gateway, gateway_class
from payorcrm.merchants.models import GatewayAccount, Merchant, Role, Staff


class CannotTakePayments(Refused):
    """A merchant has not connected a payment processor."""

    code = "cannot_take_payments"
    message = _("Online payment is not set up yet. Please contact the company that sent you the invoice.")


def gateway_account_of(merchant_id: UUID, name: str = "") -> GatewayAccount:
    """Return the account of a named gateway, or the merchant's first one. Raises CannotTakePayments."""
    for account in GatewayAccount.objects.raw(
        "SELECT * FROM merchants_gatewayaccount WHERE merchant_id = %s AND %s IN ('', gateway) ORDER BY id LIMIT 1",
        [merchant_id, name],
    ):
        return account
    raise CannotTakePayments


def account_for_new(merchant_id: UUID, kind: MethodKind) -> GatewayAccount:
    """Return the account at which a card or bank account is entered now. Raises CannotTakePayments."""
    accounts = able_accounts(merchant_id, kind)
    if not accounts:
        raise CannotTakePayments
    is_chosen = attrgetter("takes_new_cards" if kind == MethodKind.CARD else "takes_new_accounts")
    return next(filter(is_chosen, accounts), accounts[0])


def able_accounts(merchant_id: UUID, kind: MethodKind) -> list[GatewayAccount]:
    """Return the accounts at processors that take cards, or bank accounts; the one connected first comes first."""
    accounts = GatewayAccount.objects.filter(merchant=merchant_id).order_by("id")
    return [account for account in accounts if kind in gateway_class(account.gateway).kinds]


def hold_gateway_account(merchant_id: UUID, name: str) -> GatewayAccount:
    """Return the account, which stays connected as it is until the caller's transaction ends.

    Raises CannotTakePayments.
    """
    for account in GatewayAccount.objects.raw(
        "SELECT * FROM merchants_gatewayaccount WHERE merchant_id = %s AND gateway = %s FOR KEY SHARE",
        [merchant_id, name],
    ):
        return account
    raise CannotTakePayments


def gateway_of(account: GatewayAccount) -> Gateway:
    """Return the line to the processor that an account's keys open."""
    return gateway(account.gateway, account.credentials())


def people_to_tell(merchant: Merchant) -> list[str]:
    """Return the addresses of the staff who act when something goes wrong: owners and collectors."""
    told = Staff.objects.filter(merchant=merchant, role__in=[Role.OWNER, Role.COLLECTOR], user__is_active=True)
    return list(told.order_by("id").values_list("user__email", flat=True))
