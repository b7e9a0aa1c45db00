"""What staff type in about one invoice: a new one with its lines, a new due date, a note, why it is void."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from babel.core import get_global
from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Q
from django.http import QueryDict

from payorcrm.backoffice.forms import FIRST_DAY, LAST_DAY, DayInput, day_field
from payorcrm.core.money import Money, NotAnAmount, add_up, is_currency
from payorcrm.customers.models import Customer
from payorcrm.invoices.correct import MOST_NOTE
from payorcrm.invoices.lines import BilledLine

FEWEST_LINES, MORE_LINES, MOST_LINES = 3, 5, 100
MATCHES_SHOWN = 10
_LARGEST = 10**15
NOT_AN_AMOUNT = "Write an amount, such as 1150 or 1,150.00."


def needed_day(label: str) -> forms.DateField:
    """Return a day that must be given."""
    field = day_field(label)
    field.required = True
    return field


def customers_like(merchant_id: UUID, words: str) -> list[Customer]:
    """Return the first customers whose name, number or address contains some words."""
    words = words.strip().replace("\0", "")
    if not words:
        return []
    fits = Q(company_name__icontains=words) | Q(number__istartswith=words) | Q(contacts__email__icontains=words)
    mine = Customer.objects.filter(merchant=merchant_id)
    found = mine.filter(id__in=mine.filter(fits).values("id")).order_by("company_name", "id")
    return list(found[: MATCHES_SHOWN + 1])


class InvoiceForm(forms.Form):
    """An invoice without its customer and its lines, which the page asks for beside it."""

    number = forms.CharField(max_length=64)
    issued_on = needed_day("Invoice date")
    due_on = needed_day("Due date")
    currency = forms.ChoiceField(choices=[])
    total = forms.CharField(
        max_length=20, required=False, help_text="With lines below, you may leave it empty: they are added up."
    )

    def __init__(self, *args: Any, currencies: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        others = sorted(get_global("all_currencies").keys() - set(currencies))
        self.fields["currency"].choices = [  # type: ignore[attr-defined]
            ("Yours", [(code, code) for code in currencies]),
            ("Others", [(code, code) for code in others]),
        ]
        self.money: Money | None = None

    def clean_number(self) -> str:
        """Refuse what cannot be printed."""
        number = " ".join(self.cleaned_data["number"].split())
        if not number or not number.isprintable():
            raise forms.ValidationError("An invoice needs a number of 1 to 64 letters, digits or signs.")
        return number

    def clean(self) -> dict[str, Any]:
        """Read the total, and compare the two days."""
        given = super().clean() or {}
        issued_on, due_on = given.get("issued_on"), given.get("due_on")
        if issued_on and due_on and due_on < issued_on:
            self.add_error("due_on", "An invoice cannot be due before it was issued.")
        if given.get("total") and given.get("currency"):
            try:
                self.money = read_amount(given["total"], given["currency"])
            except forms.ValidationError as error:
                self.add_error("total", error)
            else:
                if self.money.minor <= 0:
                    self.add_error("total", "An invoice needs an amount of more than nothing.")
        return given

    def add_up(self, lines: list[BilledLine]) -> Money | None:
        """Return what is billed, by the total or by the lines; without both, the total has an error."""
        added = add_up([line.amount for line in lines], self.cleaned_data["currency"]) if lines else None
        if added is None and self.money is None:
            self.add_error("total", "Write the total, or at least one line.")
        elif added is not None and self.money is not None and added != self.money:
            self.add_error("total", f"The lines add up to {added}, but this says {self.money}.")
        elif added is not None and added.minor <= 0:
            self.add_error("total", f"The lines add up to {added}; an invoice needs more than nothing.")
        return self.money or added


class LineForm(forms.Form):
    """One thing that an invoice bills; an empty line is none."""

    description = forms.CharField(required=False, max_length=500)
    quantity = forms.DecimalField(required=False, max_digits=12, decimal_places=3, min_value=Decimal(0))
    price = forms.CharField(required=False, max_length=20)
    amount = forms.CharField(required=False, max_length=20)

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.currency = currency
        self.billed: BilledLine | None = None

    def clean(self) -> dict[str, Any]:
        """Read the line in the currency of its invoice, and compute an amount that was left empty."""
        given = super().clean() or {}
        if self.errors or not any(given.get(name) for name in ("description", "price", "amount")):
            return given
        if not given["description"].strip():
            self.add_error("description", "Say what this line bills.")
        price, amount = self._money("price"), self._money("amount")
        quantity = given.get("quantity")
        product = price.percent(quantity * 100) if price and quantity is not None else None
        if amount is None and product is None and not self.errors:
            self.add_error("amount", "Write an amount, or a quantity and a price.")
        elif amount and product and amount != product:
            self.add_error("amount", f"Quantity and price make {product}.")
        if not self.errors:
            self.billed = BilledLine(given["description"].strip(), amount or product, quantity, price)  # type: ignore[arg-type]
        return given

    def _money(self, name: str) -> Money | None:
        try:
            return read_amount(self.cleaned_data[name], self.currency) if self.cleaned_data.get(name) else None
        except forms.ValidationError as error:
            self.add_error(name, error)
            return None


def read_amount(text: str, currency: str) -> Money:
    """Read an amount. Raises ValidationError."""
    try:
        amount = Money.parse(text, currency)
    except NotAnAmount as error:
        raise forms.ValidationError(NOT_AN_AMOUNT) from error
    if abs(amount.minor) >= _LARGEST:
        raise forms.ValidationError("This amount is too large.")
    return amount


LineFormSet = forms.formset_factory(LineForm, extra=FEWEST_LINES, max_num=MOST_LINES, absolute_max=MOST_LINES)


def line_forms(sent_in: QueryDict | None, *, currency: str) -> forms.BaseFormSet:
    """Return the forms of an invoice's lines; without a usable currency, amounts are read as dollars."""
    return LineFormSet(sent_in, prefix="line", form_kwargs={"currency": currency if is_currency(currency) else "USD"})


