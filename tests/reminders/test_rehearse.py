"""What is foreseen is what the runs of the coming days then really queue; and how a change of rules shows."""

import random
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from payorcrm.core.money import Money
from payorcrm.customers.models import Customer
from payorcrm.invoices.models import Invoice
from payorcrm.mail.models import Mail, MailState
from payorcrm.merchants.models import Merchant
from payorcrm.reminders import brake
from payorcrm.reminders.conditions import Tree
from payorcrm.reminders.decide_run import release_run
from payorcrm.reminders.mark import mark_reminded
from payorcrm.reminders.models import DayRun, DayRunState, Hold, HoldReason, Reminder, Rule
from payorcrm.reminders.rehearse import ForeseenMail, rehearse
from payorcrm.reminders.run_rules import active_rules
from payorcrm.reminders.switch_rules import rules_of
from tests.factories.due_runs import run_due_rules
from tests.factories.models import NOW, TODAY, CustomerFactory, MerchantFactory
from tests.reminders.rules import invoice_due, mark_sent, remind, set_schedule, switch_all_on

pytestmark = pytest.mark.django_db
Said = tuple[date, str, str, tuple[str, ...], str]


def foreseen(merchant: Merchant, now: datetime = NOW) -> list[ForeseenMail]:
    return rehearse(merchant, active_rules(merchant), now=now).mails


def said(mail: ForeseenMail) -> Said:
    return mail.day, str(mail.customer_id), mail.amount.currency, tuple(sorted(mail.numbers)), mail.rule.name


def queued(now: datetime) -> Iterator[Said]:
    """Run what is due now, release what waits, take its mails for sent, and say what they were about."""
    for run in run_due_rules(now=now):
        if run.state == DayRunState.HELD:
            release_run(run_id=run.id, released_by=None, now=now)
        for reminder in Reminder.objects.filter(run__day_run=run).select_related("run__rule", "request"):
            numbers = tuple(sorted(reminder.request.lines.values_list("invoice__number", flat=True)))
            yield run.day, str(reminder.customer_id), reminder.request.currency, numbers, reminder.run.rule.name
            mark_reminded([reminder.mail_id], now)
    mark_sent()


AGAIN = [
    {"any": [{"if": "overdue_every", "is": [8, 9]}, {"if": "overdue_at_least", "is": 40}]},
    {"if": "last_reminded_at_least", "is": 11},
]
FOLLOWING = [
    {"if": "overdue_between", "is": [1, 80]},
    {
        "any": [
            {"all": [{"if": "reminders_at_least", "is": 1}, {"if": "last_reminded_at_least", "is": 6}]},
            {"all": [{"if": "overdue_exactly", "is": 5}, {"if": "reminded_before", "is": False}]},
        ]
    },
]
FEW = [
    {"if": "overdue_between", "is": [3, 50]},
    {"if": "reminders_at_most", "is": 1},
    {"if": "currency_is_not", "is": "EUR"},
]


def add_rule(merchant: Merchant, conditions: list[Tree], **fields: Any) -> Rule:
    """Make a rule that is on, of the highest position."""
    rules = rules_of(merchant)
    defaults = {"name": f"Rule {len(rules)}", "position": len(rules), "is_active": True, "active_since": TODAY}
    given = defaults | {"template": rules[-1].template, "conditions": {"all": conditions}} | fields
    return Rule.objects.create(merchant=merchant, **given)


def busy_merchant(chance: random.Random) -> Merchant:
    """Make a merchant with all that can keep a mail from going out, and customers of two currencies."""
    merchant = MerchantFactory()
    weekdays, hour = sorted(chance.sample(range(7), chance.randrange(3, 8))), time(chance.randrange(24), 30)
    pause = chance.randrange(5)
    factor = chance.choice((1, 2, 100))
    set_schedule(merchant, send_at=hour, weekdays=weekdays, country="US", brake_factor=factor, min_days_between=pause)
    switch_all_on(merchant, now=NOW - timedelta(days=chance.randrange(10)))
    add_rule(merchant, AGAIN)
    add_rule(merchant, FEW)
    add_rule(merchant, FOLLOWING)
    for _ in range(12):
        _add_customer(merchant, chance)
    return merchant


