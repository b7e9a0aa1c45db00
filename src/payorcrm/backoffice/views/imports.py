"""Importing a file: dropped, its columns chosen, previewed, and followed while a job imports it."""

from collections.abc import Iterator
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from payorcrm.backoffice.access import for_collectors, for_staff, import_file_of
from payorcrm.backoffice.audit import note_changes
from payorcrm.backoffice.setup_steps import open_setup
from payorcrm.core import clock
from payorcrm.core.column_choices import Look
from payorcrm.core.dates import DateOrder
from payorcrm.core.encodings import UnreadableFile
from payorcrm.core.errors import Refused
from payorcrm.customers.models import Import, ImportKind
from payorcrm.customers.report_import import ImportReport
from payorcrm.invoices.import_kept_file import preview as preview_file
from payorcrm.invoices.import_kept_file import rehearsed, start_import
from payorcrm.invoices.keep_file import MOST_BYTES, choose_columns, is_understood, keep_file, layout_of, look
from payorcrm.invoices.models import ImportFile, ImportState
from payorcrm.invoices.undo_import import CannotUndo, undo_import, why_not_undo
from payorcrm.merchants.models import Staff
from payorcrm.reminders.foresee_import import foresee_import
from payorcrm.ui.exports import csv_response
from payorcrm.ui.paging import page_of

_BAD_ROWS_SHOWN = 50
_DATES = [
    ("", "As the file makes clear; what could be two days is refused"),
    (DateOrder.MDY.value, "Month first: 03/04/2026 is March 4"),
    (DateOrder.DMY.value, "Day first: 03/04/2026 is April 3"),
    (DateOrder.YMD.value, "Year first: 26/03/04 is March 4, 2026"),
]


class UploadForm(forms.Form):
    """A file and what is in it."""

    kind = forms.ChoiceField(
        label="What is in the file",
        choices=[
            (ImportKind.CUSTOMERS.value, "Customers: a number or a name, and an e-mail address to be reminded"),
            (ImportKind.INVOICES.value, "Invoices: a number, a customer, an amount and a due date"),
        ],
    )
    file = forms.FileField(
        label="File",
        help_text="CSV or XLSX, 20 MB at most. You see what would change first.",
        widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt,.xlsx,.xls", "class": "drop"}),
        error_messages={"required": "Choose a file first.", "empty": "The file is empty. Please choose another one."},
    )


class ColumnsForm(forms.Form):
    """What each column of one file means."""

    def __init__(self, found: Look, file: ImportFile, sent_in: QueryDict | None = None) -> None:
        super().__init__(sent_in)
        meanings = [("", "Not used"), *((name, name.capitalize()) for name in layout_of(file.kind).names)]
        for place, name in enumerate(found.header):
            self.fields[f"column_{place}"] = forms.ChoiceField(
                label=f"Column {place + 1}: {name or 'without a name'}",
                choices=meanings,
                required=False,
                disabled=not name,
                initial=found.meanings.get(place, ""),
            )
        if file.kind == ImportKind.INVOICES:
            self.fields["dates"] = forms.ChoiceField(
                label="How dates are written", choices=_DATES, required=False, initial=file.dates
            )

    def meanings(self) -> dict[int, str]:
        """Return what was chosen, by the places of the columns."""
        given = self.cleaned_data.items()
        return {int(name.removeprefix("column_")): value for name, value in given if name.startswith("column_")}

    def date_order(self) -> DateOrder | None:
        """Return the chosen order of dates."""
        chosen = self.cleaned_data.get("dates")
        return DateOrder(chosen) if chosen else None


@require_safe
@for_staff
def imports(request: HttpRequest, staff: Staff) -> HttpResponse:
    """Offer to drop a file, and list what was imported."""
    past = Import.objects.filter(merchant=staff.merchant).select_related("file").defer("file__content")
    page = page_of(past, by=("-id",), query=request.GET)
    # Customers come first; whoever has imported some brings invoices far more often.
    likely = (ImportKind.INVOICES if page.rows else ImportKind.CUSTOMERS).value
    context = {
        "section": "customers",
        "form": UploadForm(initial={"kind": request.GET.get("kind", likely)}),
        "page": page,
        "unfinished": _unfinished(staff),
    }
    return render(request, "backoffice/import_list.html", context)


def _unfinished(staff: Staff) -> list[ImportFile]:
    states = [ImportState.WAITING, ImportState.RUNNING]
    return list(ImportFile.objects.filter(merchant=staff.merchant, state__in=states).defer("content").order_by("-id"))


@require_POST
@for_collectors
def upload(request: HttpRequest, staff: Staff) -> HttpResponse:
    """Keep a file and go on to its columns, or to what it would change where every column is understood."""
    form = UploadForm(request.POST, request.FILES)
    try:
        if form.is_valid():
            sent = form.cleaned_data["file"]
            file = keep_file(
                merchant=staff.merchant,
                kind=ImportKind(form.cleaned_data["kind"]),
                name=sent.name,
                content=sent.read(MOST_BYTES + 1),
                uploaded_by=staff.user,
                now=clock.now(),
            )
            page = "import_preview" if is_understood(file, look(file)) else "import_columns"
            return redirect(f"backoffice:{page}", merchant_slug=staff.merchant.slug, file_id=file.id)
        refusal = " ".join(str(error) for errors in form.errors.values() for error in errors)
    except Refused as error:
        refusal = str(error)
    messages.error(request, f"Nothing was imported. {refusal}")
    return redirect("backoffice:imports", merchant_slug=staff.merchant.slug)