def unjudged_lines(sent_in: Mapping[str, Any], *, currency: str, more: int) -> forms.BaseFormSet:
    """Return the forms with what was typed in and empty ones behind, without a word about errors."""
    names = list(LineForm.base_fields)
    rows = [{name: sent_in.get(f"line-{place}-{name}", "") for name in names} for place in range(MOST_LINES)]
    while rows and not any(rows[-1].values()):
        rows.pop()
    forms_of = LineFormSet(
        prefix="line", initial=rows, form_kwargs={"currency": currency if is_currency(currency) else "USD"}
    )
    forms_of.extra = max(more, FEWEST_LINES - len(rows))
    return forms_of


class DueDateForm(forms.Form):
    """A new due date, and why."""

    due_on = forms.DateField(
        label="New due date",
        widget=DayInput(),
        validators=[MinValueValidator(FIRST_DAY), MaxValueValidator(LAST_DAY)],
        error_messages={"required": "Choose a day.", "invalid": "Choose a day."},
    )
    note = forms.CharField(label="Why", required=False, max_length=300)


class InvoiceNoteForm(forms.Form):
    """A note of staff about an invoice."""

    text = forms.CharField(
        label="Note",
        max_length=MOST_NOTE,
        help_text="Only you and your colleagues see it.",
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": "Write something first."},
    )


class VoidForm(forms.Form):
    """Why an invoice is void."""

    note = forms.CharField(
        label="Why is it void?",
        max_length=300,
        help_text="It stands in the history. Customers see that the invoice is void, not why.",
        error_messages={"required": "Say why in a few words; somebody will ask."},
    )


def first_values(*, number: str, today: date, days_to_pay: int, currency: str) -> dict[str, Any]:
    """Return what a new invoice begins with."""
    return {
        "number": number,
        "issued_on": today,
        "due_on": date.fromordinal(today.toordinal() + days_to_pay),
        "currency": currency,
    }
