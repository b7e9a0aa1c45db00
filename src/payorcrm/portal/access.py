"""The only functions of the portal that turn something from an address into an object."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, ClassVar
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy as _

from payorcrm.core.errors import Refused
from payorcrm.core.models import User
from payorcrm.customers.models import Customer, PortalAccess, Viewing
from payorcrm.gateways.base import MethodKind
from payorcrm.invoices.models import Invoice, InvoiceStatus
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
# Names in the session.
CHOSEN_ACCESS = "portal_access"
VIEWING = "portal_viewing"

View = Callable[..., HttpResponseBase]


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


@dataclass(frozen=True, slots=True)
class Visit:
    """Who is in the portal, and for which customer. Staff who only look have no access and change nothing."""

    user: User
    customer: Customer
    access: PortalAccess | None
    accesses: list[PortalAccess]

    @property
    def merchant(self) -> Merchant:
        """The business that the customer owes."""
        return self.customer.merchant

    @property
    def is_viewing(self) -> bool:
        """Say whether a member of staff looks at the portal as the customer sees it."""
        return self.access is None


class OnlyViewing(Refused):
    """A member of staff who views the portal as a customer tried to change something."""

    code = "only_viewing"
    status: ClassVar[int] = 403
    message = _("You are viewing the portal as this customer sees it. Nothing was changed, and nothing can be paid.")


def for_customers(view: View) -> View:
    """Give a view the visit of a signed-in user who acts for a customer; 404 for a user without one."""

    @login_required
    @wraps(view)
    def guarded(request: HttpRequest, **ids: Any) -> HttpResponseBase:
        visit = visit_of(request)
        request.visit = visit  # type: ignore[attr-defined]
        show_brand(request, visit.merchant)
        if visit.is_viewing and request.method not in ("GET", "HEAD", "OPTIONS"):
            raise OnlyViewing
        response = view(request, visit, **ids)
        response.headers.setdefault("Cache-Control", "private, no-store")
        return response

    return guarded


def visit_of(request: HttpRequest) -> Visit:
    """Return the visit of a signed-in user: for the customer chosen last, else the first; 404 without any."""
    assert isinstance(request.user, User)
    accesses = accesses_of(request.user)
    viewed = viewed_customer(request)
    if viewed:
        return Visit(request.user, viewed, None, accesses)
    if not accesses:
        raise Http404
    chosen = request.session.get(CHOSEN_ACCESS)
    access = next((one for one in accesses if str(one.id) == chosen), accesses[0])
    return Visit(request.user, access.customer, access, accesses)


def viewed_customer(request: HttpRequest) -> Customer | None:
    """Return the customer as whom a member of staff looks at the portal, if one does."""
    viewing_id = request.session.get(VIEWING)
    if not viewing_id:
        return None
    viewings = Viewing.objects.filter(id=viewing_id, user_id=request.user.pk, ended_at=None)
    still_staff = viewings.filter(merchant__staff__user_id=request.user.pk)
    viewing = still_staff.select_related("customer__merchant").first()
    return viewing.customer if viewing else None


def accesses_of(user: User) -> list[PortalAccess]:
    """Return the customers that a user may act for, in order of their names."""
    accesses = user.portal_accesses.live().select_related("customer__merchant").defer("customer__merchant__logo")
    return list(accesses.order_by("customer__merchant__name", "customer__company_name", "id"))


def access_to(visit: Visit, access_id: str) -> PortalAccess:
    """Return one of the user's own accesses, or 404."""
    for access in visit.accesses:
        if str(access.id) == access_id:
            return access
    raise Http404


def payment_of_customer(visit: Visit, payment_id: UUID) -> Payment:
    """Return one payment of the customer that the user works for, or 404."""
    return get_object_or_404(payments_of(visit.customer), id=payment_id)


def invoice_of_customer(visit: Visit, invoice_id: UUID) -> Invoice:
    """Return one invoice of the customer that the user works for, or 404; drafts are the merchant's own."""
    invoices = Invoice.objects.filter(customer=visit.customer).exclude(status=InvoiceStatus.DRAFT)
    return get_object_or_404(invoices, id=invoice_id)


def method_of_customer(visit: Visit, method_id: UUID) -> PaymentMethod:
    """Return one saved method of the customer that the user works for, or 404."""
    return get_object_or_404(PaymentMethod.objects.saved(), customer=visit.customer, id=method_id)
