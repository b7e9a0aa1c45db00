"""The forms of the pay pages. They read; they decide nothing."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms

from payorcrm.core.ids import uuid7
from payorcrm.core.money import Money
from payorcrm.core.signing import NotGenuine, open_signed, sign
from payorcrm.payments.checkout import Checkout
from payorcrm.payments.models import PaymentRequest

_PURPOSE = "checkout"


def new_checkout(request: PaymentRequest, amount: Money, now: datetime) -> str:
    """Return the signed id and amount of a page that is about to be shown."""
    return sign(_PURPOSE, request.id.bytes + uuid7().bytes + amount.minor.to_bytes(8, "big"), now=now)


@dataclass(frozen=True, slots=True)
class EnteredMethod:
    """What the processor's fields left in the form."""

    token: str
    is_to_be_saved: bool


class CheckoutForm(forms.Form):
    """The page of a new card or bank account: which checkout, which method, whether to keep it."""

    checkout = forms.CharField(widget=forms.HiddenInput)
    method_token = forms.CharField(
        widget=forms.HiddenInput, max_length=200, error_messages={"required": "Please enter the card or account first."}
    )
    save = forms.BooleanField(required=False)

    def __init__(self, request: PaymentRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._request = request

    def clean_checkout(self) -> Checkout:
        return read_checkout(self._request, self.cleaned_data["checkout"])

    def checkout_made(self) -> Checkout:
        """Return the checkout of a valid form."""
        return self.cleaned_data["checkout"]

    def entered(self) -> EnteredMethod:
        """Return the method of a valid form."""
        return EnteredMethod(self.cleaned_data["method_token"], self.cleaned_data["save"])


class ReviewForm(forms.Form):
    """The page that shows the authorization of a bank debit."""

    checkout = forms.CharField(widget=forms.HiddenInput)
    save = forms.BooleanField(required=False)
    accept = forms.BooleanField(error_messages={"required": "Please accept the authorization to pay."})

    def __init__(self, request: PaymentRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._request = request

    def clean_checkout(self) -> Checkout:
        return read_checkout(self._request, self.cleaned_data["checkout"])


class ConfirmForm(forms.Form):
    """The confirmation page: the amount that was shown and, in another browser, the code."""

    agreed = forms.IntegerField(widget=forms.HiddenInput, min_value=1)
    code = forms.CharField(required=False, max_length=20)


def read_checkout(request: PaymentRequest, text: str) -> Checkout:
    """Return the checkout that a page's hidden field names. Raises ValidationError."""
    try:
        payload, _ = open_signed(_PURPOSE, text)
    except NotGenuine:
        payload = b""
    if len(payload) != 40 or payload[:16] != request.id.bytes:
        raise forms.ValidationError("This page is out of date. Nothing was charged; please try again.")
    amount = Money(int.from_bytes(payload[32:], "big"), request.currency)
    return Checkout(id=UUID(bytes=payload[16:32]), request=request, agreed=amount)
