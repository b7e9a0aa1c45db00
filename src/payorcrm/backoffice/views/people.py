"""Further people at a customer: who else is there to talk to, and whose address is the one on file."""

from dataclasses import asdict
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from payorcrm.backoffice.access import contact_of, customer_of, for_collectors
from payorcrm.core.errors import Refused
from payorcrm.customers.change_contact import Person
from payorcrm.customers.keep_contacts import ContactRefused, add_contact, change_person, make_primary, remove_contact
from payorcrm.customers.models import Contact, Customer
from payorcrm.merchants.models import Staff


class PersonForm(forms.Form):
    """A further person."""

    first_name = forms.CharField(required=False, max_length=100)
    last_name = forms.CharField(required=False, max_length=100)
    email = forms.EmailField(
        label="E-mail", required=False, max_length=254, help_text="No mail goes there unless it is the address on file."
    )
    phone = forms.CharField(required=False, max_length=40)

    def person(self) -> Person:
        """Return the person that was typed in."""
        return Person(**{name: self.cleaned_data[name] for name in Person.__dataclass_fields__})


@require_http_methods(["GET", "HEAD", "POST"])
@for_collectors
def add(request: HttpRequest, staff: Staff, customer_id: UUID) -> HttpResponse:
    """Ask for a further person; a POST keeps what was typed in."""
    customer = customer_of(staff, customer_id)
    form = PersonForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            contact = add_contact(customer=customer, person=form.person())
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"{contact} is added.")
            return _back(staff, customer)
    return _rendered(request, customer, form, None)


@require_http_methods(["GET", "HEAD", "POST"])
@for_collectors
def change(request: HttpRequest, staff: Staff, contact_id: UUID) -> HttpResponse:
    """Show a person to be changed; a POST stores what was typed in."""
    contact = contact_of(staff, contact_id)
    known = Person(contact.first_name, contact.last_name, contact.email, contact.phone)
    form = PersonForm(request.POST if request.method == "POST" else None, initial=asdict(known))
    if request.method == "POST" and form.is_valid():
        try:
            change_person(contact=contact, person=form.person())
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"{contact} is saved.")
            return _back(staff, contact.customer)
    return _rendered(request, contact.customer, form, contact)


def _rendered(request: HttpRequest, customer: Customer, form: PersonForm, contact: Contact | None) -> HttpResponse:
    context = {"section": "customers", "customer": customer, "form": form, "contact": contact}
    return render(request, "backoffice/person_page.html", context)


@require_POST
@for_collectors
def remove(request: HttpRequest, staff: Staff, contact_id: UUID) -> HttpResponse:
    """Forget a person."""
    contact = contact_of(staff, contact_id)
    name = str(contact)
    try:
        remove_contact(contact)
    except ContactRefused as refusal:
        messages.warning(request, f"{name} was not removed. {refusal}")
    else:
        messages.success(request, f"{name} is removed.")
    return _back(staff, contact.customer)


@require_POST
@for_collectors
def primary(request: HttpRequest, staff: Staff, contact_id: UUID) -> HttpResponse:
    """Make a person's address the one on file."""
    contact = contact_of(staff, contact_id)
    try:
        make_primary(contact)
    except ContactRefused as refusal:
        messages.warning(request, f"The address on file stays as it was. {refusal}")
    else:
        messages.success(request, f"Mails to {contact.customer} go to {contact.email} from now on.")
    return _back(staff, contact.customer)


def _back(staff: Staff, customer: Customer) -> HttpResponse:
    return redirect("backoffice:customer", merchant_slug=staff.merchant.slug, customer_id=customer.id)
