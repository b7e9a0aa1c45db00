"""The forms of the portal's settings: the person, and the mails to the company."""

import re
from dataclasses import dataclass
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import get_language_info, gettext_lazy
from django.utils.translation import gettext as _

from payorcrm.core.models import User
from payorcrm.customers.direct_mails import MOST_CC, MOST_TO, TOPIC_NAMES
from payorcrm.customers.models import Contact, Customer, Notification, Topic

_NO_CHOICE = "any"
_BETWEEN = re.compile(r"[\s,;]+")


class PersonForm(forms.Form):
    """The name of the user and the language of the pages they see."""

    name = forms.CharField(
        label=gettext_lazy("Your name"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    page_language = forms.ChoiceField(label=gettext_lazy("Language of these pages"))

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        kwargs["initial"] = {"name": user.name, "page_language": user.language or _NO_CHOICE}
        super().__init__(*args, **kwargs)
        self.fields["page_language"].choices = [(_NO_CHOICE, _("As your browser asks")), *settings.LANGUAGES]  # type: ignore[attr-defined]

    def language(self) -> str:
        """Return the chosen language of a valid form; empty for none."""
        return _chosen(self.cleaned_data["page_language"])


class MailLanguageForm(forms.Form):
    """The language of the mails to the company."""

    mail_language = forms.ChoiceField(label=gettext_lazy("Language of the mails"))

    def __init__(self, customer: Customer, *args: Any, **kwargs: Any) -> None:
        kwargs["initial"] = {"mail_language": customer.language or _NO_CHOICE}
        super().__init__(*args, **kwargs)
        usual = get_language_info(customer.merchant.language)["name_local"].capitalize()
        choices = [(_NO_CHOICE, _("As usual: %(language)s") % {"language": usual}), *settings.LANGUAGES]
        self.fields["mail_language"].choices = choices  # type: ignore[attr-defined]

    def language(self) -> str:
        """Return the chosen language of a valid form; empty for none."""
        return _chosen(self.cleaned_data["mail_language"])


def _chosen(language: str) -> str:
    return "" if language == _NO_CHOICE else language


class AddressesField(forms.CharField):
    """E-mail addresses as people write them into one line: between commas, semicolons or spaces."""

    default_error_messages = {
        "address": gettext_lazy("“%(address)s” is not an e-mail address."),
        "many": gettext_lazy("Please write %(most)d addresses at most."),
    }

    def __init__(self, *, most: int, **options: Any) -> None:
        self.most = most
        super().__init__(**options)

    def prepare_value(self, value: Any) -> Any:
        """Show what is kept on one line."""
        return ", ".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> list[str]:  # type: ignore[override]
        """Return each address once, in the order in which they were written."""
        written = value if isinstance(value, list) else _BETWEEN.split(str(value or "").strip(" ,;\n\t"))
        return list({address.lower(): address for address in written if address}.values())

    def validate(self, value: Any) -> None:
        """Refuse what is no address, by its name."""
        if len(value) > self.most:
            raise ValidationError(self.error_messages["many"], code="many", params={"most": self.most})
        for address in value:
            _check_address(address, self.error_messages["address"])

    def run_validators(self, value: Any) -> None:
        """Leave out the checks of a plain text."""

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare the addresses, not how they were written."""
        return self.to_python(initial) != self.to_python(data)


def _check_address(address: str, complaint: Any) -> None:
    try:
        validate_email(address)
    except ValidationError:
        raise ValidationError(complaint, code="address", params={"address": address}) from None


_CONSEQUENCES = {
    Topic.REMINDERS: gettext_lazy("Without them nobody tells you by mail what is due. What is owed is still owed."),
    Topic.PAYMENTS: gettext_lazy("Without them receipts are only here, under Payments."),
    Topic.METHODS: gettext_lazy("Without them you are not told when a card expires or an account is removed."),
}


class DirectionForm(forms.Form):
    """Whether one kind of mail is wanted, and who gets it."""

    is_wanted = forms.BooleanField(required=False, label=gettext_lazy("Send these mails"))
    to = AddressesField(
        most=MOST_TO,
        required=False,
        label=gettext_lazy("To"),
        widget=forms.TextInput(attrs={"inputmode": "email"}),
    )
    cc = AddressesField(
        most=MOST_CC,
        required=False,
        label=gettext_lazy("Copy to"),
        widget=forms.TextInput(attrs={"inputmode": "email"}),
    )

    def __init__(self, direction: "Direction", *args: Any, **kwargs: Any) -> None:
        kwargs |= {"prefix": direction.topic, "initial": direction.initial(), "auto_id": "id_%s"}
        super().__init__(*args, **kwargs)
        self.topic = direction.topic
        self.title = TOPIC_NAMES[direction.topic]
        self.fields["is_wanted"].help_text = str(_CONSEQUENCES[direction.topic])
        if direction.address_on_file:
            self.fields["to"].help_text = _("Empty: to %(address)s, the address on file.") % {
                "address": direction.address_on_file
            }

    def clean(self) -> dict[str, Any]:
        """Write to nobody twice."""
        typed = super().clean() or {}
        to = {address.lower() for address in typed.get("to", [])}
        twice = [address for address in typed.get("cc", []) if address.lower() in to]
        if twice:
            self.add_error("cc", _("%(address)s gets the mail already.") % {"address": twice[0]})
        return typed


@dataclass(frozen=True, slots=True)
class Direction:
    """Where one kind of mail goes now."""

    topic: Topic
    row: Notification | None
    is_wanted: bool
    address_on_file: str

    def initial(self) -> dict[str, Any]:
        """Return what the form starts with."""
        to, cc = (self.row.to, self.row.cc) if self.row else ([], [])
        return {"is_wanted": self.is_wanted, "to": to, "cc": cc}


def directions_of(customer: Customer) -> list[Direction]:
    """Return where each kind of mail to a customer goes now."""
    rows = {row.topic: row for row in Notification.objects.filter(customer=customer)}
    contact = Contact.objects.filter(customer=customer, is_primary=True).first()
    on_file = contact.email if contact else ""
    return [Direction(topic, rows.get(topic), _is_wanted(customer, topic, rows.get(topic)), on_file) for topic in Topic]


def _is_wanted(customer: Customer, topic: Topic, row: Notification | None) -> bool:
    is_off = topic == Topic.REMINDERS and customer.unsubscribed_at is not None
    return not is_off and (row is None or row.is_wanted)
