"""A test goes to whoever asks for it, says that it is one, and reminds nobody."""

from datetime import timedelta

import pytest

from payorcrm.invoices.models import Invoice
from payorcrm.mail.models import Mail
from payorcrm.reminders.models import Reminder
from payorcrm.reminders.send_test import MOST_AN_HOUR, TooManyTests, send_test
from tests.factories.inbox import html_of
from tests.factories.models import NOW, CustomerFactory, InvoiceFactory, MerchantFactory, UserFactory
from tests.factories.outbox import deliver
from tests.factories.smtp import ScriptedServer

pytestmark = pytest.mark.django_db
TEXT = {"subject": "Pay {{total_invoice_amount}}", "body": "<p>Hello {{first_name}}</p>{{payment_buttons}}"}


def test_a_test_shows_a_real_customer_and_reminds_nobody(server: ScriptedServer) -> None:
    customer, user = CustomerFactory(company_name="Acme"), UserFactory()
    InvoiceFactory(customer=customer)

    send_test(merchant=customer.merchant, customer=customer, asked_by=user, now=NOW, **TEXT)
    deliver()

    (mail,) = server.mails
    assert (mail["X-Envelope-To"] or mail["To"]).endswith(f"{user.email}>") or user.email in mail["To"]
    assert mail["Subject"] == "[Test] Pay $120.00"
    assert "This is a test: Acme did not get this mail" in html_of(mail)
    assert mail["List-Unsubscribe"] is None
    assert not Reminder.objects.exists()
    assert Invoice.objects.get().last_reminded_at is None


def test_somebody_without_customers_sees_an_invented_one(server: ScriptedServer) -> None:
    send_test(merchant=MerchantFactory(), customer=None, asked_by=UserFactory(), now=NOW, **TEXT)
    deliver()

    assert "Hello Jo" in html_of(server.mails[0])


def test_a_test_speaks_the_language_of_its_text(server: ScriptedServer) -> None:
    send_test(merchant=MerchantFactory(), customer=None, asked_by=UserFactory(), now=NOW, language="es", **TEXT)
    deliver()

    assert "Pagar" in html_of(server.mails[0])


def test_a_second_press_sends_nothing_again() -> None:
    given = {"merchant": MerchantFactory(), "customer": None, "asked_by": UserFactory(), **TEXT}

    first, second = (send_test(**given, now=NOW + timedelta(seconds=seconds)) for seconds in (0, 2))
    send_test(**given | {"subject": "Other"}, now=NOW + timedelta(seconds=3))

    assert first == second
    assert Mail.objects.count() == 2


def test_a_person_gets_only_so_many_tests_an_hour() -> None:
    given = {"merchant": MerchantFactory(), "customer": None, "asked_by": UserFactory(), **TEXT}
    for minute in range(MOST_AN_HOUR):
        send_test(**given, now=NOW + timedelta(minutes=minute))

    with pytest.raises(TooManyTests):
        send_test(**given, now=NOW + timedelta(minutes=30))

    send_test(**given | {"asked_by": UserFactory()}, now=NOW + timedelta(minutes=30))
    send_test(**given, now=NOW + timedelta(minutes=61))
