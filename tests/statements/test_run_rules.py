"""Runs of statements: on the right day and hour, exactly once, what was missed too, and held when it is odd."""

import random
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction

from payorcrm.customers.models import Customer
from payorcrm.mail.models import Mail, Suppression, SuppressionReason
from payorcrm.reminders.conditions import ConditionsRefused
from payorcrm.statements.keep_rules import delete_rule, keep_rule, switch_statements_off
from payorcrm.statements.models import NoStatement, RunState, Statement, StatementRule, StatementRun
from payorcrm.statements.run_rules import (
    StatementsNotHeld,
    drop_statements,
    merchants_due,
    release_statements,
    run_statements_of,
)
from tests.factories.at_once import at_once
from tests.factories.due_runs import run_due_statements
from tests.factories.models import NOW, TODAY, CustomerFactory, InvoiceFactory, MerchantFactory, usd
from tests.reminders.rules import set_schedule
from tests.statements.rules import make_rule

pytestmark = pytest.mark.django_db


def owing(merchant, **fields):
    customer = CustomerFactory(merchant=merchant, **fields)
    InvoiceFactory(customer=customer)
    return customer


def names_of(run):
    return {statement.customer.company_name for statement in run.statements.select_related("customer")}


def test_everyone_who_owes_gets_one_mail_and_the_others_none():
    merchant = MerchantFactory()
    owes = owing(merchant, company_name="Owes")
    InvoiceFactory(customer=owes, amount=usd("5.00"), currency="EUR")
    CustomerFactory(merchant=merchant, company_name="Owes nothing")
    make_rule(merchant)

    (run,) = run_due_statements(now=NOW)

    assert (run.day, run.mail_count, run.state) == (TODAY, 1, RunState.SENT)
    assert names_of(run) == {"Owes"}
    assert Mail.objects.get().customer_id == owes.id


def test_who_cannot_get_one_is_named_with_the_reason():
    merchant = MerchantFactory()
    owing(merchant, contact__email="", company_name="A")
    owing(merchant, unsubscribed_at=NOW, company_name="B")
    owing(merchant, is_reminded=False, company_name="C")
    bounced = owing(merchant, company_name="D").contacts.get().email
    Suppression.objects.create(merchant=merchant, address=bounced, reason=SuppressionReason.BOUNCED, suppressed_at=NOW)
    make_rule(merchant)

    (run,) = run_due_statements(now=NOW)

    reasons = {each.customer.company_name: each.reason for each in run.omissions.all()}
    assert reasons == {
        "A": NoStatement.NO_ADDRESS,
        "B": NoStatement.UNSUBSCRIBED,
        "C": NoStatement.NOT_REMINDED,
        "D": NoStatement.SUPPRESSED,
    }
    assert Mail.objects.count() == 0


@pytest.mark.parametrize(
    ("conditions", "names"),
    [
        ({}, {"Small", "Large"}),
        ({"if": "category_is", "is": "dealers"}, {"Large"}),
        ({"any": [{"if": "number_is", "is": "C-1"}, {"if": "balance_at_least", "is": 50_000}]}, {"Small", "Large"}),
        ({"all": [{"if": "balance_at_least", "is": 50_000}]}, {"Large"}),
        ({"all": [{"if": "has_saved_method", "is": True}]}, set()),
        ({"all": [{"if": "language_is", "is": "es"}]}, {"Small"}),
    ],
)
def test_conditions_choose_customers(conditions, names):
    merchant = MerchantFactory()
    small = CustomerFactory(merchant=merchant, number="C-1", company_name="Small", language="es")
    large = CustomerFactory(merchant=merchant, company_name="Large", category="Dealers")
    InvoiceFactory(customer=small, amount=usd("499.99"))
    InvoiceFactory(customer=large, amount=usd("500.00"))
    make_rule(merchant, conditions=conditions)

    (run,) = run_due_statements(now=NOW)

    assert names_of(run) == names


def test_the_hour_is_that_of_the_schedule_and_a_day_has_one_run():
    merchant = MerchantFactory()
    set_schedule(merchant, send_at=time(9))
    owing(merchant)
    make_rule(merchant)

    runs = [len(run_due_statements(now=NOW.replace(hour=hour))) for hour in (12, 13, 14, 15, 20)]

    assert runs == [0, 0, 1, 0, 0]
    assert Mail.objects.count() == 1


