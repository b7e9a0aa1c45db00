"""What is asked once more at the moment of sending: who paid, is held or has left since gets no mail."""

from datetime import timedelta

import pytest

from payorcrm.customers.models import Contact, Customer, Notification, Topic
from payorcrm.invoices.models import Invoice, InvoiceStatus
from payorcrm.mail.models import Mail, MailState, SuppressionReason
from payorcrm.mail.suppress import suppress
from payorcrm.mail.transport import KEPT_BACK
from payorcrm.reminders.hold import end_hold
from payorcrm.reminders.models import Reminder
from payorcrm.reminders.select import LeftOut
from tests.factories.due_runs import run_due_rules
from tests.factories.models import NOW, CustomerFactory, usd
from tests.factories.outbox import deliver, deliver_while
from tests.factories.smtp import ScriptedServer
from tests.reminders.rules import hold, late, set_schedule, switch_all_on


@pytest.fixture
def customer(ruled):
    return ruled


def test_a_customer_who_pays_a_second_before_gets_no_mail(customer, server: ScriptedServer):
    invoice = late(customer, 7)
    run_due_rules(now=NOW)
    Invoice.objects.filter(id=invoice.id).update(status=InvoiceStatus.PAID, balance=0)

    deliver(NOW + timedelta(seconds=1))

    assert server.mails == []
    assert Mail.objects.get().state == MailState.WITHDRAWN


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("ending", ["pays", "is_held", "unsubscribes"])
def test_what_happens_while_a_batch_is_under_way_keeps_its_mail_back(server: ScriptedServer, ending):
    customer = CustomerFactory()
    switch_all_on(customer.merchant)
    set_schedule(customer.merchant)
    invoice = late(customer, 7)
    happenings = {
        "pays": lambda: Invoice.objects.filter(id=invoice.id).update(status=InvoiceStatus.PAID, balance=0),
        "is_held": lambda: hold(customer, invoice=invoice),
        "unsubscribes": lambda: Customer.objects.filter(id=customer.id).update(unsubscribed_at=NOW),
    }
    run_due_rules(now=NOW)

    deliver_while(happenings[ending])
    kept_back = Mail.objects.get()
    deliver(NOW + timedelta(minutes=2))

    assert server.mails == []
    assert (kept_back.state, kept_back.last_error) == (MailState.DEFERRED, KEPT_BACK.error)
    assert Mail.objects.get().state == MailState.WITHDRAWN


@pytest.mark.django_db(transaction=True)
def test_a_part_that_is_paid_while_a_batch_is_under_way_is_not_asked_for(server: ScriptedServer):
    customer = CustomerFactory()
    switch_all_on(customer.merchant)
    set_schedule(customer.merchant)
    invoice = late(customer, 7, amount=usd("75.00"))
    run_due_rules(now=NOW)

    deliver_while(lambda: Invoice.objects.filter(id=invoice.id).update(balance=2500))
    kept_back = Mail.objects.get()
    deliver(NOW + timedelta(minutes=2))

    (mail,) = server.mails
    assert "$25.00" in mail["Subject"]
    assert (kept_back.attempt_count, kept_back.send_after) == (0, NOW + timedelta(minutes=1))  # it was no try


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("change", ["address", "choice", "copy"])
def test_an_address_that_changes_while_a_batch_is_under_way_gets_no_mail(server: ScriptedServer, change):
    customer = CustomerFactory()
    switch_all_on(customer.merchant)
    set_schedule(customer.merchant)
    late(customer, 7)
    for_reminders = {"customer": customer, "merchant": customer.merchant, "topic": Topic.REMINDERS}
    changes = {
        "address": lambda: Contact.objects.filter(customer=customer).update(email="new@acme.example"),
        "choice": lambda: Notification.objects.get_or_create(**for_reminders, defaults={"to": ["new@acme.example"]}),
        "copy": lambda: Notification.objects.get_or_create(**for_reminders, defaults={"cc": ["new@acme.example"]}),
    }
    run_due_rules(now=NOW)

    deliver_while(changes[change])
    too_early = list(server.mails)
    deliver(NOW + timedelta(minutes=2))

    assert too_early == []
    assert "new@acme.example" in server.recipients
    assert len(server.mails) == 1


@pytest.mark.django_db(transaction=True)
def test_an_address_that_is_stopped_while_a_batch_is_under_way_gets_no_mail(server: ScriptedServer):
    customer = CustomerFactory()
    switch_all_on(customer.merchant)
    set_schedule(customer.merchant)
    late(customer, 7)
    run_due_rules(now=NOW)
    mail = Mail.objects.get()

    deliver_while(
        lambda: suppress(mail=mail, address=mail.to_address, reason=SuppressionReason.COMPLAINED, note="", at=NOW)
    )
    deliver(NOW + timedelta(minutes=2))

    assert server.mails == []
    mail.refresh_from_db()
    assert mail.state == MailState.FAILED
    assert "No reminder or invitation goes to" in mail.last_error


def test_a_hold_between_choosing_and_sending_withdraws_the_mail(customer, server: ScriptedServer):
    late(customer, 7)
    run_due_rules(now=NOW)
    hold(customer)

    deliver(NOW)

    assert server.mails == []


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"unsubscribed_at": NOW}, LeftOut.UNSUBSCRIBED),
        ({"is_reminded": False}, LeftOut.NOT_REMINDED),
    ],
)
def test_who_wants_no_reminder_by_the_moment_of_sending_gets_none_and_it_is_noted(customer, server, change, why):
    invoice = late(customer, 7)
    run_due_rules(now=NOW)
    Customer.objects.filter(id=customer.id).update(**change)

    deliver(NOW)

    assert server.mails == []
    assert Reminder.objects.get().left_out == {str(invoice.id): why}


def test_a_step_whose_mail_a_hold_stopped_at_the_last_moment_follows_when_it_ends(customer, server: ScriptedServer):
    late(customer, 7)
    run_due_rules(now=NOW)
    held = hold(customer)
    deliver(NOW)
    end_hold(held, ended_by=None, now=NOW)

    runs = [
        run for days in (1, 2) for run in run_due_rules(now=NOW + timedelta(days=days)) if not deliver(run.started_at)
    ]

    assert [run.mail_count for run in runs] == [1, 0]
    assert len(server.mails) == 1


def test_an_invoice_that_a_mail_left_out_at_the_last_moment_follows(customer, server: ScriptedServer):
    stopped, _ = late(customer, 7), late(customer, 14)
    run_due_rules(now=NOW)
    held = hold(customer, invoice=stopped)
    deliver(NOW)
    end_hold(held, ended_by=None, now=NOW)

    run_due_rules(now=NOW + timedelta(days=1))
    deliver(NOW + timedelta(days=1))

    first, second = (mail.get_body(("plain",)).get_content() for mail in server.mails)
    assert stopped.number not in first
    assert stopped.number in second