def _add_customer(merchant: Merchant, chance: random.Random) -> None:
    customer = CustomerFactory(merchant=merchant)
    amounts = [Money(chance.randrange(1, 10**5), chance.choice(("USD", "USD", "EUR"))) for _ in range(3)]
    days = [chance.randrange(-90, 35) for _ in amounts]
    invoices = [
        invoice_due(TODAY + timedelta(days=each), customer=customer, amount=amount)
        for each, amount in zip(days, amounts, strict=True)
    ]
    if chance.random() < 0.1:
        # It came into the books the day before yesterday, overdue or not.
        Invoice.objects.filter(id=invoices[1].id).update(created_at=NOW - timedelta(days=2))
    if chance.random() < 0.5 and days[0] < -10:
        remind(invoices[0], now=NOW - timedelta(days=chance.randrange(1, 9)))
    if chance.random() < 0.4:
        hold(customer, chance.choice((None, invoices[0])), chance.choice((None, *range(25))))
    Customer.objects.filter(id=customer.id).update(is_reminded=chance.random() < 0.9)


def hold(customer: Customer, invoice: Invoice | None, days: int | None) -> None:
    """Put a customer or an invoice on hold, for some days or for longer than anybody rehearses."""
    until = TODAY + timedelta(days=100 if days is None else days)
    Hold.objects.create(
        merchant=customer.merchant,
        customer=customer,
        invoice=invoice,
        reason=HoldReason.DISPUTE,
        until=until,
        held_at=NOW,
    )


@pytest.mark.parametrize("seed", range(4))
def test_what_is_foreseen_is_what_the_runs_of_thirty_days_queue_and_hold(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # So that a dozen customers are enough for a run that is too large.
    monkeypatch.setattr(brake, "FEW_MAILS", 2)
    monkeypatch.setattr(brake, "FEW_INVOICES", 3)
    chance = random.Random(seed)
    merchant = busy_merchant(chance)
    rehearsal = rehearse(merchant, active_rules(merchant), now=NOW)
    expected = [said(mail) for mail in rehearsal.mails]
    zone, hour = ZoneInfo(merchant.time_zone), merchant.schedule.send_at
    ticks = [datetime.combine(TODAY + timedelta(days=days), hour, zone) + timedelta(minutes=5) for days in range(31)]

    found = [said for now in [NOW, *(tick for tick in ticks if tick > NOW)] for said in queued(now)]

    assert len(expected) > 10
    assert sorted(expected) == sorted(found)
    held = DayRun.objects.exclude(held_because="").values_list("day", "held_because")
    assert rehearsal.held == dict(held) != {}


def test_a_rehearsal_changes_nothing(customer: Customer) -> None:
    invoice_due(TODAY - timedelta(days=7), customer=customer)
    before = connection_rows()

    mails = foreseen(customer.merchant)

    assert [mail.rule.name for mail in mails] == ["7 days overdue", "14 days overdue", "30 days overdue"]
    assert connection_rows() == before


def connection_rows() -> dict[str, int]:
    """Count the rows of every table."""
    counts = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT count(*) FROM "{table}"')
            counts[table] = cursor.fetchone()[0]
    return counts


@pytest.fixture
def customer() -> Customer:
    """A customer of a merchant whose seven rules are on, at nine on every day."""
    customer = CustomerFactory()
    set_schedule(customer.merchant)
    switch_all_on(customer.merchant)
    return customer


def test_it_takes_as_many_queries_for_many_customers_as_for_one(
    customer: Customer, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    invoice_due(TODAY - timedelta(days=7), customer=customer)
    with CaptureQueriesContext(connection) as one:
        foreseen(customer.merchant)
    for _ in range(30):
        invoice_due(TODAY - timedelta(days=3), customer=CustomerFactory(merchant=customer.merchant))

    with django_assert_max_num_queries(len(one)):
        mails = foreseen(customer.merchant)

    assert len(mails) == 3 + 30 * 3


def test_what_was_withdrawn_at_the_last_moment_is_foreseen_again(customer: Customer) -> None:
    invoice_due(TODAY - timedelta(days=7), customer=customer)
    run_due_rules(now=NOW)
    Mail.objects.update(state=MailState.WITHDRAWN)
    tomorrow = NOW + timedelta(days=1)

    expected = [said(mail) for mail in foreseen(customer.merchant, tomorrow)]

    assert expected[0][0] == TODAY + timedelta(days=1)
    assert list(queued(tomorrow)) == expected[:1]


def test_what_is_foreseen_for_one_customer_is_what_is_foreseen_for_all():
    merchant = busy_merchant(random.Random(11))
    customers = Customer.objects.filter(merchant=merchant)
    rules, everything = active_rules(merchant), foreseen(merchant)

    by_one = {each.id: rehearse(merchant, rules, now=NOW, customer_id=each.id).mails for each in customers}

    assert everything
    assert by_one == {each.id: [mail for mail in everything if mail.customer_id == each.id] for each in customers}
