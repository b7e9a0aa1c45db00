"""The forms of the pay pages. They read; they decide nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from payorcrm.core.money import Money, NotAnAmount
from payorcrm.core.signing import NotGenuine, open_signed, sign
from payorcrm.payments.checkout import Checkout, new_checkout_id
from payorcrm.payments.models import PaymentRequest
from payorcrm.payments.queries import PayableLine

_PURPOSE = "checkout"


def new_checkout(request: PaymentRequest, amount: Money, now: datetime) -> str:
    """Return the signed id and amount of a page that is about to be shown."""
    checkout_id = new_checkout_id(request)
    return sign(_PURPOSE, request.id.bytes + checkout_id.bytes + amount.minor.to_bytes(8, "big"), now=now)


@dataclass(frozen=True, slots=True)
class EnteredMethod:
    """What the processor's fields left in the form."""

    token: str
    is_to_be_saved: bool


class PayForm(forms.Form):
    """What every page that pays a request sends: which checkout, and the amount that was shown."""

    checkout = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, request: PaymentRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._request = request

    def clean_checkout(self) -> Checkout:
        return read_checkout(self._request, self.cleaned_data["checkout"])

    def checkout_made(self) -> Checkout:
        """Return the checkout of a valid form."""
        return self.cleaned_data["checkout"]


class CheckoutForm(PayForm):
    """The page of a new card or bank account: which method, whether to keep it."""

    method_token = forms.CharField(
        widget=forms.HiddenInput,
        max_length=200,
        error_messages={"required": _("Please enter the card or account first.")},
    )
    save = forms.BooleanField(required=False)

    def entered(self) -> EnteredMethod:
        """Return the method of a valid form."""
        return EnteredMethod(self.cleaned_data["method_token"], self.cleaned_data["save"])


class AuthorizeForm(PayForm):
    """The page that shows the authorization of a bank debit."""

    accept = forms.BooleanField(error_messages={"required": _("Please accept the authorization to pay.")})


class ReviewForm(AuthorizeForm):
    """The authorization of a debit from an account that was entered just now, and whether to keep that."""

    save = forms.BooleanField(required=False)


class PartField(forms.CharField):
    """How much of one invoice to pay. Its errors name the invoice, since several stand on the page."""

    def __init__(self, line: PayableLine) -> None:
        payable = line.invoice.payable_money()
        super().__init__(
            label=line.invoice.number,
            max_length=40,
            initial=str(line.amount.to_decimal()),
            help_text=_("%(amount)s can be paid.") % {"amount": payable},
            widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        )
        self._number, self._payable = line.invoice.number, payable
        self.error_messages["required"] = _("Invoice %(number)s: please write an amount.") % {"number": self._number}

    def clean(self, value: str) -> int | None:
        """Return the part in minor units; None when it is everything. Raises ValidationError."""
        shown = {"number": self._number, "amount": self._payable}
        try:
            part = Money.parse(super().clean(value), self._payable.currency)
        except NotAnAmount:
            raise forms.ValidationError(_("Invoice %(number)s: this is not an amount.") % shown) from None
        if part.minor <= 0:
            raise forms.ValidationError(_("Invoice %(number)s: the amount must be more than zero.") % shown)
        if part > self._payable:
            raise forms.ValidationError(_("Invoice %(number)s: at most %(amount)s can be paid.") % shown)
        return None if part == self._payable else part.minor


class PartsForm(forms.Form):
    """How much of each invoice of a request to pay."""

    def __init__(self, lines: Sequence[PayableLine], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._invoice_ids = [line.invoice.id for line in lines]
        for line in lines:
            self.fields[str(line.invoice.id)] = PartField(line)

    def amounts(self) -> dict[UUID, int | None]:
        """Return the parts of a valid form; None for a whole invoice."""
        return {invoice_id: self.cleaned_data[str(invoice_id)] for invoice_id in self._invoice_ids}


class ConfirmForm(forms.Form):
    """The confirmation page: the amount that was shown and, in another browser, the code."""

    agreed = forms.IntegerField(widget=forms.HiddenInput, min_value=1)
    code = forms.CharField(required=False, max_length=20)


def read_checkout(request: PaymentRequest, text: str) -> Checkout:
    """Return the checkout that a page's hidden field names. Raises ValidationError."""
    try:
        payload, _made_at = open_signed(_PURPOSE, text)
    except NotGenuine:
        payload = b""
    if len(payload) != 40 or payload[:16] != request.id.bytes:
        raise forms.ValidationError(_("This page is out of date. Nothing was charged; please try again."))
    amount = Money(int.from_bytes(payload[32:], "big"), request.currency)
    return Checkout(id=UUID(bytes=payload[16:32]), request=request, agreed=amount)
