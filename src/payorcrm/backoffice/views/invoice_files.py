"""Files that staff attach to an invoice: kept, handed out as downloads, and removed again."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from payorcrm.backoffice.access import for_collectors, for_staff, invoice_file_of, invoice_of
from payorcrm.core.clock import now
from payorcrm.invoices.attach_file import TYPES, TYPES_IN_WORDS, CannotAttach, attach_file, remove_file
from payorcrm.invoices.models import Invoice
from payorcrm.merchants.models import Staff
from payorcrm.ui.documents import download_response


class FileForm(forms.Form):
    """A file to attach."""

    attached = forms.FileField(
        label="File",
        help_text=f"{TYPES_IN_WORDS}, 5 MB at most.",
        max_length=255,
        widget=forms.FileInput(attrs={"accept": ",".join(TYPES)}),
        error_messages={"required": "Choose a file first.", "empty": "The file is empty. Please choose another one."},
    )
    is_for_customer = forms.BooleanField(label="The customer may see it in the portal", required=False)


@require_POST
@for_collectors
def attach(request: HttpRequest, staff: Staff, invoice_id: UUID) -> HttpResponse:
    """Keep an uploaded file beside an invoice."""
    invoice = invoice_of(staff, invoice_id)
    form = FileForm(request.POST, request.FILES)
    if not form.is_valid():
        messages.error(request, f"{form.errors['attached'][0]} Nothing was changed.")
        return _back(staff, invoice)
    try:
        file = attach_file(
            invoice=invoice,
            file=form.cleaned_data["attached"],
            is_for_customer=form.cleaned_data["is_for_customer"],
            uploaded_by=staff.user,
            now=now(),
        )
    except CannotAttach as refusal:
        messages.error(request, f"{refusal} Nothing was changed.")
    else:
        seen = ", and the customer can see it in the portal" if file.is_for_customer else ""
        messages.success(request, f"“{file.file_name}” is attached{seen}.")
    return _back(staff, invoice)


@require_safe
@for_staff
def download(request: HttpRequest, staff: Staff, attached_id: UUID) -> HttpResponse:
    """Hand out an attached file."""
    file = invoice_file_of(staff, attached_id)
    return download_response(bytes(file.content), file_name=file.file_name, content_type=file.content_type)


@require_POST
@for_collectors
def remove(request: HttpRequest, staff: Staff, attached_id: UUID) -> HttpResponse:
    """Remove an attached file."""
    file = invoice_file_of(staff, attached_id)
    remove_file(file)
    messages.success(request, f"“{file.file_name}” is removed.")
    return _back(staff, file.invoice)


def _back(staff: Staff, invoice: Invoice) -> HttpResponse:
    return redirect("backoffice:invoice", merchant_slug=staff.merchant.slug, invoice_id=invoice.id)
