"""What staff type in about a new customer."""

import re
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from payorcrm.customers.add_customer import MOST_NUMBER, NewCustomer, NewPerson
from payorcrm.customers.keep_contacts import MOST_CONTACTS


class CustomerForm(forms.Form):
    """A customer and the person to write to."""

    company_name = forms.CharField(
        label="Name", max_length=200, error_messages={"required": "Write the name of the company or person."}
    )
    number = forms.CharField(
        label="Customer number",
        required=False,
        max_length=MOST_NUMBER,
        help_text="As your accounting program has it: files you import later find the customer by it. "
        "Without one, the name is the number.",
    )
    first_name = forms.CharField(label="Contact's first name", required=False, max_length=100)
    last_name = forms.CharField(label="Contact's last name", required=False, max_length=100)
    emails = forms.CharField(
        label="E-mail",
        required=False,
        max_length=2000,
        help_text="Reminders, receipts and invitations go there. Of several, with commas between them, the first one "
        "gets them; the others become contacts.",
        widget=forms.TextInput(attrs={"inputmode": "email", "autocomplete": "off", "spellcheck": "false"}),
    )
    language = forms.ChoiceField(
        label="Language of mails", required=False, choices=[("", "Your company's"), *settings.LANGUAGES]
    )
    category = forms.CharField(
        required=False,
        max_length=64,
        help_text="A word of yours to sort by; rules can ask for it.",
        widget=forms.TextInput(attrs={"list": "categories", "autocomplete": "off"}),
    )
    phone = forms.CharField(required=False, max_length=40)
    address = forms.CharField(required=False, max_length=500, widget=forms.Textarea(attrs={"rows": 3}))

    def clean_emails(self) -> tuple[str, ...]:
        """Read one address or several, as an import does; a second one of the same letters is none."""
        found: dict[str, str] = {}
        for each in filter(None, re.split(r"[,;\s]+", self.cleaned_data["emails"])):
            found.setdefault(each.lower(), each)
        addresses = tuple(found.values())
        for each in addresses:
            try:
                validate_email(each)
            except ValidationError:
                raise forms.ValidationError(f"“{each}” is not an e-mail address.") from None
            if len(each) > 254:
                raise forms.ValidationError("An e-mail address has at most 254 characters.")
        if len(addresses) > MOST_CONTACTS:
            raise forms.ValidationError(f"A customer has at most {MOST_CONTACTS} contacts.")
        return addresses

    def clean(self) -> dict[str, Any]:
        """Take out needless spaces, and ask for a number where the name is too long to be one."""
        given = super().clean() or {}
        for name in ("company_name", "number", "category", "first_name", "last_name", "phone"):
            if name in given:
                given[name] = self._one_line(name, given[name])
        given["address"] = "\n".join(" ".join(line.split()) for line in given.get("address", "").splitlines())
        if not given.get("number") and len(given.get("company_name") or "") > MOST_NUMBER and "number" in given:
            self.add_error("number", f"This name has more than {MOST_NUMBER} characters; write a number for it.")
        return given

    def _one_line(self, name: str, text: str) -> str:
        line = " ".join(text.split())
        if not line.isprintable():
            self.add_error(name, "It contains a sign that cannot be printed.")
        return line

    def customer(self) -> NewCustomer:
        """Return the customer that was typed in."""
        names = ("company_name", "number", "category", "phone", "address", "language")
        return NewCustomer(**{name: self.cleaned_data[name] for name in names})

    def person(self) -> NewPerson:
        """Return the person that was typed in."""
        return NewPerson(**{name: self.cleaned_data[name] for name in ("first_name", "last_name", "emails")})

    def changes(self) -> list[tuple[str, str, str]]:
        """Return what was typed in as the audit log says it; a number that was left out is the name."""
        given = self.cleaned_data | {"number": self.customer().number, "emails": ", ".join(self.cleaned_data["emails"])}
        labels = [
            ("number", "Number"),
            *((name, str(field.label or name.capitalize())) for name, field in self.fields.items() if name != "number"),
        ]
        return [(label, "", given[name]) for name, label in labels if given[name]]
