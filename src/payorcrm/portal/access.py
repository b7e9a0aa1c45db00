"""The only functions of the portal that turn something from an address into an object."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, ClassVar
from uuid import UUID

from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from payorcrm.core import clock
from payorcrm.core.errors import Refused
from payorcrm.core.models import User
from payorcrm.customers.accesses import accesses_of
from payorcrm.customers.invite import open_invitation_link
from payorcrm.customers.models import Customer, Invitation, PortalAccess
from payorcrm.customers.password_link import user_of_password_link
from payorcrm.customers.view_as import VIEWING, end_viewing_of, viewing_of
from payorcrm.gateways.base import MethodKind
from payorcrm.invoices.models import Invoice, InvoiceFile, InvoiceStatus
from payorcrm.merchants.branding import brand_of
from payorcrm.merchants.models import Merchant
from payorcrm.payment_methods.models import Mandate, PaymentMethod, Verification
from payorcrm.payments.confirm import open_confirmation
from payorcrm.payments.links import (
    PaymentLink,
    open_payment_link,
    open_payment_page,
    open_statement_link,
    open_unsubscribe_link,
    read_payment_token,
)
from payorcrm.payments.models import Confirmation, Payment, PaymentRequest, RequestOrigin
from payorcrm.payments.queries import payments_of, request_named, request_of
from payorcrm.payments.request_payment import are_invoices_of
from payorcrm.portal.entrance import sign_in_address
from payorcrm.portal.invited import Opened
from payorcrm.ui.language import speak
from payorcrm.ui.signed_out import lead_to_sign_in

LONGEST_NUMBER = 18
ENTERED_METHOD_LIFE = timedelta(hours=1)
# The name in the session.
CHOSEN_ACCESS = "portal_access"

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


def answer_mail(request: HttpRequest, customer: Customer, merchant: Merchant) -> None:
    """Give a page behind a mail the merchant's brand, and the language of the customer's mails."""
    show_brand(request, merchant)
    speak(customer.language or merchant.language)


def pay_page(request: HttpRequest, token: str, now: datetime) -> PayPage:
    """Open a payment link. Raises NotGenuine, LinkExpired, RequestGone."""
    link = open_payment_link(token, now=now)
    return _pay_page(request, token, link)


def expired_pay_page(request: HttpRequest, token: str) -> PayPage:
    """Open a genuine payment link however old it is. Raises NotGenuine, RequestGone."""
    return _pay_page(request, token, read_payment_token(token))


def _pay_page(request: HttpRequest, token: str, link: PaymentLink) -> PayPage:
    payment_request = request_of(link)
    answer_mail(request, payment_request.customer, payment_request.merchant)
    return PayPage(token, link, payment_request)


def invoice_of_link(page: PayPage, invoice_id: UUID) -> Invoice:
    """Return one invoice of the mail that a payment link came with, or 404; drafts are the merchant's own."""
    asked = page.request.lines.values("invoice_id")
    invoices = Invoice.objects.filter(customer=page.request.customer_id, id__in=asked)
    return get_object_or_404(invoices.exclude(status=InvoiceStatus.DRAFT), id=invoice_id)


def request_of_statement(request: HttpRequest, token: str, now: datetime) -> PaymentRequest:
    """Open the link of a statement. Raises NotGenuine, LinkExpired, RequestGone."""
    payment_request = request_named(open_statement_link(token, now=now))
    answer_mail(request, payment_request.customer, payment_request.merchant)
    return payment_request


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
    return _entered_account(page.request.customer, method_id, now)


def _entered_account(customer: Customer, method_id: UUID, now: datetime) -> PaymentMethod:
    entered = PaymentMethod.objects.filter(
        customer=customer,
        kind=MethodKind.BANK_ACCOUNT,
        saved_at=None,
        removed_at=None,
        created_at__gt=now - ENTERED_METHOD_LIFE,
    )
    return get_object_or_404(entered, id=method_id)


def confirmation(request: HttpRequest, token: str, now: datetime) -> Confirmation:
    """Open a confirmation link. Raises NotGenuine, ConfirmationExpired."""
    found = open_confirmation(token=token, now=now)
    answer_mail(request, found.customer, found.merchant)
    return found


