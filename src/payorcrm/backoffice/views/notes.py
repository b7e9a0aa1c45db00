"""Notes about a customer: write one, change or delete one's own."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from payorcrm.backoffice.access import customer_of, for_collectors, note_of
from payorcrm.core import clock
from payorcrm.customers.mention import mentioned_in, strangers_in
from payorcrm.customers.models import Customer
from payorcrm.customers.notes import NotYourNote, change_note, delete_note, write_note
from payorcrm.merchants.models import Staff


class NoteForm(forms.Form):
    """The text of a note."""

    text = forms.CharField(
        label="Note",
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Only your staff see it. @ and the first part of a colleague's address sends them a mail.",
    )


@require_POST
@for_collectors
def write(request: HttpRequest, staff: Staff, customer_id: UUID) -> HttpResponse:
    """Keep a new note."""
    customer = customer_of(staff, customer_id)
    form = NoteForm(request.POST)
    if form.is_valid():
        write_note(customer=customer, author=staff.user, text=form.cleaned_data["text"], now=clock.now())
        messages.success(request, "The note is saved." + _who_hears(staff, form.cleaned_data["text"]))
    else:
        messages.warning(request, "No note was saved: write something, of at most 4,000 letters.")
    return _back(staff, customer)


@require_http_methods(["GET", "HEAD", "POST"])
@for_collectors
def change(request: HttpRequest, staff: Staff, note_id: UUID) -> HttpResponse:
    """Show one's own note to be changed; a POST changes it. Raises NotYourNote."""
    note = note_of(staff, note_id)
    if note.author_id != staff.user_id:
        raise NotYourNote
    form = NoteForm(request.POST if request.method == "POST" else None, initial={"text": note.text})
    if request.method == "POST" and form.is_valid():
        change_note(note=note, changed_by=staff.user, text=form.cleaned_data["text"], now=clock.now())
        messages.success(request, "The note is changed." + _who_hears(staff, form.cleaned_data["text"]))
        return _back(staff, note.customer)
    context = {"section": "customers", "customer": note.customer, "note": note, "form": form}
    return render(request, "backoffice/note_page.html", context)


@require_POST
@for_collectors
def delete(request: HttpRequest, staff: Staff, note_id: UUID) -> HttpResponse:
    """Delete one's own note. Raises NotYourNote."""
    note = note_of(staff, note_id)
    delete_note(note=note, deleted_by=staff.user)
    messages.success(request, "The note is deleted.")
    return _back(staff, note.customer)


def _who_hears(staff: Staff, text: str) -> str:
    """Say whom a note's mentions mail, and which of them name nobody."""
    if "@" not in text:
        return ""
    heard = [str(user) for user in mentioned_in(text, staff.merchant_id) if user.id != staff.user_id]
    words = f" It is mailed to {', '.join(heard)}." if heard else ""
    if strangers := strangers_in(text, staff.merchant_id):
        words += (
            f" No colleague is called {', '.join(f'@{name}' for name in strangers)}, so nobody was mailed for that."
        )
    return words


def _back(staff: Staff, customer: Customer) -> HttpResponse:
    return redirect("backoffice:customer", merchant_slug=staff.merchant.slug, customer_id=customer.id)
