"""Runs by rules: at the right hour, once, what was missed too, and held when something is odd."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction

from payorcrm.customers.change_contact import Person, change_contact
from payorcrm.invoices.models import Invoice
from payorcrm.mail.models import Mail
from payorcrm.reminders.conditions import ConditionsRefused
from payorcrm.reminders.hold import end_hold
from payorcrm.reminders.models import DayRun, DayRunState, Reminder, Rule, Schedule, Step
from payorcrm.reminders.run_rules import merchants_due, run_rules_of
from payorcrm.reminders.select import LeftOut
from payorcrm.reminders.send import send_reminders
from tests.factories.at_once import at_once
from tests.factories.due_runs import run_due_rules
from tests.factories.models import NOW, TODAY, CustomerFactory, MerchantFactory, usd
from tests.factories.outbox import deliver
from tests.factories.smtp import ScriptedServer
from tests.reminders.rules import hold, invoice_due, late, mark_sent, set_schedule, switch_all_on

STATEMENTS = 60


@pytest.fixture
def customer(ruled):
    return ruled


def test_a_day_sends_one_mail_a_customer_and_currency_whatever_number_of_rules_match(customer):
    invoices = [late(customer, days) for days in (7, 14, 30, -10)]
    late(customer, 20)

    (run,) = run_due_rules(now=NOW)

    assert (run.mail_count, run.invoice_count, run.state) == (1, 4, DayRunState.SENT)
    reminder = Reminder.objects.get()
    assert {line.invoice_id for line in reminder.request.lines.all()} == {invoice.id for invoice in invoices}
    assert reminder.run.rule.name == "30 days overdue"
    assert Step.objects.count() == 4


@pytest.mark.django_db
def test_nothing_is_sent_while_all_rules_are_off():
    customer = CustomerFactory()
    rules = switch_all_on(customer.merchant)
    Rule.objects.filter(id__in=[rule.id for rule in rules]).update(is_active=False)
    late(customer, 7)

    assert run_due_rules(now=NOW) == []


def test_a_day_has_one_run(customer):
    late(customer, 7)

    assert len(run_due_rules(now=NOW)) == 1
    assert run_due_rules(now=NOW + timedelta(minutes=5)) == []
    assert Mail.objects.count() == 1


def test_an_invoice_that_is_not_due_yet_is_announced(customer, server: ScriptedServer):
    late(customer, -5, amount=usd("75.00"))
    run_due_rules(now=NOW)

    deliver(NOW)

    (mail,) = server.mails
    assert mail["Subject"] == "$75.00 will soon be due"
    assert "due in 5 days" in mail.get_body(("html",)).get_content()


def test_a_hold_stops_a_customer_and_says_so_and_the_step_follows_when_it_ends(customer):
    late(customer, 7)
    held = hold(customer)

    (run,) = run_due_rules(now=NOW)
    end_hold(held, ended_by=None, now=NOW)
    (next_run,) = run_due_rules(now=NOW + timedelta(days=1))

    assert (run.mail_count, run.omissions.get().reason) == (0, LeftOut.ON_HOLD)
    assert next_run.mail_count == 1


def test_a_hold_of_one_invoice_leaves_the_others(customer):
    held, free = late(customer, 7), late(customer, 14)
    hold(customer, invoice=held)

    run_due_rules(now=NOW)

    assert [line.invoice_id for line in Reminder.objects.get().request.lines.all()] == [free.id]


def test_a_hold_ends_by_itself_after_its_last_day(customer):
    late(customer, 7)
    hold(customer, until=TODAY)

    assert run_due_rules(now=NOW)[0].mail_count == 0
    assert run_due_rules(now=NOW + timedelta(days=1))[0].mail_count == 1


def test_a_hold_stops_reminders_by_hand_too(customer):
    late(customer, 7)
    hold(customer)

    assert send_reminders(merchant=customer.merchant, now=NOW).reminder_count == 0


def test_who_unsubscribed_or_was_just_reminded_is_left_out(customer):
    customer.merchant.schedule.min_days_between = 3
    customer.merchant.schedule.save()
    late(customer, 7)
    late(customer, 6)
    other = CustomerFactory(merchant=customer.merchant, unsubscribed_at=NOW)
    late(other, 7)

    (first,) = run_due_rules(now=NOW)
    mark_sent()
    counts = [run_due_rules(now=NOW + timedelta(days=days))[0].mail_count for days in (1, 2, 3)]

    assert first.omissions.get().reason == LeftOut.UNSUBSCRIBED
    assert counts == [0, 0, 1]
    assert DayRun.objects.get(day=TODAY + timedelta(days=1)).omissions.filter(reason=LeftOut.TOO_SOON).count() == 1


@pytest.mark.django_db
def test_a_rule_sends_nothing_that_was_due_before_it_was_switched_on():
    customer = CustomerFactory()
    set_schedule(customer.merchant)
    switch_all_on(customer.merchant, now=NOW)
    late(customer, 8)
    late(customer, 7)

    assert run_due_rules(now=NOW)[0].invoice_count == 1


@pytest.mark.parametrize(("missed", "count"), [(1, 1), (5, 1), (6, 0)])
def test_what_was_missed_is_sent_once_within_five_days(customer, missed, count):
    late(customer, 60)

    runs = [*run_due_rules(now=NOW + timedelta(days=missed)), *run_due_rules(now=NOW + timedelta(days=missed + 1))]

    assert sum(run.mail_count for run in runs) == count


def test_old_invoices_that_arrive_today_cause_no_steps_of_yesterday(customer):
    invoice = late(customer, 8)
    Invoice.objects.filter(id=invoice.id).update(created_at=NOW)

    assert run_due_rules(now=NOW + timedelta(hours=1))[0].mail_count == 0


def test_what_falls_on_a_weekend_or_holiday_is_sent_on_the_next_working_day(customer):
    schedule = customer.merchant.schedule
    schedule.weekdays, schedule.country = [0, 1, 2, 3, 4], "US"
    schedule.save()
    # Thanksgiving of 2026 is Thursday the 26th; the 28th and 29th are a weekend.
    for day in (26, 28, 29):
        invoice_due(date(2026, 11, day) - timedelta(days=7), customer=customer)

    counts = {}
    for day in range(23, 31):
        counts[day] = sum(run.invoice_count for run in run_due_rules(now=NOW.replace(day=day)))
        mark_sent()

    assert {day: count for day, count in counts.items() if count} == {27: 1, 30: 2}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("zone", "send_at", "day"),
    [
        ("America/New_York", time(2, 30), date(2026, 3, 8)),
        ("America/New_York", time(1, 30), date(2026, 11, 1)),
        ("America/New_York", time(23, 30), date(2026, 11, 1)),
        ("Pacific/Kiritimati", time(9), date(2026, 5, 5)),
        ("Pacific/Honolulu", time(9), date(2026, 5, 5)),
        ("Pacific/Honolulu", time(23, 30), date(2028, 2, 29)),
    ],
)
def test_the_hour_comes_once_in_every_time_zone(zone, send_at, day):
    merchant = MerchantFactory(time_zone=zone)
    set_schedule(merchant, send_at=send_at)
    switch_all_on(merchant)
    invoice = invoice_due(day - timedelta(days=7), customer=CustomerFactory(merchant=merchant))
    midnight = datetime.combine(day, time.min, ZoneInfo(zone)).astimezone(UTC)
    ran_at = []

    for minutes in range(0, 26 * 60, 5):
        now = midnight + timedelta(minutes=minutes)
        if any(run.mail_count for run in run_due_rules(now=now)):
            ran_at.append(now.astimezone(ZoneInfo(zone)))

    (moment,) = ran_at
    first = datetime.combine(day, send_at, ZoneInfo(zone))
    assert (moment.date(), moment.time() >= send_at) == (day, True)
    assert moment - first <= timedelta(hours=1)
    assert Step.objects.get().invoice_id == invoice.id


def test_half_past_eleven_missed_is_made_up_after_midnight(customer):
    customer.merchant.schedule.send_at = time(23, 30)
    customer.merchant.schedule.save()
    late(customer, 7)
    after_midnight = datetime.combine(TODAY + timedelta(days=1), time(0, 10), ZoneInfo("America/New_York"))

    (run,) = run_due_rules(now=after_midnight)

    assert (run.day, run.mail_count) == (TODAY, 1)


@pytest.mark.django_db(transaction=True)
def test_two_schedulers_at_once_send_one_mail():
    with transaction.atomic():
        customer = CustomerFactory()
        set_schedule(customer.merchant)
        switch_all_on(customer.merchant)
        late(customer, 7)

    runs = at_once(lambda _: run_due_rules(now=NOW), *range(4))

    assert sorted(map(len, runs)) == [0, 0, 0, 1]
    assert Mail.objects.count() == 1


def test_an_invoice_whose_payment_is_under_way_is_left_out_and_follows_when_it_fails(customer):
    invoice = late(customer, 7, in_flight=500)

    (run,) = run_due_rules(now=NOW)
    Invoice.objects.filter(id=invoice.id).update(in_flight=0)
    (next_run,) = run_due_rules(now=NOW + timedelta(days=1))

    assert (run.mail_count, run.omissions.get().reason) == (0, LeftOut.PROCESSING)
    assert next_run.mail_count == 1


def test_one_held_invoice_of_several_is_noted(customer):
    held, free = late(customer, 7), late(customer, 14)
    hold(customer, invoice=held)

    (run,) = run_due_rules(now=NOW)

    omission = run.omissions.get()
    assert (omission.invoice_id, omission.reason, omission.rule.name) == (held.id, LeftOut.ON_HOLD, "7 days overdue")
    assert Step.objects.get().invoice_id == free.id


def test_a_mail_goes_to_the_address_of_the_moment_of_sending(customer, server: ScriptedServer):
    late(customer, 7)
    run_due_rules(now=NOW)
    change_contact(customer=customer, person=Person("Jo", "Doe", "new@acme.example", ""), language="")

    deliver(NOW)

    (mail,) = server.mails
    assert mail["To"].addresses[0].addr_spec == "new@acme.example"
    assert Mail.objects.get().to_address == "new@acme.example"


def test_days_between_mails_are_counted_from_when_a_mail_that_waited_went_out(customer, server: ScriptedServer):
    Schedule.objects.update(min_days_between=3)
    late(customer, 7)
    late(customer, 4)
    run_due_rules(now=NOW)
    Mail.objects.update(send_after=NOW + timedelta(days=2))
    deliver(NOW + timedelta(days=2))

    runs = [run for days in (3, 4, 5) for run in run_due_rules(now=NOW + timedelta(days=days))]

    assert len(server.mails) == 1
    assert [run.mail_count for run in runs] == [0, 0, 1]


def test_a_run_notes_what_the_rules_said(customer):
    (run,) = run_due_rules(now=NOW)

    assert [rule["name"] for rule in run.rules][:3] == ["Due in 10 days", "Due in 5 days", "7 days overdue"]
    assert run.rules[2]["conditions"] == {"all": [{"if": "overdue_exactly", "is": 7}]}


def test_a_day_before_the_first_rule_was_on_has_no_run(db):
    merchant = MerchantFactory()
    set_schedule(merchant)
    switch_all_on(merchant, now=NOW)
    early = datetime.combine(TODAY, time(8), ZoneInfo("America/New_York"))

    assert run_due_rules(now=early) == []
    assert [run.day for run in run_due_rules(now=NOW)] == [TODAY]


@pytest.mark.parametrize("count", [1, 30])
def test_a_run_takes_as_many_statements_for_many_customers(customer, django_assert_max_num_queries, count):
    customer.merchant.schedule.brake_factor = 100
    customer.merchant.schedule.save()
    DayRun.objects.create(
        merchant=customer.merchant, day=TODAY - timedelta(days=1), started_at=NOW, mail_count=20, invoice_count=20
    )
    for _ in range(count):
        late(CustomerFactory(merchant=customer.merchant), 7)

    with django_assert_max_num_queries(STATEMENTS):
        (run,) = run_due_rules(now=NOW)

    assert run.mail_count == count


def test_a_rule_that_cannot_be_run_stops_no_other_merchant(customer):
    late(customer, 7)
    other = MerchantFactory()
    set_schedule(other)
    Rule.objects.filter(id=switch_all_on(other)[0].id).update(conditions={"all": [{"if": "full_moon", "is": True}]})
    broken, sound = sorted([other.id, customer.merchant_id], key=lambda each: each != other.id)

    assert set(merchants_due(now=NOW)) == {broken, sound}
    with pytest.raises(ConditionsRefused):
        run_rules_of(merchant_id=broken, now=NOW)
    assert run_rules_of(merchant_id=sound, now=NOW)[0].mail_count == 1
    assert merchants_due(now=NOW) == [broken]
