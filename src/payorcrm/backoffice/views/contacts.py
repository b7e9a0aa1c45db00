"""Whom a customer's mails go to, and in which language they are written."""

from dataclasses import asdict
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from payorcrm.backoffice.access import customer_of, for_collectors
from payorcrm.backoffice.views.stops import stops_of
from payorcrm.customers.change_contact import Person, change_contact
from payorcrm.customers.models import Contact, Customer, PortalAccess
from payorcrm.merchants.models import Staff


class ContactForm(forms.Form):
    """The person on file."""

    first_name = forms.CharField(required=False, max_length=100)
    last_name = forms.CharField(required=False, max_length=100)
    email = forms.EmailField(
        label="E-mail", required=False, max_length=254, help_text="Reminders, receipts and invitations go there."
    )
    phone = forms.CharField(required=False, max_length=40)
    language = forms.ChoiceField(
        label="Language of mails", required=False, choices=[("", "Your company's"), *settings.LANGUAGES]
    )

    def person(self) -> Person:
        """Return the person that was typed in."""
        return Person(**{name: self.cleaned_data[name] for name in Person.__dataclass_fields__})


@require_http_methods(["GET", "HEAD", "POST"])
@for_collectors
def contact(request: HttpRequest, staff: Staff, customer_id: UUID) -> HttpResponse:
    """Ask for the person on file; a POST keeps what was typed in."""
    customer = customer_of(staff, customer_id)
    on_file = Contact.objects.filter(customer=customer, is_primary=True).first()
    form = ContactForm(request.POST if request.method == "POST" else None, initial=_known(customer, on_file))
    if request.method == "POST" and form.is_valid():
        change_contact(customer=customer, person=form.person(), language=form.cleaned_data["language"])
        messages.success(request, f"The contact of {customer} is saved.{_warning(customer, on_file, form)}")
        return redirect("backoffice:customer", merchant_slug=staff.merchant.slug, customer_id=customer.id)
    users = PortalAccess.objects.live().filter(customer=customer).select_related("user").order_by("id")
    context = {"section": "customers", "customer": customer, "form": form, "users": users, "stops": stops_of(customer)}
    return render(request, "backoffice/contact_page.html", context)


def _known(customer: Customer, on_file: Contact | None) -> dict[str, str]:
    person = on_file and Person(on_file.first_name, on_file.last_name, on_file.email, on_file.phone)
    return {"language": customer.language, **(asdict(person) if person else {})}


def _warning(customer: Customer, before: Contact | None, form: ContactForm) -> str:
    """Say that somebody of the old address can still sign in."""
    old = before.email if before else ""
    stays = old.lower() != form.cleaned_data["email"].lower() and old
    if stays and PortalAccess.objects.live().filter(customer=customer, user__email__iexact=old).exists():
        return f" {old} can still sign in to the portal: remove them below if they should not."
    return ""
