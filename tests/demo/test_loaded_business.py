"""The demo business as it stands after loading: complete, right to the cent, and the same after a second start."""

from collections import Counter
from datetime import timedelta

import pytest
from django.contrib.auth import authenticate
from django.db import transaction
from django.test import override_settings

from payorcrm.core.clock import day_in, now
from payorcrm.core.money import Money
from payorcrm.customers.models import Customer
from payorcrm.demo.business import COMPANIES, PLAYED, PLAYED_NUMBER, SLUG
from payorcrm.demo.load import load_demo_business
from payorcrm.invoices.models import Invoice, InvoiceStatus
from payorcrm.ledger.check import check_books
from payorcrm.mail.models import Mail, MailState, Suppression
from payorcrm.merchants.models import GatewayAccount, Merchant, Role
from payorcrm.payment_methods.models import PaymentMethod
from payorcrm.payments.models import Payment, PaymentState, Refund
from payorcrm.reminders.models import Hold, Reminder
from payorcrm.reminders.select import overdue_summary
from payorcrm.statements.models import Statement


@pytest.fixture(scope="module")
def loaded(django_db_setup, django_db_blocker, sandbox_server):
    """The business, loaded once for the tests that look at it; what each of them changes is taken back."""
    keys = {"SANDBOX_URL": sandbox_server.url, "SANDBOX_ADMIN_KEY": sandbox_server.admin_key}
    loading = transaction.atomic()
    # As Django does for its own test cases: durable blocks may stand in this one.
    loading._from_testcase = True
    with django_db_blocker.unblock(), override_settings(**keys), loading:
        people = load_demo_business()
        yield Merchant.objects.get(slug=SLUG), people
        transaction.set_rollback(True)


def facts() -> list[object]:
    """Return what a visitor could tell two demos apart by."""
    customers = list(Customer.objects.order_by("number").values_list("number", "company_name", "category"))
    invoices = list(Invoice.objects.order_by("number").values_list("number", "status", "due_on", "total", "balance"))
    payments = list(Payment.objects.order_by("submitted_at").values_list("submitted_at", "amount", "state"))
    methods = sorted(PaymentMethod.objects.values_list("customer__number", "last4", "saved_at"))
    return [customers, invoices, payments, methods]


def test_business_has_every_state_and_right_books(loaded, db):
    merchant, _ = loaded
    today = day_in(merchant.time_zone, now())
    payments = Counter(Payment.objects.values_list("state", "method__kind"))
    overdue = Invoice.objects.overdue(today=today)

    assert check_books() == []
    account = GatewayAccount.objects.get()
    assert account.account_id.startswith("acct_")
    assert not PaymentMethod.objects.exclude(account_id=account.account_id).exists()
    assert Customer.objects.count() == len(COMPANIES) == 40
    assert 380 <= Invoice.objects.count() <= 450
    assert set(Invoice.objects.values_list("status", flat=True)) == set(InvoiceStatus.values)
    assert Invoice.objects.processing().count() >= 3
    assert Invoice.objects.open().filter(due_on__gte=today).exists()
    assert Invoice.objects.open().filter(events__kind="settled_elsewhere").exists()
    assert {invoice.days_overdue(today=today) > 90 for invoice in overdue} == {True, False}
    assert max(invoice.days_overdue(today=today) for invoice in overdue) <= 120
    assert payments[PaymentState.SUCCEEDED, "card"] > 10
    assert payments[PaymentState.SUCCEEDED, "bank_account"] > 5
    assert payments[PaymentState.DECLINED, "card"] == 2
    assert payments[PaymentState.PENDING, "bank_account"] == 3
    assert set(Payment.objects.filter(state="returned").values_list("return_code", flat=True)) == {"R01", "R10"}
    assert PaymentMethod.objects.saved().values("customer").distinct().count() == 15
    assert not Payment.objects.filter(submitted_at__gt=now()).exists()


def test_a_visitor_finds_refunds_a_cheque_holds_a_bounced_address_and_a_statement(loaded, db):
    cheque = Payment.objects.exclude(offline_kind="").get()
    full, part = sorted(Refund.objects.select_related("payment"), key=lambda made: made.amount < made.payment.amount)

    assert (full.state, part.state) == ("succeeded", "succeeded")
    assert (full.payment.state, part.payment.state) == ("refunded", "succeeded")
    assert cheque.amount - sum(part.amount for part in cheque.allocations.all()) == 2500
    assert set(Hold.objects.values_list("reason", flat=True)) == {"dispute", "promise", "bounced"}
    assert Suppression.objects.get().address == COMPANIES[9].email
    assert Statement.objects.get().mail.state == MailState.SENT


def test_played_customer_owes_1150_dollars_and_has_two_saved_methods(loaded, db):
    customer = Customer.objects.get(number=PLAYED_NUMBER)
    overdue = Invoice.objects.filter(customer=customer).overdue(today=day_in("America/New_York", now()))
    methods = PaymentMethod.objects.saved().filter(customer=customer)

    assert [invoice.balance_money() for invoice in overdue.order_by("due_on")] == [
        Money(dollars * 100, "USD") for dollars in (121, 126, 174, 118, 117, 161, 181, 152)
    ]
    assert {(method.masked(), method.noun_with_digits()) for method in methods} == {
        ("Visa •••• 0027", "card •••• 0027"),
        ("First Sandbox Bank •••• 5456", "bank account •••• 5456"),
    }
    assert Payment.objects.filter(customer=customer, state="succeeded").count() == 2


def test_one_customer_is_reminded_another_invited_and_the_past_sends_nothing(loaded, db):
    waiting = Mail.objects.exclude(state=MailState.SENT).values_list("kind", "to_address", "state").order_by("id")
    settled = Mail.objects.filter(state=MailState.SENT)

    assert list(waiting) == [
        ("reminder", PLAYED.email, MailState.QUEUED),
        ("invitation", COMPANIES[1].email, MailState.QUEUED),
    ]
    assert settled.filter(kind="receipt").count() > 10
    assert not settled.filter(subject="").exists()
    assert all(mail.sent_at < now() - timedelta(hours=1) for mail in settled)


def test_some_customers_cannot_be_reminded_and_the_summary_says_why(loaded, db):
    merchant, _ = loaded

    reasons = {left.reason.value for left in overdue_summary(merchant, now()).left_out}

    assert {"no_address", "unsubscribed", "not_reminded"} <= reasons


def test_everybody_can_sign_in(loaded, db):
    merchant, people = loaded

    users = [authenticate(email=person.email, password=person.password) for person in people]

    assert [user.portal_accesses.count() for user in users] == [1, 0, 0, 0]
    assert set(merchant.staff.values_list("role", flat=True)) == set(Role.values)


def test_second_start_changes_nothing_but_the_addresses_of_the_processor(loaded, db, settings):
    _, people = loaded
    before, account = facts(), GatewayAccount.objects.get()
    settings.PUBLIC_URL = "http://localhost:9123"

    again = load_demo_business()

    assert again == people
    assert facts() == before
    assert GatewayAccount.objects.get().credentials() == account.credentials()
    assert Reminder.objects.count() == 1
