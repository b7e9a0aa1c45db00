"""What staff type in about a customer."""

import json
import re
from dataclasses import asdict, replace
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from payorcrm.core.errors import Refused
from payorcrm.customers.add_customer import MOST_NUMBER, CustomerNameTaken, NewCustomer, NewPerson
from payorcrm.customers.change_customer import FACTS, Difference
from payorcrm.customers.keep_contacts import MOST_CONTACTS


def field_of(refusal: Refused) -> str:
    """Return the field that a refused customer is wrong in."""
    return "company_name" if isinstance(refusal, CustomerNameTaken) else "number"


class FactsForm(forms.Form):
    """What is known of a customer, whoever is written to."""

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

    def clean(self) -> dict[str, Any]:
        """Take out needless spaces, and ask for a number where the name is too long to be one."""
        given = super().clean() or {}
        for name in _LINES & given.keys():
            given[name] = _in_one_line(given[name])
            if not given[name].isprintable():
                self.add_error(name, "It contains a sign that cannot be printed.")
        if "address" in given:
            given["address"] = _tidy("address", given["address"])
        if not given.get("number") and len(given.get("company_name") or "") > MOST_NUMBER and "number" in given:
            self.add_error("number", f"This name has more than {MOST_NUMBER} characters; write a number for it.")
        return given

    def customer(self) -> NewCustomer:
        """Return the customer that was typed in."""
        return NewCustomer(**{name: self.cleaned_data[name] for name in FACTS})


_LINES = {"company_name", "number", "category", "first_name", "last_name", "phone"}


def _in_one_line(text: str) -> str:
    return " ".join(text.split())


def _tidy(name: str, text: str) -> str:
    """Take needless spaces out of a text; only an address has several lines."""
    return "\n".join(map(_in_one_line, text.splitlines())) if name == "address" else _in_one_line(text)


class CustomerForm(FactsForm):
    """A new customer and the person to write to."""

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
    field_order = ("company_name", "number", "first_name", "last_name", "emails", "language")

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

    def person(self) -> NewPerson:
        """Return the person that was typed in."""
        return NewPerson(**{name: self.cleaned_data[name] for name in ("first_name", "last_name", "emails")})

    def changes(self) -> list[tuple[str, str, str]]:
        """Return what was typed in as the audit log says it; a number that was left out is the name."""
        typed = self.cleaned_data
        given = typed | {
            "number": self.customer().number,
            "emails": ", ".join(typed["emails"]),
            "language": dict(settings.LANGUAGES).get(typed["language"], ""),
        }
        labels = [
            ("number", "Number"),
            *((name, str(field.label or name.capitalize())) for name, field in self.fields.items() if name != "number"),
        ]
        return [(label, "", given[name]) for name, label in labels if given[name]]


_OLD_NUMBER = "Files find the customer by it: one that still has the old number adds the customer a second time."
_NOT_WHOLE = "This page is not whole. Please open it again."


class ChangeForm(FactsForm):
    """What is known of a customer, and what the form showed when somebody began to type."""

    seen = forms.CharField(widget=forms.HiddenInput, strip=False, error_messages={"required": _NOT_WHOLE})

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["number"].help_text = _OLD_NUMBER

    @classmethod
    def showing(cls, facts: NewCustomer) -> "ChangeForm":
        """Return the form filled in."""
        return cls(initial=asdict(facts) | {"seen": json.dumps(asdict(facts))})

    def clean_seen(self) -> NewCustomer:
        """Read what the form showed."""
        try:
            seen = json.loads(self.cleaned_data["seen"])
        except (ValueError, RecursionError):
            raise forms.ValidationError(_NOT_WHOLE) from None
        if not isinstance(seen, dict) or seen.keys() != set(FACTS) or {type(each) for each in seen.values()} != {str}:
            raise forms.ValidationError(_NOT_WHOLE)
        return NewCustomer(**seen)

    def customer(self) -> NewCustomer:
        """Return the customer that was typed in; what nobody touched stays to the letter, needless spaces included."""
        typed, seen = super().customer(), self.cleaned_data["seen"]
        kept = {name: getattr(seen, name) for name in FACTS if not self._is_typed(name, typed, seen)}
        return replace(typed, **kept)

    def show_again(self, present: NewCustomer) -> None:
        """Keep what was typed, and show what is on file now in the fields that nobody touched."""
        typed, seen = super().customer(), self.cleaned_data["seen"]
        given = self.data.copy()  # type: ignore[attr-defined]
        given["seen"] = json.dumps(asdict(present))
        for name in FACTS:
            if not self._is_typed(name, typed, seen):
                given[name] = getattr(present, name)
        self.data = given

    def in_words(self, differences: list[Difference]) -> list[tuple[str, str, str]]:
        """Return differences as label, before and after, as the form calls them, each on one line."""
        languages = dict(self.fields["language"].choices)  # type: ignore[attr-defined]

        def words(name: str, text: str) -> str:
            return languages.get(text, text) if name == "language" else ", ".join(text.splitlines())

        return [(str(self[name].label), words(name, old), words(name, new)) for name, old, new in differences]

    @staticmethod
    def _is_typed(name: str, typed: NewCustomer, seen: NewCustomer) -> bool:
        return bool(getattr(typed, name) != _tidy(name, getattr(seen, name)))
