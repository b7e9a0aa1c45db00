"""Reads of payments and requests that several callers share."""

from uuid import UUID

from django.db.models import QuerySet

from payorcrm.core.errors import Refused
from payorcrm.customers.models import Customer
from payorcrm.invoices.models import Invoice
from payorcrm.merchants.models import Merchant
from payorcrm.payments.links import PaymentLink
from payorcrm.payments.models import Allocation, Payment, PaymentRequest, PaymentState


class RequestGone(Refused):
    """A genuine link names a request that no longer exists."""

    code = "request_gone"
    status = 404
    message = "This payment page does not exist any more."


def request_of(link: PaymentLink) -> PaymentRequest:
    """Return the request that a payment link names. Raises RequestGone."""
    request = PaymentRequest.objects.select_related("merchant", "customer").filter(id=link.request_id).first()
    if request is None:
        raise RequestGone
    return request


def invoices_of(request: PaymentRequest) -> list[Invoice]:
    """Return every invoice of a request, the oldest due date first."""
    lines = request.lines.values("invoice_id")
    return list(Invoice.objects.filter(id__in=lines, customer_id=request.customer_id).order_by("due_on", "number"))


def payable_invoices_of(request: PaymentRequest) -> list[Invoice]:
    """Return the invoices of a request that can still be paid, the oldest due date first."""
    return [
        invoice
        for invoice in invoices_of(request)
        if invoice.status == "open" and invoice.payable_money() and invoice.currency == request.currency
    ]


def is_all_of(payment: Payment, request: PaymentRequest) -> bool:
    """Say whether everything that a payment pays is named by a request, so that its page shows nothing else."""
    named = request.lines.values("invoice_id")
    return not Allocation.objects.filter(payment=payment).exclude(invoice_id__in=named).exists()


def last_payment_for(request: PaymentRequest) -> Payment | None:
    """Return the latest payment, done or under way, for any invoice of a request."""
    paid = Allocation.objects.filter(invoice_id__in=request.lines.values("invoice_id")).values("payment_id")
    states = [PaymentState.SUCCEEDED, PaymentState.PENDING, PaymentState.SUBMITTING]
    return (
        Payment.objects.select_related("method", "merchant", "customer")
        .filter(id__in=paid, customer_id=request.customer_id, state__in=states)
        .order_by("-submitted_at", "-id")
        .first()
    )


def payments_for(merchant: Merchant) -> QuerySet[Payment]:
    """Return all payments to a merchant, newest first."""
    return (
        Payment.objects.filter(merchant=merchant).select_related("customer", "method").order_by("-submitted_at", "-id")
    )


def payments_of(customer: Customer) -> QuerySet[Payment]:
    """Return all payments of a customer, newest first: the same rows as the merchant sees."""
    return (
        Payment.objects.filter(customer=customer, merchant_id=customer.merchant_id)
        .select_related("merchant", "method")
        .order_by("-submitted_at", "-id")
    )


def allocations_of(payment_id: UUID) -> list[Allocation]:
    """Return what a payment pays, with its invoices, the oldest due date first."""
    return list(
        Allocation.objects.filter(payment_id=payment_id)
        .select_related("invoice")
        .order_by("invoice__due_on", "invoice__number")
    )