def test_nothing_is_sent_while_a_rule_is_off_or_for_days_before_it_was_switched_on():
    merchant = MerchantFactory()
    owing(merchant)
    off, late = make_rule(merchant), make_rule(merchant, now=NOW + timedelta(days=1))
    switch_statements_off(off)

    assert run_due_statements(now=NOW) == []
    assert run_due_statements(now=NOW + timedelta(days=3)) == []
    assert [run.rule_id for run in run_due_statements(now=NOW + timedelta(days=7))] == [late.id]


@pytest.mark.parametrize(("missed", "count"), [(1, 1), (5, 1), (6, 0)])
def test_what_was_missed_is_sent_once_within_five_days(missed, count):
    merchant = MerchantFactory()
    set_schedule(merchant)
    owing(merchant)
    make_rule(merchant)

    runs = [*run_due_statements(now=NOW + timedelta(days=missed)), *run_due_statements(now=NOW + timedelta(days=6))]

    assert [run.day for run in runs] == [TODAY] * count
    assert Mail.objects.count() == count


def test_a_day_without_sending_is_made_up_for_on_the_next_one():
    merchant = MerchantFactory()
    set_schedule(merchant, weekdays=[0, 1, 2, 3, 4], country="US")
    owing(merchant)
    make_rule(merchant, month_day=26)  # Thanksgiving of 2026
    make_rule(merchant, month_day=28)  # a Saturday

    days = {day: [run.day.day for run in run_due_statements(now=NOW.replace(day=day))] for day in range(24, 31)}

    assert {day: sent for day, sent in days.items() if sent} == {27: [26], 30: [28]}


@pytest.mark.parametrize(
    ("month_day", "days"),
    [
        (31, [date(2028, 1, 31), date(2028, 2, 29), date(2028, 3, 31), date(2028, 4, 30)]),
        (29, [date(2028, 1, 29), date(2028, 2, 29), date(2028, 3, 29), date(2028, 4, 29)]),
        (1, [date(2028, 1, 1), date(2028, 2, 1), date(2028, 3, 1), date(2028, 4, 1)]),
    ],
)
def test_a_day_that_a_month_does_not_have_is_its_last(month_day, days):
    rule = StatementRule(month_day=month_day)
    all_days = [date(2028, 1, 1) + timedelta(days=place) for place in range(121)]

    assert [day for day in all_days if rule.falls_on(day)] == days
    assert StatementRule(month_day=30).falls_on(date(2027, 2, 28))


@pytest.mark.parametrize(
    ("zone", "send_at", "day"),
    [
        ("America/New_York", time(2, 30), date(2026, 3, 8)),
        ("America/New_York", time(1, 30), date(2026, 11, 1)),
        ("Pacific/Kiritimati", time(9), date(2026, 5, 5)),
        ("Pacific/Honolulu", time(23, 30), date(2028, 2, 29)),
    ],
)
def test_the_hour_comes_once_in_every_time_zone(zone, send_at, day):
    merchant = MerchantFactory(time_zone=zone)
    set_schedule(merchant, send_at=send_at)
    owing(merchant)
    make_rule(merchant, month_day=day.day)
    midnight = datetime.combine(day, time.min, ZoneInfo(zone)).astimezone(UTC)
    ran_at = []

    for minutes in range(0, 26 * 60, 15):
        now = midnight + timedelta(minutes=minutes)
        if run_due_statements(now=now):
            ran_at.append(now.astimezone(ZoneInfo(zone)))

    (moment,) = ran_at
    assert (moment.date(), moment.time() >= send_at) == (day, True)
    assert StatementRun.objects.get().day == day


def test_a_rule_that_cannot_be_run_stops_no_other_merchant():
    broken, sound = make_rule(MerchantFactory()), make_rule(MerchantFactory())
    owing(sound.merchant)
    StatementRule.objects.filter(id=broken.id).update(conditions={"all": [{"if": "full_moon", "is": True}]})

    assert merchants_due(now=NOW) == [broken.merchant_id, sound.merchant_id]
    with pytest.raises(ConditionsRefused):
        run_statements_of(merchant_id=broken.merchant_id, now=NOW)
    assert run_statements_of(merchant_id=sound.merchant_id, now=NOW)[0].mail_count == 1
    assert merchants_due(now=NOW) == [broken.merchant_id]


def test_a_changed_day_sends_nothing_for_days_that_have_passed():
    merchant = MerchantFactory()
    set_schedule(merchant)
    owing(merchant)
    rule = make_rule(merchant, month_day=25)
    rule.month_day = 18

    keep_rule(rule, now=NOW)

    assert run_due_statements(now=NOW) == []


