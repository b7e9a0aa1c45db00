"""The forms of saved cards and bank accounts."""

import re

from django import forms
from django.utils.translation import gettext_lazy as _

from payorcrm.payment_methods.rename import LONGEST_NAME


class AddForm(forms.Form):
    """What the processor's fields left: the token that stands for a card or account."""

    method_token = forms.CharField(
        widget=forms.HiddenInput, max_length=200, error_messages={"required": _("Please enter the details first.")}
    )


class NameForm(forms.Form):
    """The customer's own name for a card or account."""

    name = forms.CharField(
        label=_("Your name for it"),
        required=False,
        max_length=LONGEST_NAME,
        help_text=_("For example “Fleet card”. Only you and the people who pay with you see it."),
    )


class CentsField(forms.CharField):
    """The amount of a deposit as people copy it: 32, .32, 0.32 or $0.32."""

    widget = forms.TextInput(
        attrs={"inputmode": "decimal", "autocomplete": "off", "maxlength": 6, "placeholder": "0.00"}
    )
    default_error_messages = {"required": _("Enter the amount."), "cents": _("Enter the cents, from 1 to 99.")}

    def to_python(self, value: object) -> str:
        """Return the digits of the cents, padded to two."""
        match = re.fullmatch(r"\$?\s*(?:0?[.,](\d{2})|(\d{1,2}))\s*¢?", str(value or "").strip(), re.ASCII)
        if not match:
            return str(super().to_python(value))
        return (match[1] or match[2]).zfill(2)

    def validate(self, value: str) -> None:
        """Refuse what is no amount of cents."""
        super().validate(value)
        if not re.fullmatch(r"\d{2}", value, re.ASCII) or value == "00":
            raise forms.ValidationError(self.error_messages["cents"], code="cents")


class DepositsForm(forms.Form):
    """The amounts of the two deposits."""

    first = CentsField(label=_("First amount"))
    second = CentsField(label=_("Second amount"))

    def amounts(self) -> tuple[int, int]:
        """Return the cents of a valid form."""
        return int(self.cleaned_data["first"]), int(self.cleaned_data["second"])
