"""Rows for tests, as the business would have made them."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import factory

from payorcrm.core.models import User
from payorcrm.core.money import Money
from payorcrm.customers.models import Contact, Customer, PortalAccess
from payorcrm.invoices.models import Invoice, InvoiceStatus
from payorcrm.ledger.models import Account, EntryKind
from payorcrm.ledger.post import Line, Source, post_entry
from payorcrm.merchants.models import GatewayAccount, Merchant, Role, Staff
from payorcrm.payment_methods.models import PaymentMethod
from payorcrm.payments.models import PaymentRequest, PaymentRequestLine

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
TODAY = date(2026, 11, 20)
PASSWORD = "correct horse battery"


def usd(text: str) -> Money:
    """Return an amount of US dollars."""
    return Money.parse(text, "USD")


class UserFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence("person{}@mail.example".format)
    name = factory.Sequence("Person {}".format)
    password = factory.django.Password(PASSWORD)


class MerchantFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Merchant

    name = factory.Sequence("Harbor Supply {}".format)
    slug = factory.Sequence("harbor-supply-{}".format)
    reply_to = "billing@harbor-supply.example"
    address = "1 Quay Street, Portland, ME 04101"


class StaffFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Staff

    merchant = factory.SubFactory(MerchantFactory)
    user = factory.SubFactory(UserFactory)
    role = Role.OWNER


class GatewayAccountFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = GatewayAccount

    merchant = factory.SubFactory(MerchantFactory)
    gateway = "sandbox"
    public_key = "pk_test"
    secret_key = "sk_test"
    webhook_secret = "whsec_test"


class CustomerFactory(factory.django.DjangoModelFactory):
    """A customer with a primary contact; `contact=None` leaves the contact out."""

    class Meta:
        model = Customer
        skip_postgeneration_save = True

    merchant = factory.SubFactory(MerchantFactory)
    number = factory.Sequence("C{:04}".format)
    company_name = factory.Sequence("Acme Tools {}".format)

    @factory.post_generation
    def contact(self: Customer, create: Any, extracted: Any, **fields: Any) -> None:  # type: ignore[misc]
        if "email" in fields or extracted is not False:
            defaults = {"first_name": "Jo", "last_name": "Miller", "email": f"jo.{self.number.lower()}@acme.example"}
            Contact.objects.create(merchant=self.merchant, customer=self, is_primary=True, **(defaults | fields))


class PortalAccessFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = PortalAccess

    customer = factory.SubFactory(CustomerFactory)
    merchant = factory.SelfAttribute("customer.merchant")
    user = factory.SubFactory(UserFactory)


class InvoiceFactory(factory.django.DjangoModelFactory):
    """An invoice whose ledger entry is posted too, so that the books agree. `balance` is Money and equals the total."""

    class Meta:
        model = Invoice

    class Params:
        amount = factory.LazyFunction(lambda: usd("120.00"))

    customer = factory.SubFactory(CustomerFactory)
    merchant = factory.SelfAttribute("customer.merchant")
    number = factory.Sequence("INV-{:05}".format)
    issued_on = TODAY - timedelta(days=60)
    due_on = TODAY - timedelta(days=30)
    currency = factory.LazyAttribute(lambda row: row.amount.currency)
    total = factory.LazyAttribute(lambda row: row.amount.minor)
    balance = factory.SelfAttribute("total")
    status = InvoiceStatus.OPEN

    @classmethod
    def _after_postgeneration(cls, instance: Invoice, create: Any, results: Any = None) -> None:
        """Nothing to save again."""

    @classmethod
    def _create(cls, model_class: type[Invoice], *args: Any, **fields: Any) -> Invoice:
        invoice = super()._create(model_class, *args, **fields)
        if invoice.status != InvoiceStatus.DRAFT:
            total = invoice.total_money()
            post_entry(
                merchant_id=invoice.merchant_id,
                kind=EntryKind.INVOICES_ISSUED,
                postings=[Line(Account.RECEIVABLE, total, invoice.customer_id), Line(Account.INVOICED, -total)],
                source=Source("invoice", invoice.id),
                now=NOW,
            )
        return invoice


class PaymentMethodFactory(factory.django.DjangoModelFactory):
    """A saved card; `bank=True` makes it a bank account, `saved_at=None` one that was not saved."""

    class Meta:
        model = PaymentMethod

    class Params:
        bank = factory.Trait(
            kind="bank_account",
            brand="",
            bank_name="First Harbor Bank",
            last4="5456",
            expiry_month=None,
            expiry_year=None,
            account_type="checking",
            holder_type="business",
        )

    customer = factory.SubFactory(CustomerFactory)
    merchant = factory.SelfAttribute("customer.merchant")
    gateway = "sandbox"
    token = factory.Sequence("pm_{}".format)
    kind = "card"
    brand = "visa"
    last4 = "0027"
    expiry_month = 12
    expiry_year = 2030
    holder_name = "Jo Miller"
    created_at = NOW
    saved_at = NOW
    consent_text = "Keep this card for later payments."


def request_for(*invoices: Invoice) -> PaymentRequest:
    """Make the payment request that a mail about these invoices of one customer would name."""
    first = invoices[0]
    request = PaymentRequest.objects.create(
        merchant=first.merchant, customer=first.customer, currency=first.currency, created_at=NOW
    )
    PaymentRequestLine.objects.bulk_create(
        PaymentRequestLine(request=request, invoice=invoice, customer_id=first.customer_id) for invoice in invoices
    )
    return request