def test_a_new_name_does_not_make_a_missed_day_forgotten():
    merchant = MerchantFactory()
    set_schedule(merchant)
    owing(merchant)
    rule = make_rule(merchant, month_day=18)
    rule.name = "Mid-month"

    keep_rule(rule, now=NOW)

    assert [run.day for run in run_due_statements(now=NOW)] == [date(2026, 11, 18)]


def test_a_run_that_is_far_larger_than_foreseen_waits_for_a_person():
    merchant = MerchantFactory()
    rule = make_rule(merchant)
    for _ in range(21):
        owing(merchant)

    (run,) = run_due_statements(now=NOW)

    assert (run.state, run.mail_count, Mail.objects.count()) == (RunState.HELD, 21, 0)
    assert run.held_because == "It has 21 statements; 0 were expected when the rule was last changed."
    assert run_due_statements(now=NOW + timedelta(days=1)) == []
    assert release_statements(run_id=run.id, released_by=None, now=NOW).mail_count == 21
    assert Mail.objects.count() == 21
    with pytest.raises(StatementsNotHeld):
        drop_statements(run_id=run.id, dropped_by=None, now=NOW)
    assert run_due_statements(now=NOW + timedelta(days=7))[0].state == RunState.SENT
    assert rule.runs.count() == 2


def test_a_run_as_large_as_the_number_that_was_shown_when_it_was_switched_on_goes_out():
    merchant = MerchantFactory()
    for _ in range(21):
        owing(merchant)
    make_rule(merchant)

    assert run_due_statements(now=NOW)[0].state == RunState.SENT


def test_a_dropped_run_and_one_of_a_deleted_rule_send_nothing_ever():
    merchant = MerchantFactory()
    first, second = make_rule(merchant), make_rule(merchant)
    for _ in range(21):
        owing(merchant)
    run_due_statements(now=NOW)

    drop_statements(run_id=first.runs.get().id, dropped_by=None, now=NOW)
    other = second.runs.get()
    delete_rule(second)
    with pytest.raises(StatementsNotHeld):
        release_statements(run_id=other.id, released_by=None, now=NOW)

    assert run_due_statements(now=NOW + timedelta(days=1)) == []
    assert Mail.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_two_schedulers_at_once_send_one_mail():
    with transaction.atomic():
        customer = CustomerFactory()
        InvoiceFactory(customer=customer)
        make_rule(customer.merchant)

    runs = at_once(lambda _: run_due_statements(now=NOW), *range(4))

    assert sorted(map(len, runs)) == [0, 0, 0, 1]
    assert Mail.objects.count() == 1


@pytest.mark.parametrize("seed", [1, 2])
def test_over_400_days_with_outages_every_statement_is_sent_exactly_once(seed):
    chance = random.Random(seed)
    zone = ZoneInfo("America/New_York")
    merchant = MerchantFactory(time_zone="America/New_York")
    set_schedule(merchant, send_at=time(23, 30))
    customer = owing(merchant)
    start = date(2027, 11, 1)  # over both changes of the clocks and a 29 February
    rules = [
        make_rule(merchant, now=datetime.combine(start, time(0), zone), **day)
        for day in ({"weekday": 2}, {"month_day": 31}, {"month_day": 29})
    ]
    midnight = datetime.combine(start, time(5), UTC)
    off_until = -1

    for day in range(400):
        if day > off_until + 2 and chance.random() < 0.15:
            off_until = day + chance.randrange(1, 5)
        if day <= off_until:
            continue
        for hour in sorted(chance.sample(range(24), 2)):
            for _scheduler in range(2):
                run_due_statements(now=midnight + timedelta(days=day, hours=hour, minutes=chance.randrange(60)))

    counted = Counter(StatementRun.objects.values_list("rule_id", "day"))
    # Of the last days, some are still to come: the machine may be off at the end.
    ended = start + timedelta(days=392)
    days = [start + timedelta(days=place) for place in range((ended - start).days)]
    expected = {(rule.id, day) for rule in rules for day in days if rule.falls_on(day)}
    assert {key for key in counted if key[1] < ended} == expected
    assert set(counted.values()) == {1}
    assert Statement.objects.filter(customer=customer).count() == len(counted) == Mail.objects.count()


@pytest.mark.parametrize("count", [1, 200])
def test_many_customers_take_as_many_statements_of_sql_as_one(django_assert_num_queries, count):
    merchant = MerchantFactory()
    Customer.objects.bulk_create(
        Customer(merchant=merchant, number=f"M-{place}", company_name=f"Many {place}") for place in range(count)
    )
    make_rule(merchant, includes_settled=True)

    with django_assert_num_queries(12):
        (run,) = run_due_statements(now=NOW)

    assert run.omissions.count() == count