@require_http_methods(["GET", "HEAD", "POST"])
@for_collectors
def columns(request: HttpRequest, staff: Staff, file_id: UUID) -> HttpResponse:
    """Show what each column was taken for, with sample rows, and take over what somebody chooses instead."""
    file = import_file_of(staff, file_id)
    if file.state != ImportState.WAITING:
        return _to_progress(staff, file)
    found = look(file)
    form = ColumnsForm(found, file, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            choose_columns(file=file, meanings=form.meanings(), dates=form.date_order())
            return redirect("backoffice:import_preview", merchant_slug=staff.merchant.slug, file_id=file.id)
        except Refused as refusal:
            form.add_error(None, str(refusal))
    columns = [(form[f"column_{place}"], _samples(found, place)) for place in range(len(found.header))]
    context = {"section": "customers", "file": file, "form": form, "columns": columns}
    return render(request, "backoffice/import_columns.html", context)


def _samples(found: Look, place: int) -> list[str]:
    """Two tell a column as well as five do, and a page of many columns is read sooner."""
    return [row[place] for row in found.rows if row[place].strip()][:2]


@require_http_methods(["GET", "HEAD", "POST"])
@for_collectors
def preview(request: HttpRequest, staff: Staff, file_id: UUID) -> HttpResponse:
    """Show what an import would change and which rows are bad; a POST starts it."""
    file = import_file_of(staff, file_id)
    if file.state != ImportState.WAITING:
        return _to_progress(staff, file)
    if request.method == "POST":
        version = request.POST.get("version", "")
        started = start_import(
            file=file,
            version=int(version) if version.isdecimal() and len(version) < 9 else -1,
            skips_bad_rows="skips_bad_rows" in request.POST,
            sends_invitations="sends_invitations" in request.POST,
        )
        return _to_progress(staff, started)
    is_setting_up = open_setup(staff.merchant) is not None
    context: dict[str, object] = {"section": "customers", "file": file, "is_setting_up": is_setting_up}
    try:
        context |= _looked_at(file)
    except UnreadableFile as problem:
        context["problem"] = str(problem)
    return render(request, "backoffice/import_preview.html", context)


def _looked_at(file: ImportFile) -> dict[str, object]:
    """Return what an import would change, and what the rules would then do about new invoices."""
    now = clock.now()
    with rehearsed(file, now=now) as report:
        has_new = file.kind == ImportKind.INVOICES and report.new_count
        foreseen = foresee_import(file.merchant, now=now) if has_new else None
    return _shown(report) | _read_as(file) | {"foreseen": foreseen}


def _read_as(file: ImportFile) -> dict[str, object]:
    """Return what each named column was taken for, with its first value, and how dates are read if that was chosen."""
    found = look(file)
    named = [(place, name) for place, name in enumerate(found.header) if name]
    columns = [(name, found.meanings.get(place, ""), next(iter(_samples(found, place)), "")) for place, name in named]
    return {"columns": columns, "dates": dict(_DATES)[file.dates] if file.dates else ""}


def _shown(report: ImportReport) -> dict[str, object]:
    good_count = report.new_count + report.changed_count
    return {
        "report": report,
        "good_count": good_count,
        "bad_rows": report.bad_rows[:_BAD_ROWS_SHOWN],
        "more_bad_rows": max(0, len(report.bad_rows) - _BAD_ROWS_SHOWN),
        "bad_row_count": len({bad.row for bad in report.bad_rows}),
        "left": (report.left_in_flight + report.left_closed)[:_BAD_ROWS_SHOWN],
        "left_count": len(report.left_in_flight) + len(report.left_closed),
    }


@require_safe
@for_collectors
def bad_rows(request: HttpRequest, staff: Staff, file_id: UUID) -> HttpResponseBase:
    """Download every value that cannot be used, with its row, column and reason."""
    file = import_file_of(staff, file_id)
    if file.state != ImportState.WAITING:
        return _to_progress(staff, file)
    report = preview_file(file, now=clock.now())
    return csv_response("bad-rows.csv", ["Row", "Column", "Value", "Reason"], _lines(report))


def _lines(report: ImportReport) -> Iterator[list[object]]:
    for bad in report.bad_rows:
        yield [bad.row, bad.column, bad.value, bad.reason]


@require_safe
@for_staff
def progress(request: HttpRequest, staff: Staff, file_id: UUID) -> HttpResponse:
    """Show how far an import is; the page asks again until it is over."""
    name = "backoffice/import_progress.html" if request.htmx else "backoffice/import_run.html"  # type: ignore[attr-defined]
    return render(request, name, _progress_of(import_file_of(staff, file_id)))


def _progress_of(file: ImportFile) -> dict[str, object]:
    return {"section": "customers", "file": file, "why_not_undo": why_not_undo(file)}


@require_POST
@for_collectors
def undo(request: HttpRequest, staff: Staff, file_id: UUID) -> HttpResponse:
    """Take back the last import of invoices; refused, the page of the import says what is in the way."""
    file = import_file_of(staff, file_id)
    try:
        removed = undo_import(file=file, now=clock.now())
    except CannotUndo as refusal:
        context = _progress_of(file) | {"refusal": refusal}
        return render(request, "backoffice/import_run.html", context, status=refusal.status)
    note_changes(request, [(f"Invoice {number}, owed", str(owed), "") for number, owed in removed])
    return _to_progress(staff, file)


def _to_progress(staff: Staff, file: ImportFile) -> HttpResponse:
    return redirect("backoffice:import_progress", merchant_slug=staff.merchant.slug, file_id=file.id)
