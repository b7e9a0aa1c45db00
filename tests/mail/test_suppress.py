"""Mails of runs do not go to addresses that do not work; a mail that somebody waits for does."""

import pytest

from payorcrm.customers.models import Notification, Topic
from payorcrm.mail.message import Envelope, write_message
from payorcrm.mail.models import MailState, Suppression, SuppressionReason
from payorcrm.mail.prepare import prepare
from payorcrm.mail.record import Result, write_down
from payorcrm.mail.suppress import suppress
from payorcrm.mail.trace import HEADERS, trace_header
from payorcrm.mail.transport import Answer, Outgoing
from payorcrm.reminders.models import Hold
from payorcrm.reminders.send import send_reminders
from tests.backoffice.rows import make_mail, make_stop, make_template
from tests.factories.models import NOW, CustomerFactory, InvoiceFactory

pytestmark = pytest.mark.django_db


def reminder_of(customer, **changes):
    InvoiceFactory(customer=customer)
    make_template(customer.merchant)
    run = send_reminders(merchant=customer.merchant, now=NOW)
    mail = run.reminders.get().mail
    for name, value in changes.items():
        setattr(mail, name, value)
    mail.save()
    return mail


def test_a_reminder_that_was_queued_before_the_stop_is_not_sent():
    customer = CustomerFactory()
    mail = reminder_of(customer)
    make_stop(customer.merchant, mail.to_address.lower())

    prepared = prepare([mail], now=NOW).write(mail)

    assert isinstance(prepared, Answer)
    assert prepared.state == MailState.FAILED
    assert "Mail to this address came back" in prepared.error


def test_a_mail_that_somebody_waits_for_is_sent():
    customer = CustomerFactory()
    mail = reminder_of(customer, is_bulk=False)
    make_stop(customer.merchant, mail.to_address.lower())

    assert isinstance(prepare([mail], now=NOW).write(mail), Outgoing)


def test_a_copy_to_a_stopped_address_is_left_out_and_named():
    customer = CustomerFactory()
    copies = ["boss@acme.example", "Gone@Acme.example"]
    Notification.objects.create(merchant=customer.merchant, customer=customer, topic=Topic.REMINDERS, cc=copies)
    mail = reminder_of(customer)
    make_stop(customer.merchant, "gone@acme.example")

    outgoing = prepare([mail], now=NOW).write(mail)

    assert outgoing.cc == ("boss@acme.example",)
    assert "Gone@Acme.example" in outgoing.left_out[0]


def test_another_merchants_stop_stops_nothing_here():
    customer = CustomerFactory()
    mail = reminder_of(customer)
    make_stop(CustomerFactory().merchant, mail.to_address.lower())

    assert isinstance(prepare([mail], now=NOW).write(mail), Outgoing)


@pytest.mark.parametrize(("state", "is_stopped"), [(MailState.BOUNCED, True), (MailState.FAILED, False)])
def test_the_mail_servers_own_no_to_an_address_stops_it_too(state, is_stopped):
    customer = CustomerFactory()
    address = customer.contacts.get(is_primary=True).email
    mail = make_mail(customer, to_address=address, state=MailState.SENDING, claimed_at=NOW)

    write_down([Result(mail, Answer(state, "5.1.1 no such user"))], now=NOW)

    assert Suppression.objects.filter(merchant=customer.merchant, address=address.lower()).exists() is is_stopped
    assert Hold.objects.filter(customer=customer).exists() is is_stopped


def test_an_address_is_stopped_once():
    mail = make_mail(CustomerFactory())

    first, second = [
        suppress(mail=mail, address="A@b.example", reason=SuppressionReason.BOUNCED, note="", at=NOW) for _ in "ab"
    ]

    assert (first, second) == (True, False)
    assert Suppression.objects.get().address == "a@b.example"


@pytest.mark.parametrize("provider", HEADERS)
def test_each_provider_gets_our_id_in_a_header_of_its_own(provider, settings):
    settings.MAIL_EVENTS_PROVIDER = provider
    mail = make_mail(CustomerFactory())
    envelope = Envelope(
        message_id=mail.id, from_name="A", from_address="a@b.example", to_name="", to_address="c@d.example",
        subject="x", trace=trace_header(mail.id),
    )  # fmt: skip

    written = write_message(envelope, text="x", html="x", at=NOW).decode()

    (line,) = [line for line in written.split("\r\n") if line.startswith(HEADERS[provider].partition(":")[0])]
    assert str(mail.id) in line


def test_without_a_provider_there_is_no_such_header(settings):
    settings.MAIL_EVENTS_PROVIDER = ""

    assert trace_header(make_mail(CustomerFactory()).id) == ""
