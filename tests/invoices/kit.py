"""What the tests of invoices say again and again."""

from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import F

from payorcrm.core.money import Money
from payorcrm.customers.report_import import ImportReport
from payorcrm.invoices.import_invoices import import_invoices
from payorcrm.invoices.models import Invoice, InvoiceEvent, InvoiceStatus
from payorcrm.ledger.models import Account, Entry, EntryKind, Posting
from payorcrm.ledger.post import Line, Source, post_entry
from payorcrm.merchants.models import Merchant
from payorcrm.payments.models import Allocation, Payment, PaymentState
from tests.factories.models import NOW, PaymentMethodFactory

HEADER = "customerNumber,invoiceNumber,invoiceAmount,balanceAmount,dueDate,invoiceDate,currency"


def pdf_upload(name: str = "Our own.pdf", pdf: bytes = b"%PDF-1.7\nsome pages\n%%EOF\n") -> SimpleUploadedFile:
    """Return a file as a browser sends it."""
    return SimpleUploadedFile(name, pdf, content_type="application/pdf")


def import_text(merchant: Merchant, folder: Path, text: str, **options: object) -> ImportReport:
    """Import what a file of this text says."""
    path = folder / "invoices.csv"
    path.write_text(text, encoding="utf-8")
    return import_invoices(merchant=merchant, path=path, now=NOW + timedelta(hours=1), **options)


def import_lines(
    merchant: Merchant, folder: Path, *lines: str, header: str = HEADER, **options: object
) -> ImportReport:
    """Import rows under the column names of the upload API."""
    return import_text(merchant, folder, "\n".join((header, *lines, "")), **options)


def line_for(invoice: Invoice, *, total: str, balance: str) -> str:
    """Return the row that an accounting system would write for an invoice."""
    days = f"{invoice.due_on},{invoice.issued_on}"
    return f"{invoice.customer.number},{invoice.number},{total},{balance},{days},{invoice.currency}"


def pay(invoice: Invoice, amount: Money, *, state: PaymentState = PaymentState.SUCCEEDED) -> Payment:
    """Write a payment of a part of an invoice, settled or still under way, as `payments` leaves it."""
    payment = Payment.objects.create(
        merchant=invoice.merchant,
        customer=invoice.customer,
        method=PaymentMethodFactory(customer=invoice.customer),
        gateway="sandbox",
        reference=f"PAY-{uuid4().hex[:12]}",
        idempotency_key=uuid4().hex,
        amount=amount.minor,
        currency=amount.currency,
        state=state,
        submitted_at=NOW,
    )
    Allocation.objects.create(
        merchant=invoice.merchant,
        payment=payment,
        invoice=invoice,
        customer_id=invoice.customer_id,
        amount=amount.minor,
        currency=amount.currency,
    )
    invoices = Invoice.objects.filter(id=invoice.id)
    if payment.is_in_flight():
        invoices.update(in_flight=F("in_flight") + amount.minor)
        return payment
    left = invoice.balance - amount.minor
    invoices.update(balance=left, status=InvoiceStatus.OPEN if left else InvoiceStatus.PAID)
    post_entry(
        merchant_id=invoice.merchant_id,
        kind=EntryKind.PAYMENT,
        postings=[Line(Account.CLEARING, amount), Line(Account.RECEIVABLE, -amount, invoice.customer_id)],
        source=Source("payment", payment.id),
        now=NOW,
    )
    return payment


def stand(invoice: Invoice) -> tuple[str, str, str]:
    """Return status, total and balance as they are stored."""
    stored = Invoice.objects.get(id=invoice.id)
    return stored.status, str(stored.total_money()), str(stored.balance_money())


def everything() -> tuple[list[object], ...]:
    """Return all that imports write, to prove that nothing changed."""
    return (
        list(Invoice.objects.order_by("id").values_list()),
        list(InvoiceEvent.objects.order_by("id").values_list()),
        list(Entry.objects.order_by("id").values_list()),
        list(Posting.objects.order_by("id").values_list()),
    )


def history(invoice: Invoice) -> list[tuple[str, int]]:
    """Return kind and amount of every event."""
    return list(InvoiceEvent.objects.filter(invoice=invoice).order_by("kind").values_list("kind", "amount"))


def postings(kind: EntryKind) -> set[tuple[str, str, int]]:
    """Return account, customer number and amount of the postings of imports of one kind."""
    from payorcrm.customers.models import Customer

    numbers = dict(Customer.objects.values_list("id", "number"))
    found = Posting.objects.filter(entry__kind=kind, entry__source_kind="import")
    return {(posting.account, numbers[posting.customer_id], posting.amount) for posting in found}
