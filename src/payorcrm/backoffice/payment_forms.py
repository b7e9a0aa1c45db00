"""What staff type in about money: a refund, a payment that came offline, the days of the journal."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID, uuid4

from django import forms

from payorcrm.backoffice.forms import DayInput, day_field
from payorcrm.core.money import Money, NotAnAmount, is_currency, parse_minor
from payorcrm.payments.models import Allocation, OfflineKind, Payment


def read_amount(text: str, currency: str) -> Money:
    """Return an amount above nothing. Raises ValidationError."""
    try:
        amount = Money(parse_minor(text, currency), currency)
    except NotAnAmount as error:
        raise forms.ValidationError("Write an amount, such as 1150 or 1,150.00.") from error
    if amount.minor <= 0:
        raise forms.ValidationError("Write an amount above nothing.")
    if amount.minor >= 10**13:
        raise forms.ValidationError("This is more than an amount can be here.")
    return amount


class AmountInput(forms.TextInput):
    """A box for an amount."""

    def __init__(self) -> None:
        super().__init__(attrs={"inputmode": "decimal", "autocomplete": "off"})


class RefundForm(forms.Form):
    """How much to give back, from which invoice, why, and whether it is owed again."""

    amount = forms.CharField(label="Amount to give back", max_length=30, widget=AmountInput())
    invoice = forms.ChoiceField(
        label="Take it from",
        required=False,
        help_text="Without a choice: first what is not applied to an invoice, then the invoices due last.",
    )
    then = forms.ChoiceField(
        label="What the invoices owe afterwards",
        choices=[
            ("owed", "Owed again: the customer still has to pay for this, some other way"),
            ("credited", "Credited: the customer does not owe it any more, as for returned goods"),
        ],
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(max_length=300, help_text="The customer reads it in the mail about the refund.")
    key = forms.UUIDField(widget=forms.HiddenInput)
    seen = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, sent_in: Any, *, payment: Payment, allocations: Sequence[Allocation]) -> None:
        refundable = payment.refundable_money()
        initial = {
            "amount": str(refundable.to_decimal()),
            "key": uuid4(),
            "seen": payment.refunded + payment.refunding,
        }
        super().__init__(sent_in, initial=initial)
        self.payment = payment
        self.fields["amount"].help_text = f"At most {refundable}."
        if not allocations:
            del self.fields["invoice"], self.fields["then"]
            return
        self.fields["invoice"].choices = [  # type: ignore[attr-defined]
            ("", "No invoice in particular"),
            *((str(each.invoice_id), f"Invoice {each.invoice.number}: {each.amount_money()}") for each in allocations),
        ]

    def clean_amount(self) -> Money:
        """Read the amount in the payment's currency."""
        return read_amount(self.cleaned_data["amount"], self.payment.currency)

    def invoice_id(self) -> UUID | None:
        """Return the invoice that was chosen, if any."""
        chosen = self.cleaned_data.get("invoice")
        return UUID(chosen) if chosen else None

    def is_owed_again(self) -> bool:
        """Say what was chosen; what no invoice got is not owed either way."""
        return bool(self.cleaned_data.get("then") != "credited")


class ReasonForm(forms.Form):
    """Why a payment is canceled."""

    reason = forms.CharField(max_length=200, help_text="It goes into the payment's history. Only your staff read it.")


class ReverseForm(ReasonForm):
    """Why an offline payment does not stand, and whether the customer is told."""

    tells_customer = forms.BooleanField(label="Tell the customer by mail", required=False)


class OfflineForm(forms.Form):
    """A payment that came without a processor."""

    kind = forms.ChoiceField(label="How it came", choices=OfflineKind.choices)
    received_on = forms.DateField(label="Received on", widget=DayInput())
    amount = forms.CharField(max_length=30, widget=AmountInput())
    currency = forms.CharField(max_length=3)
    reference = forms.CharField(
        required=False, max_length=100, help_text="A cheque's number, or what the bank statement says."
    )
    sends_receipt = forms.BooleanField(label="Mail a receipt to the customer", required=False)
    is_another = forms.BooleanField(label="It is another one: record it as well", required=False)
    key = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, sent_in: Any, *, today: date, currencies: Sequence[str]) -> None:
        super().__init__(sent_in, initial={"received_on": today, "currency": currencies[0], "key": uuid4()})
        self.today = today
        choices = [(currency, currency) for currency in currencies]
        self.fields["currency"] = forms.ChoiceField(choices=choices)
        if len(currencies) == 1:
            self.fields["currency"].widget = forms.HiddenInput()

    def clean_received_on(self) -> date:
        """Refuse days that have not come yet, and those of another age."""
        day: date = self.cleaned_data["received_on"]
        if day > self.today:
            raise forms.ValidationError("Choose today or an earlier day: money that has not come yet is not recorded.")
        if day.year < 1990:
            raise forms.ValidationError("Choose a day from 1990 on.")
        return day

    def clean(self) -> dict[str, Any]:
        """Read the amount in the chosen currency."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if "amount" in cleaned and is_currency(cleaned.get("currency", "")):
            try:
                cleaned["amount"] = read_amount(cleaned["amount"], cleaned["currency"])
            except forms.ValidationError as error:
                self.add_error("amount", error)
        return cleaned

    def money(self) -> Money | None:
        """Return the amount if it could be read, whatever else is wrong."""
        self.is_valid()
        amount = self.cleaned_data.get("amount")
        return amount if isinstance(amount, Money) else None


class JournalForm(forms.Form):
    """The days of the journal, both included."""

    use_required_attribute = False

    since = day_field("From")
    until = day_field("Until")
