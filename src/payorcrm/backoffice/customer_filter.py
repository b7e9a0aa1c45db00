"""What the list of customers can be narrowed to and ordered by."""

from datetime import date
from typing import ClassVar

from django import forms
from django.db.models import Case, Exists, F, Min, OuterRef, Q, QuerySet, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce, Lower
from django.http import QueryDict

from payorcrm.backoffice.forms import ALL, LAST_DAY, Filter, search_field
from payorcrm.customers.models import Contact, Customer, PortalAccess
from payorcrm.invoices.models import Invoice
from payorcrm.mail.models import Suppression
from payorcrm.merchants.models import Merchant
from payorcrm.reminders.models import Hold

_MOST_CATEGORIES = 200
_ORDERS = {
    "": ("Name", ("company_name", "id")),
    "-owed": ("Owed, most first", ("-sort_owed", "-id")),
    "-overdue": ("Overdue, most first", ("-sort_overdue", "-id")),
    "oldest": ("Oldest due date first", ("sort_oldest", "id")),
}


def category_choices(merchant: Merchant) -> list[tuple[str, str]]:
    """Return the categories of a merchant's customers to choose from."""
    categories = Customer.objects.filter(merchant=merchant).exclude(category="").order_by("category")
    found = categories.values_list("category", flat=True).distinct()[:_MOST_CATEGORIES]
    return [ALL, *((each, each) for each in found)]


class CustomerFilter(Filter):
    """Filters of the customers' list and of its files."""

    MORE: ClassVar[tuple[str, ...]] = ("category", "reach", "hold", "sort")

    search = search_field("Name, number or e-mail")
    show = forms.ChoiceField(label="Show", required=False, choices=[ALL, ("owing", "Owing"), ("overdue", "Overdue")])
    category = forms.ChoiceField(label="Category", required=False, choices=[ALL])
    reach = forms.ChoiceField(
        label="Can be reached",
        required=False,
        choices=[
            ALL,
            ("no_address", "No e-mail address"),
            ("stopped", "Mail comes back"),
            ("not_invited", "Not invited to the portal"),
        ],
    )
    hold = forms.ChoiceField(label="Hold", required=False, choices=[ALL, ("yes", "On hold"), ("no", "Not on hold")])
    sort = forms.ChoiceField(
        label="Order", required=False, choices=[(name, label) for name, (label, _) in _ORDERS.items()]
    )

    def __init__(self, query: QueryDict, *, merchant: Merchant) -> None:
        super().__init__(query)
        self.merchant = merchant
        self.fields["category"].choices = category_choices(merchant)  # type: ignore[attr-defined]

    def by(self) -> tuple[str, ...]:
        """Return the columns to order by."""
        return _ORDERS[self.given("sort")][1]

    def customers(self, *, today: date) -> QuerySet[Customer]:
        """Return the merchant's customers that fit, with what they are ordered by; amounts in its own currency."""
        customers = Customer.objects.filter(merchant=self.merchant)
        if words := self.given("search"):
            fits = Q(company_name__icontains=words) | Q(number__istartswith=words) | Q(contacts__email__icontains=words)
            customers = customers.filter(id__in=customers.filter(fits).values("id"))
        if category := self.given("category"):
            customers = customers.filter(category=category)
        if hold := self.given("hold"):
            held = Exists(Hold.objects.active(today=today).filter(customer=OuterRef("id"), invoice=None))
            customers = customers.filter(held if hold == "yes" else ~held)
        return self._ordered(self._by_reach(self._by_debt(customers, today)), today)

    def _by_debt(self, customers: QuerySet[Customer], today: date) -> QuerySet[Customer]:
        open_invoices = Invoice.objects.open().filter(merchant=self.merchant)
        if self.given("show") == "owing":
            customers = customers.filter(id__in=open_invoices.values("customer"))
        if self.given("show") == "overdue":
            overdue = open_invoices.overdue(today=today).payable()
            customers = customers.filter(id__in=overdue.values("customer"))
        return customers

    def _by_reach(self, customers: QuerySet[Customer]) -> QuerySet[Customer]:
        reach, own = self.given("reach"), {"customer": OuterRef("id")}
        if reach == "no_address":
            return customers.exclude(Exists(Contact.objects.filter(**own, is_primary=True).exclude(email="")))
        if reach == "stopped":
            stops = Suppression.objects.active().filter(merchant=self.merchant)
            on_file = Contact.objects.filter(**own, is_primary=True).alias(small=Lower("email"))
            return customers.filter(Exists(on_file.filter(small__in=stops.values("address"))))
        if reach == "not_invited":
            accesses = PortalAccess.objects.live().filter(**own)
            has_login = ~Q(user__password__startswith="!") | Q(user__socialaccount__isnull=False)  # noqa: S106
            return customers.exclude(Exists(accesses.filter(Q(invitation__isnull=False) | has_login)))
        return customers

    def _ordered(self, customers: QuerySet[Customer], today: date) -> QuerySet[Customer]:
        mine = Invoice.objects.open().filter(customer=OuterRef("id")).order_by().values("customer")
        in_currency = mine.filter(currency=self.merchant.currency)
        if self.given("sort") == "-owed":
            return customers.annotate(
                sort_owed=Coalesce(Subquery(in_currency.annotate(s=Sum("balance")).values("s")), 0)
            )
        if self.given("sort") == "-overdue":
            left = Case(When(due_on__lt=today, then=F("balance") - F("in_flight")), default=Value(0))
            return customers.annotate(sort_overdue=Coalesce(Subquery(in_currency.annotate(s=Sum(left)).values("s")), 0))
        if self.given("sort") == "oldest":
            oldest = Subquery(mine.annotate(s=Min("due_on")).values("s"))
            return customers.annotate(sort_oldest=Coalesce(oldest, Value(LAST_DAY)))
        return customers
