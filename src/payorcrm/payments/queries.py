"""Reads of payments and requests that several callers share."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import connection
from django.db.models import BigIntegerField, Case, F, OuterRef, Q, QuerySet, Subquery, Sum, When
from django.db.models.functions import Coalesce
from django.db.models.lookups import GreaterThan
from django.utils.translation import gettext_lazy as _

from payorcrm.core.errors import Refused
from payorcrm.core.money import Money
from payorcrm.customers.models import Customer
from payorcrm.invoices.models import Invoice
from payorcrm.merchants.models import Merchant
from payorcrm.payments.links import PaymentLink
from payorcrm.payments.models import (
    NOT_CHARGED_STATES,
    Allocation,
    Payment,
    PaymentRequest,
    PaymentRequestLine,
    PaymentStanding,
    PaymentState,
    RequestOrigin,
)


class RequestGone(Refused):
    """A genuine link names a request that no longer exists."""

    code = "request_gone"
    status = 404
    message = _("This payment page does not exist any more.")


def request_of(link: PaymentLink) -> PaymentRequest:
    """Return the request that a payment link names. Raises RequestGone."""
    return request_named(link.request_id)


def request_named(request_id: UUID) -> PaymentRequest:
    """Return the request that a mail was about. Raises RequestGone."""
    request = PaymentRequest.objects.select_related("merchant", "customer").filter(id=request_id).first()
    if request is None:
        raise RequestGone
    return request


def invoices_of(request: PaymentRequest) -> list[Invoice]:
    """Return every invoice of a request, the oldest due date first."""
    lines = request.lines.values("invoice_id")
    return list(Invoice.objects.filter(id__in=lines, customer_id=request.customer_id).order_by("due_on", "number"))


@dataclass(frozen=True, slots=True)
class PayableLine:
    """One invoice of a request that can still be paid, and how much of it the request would pay."""

    invoice: Invoice
    amount: Money

    def is_part(self) -> bool:
        """Say whether something payable of the invoice would be left."""
        return self.amount != self.invoice.payable_money()


@dataclass(frozen=True, slots=True)
class Due:
    """What can still be paid of a request: the total, of how many invoices, and of how many a payment is under way."""

    total: Money
    count: int
    under_way_count: int
    line_count: int

    @property
    def settled_count(self) -> int:
        """How many invoices of the request are left out."""
        return self.line_count - self.count


def payable_lines_of(request: PaymentRequest) -> list[PayableLine]:
    """Return what of a request can still be paid, the oldest due date first."""
    return [_as_payable(line.invoice, line.amount) for line in _payable(request)]


def first_payable_lines_of(request: PaymentRequest, count: int) -> list[PayableLine]:
    """Return the first of what can still be paid of a request."""
    return [_as_payable(line.invoice, line.amount) for line in _payable(request)[:count]]


def payable_invoices_of(request: PaymentRequest) -> QuerySet[Invoice]:
    """Return the invoices of a request that can still be paid, for lists of any length."""
    invoices = Invoice.objects.payable().filter(currency=request.currency, customer_id=request.customer_id)
    return invoices.filter(id__in=request.lines.values("invoice_id"))


def payable_lines_for(request: PaymentRequest, invoices: Sequence[Invoice]) -> list[PayableLine]:
    """Return the lines of a request for some of its payable invoices, in their order."""
    lines = request.lines.filter(invoice_id__in=[invoice.id for invoice in invoices])
    parts = dict(lines.values_list("invoice_id", "amount"))
    return [_as_payable(invoice, parts.get(invoice.id)) for invoice in invoices]


def payable_amounts_of(request: PaymentRequest) -> dict[UUID, int]:
    """Return the minor units that can still be paid of each invoice of a request."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT i.id, {_AMOUNT} {_PAYABLE_LINES}", [request.id, request.currency])
        return dict(cursor.fetchall())


