"""One invoice in the portal: what it says, and to whom."""

import pytest
from django.urls import reverse

from payorcrm.core.clock import now as present
from payorcrm.invoices.models import Invoice, InvoiceEvent, InvoiceEventKind, InvoiceLine, InvoiceStatus
from payorcrm.mail.models import MailState
from payorcrm.payments.models import Payment
from payorcrm.reminders.models import Reminder, ReminderRun
from tests.backoffice.rows import make_mail, make_payment, make_template
from tests.factories.models import CustomerFactory, request_for, usd
from tests.portal.invoice_kit import access, customer, exported, owe, shown, signed_in

__all__ = ["access", "customer", "signed_in"]

pytestmark = pytest.mark.django_db


def test_an_invoice_shows_lines_payments_mails_and_changes(signed_in, customer):
    invoice = owe(customer, "INV-7", amount=usd("100.00"))
    InvoiceLine.objects.create(
        merchant=customer.merchant,
        invoice=invoice,
        position=1,
        description="Anchor",
        quantity=2,
        unit_price=5000,
        amount=10000,
    )
    payment: Payment = make_payment(customer, invoices=[invoice])
    remind(invoice, MailState.SENT, "Your invoice is due")
    remind(invoice, MailState.QUEUED, "Not sent yet")
    note = "Total changed from $90.00 to $100.00. Moved from Rival Ltd to Acme Tools."
    change(invoice, InvoiceEventKind.CHANGED, note)
    change(invoice, InvoiceEventKind.SETTLED_ELSEWHERE, "import of rival.csv")

    page = signed_in.get(reverse("portal:invoice", args=[invoice.id])).content.decode()

    for words in (
        "Anchor",
        "$50.00",
        payment.reference,
        "Your invoice is due",
        "Total changed from",
        "Paid another way",
    ):
        assert words in page
    for secret in ("Rival", "rival.csv", "Not sent yet"):
        assert secret not in page


def remind(invoice: Invoice, state: MailState, subject: str) -> None:
    run = ReminderRun.objects.create(
        merchant=invoice.merchant,
        template=make_template(invoice.merchant, name=subject, is_default=False),
        started_at=present(),
    )
    mail = make_mail(invoice.customer, state=state, subject=subject, sent_at=present())
    Reminder.objects.create(
        merchant=invoice.merchant, customer=invoice.customer, run=run, request=request_for(invoice), mail=mail
    )


def change(invoice: Invoice, kind: InvoiceEventKind, note: str) -> None:
    InvoiceEvent.objects.create(merchant=invoice.merchant, invoice=invoice, kind=kind, at=present(), note=note)


@pytest.mark.parametrize("same_merchant", [True, False])
def test_another_customers_invoice_is_not_found(signed_in, customer, same_merchant):
    stranger = CustomerFactory(merchant=customer.merchant) if same_merchant else CustomerFactory()
    theirs = owe(stranger, "theirs")

    assert signed_in.get(reverse("portal:invoice", args=[theirs.id])).status_code == 404
    assert "theirs" not in shown(signed_in)
    assert "theirs" not in exported(signed_in, "csv")


def test_a_draft_is_not_found(signed_in, customer):
    draft = owe(customer, "draft", status=InvoiceStatus.DRAFT)

    assert signed_in.get(reverse("portal:invoice", args=[draft.id])).status_code == 404
