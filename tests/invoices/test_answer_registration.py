"""Registration: an invoice's number and the address on file lead to an invitation; nothing else leads anywhere."""

from datetime import timedelta

import pytest

from payorcrm.customers.answer_ask import ask_to_register
from payorcrm.customers.models import AccessAsk, PortalAccess
from payorcrm.customers.portal_access import remove_access
from payorcrm.invoices.answer_registration import answer_registration_ask
from payorcrm.invoices.models import InvoiceStatus
from payorcrm.mail.models import Mail
from tests.factories.models import NOW, CustomerFactory, InvoiceFactory, PortalAccessFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def invoice():
    customer = CustomerFactory(contact__email="Jo@acme.example")
    return InvoiceFactory(customer=customer, number="INV-77")


def register(merchant, number, email):
    """Ask and answer, and return to whom mails went."""
    ask_to_register(merchant=merchant, email=email, invoice_number=number, now=NOW)
    answer_registration_ask(AccessAsk.objects.latest("id").id, now=NOW)
    assert AccessAsk.objects.filter(answered_at=None).count() == 0
    return list(Mail.objects.values_list("kind", "to_address"))


@pytest.mark.parametrize("number", ["INV-77", " inv-77 ", "#INV-77"])
def test_invoice_and_address_on_file_lead_to_an_invitation(invoice, number):
    assert register(invoice.merchant, number, "jo@ACME.example") == [("invitation", "Jo@acme.example")]

    access = PortalAccess.objects.select_related("user").get()
    assert (access.customer, access.user.email) == (invoice.customer, "Jo@acme.example")


def test_invoice_that_was_paid_counts_too(invoice):
    invoice.customer.invoices.update(status=InvoiceStatus.PAID, balance=0)

    assert len(register(invoice.merchant, "INV-77", "jo@acme.example")) == 1


@pytest.mark.parametrize(
    ("number", "email"),
    [
        ("INV-78", "jo@acme.example"),
        ("INV-77", "eve@acme.example"),
        ("", "jo@acme.example"),
        ("INV-77", ""),
        ("INV-77\0", "jo\0@other.example"),
        ("INV-7%", "jo@acme.example"),
    ],
)
def test_what_does_not_belong_together_leads_nowhere(invoice, number, email):
    assert register(invoice.merchant, number, email) == []
    assert PortalAccess.objects.count() == 0


def test_invoice_of_another_merchant_leads_nowhere(invoice):
    other = CustomerFactory(contact__email="jo@acme.example")

    assert register(other.merchant, "INV-77", "jo@acme.example") == []


def test_draft_leads_nowhere(invoice):
    invoice.customer.invoices.update(status=InvoiceStatus.DRAFT)

    assert register(invoice.merchant, "INV-77", "jo@acme.example") == []


def test_second_contact_is_not_the_address_on_file(invoice):
    invoice.customer.contacts.create(merchant=invoice.merchant, email="second@acme.example")

    assert register(invoice.merchant, "INV-77", "second@acme.example") == []


def test_customer_without_address_leads_nowhere(invoice):
    invoice.customer.contacts.all().delete()

    assert register(invoice.merchant, "INV-77", "") == []


def test_removed_access_stays_removed(invoice):
    access = PortalAccessFactory(customer=invoice.customer, user=UserFactory(email="jo@acme.example"))
    remove_access(access=access, now=NOW)

    assert register(invoice.merchant, "INV-77", "jo@acme.example") == []
    assert PortalAccess.objects.live().count() == 0


def test_answering_twice_sends_one_mail(invoice):
    register(invoice.merchant, "INV-77", "jo@acme.example")
    ask = AccessAsk.objects.get()

    answer_registration_ask(ask.id, now=NOW + timedelta(hours=1))

    assert Mail.objects.count() == 1