def payment_of_page(request: HttpRequest, token: str, now: datetime) -> Payment:
    """Return the payment that a result page's link names, or 404. Raises NotGenuine, LinkExpired."""
    payments = Payment.objects.select_related("merchant", "customer", "method", "request", "mandate")
    payment = get_object_or_404(payments, id=open_payment_page(token, now=now))
    answer_mail(request, payment.customer, payment.merchant)
    return payment


def customer_to_unsubscribe(request: HttpRequest, token: str) -> Customer:
    """Return the customer that an unsubscribe link names, or 404. Raises NotGenuine."""
    customer = get_object_or_404(Customer.objects.select_related("merchant"), id=open_unsubscribe_link(token))
    answer_mail(request, customer, customer.merchant)
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

    @wraps(view)
    def guarded(request: HttpRequest, **ids: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return lead_to_sign_in(request, sign_in_address(request))
        if _is_viewing_over(request):
            return redirect("home_after_sign_in")
        visit = visit_of(request)
        request.visit = visit  # type: ignore[attr-defined]
        show_brand(request, visit.merchant)
        if visit.is_viewing and request.method not in ("GET", "HEAD", "OPTIONS"):
            raise OnlyViewing
        try:
            response = view(request, visit, **ids)
        except Refused as refused:
            if request.htmx:  # type: ignore[attr-defined]
                raise
            response = _refused(request, refused)
        response.headers.setdefault("Cache-Control", "private, no-store")
        return response

    return guarded


def for_own_users(view: View) -> View:
    """Like `for_customers`, for pages about the person: staff who only look see neither the user's nor their own."""

    @for_customers
    @wraps(view)
    def guarded(request: HttpRequest, visit: Visit, **ids: Any) -> HttpResponseBase:
        if visit.is_viewing:
            return render(request, "portal/viewing_hidden.html", {"section": "settings"})
        return view(request, visit, **ids)

    return guarded


def _refused(request: HttpRequest, refused: Refused) -> HttpResponse:
    """Say no inside the portal, with ways on; pages outside it have none to offer."""
    return render(request, "portal/refused.html", {"section": "", "said": str(refused)}, status=refused.status)


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
    assert isinstance(request.user, User)
    viewing = viewing_of(request.user, UUID(viewing_id), now=clock.now())
    return viewing.customer if viewing else None


def _is_viewing_over(request: HttpRequest) -> bool:
    """Say whether a member of staff comes back to a look that has ended; it is over for good, and they are told."""
    if VIEWING not in request.session or viewed_customer(request):
        return False
    assert isinstance(request.user, User)
    end_viewing_of(request.user, clock.now())
    del request.session[VIEWING]
    told = gettext("You no longer see the portal as the customer: that ends after an hour, or when your role changes.")
    messages.info(request, told)
    return True


def merchant_at(request: HttpRequest, slug: str) -> Merchant:
    """Return the merchant whose entrance this is, or 404; the page wears its brand."""
    merchant = get_object_or_404(Merchant.objects.defer("logo"), slug=slug)
    show_brand(request, merchant)
    return merchant


def invitation_of_link(request: HttpRequest, merchant: Merchant, token: str, now: datetime) -> Invitation:
    """Return what the button of an invitation leads to, or 404 at another merchant's entrance.

    Raises NotGenuine, InvitationExpired, InvitationUsed.
    """
    invitation = open_invitation_link(token, now=now)
    if invitation.merchant_id != merchant.id:
        raise Http404
    answer_mail(request, invitation.access.customer, merchant)
    return invitation


def invitation_of_session(request: HttpRequest, opened: Opened, now: datetime) -> Invitation | None:
    """Return the invitation by whose password the user came, while that is good; the page wears its merchant's brand.

    None once it is over, or a newer mail has replaced it.
    """
    assert isinstance(request.user, User)
    rows = Invitation.objects.select_related("access__user", "access__customer__merchant")
    good = rows.filter(access__user=request.user, access__removed_at=None, refresh_count=opened.refresh_count)
    invitation = good.filter(id=opened.invitation_id).first()
    if invitation is None or not invitation.is_open(now=now):
        return None
    show_brand(request, invitation.access.customer.merchant)
    return invitation


def user_of_reset_link(merchant: Merchant, key: str) -> User | None:
    """Return who may choose a new password by this link; nobody once it was used, is an hour old, or access ended."""
    user = user_of_password_link(key)
    if user is None or not user.portal_accesses.live().filter(merchant=merchant).exists():
        return None
    return user


def access_to(visit: Visit, access_id: str) -> PortalAccess:
    """Return one of the user's own accesses, or 404."""
    for access in visit.accesses:
        if str(access.id) == access_id:
            return access
    raise Http404


def session_of_user(visit: Visit, session_id: str) -> UserSession:
    """Return one of the user's own sessions, or 404."""
    if not session_id.isascii() or not session_id.isdigit() or len(session_id) > LONGEST_NUMBER:
        raise Http404
    return get_object_or_404(UserSession, user=visit.user, id=int(session_id))


def payment_of_customer(visit: Visit, payment_id: UUID) -> Payment:
    """Return one payment of the customer that the user works for, or 404."""
    return get_object_or_404(payments_of(visit.customer), id=payment_id)


def invoice_of_customer(visit: Visit, invoice_id: UUID) -> Invoice:
    """Return one invoice of the customer that the user works for, or 404; drafts are the merchant's own."""
    invoices = Invoice.objects.filter(customer=visit.customer).exclude(status=InvoiceStatus.DRAFT)
    return get_object_or_404(invoices, id=invoice_id)


def file_of_customer(visit: Visit, file_id: UUID) -> InvoiceFile:
    """Return one file of the customer's invoices that the merchant lets them see, or 404."""
    invoices = Invoice.objects.filter(customer=visit.customer).exclude(status=InvoiceStatus.DRAFT)
    return get_object_or_404(InvoiceFile, invoice__in=invoices, is_for_customer=True, id=file_id)


def known_method_of_customer(visit: Visit, method_id: UUID) -> PaymentMethod:
    """Return one method that the customer has or had saved, or 404; a removed one is told of kindly."""
    kept = PaymentMethod.objects.filter(saved_at__isnull=False).select_related("merchant")
    return get_object_or_404(kept, customer=visit.customer, id=method_id)


def mandate_of_customer(visit: Visit, mandate_id: UUID) -> Mandate:
    """Return one authorization that the customer gave, or 404."""
    mandates = Mandate.objects.select_related("method", "merchant")
    return get_object_or_404(mandates, customer=visit.customer, id=mandate_id)


def method_of_customer(visit: Visit, method_id: UUID) -> PaymentMethod:
    """Return one saved method of the customer that the user works for, or 404."""
    return get_object_or_404(PaymentMethod.objects.saved(), customer=visit.customer, id=method_id)


def invoices_to_pay(visit: Visit, texts: list[str]) -> list[UUID]:
    """Return the ids of the customer's invoices that a form names, each once; 404 for any other."""
    try:
        ids = list(dict.fromkeys(UUID(text) for text in texts))
    except ValueError:
        raise Http404 from None
    if not are_invoices_of(visit.customer, ids):
        raise Http404
    return ids


class OfAnotherAccount(Refused):
    """A user of several customers came back to the page of one after changing to another, as in a second tab."""

    code = "of_another_account"
    message = _("Nothing was charged: this payment belongs to another of your accounts. Please switch to it first.")


def request_of_customer(visit: Visit, request_id: UUID) -> PaymentRequest:
    """Return what a user of the customer chose to pay in the portal, or 404; mails have links of their own.

    Raises OfAnotherAccount.
    """
    own = [visit.customer.id, *(access.customer_id for access in visit.accesses)]
    requests = PaymentRequest.objects.filter(customer__in=own, origin=RequestOrigin.PORTAL)
    found = get_object_or_404(requests, id=request_id)
    if found.customer_id != visit.customer.id:
        raise OfAnotherAccount
    found.customer, found.merchant = visit.customer, visit.merchant
    return found


def entered_account_of(visit: Visit, method_id: UUID, now: datetime) -> PaymentMethod:
    """Return a bank account that a user of the customer entered a moment ago and nobody has saved yet, or 404."""
    return _entered_account(visit.customer, method_id, now)


def account_to_verify(visit: Visit, method_id: UUID) -> PaymentMethod:
    """Return a bank account of the customer that waits for its verification, saved or just entered, or 404."""
    waiting = PaymentMethod.objects.filter(verification=Verification.PENDING, removed_at=None)
    return get_object_or_404(waiting, customer=visit.customer, id=method_id)