def due_of(request: PaymentRequest) -> Due:
    """Add up what can still be paid of a request, however long it is."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT coalesce(sum({_AMOUNT}), 0)::bigint, count(*), count(*) FILTER (WHERE i.in_flight > 0), "  # noqa: S608
            f"(SELECT count(*) FROM payments_paymentrequestline WHERE request_id = %s) {_PAYABLE_LINES}",
            [request.id, request.id, request.currency],
        )
        total, *counts = cursor.fetchone()
    return Due(Money(total, request.currency), *counts)


def payable_numbers_of(request: PaymentRequest) -> list[str]:
    """Return the numbers of the invoices that a request would pay, the oldest due date first."""
    return list(_payable(request).values_list("invoice__number", flat=True))


# A chosen part is the most that is taken of its invoice; least() passes over null, which stands for everything.
_AMOUNT = "least(l.amount, i.balance - i.in_flight)"
_PAYABLE_LINES = """FROM payments_paymentrequestline l JOIN invoices_invoice i ON i.id = l.invoice_id
 WHERE l.request_id = %s AND i.currency = %s AND i.status = 'open' AND i.in_flight < i.balance"""


def _payable(request: PaymentRequest) -> QuerySet[PaymentRequestLine]:
    lines = request.lines.filter(invoice__status="open", invoice__currency=request.currency)
    payable = lines.filter(invoice__in_flight__lt=F("invoice__balance"))
    return payable.select_related("invoice").order_by("invoice__due_on", "invoice__number")


def _as_payable(invoice: Invoice, part: int | None) -> PayableLine:
    payable = invoice.payable_money()
    return PayableLine(invoice, payable if part is None else min(payable, Money(part, payable.currency)))


def standing_payment_of(request: PaymentRequest) -> Payment | None:
    """Return the payment that pays a request of the portal, or has: one is all that it may have.

    Declined and failed ones do not stand, so that the payer may try another way. A returned one does: who wants to pay
    again chooses the invoices again.
    """
    if request.origin != RequestOrigin.PORTAL:
        return None
    return request.payments.exclude(state__in=NOT_CHARGED_STATES).order_by("submitted_at", "id").first()


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


def unapplied_of(payment: Payment, allocations: Sequence[Allocation]) -> Money:
    """Return what arrived of a payment and neither pays an invoice nor was given back."""
    if payment.state not in (PaymentState.SUCCEEDED, PaymentState.DISPUTED):
        return Money.zero(payment.currency)
    allocated = sum(each.amount for each in allocations)
    return Money(payment.amount - payment.refunded - allocated, payment.currency)


def with_unapplied(payments: QuerySet[Payment]) -> QuerySet[Payment]:
    """Add to each payment `unapplied`, what arrived of it and neither pays an invoice nor was given back."""
    paid = Allocation.objects.filter(payment_id=OuterRef("id")).order_by().values("payment_id")
    allocated = Coalesce(Subquery(paid.annotate(sum=Sum("amount")).values("sum")), 0)
    stands = Q(state__in=[PaymentState.SUCCEEDED, PaymentState.DISPUTED])
    left = F("amount") - F("refunded") - allocated
    return payments.annotate(unapplied=Case(When(stands, then=left), default=0, output_field=BigIntegerField()))


def with_something_unapplied(payments: QuerySet[Payment]) -> QuerySet[Payment]:
    """Keep the payments of which something is unapplied, and say how much as `unapplied`."""
    return with_unapplied(payments).filter(GreaterThan(F("unapplied"), 0))


def standing_is(standing: str) -> Q:
    """Return what keeps the payments that are shown with a standing."""
    if standing == PaymentStanding.PART_REFUNDED:
        return Q(state=PaymentState.SUCCEEDED, refunded__gt=0)
    if standing == PaymentStanding.SUCCEEDED:
        return Q(state=PaymentState.SUCCEEDED, refunded=0)
    return Q(state=standing)


def unapplied_payments_of(customer: Customer, *, most: int) -> list[tuple[Payment, Money]]:
    """Return the customer's oldest payments of which something is unapplied, and how much."""
    arrived = Payment.objects.filter(customer=customer, state=PaymentState.SUCCEEDED).select_related("method")
    left = with_something_unapplied(arrived).order_by("submitted_at", "id")[:most]
    return [(payment, Money(payment.unapplied, payment.currency)) for payment in left]  # type: ignore[attr-defined]


def allocations_of(payment_id: UUID) -> list[Allocation]:
    """Return what a payment pays, with its invoices, the oldest due date first."""
    return list(_allocations(payment_id))


def first_allocations_of(payment_id: UUID, count: int) -> tuple[list[Allocation], int]:
    """Return the first of what a payment pays, and how many there are in all."""
    allocations = _allocations(payment_id)
    return list(allocations[:count]), allocations.count()


def _allocations(payment_id: UUID) -> QuerySet[Allocation]:
    allocations = Allocation.objects.filter(payment_id=payment_id).select_related("invoice")
    return allocations.order_by("invoice__due_on", "invoice__number")
