"""The only functions of the portal that turn something from an address into an object."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404

from payorcrm.core.models import User
from payorcrm.customers.models import Customer, PortalAccess
from payorcrm.gateways.base import MethodKind
from payorcrm.merchants.branding import brand_of
from payorcrm.merchants.models import Merchant
from payorcrm.payment_methods.models import PaymentMethod
from payorcrm.payments.confirm import open_confirmation
from payorcrm.payments.links import (
    PaymentLink,
    open_payment_link,
    open_payment_page,
    open_unsubscribe_link,
    read_payment_token,
)
from payorcrm.payments.models import Confirmation, Payment, PaymentRequest
from payorcrm.payments.queries import payments_of, request_of

ENTERED_METHOD_LIFE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class PayPage:
    """What a payment link opens: the link, its token and the request."""

    token: str
    link: PaymentLink
    request: PaymentRequest


def show_brand(request: HttpRequest, merchant: Merchant) -> None:
    """Give the page the merchant's name and colours."""
    request.brand = brand_of(merchant)  # type: ignore[attr-defined]


def pay_page(request: HttpRequest, token: str, now: datetime) -> PayPage:
    """Open a payment link. Raises NotGenuine, LinkExpired, RequestGone."""
    link = open_payment_link(token, now=now)
    return _pay_page(request, token, link)


def expired_pay_page(request: HttpRequest, token: str) -> PayPage:
    """Open a genuine payment link however old it is. Raises NotGenuine, RequestGone."""
    return _pay_page(request, token, read_payment_token(token))


def _pay_page(request: HttpRequest, token: str, link: PaymentLink) -> PayPage:
    payment_request = request_of(link)
    show_brand(request, payment_request.merchant)
    return PayPage(token, link, payment_request)


def saved_method(page: PayPage) -> PaymentMethod | None:
    """Return the saved method that the link's button names, if its customer still has it."""
    method_id = page.link.method_id()
    if method_id is None:
        return None
    return PaymentMethod.objects.saved().filter(id=method_id, customer=page.request.customer).first()


def entered_method(page: PayPage, method_id: UUID, now: datetime) -> PaymentMethod:
    """Return a bank account that was entered here a moment ago, or 404.

    A saved one is never reached this way: it is only charged after a confirmation from the mail to the address on file.
    """
    entered = PaymentMethod.objects.filter(
        customer=page.request.customer,
        kind=MethodKind.BANK_ACCOUNT,
        saved_at=None,
        removed_at=None,
        created_at__gt=now - ENTERED_METHOD_LIFE,
    )
    return get_object_or_404(entered, id=method_id)


def confirmation(request: HttpRequest, token: str, now: datetime) -> Confirmation:
    """Open a confirmation link. Raises NotGenuine, ConfirmationExpired."""
    found = open_confirmation(token=token, now=now)
    show_brand(request, found.merchant)
    return found


def payment_of_page(request: HttpRequest, token: str, now: datetime) -> Payment:
    """Return the payment that a result page's link names, or 404. Raises NotGenuine, LinkExpired."""
    payments = Payment.objects.select_related("merchant", "customer", "method", "request", "mandate")
    payment = get_object_or_404(payments, id=open_payment_page(token, now=now))
    show_brand(request, payment.merchant)
    return payment


def customer_to_unsubscribe(request: HttpRequest, token: str) -> Customer:
    """Return the customer that an unsubscribe link names, or 404. Raises NotGenuine."""
    customer = get_object_or_404(Customer.objects.select_related("merchant"), id=open_unsubscribe_link(token))
    show_brand(request, customer.merchant)
    return customer


def accesses_of(request: HttpRequest) -> list[PortalAccess]:
    """Return the customers that the signed-in user may act for, in order of their names."""
    if not isinstance(request.user, User):
        return []
    accesses = request.user.portal_accesses.select_related("customer", "merchant")
    return list(accesses.order_by("merchant__name", "customer__company_name", "id"))


def current_access(request: HttpRequest) -> PortalAccess:
    """Return the access the user works with: the one chosen last, else the first; 404 without any."""
    accesses = accesses_of(request)
    if not accesses:
        raise Http404
    chosen = request.session.get("portal_access")
    access = next((one for one in accesses if str(one.id) == chosen), accesses[0])
    show_brand(request, access.merchant)
    return access


def access_to(request: HttpRequest, access_id: str) -> PortalAccess:
    """Return one of the user's own accesses, or 404."""
    for access in accesses_of(request):
        if str(access.id) == access_id:
            return access
    raise Http404


def payment_of_customer(request: HttpRequest, payment_id: UUID) -> Payment:
    """Return one payment of the customer that the user works for, or 404."""
    return get_object_or_404(payments_of(current_access(request).customer), id=payment_id)
