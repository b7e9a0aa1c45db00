"""PDFs as the customer sees them, and the merchant's own PDF of an invoice: kept, and removed again."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from payorcrm.backoffice.access import for_collectors, for_staff, invoice_of, payment_of
from payorcrm.core.clock import now
from payorcrm.invoices.documents import NotAPdf, keep_document, remove_document
from payorcrm.invoices.draw_invoice import invoice_pdf as draw_invoice
from payorcrm.invoices.models import Invoice
from payorcrm.merchants.models import Staff
from payorcrm.payments.draw_receipt import receipt_name
from payorcrm.payments.draw_receipt import receipt_pdf as draw_receipt
from payorcrm.ui.documents import pdf_response


class DocumentForm(forms.Form):
    """The merchant's own PDF of an invoice."""

    file = forms.FileField(
        label="PDF of this invoice",
        help_text="5 MB at most. Customers see it instead of the page that we draw.",
        widget=forms.ClearableFileInput(attrs={"accept": "application/pdf,.pdf"}),
        error_messages={"required": "Choose a PDF first.", "empty": "The file is empty. Please choose another one."},
    )


@require_safe
@for_staff
def invoice_pdf(request: HttpRequest, staff: Staff, invoice_id: UUID) -> HttpResponse:
    """Show an invoice as its customer gets it."""
    invoice = invoice_of(staff, invoice_id)
    return pdf_response(draw_invoice(invoice), f"Invoice {invoice.number}")


@require_safe
@for_staff
def receipt_pdf(request: HttpRequest, staff: Staff, payment_id: UUID) -> HttpResponse:
    """Show the receipt of a payment as its customer gets it."""
    payment = payment_of(staff, payment_id)
    return pdf_response(draw_receipt(payment), receipt_name(payment))


@require_POST
@for_collectors
def keep(request: HttpRequest, staff: Staff, invoice_id: UUID) -> HttpResponse:
    """Keep an uploaded PDF as the invoice's document."""
    invoice = invoice_of(staff, invoice_id)
    form = DocumentForm(request.POST, request.FILES)
    try:
        if form.is_valid():
            document = keep_document(invoice=invoice, file=form.cleaned_data["file"], now=now())
            messages.success(request, f"{document.file_name} is kept. The customer sees it as this invoice.")
        else:
            messages.error(request, " ".join(map(str, form.errors["file"])))
    except NotAPdf as refusal:
        messages.error(request, str(refusal))
    return _back_to(staff, invoice)


@require_POST
@for_collectors
def remove(request: HttpRequest, staff: Staff, invoice_id: UUID) -> HttpResponse:
    """Remove the uploaded PDF of an invoice."""
    invoice = invoice_of(staff, invoice_id)
    remove_document(invoice)
    messages.success(request, "The PDF is removed. The customer sees the page that we draw.")
    return _back_to(staff, invoice)


def _back_to(staff: Staff, invoice: Invoice) -> HttpResponse:
    return redirect("backoffice:invoice", merchant_slug=staff.merchant.slug, invoice_id=invoice.id)
