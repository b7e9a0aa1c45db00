"""A run: one mail a customer and currency, and never two."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from pytest_django import DjangoAssertNumQueries

from payorcrm.core.money import Money
from payorcrm.customers.direct_mails import direct_mails
from payorcrm.customers.models import Customer, Topic
from payorcrm.mail.models import Mail, MailState
from payorcrm.merchants.models import Merchant
from payorcrm.payments.models import PaymentRequest
from payorcrm.reminders.models import Reminder, ReminderRun
from payorcrm.reminders.select import LeftOut, overdue_summary
from payorcrm.reminders.send import CannotRemind, NoSuchCustomer, send_reminders
from tests.factories.at_once import at_once
from tests.factories.models import NOW, CustomerFactory, InvoiceFactory, MerchantFactory, StaffFactory


@pytest.mark.django_db
def test_a_run_makes_one_mail_a_customer_and_currency() -> None:
    staff = StaffFactory()
    acme, boats = CustomerFactory(merchant=staff.merchant), CustomerFactory(merchant=staff.merchant)
    dollars = [InvoiceFactory(customer=acme) for _ in range(3)]
    euros = InvoiceFactory(customer=acme, amount=Money(7_000, "EUR"))
    other = InvoiceFactory(customer=boats)

    run = send_reminders(merchant=staff.merchant, now=NOW, started_by=staff.user)

    assert (run.reminder_count, run.invoice_count, run.started_by) == (3, 5, staff.user)
    requests = PaymentRequest.objects.prefetch_related("lines")
    found = {
        (request.customer_id, request.currency): {line.invoice_id for line in request.lines.all()}
        for request in requests
    }
    assert found == {
        (acme.id, "USD"): {invoice.id for invoice in dollars},
        (acme.id, "EUR"): {euros.id},
        (boats.id, "USD"): {other.id},
    }
    for reminder in Reminder.objects.select_related("mail", "request"):
        mail = reminder.mail
        assert (mail.kind, mail.about_id, mail.customer_id, mail.state) == (
            "reminder",
            reminder.id,
            reminder.customer_id,
            MailState.QUEUED,
        )
        assert mail.is_bulk
        assert reminder.request.customer_id == reminder.customer_id
        assert {row.id.version for row in (reminder, mail, reminder.request)} == {7}


@pytest.mark.django_db
def test_a_name_that_is_too_long_for_a_mail_does_not_stop_the_run() -> None:
    customer = CustomerFactory(contact__first_name="J" * 100, contact__last_name="M" * 100)
    InvoiceFactory(customer=customer)

    send_reminders(merchant=customer.merchant, now=NOW, started_by=None)

    assert Mail.objects.get().to_name == "J" * 100 + " " + "M" * 99


@pytest.mark.django_db
def test_mails_go_to_the_primary_contact() -> None:
    customer = CustomerFactory(contact__first_name="Zoë", contact__last_name="", contact__email="zoe@acme.example")
    customer.contacts.create(merchant=customer.merchant, email="second@acme.example")
    InvoiceFactory(customer=customer)

    send_reminders(merchant=customer.merchant, now=NOW)

    assert Mail.objects.values_list("to_address", "to_name").get() == ("zoe@acme.example", "Zoë")


@pytest.mark.django_db
def test_mails_go_where_the_customer_wants_them_but_not_in_a_rehearsal() -> None:
    customer = CustomerFactory()
    InvoiceFactory(customer=customer)
    direct(customer, to=["ann@acme.example", "bo@acme.example"], cc=["cfo@acme.example"])

    send_reminders(merchant=customer.merchant, now=NOW, to_address="me@harbor.example")
    send_reminders(merchant=customer.merchant, now=NOW)

    mails = Mail.objects.filter(kind="reminder").order_by("id")
    assert list(mails.values_list("to_address", "to_name", "also_to", "cc")) == [
        ("me@harbor.example", "", [], []),
        ("ann@acme.example", "", ["bo@acme.example"], ["cfo@acme.example"]),
    ]


@pytest.mark.django_db
def test_a_customer_without_an_address_on_file_is_reminded_where_it_wants() -> None:
    customer = CustomerFactory(contact__email="")
    InvoiceFactory(customer=customer)
    direct(customer, to=["ann@acme.example"])

    assert send_reminders(merchant=customer.merchant, now=NOW).reminder_count == 1


@pytest.mark.django_db
def test_who_wants_no_reminders_gets_none() -> None:
    customer = CustomerFactory()
    InvoiceFactory(customer=customer)
    direct(customer, is_wanted=False)

    assert send_reminders(merchant=customer.merchant, now=NOW).reminder_count == 0


def direct(customer: Customer, **wishes: Any) -> None:
    defaults: dict[str, Any] = {"is_wanted": True, "to": [], "cc": [], "changed_by": None, "now": NOW}
    direct_mails(customer=customer, topic=Topic.REMINDERS, **(defaults | wishes))


@pytest.mark.django_db
def test_one_customer_by_number() -> None:
    merchant = MerchantFactory()
    for number in ("C1", "C2"):
        InvoiceFactory(customer=CustomerFactory(merchant=merchant, number=number))

    assert send_reminders(merchant=merchant, now=NOW, customer_number="C2").reminder_count == 1
    with pytest.raises(NoSuchCustomer, match="“C9”"):
        send_reminders(merchant=merchant, now=NOW, customer_number="C9")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "asked",
    [
        {"min_days_overdue": 0},
        {"min_days_overdue": -5},
        {"min_days_overdue": 10**10},
        {"to_address": "nonsense"},
        {"to_address": ""},
    ],
)
def test_a_run_that_means_nothing_is_refused(asked: dict[str, Any]) -> None:
    merchant = InvoiceFactory().merchant

    with pytest.raises(CannotRemind):
        send_reminders(merchant=merchant, now=NOW, **asked)

    assert Mail.objects.count() == 0


@pytest.mark.django_db
def test_the_customer_number_of_another_merchant_is_unknown() -> None:
    stranger = InvoiceFactory(customer__number="C7")

    with pytest.raises(NoSuchCustomer):
        send_reminders(merchant=MerchantFactory(), now=NOW, customer_number=stranger.customer.number)


@pytest.mark.django_db
def test_a_second_press_sends_nothing() -> None:
    merchant = InvoiceFactory().merchant

    first, second = (send_reminders(merchant=merchant, now=NOW) for _ in range(2))

    assert (first.reminder_count, second.reminder_count) == (1, 0)
    assert [group.reason for group in overdue_summary(merchant, NOW).left_out] == [LeftOut.UNDER_WAY]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("state", "later", "count"),
    [
        (MailState.SENT, timedelta(seconds=90), 0),
        (MailState.SENT, timedelta(minutes=3), 1),
        (MailState.DEFERRED, timedelta(days=1), 0),
        (MailState.FAILED, timedelta(0), 1),
        (MailState.BOUNCED, timedelta(0), 1),
        (MailState.WITHDRAWN, timedelta(0), 1),
    ],
)
def test_a_customer_is_reminded_again_once_the_last_mail_is_settled(state: str, later: timedelta, count: int) -> None:
    merchant = InvoiceFactory().merchant
    send_reminders(merchant=merchant, now=NOW)
    Mail.objects.update(state=state)

    assert send_reminders(merchant=merchant, now=NOW + later).reminder_count == count


@pytest.mark.django_db
def test_a_waiting_reminder_in_one_currency_does_not_hold_another_back() -> None:
    invoice = InvoiceFactory()
    send_reminders(merchant=invoice.merchant, now=NOW)
    InvoiceFactory(customer=invoice.customer, amount=Money(100, "EUR"))

    assert send_reminders(merchant=invoice.merchant, now=NOW).reminder_count == 1


@pytest.mark.django_db(transaction=True)
def test_two_runs_at_once_send_one_mail() -> None:
    with transaction.atomic():
        merchant = InvoiceFactory().merchant

    def press(_: int) -> int:
        return send_reminders(merchant=Merchant.objects.get(id=merchant.id), now=NOW).reminder_count

    counts = at_once(press, *range(4))

    assert sorted(counts) == [0, 0, 0, 1]
    assert Mail.objects.count() == 1


@pytest.mark.django_db
def test_a_rehearsal_goes_to_one_address_and_holds_nothing_back() -> None:
    merchant = InvoiceFactory().merchant
    send_reminders(merchant=merchant, now=NOW)

    rehearsal = send_reminders(merchant=merchant, now=NOW, to_address="me@harbor.example")

    assert (rehearsal.reminder_count, rehearsal.to_address) == (1, "me@harbor.example")
    assert Mail.objects.filter(to_address="me@harbor.example", to_name="").count() == 1
    Mail.objects.filter(reminder__run__to_address="").update(state=MailState.FAILED)
    assert send_reminders(merchant=merchant, now=NOW).reminder_count == 1


@pytest.mark.django_db
@pytest.mark.parametrize("count", [1, 30])
def test_the_queries_of_a_run_do_not_grow_with_it(
    count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    merchant = MerchantFactory()
    for _ in range(count):
        InvoiceFactory(customer=CustomerFactory(merchant=merchant))
    send_reminders(merchant=merchant, now=NOW, to_address="me@harbor.example")
    ReminderRun.objects.all().delete()

    # A savepoint, the merchant's lock, the template, the run, all reminders in one statement, the counts, one job.
    with django_assert_num_queries(8):
        assert send_reminders(merchant=merchant, now=NOW).reminder_count == count
