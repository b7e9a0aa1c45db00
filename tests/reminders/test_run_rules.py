"""Runs by rules: at the right hour, once, what was missed too, and held when something is odd."""

import random
import threading
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, transaction

from payorcrm.invoices.models import Invoice, InvoiceStatus
from payorcrm.mail.models import Mail, MailState
from payorcrm.reminders.hold import end_hold, put_on_hold
from payorcrm.reminders.models import DayRun, DayRunState, HoldReason, Reminder, Rule, Step
from payorcrm.reminders.run_rules import NotHeld, drop_run, release_run, run_due_rules
from payorcrm.reminders.select import LeftOut
from payorcrm.reminders.send import send_reminders
from tests.factories.models import NOW, TODAY, CustomerFactory, InvoiceFactory, MerchantFactory, usd
from tests.factories.outbox import deliver
from tests.factories.smtp import ScriptedServer
from tests.reminders.rules import invoice_due, mark_sent, set_schedule, switch_all_on


@pytest.fixture
def customer(db):
    """A customer of a merchant in New York whose seven rules are on, at nine on every day."""
    customer = CustomerFactory()
    set_schedule(customer.merchant)
    switch_all_on(customer.merchant)
    return customer


def late(customer, days, **fields):
    return invoice_due(TODAY - timedelta(days=days), customer=customer, **fields)


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


def test_a_customer_who_pays_a_second_before_gets_no_mail(customer, server: ScriptedServer):
    invoice = late(customer, 7)
    run_due_rules(now=NOW)
    Invoice.objects.filter(id=invoice.id).update(status=InvoiceStatus.PAID, balance=0)

    deliver(NOW + timedelta(seconds=1))

    assert server.mails == []
    assert Mail.objects.get().state == MailState.WITHDRAWN


def test_a_hold_between_choosing_and_sending_withdraws_the_mail(customer, server: ScriptedServer):
    late(customer, 7)
    run_due_rules(now=NOW)
    hold(customer)

    deliver(NOW)

    assert server.mails == []


def test_an_invoice_that_is_not_due_yet_is_announced(customer, server: ScriptedServer):
    late(customer, -5, amount=usd("75.00"))
    run_due_rules(now=NOW)

    deliver(NOW)

    (mail,) = server.mails
    assert mail["Subject"] == "$75.00 will soon be due"
    assert "due in 5 days" in mail.get_body(("html",)).get_content()


def hold(customer, **fields):
    defaults = {"invoice": None, "reason": HoldReason.DISPUTE, "until": None, "note": "", "held_by": None, "now": NOW}
    return put_on_hold(customer=customer, **(defaults | fields))


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


def test_a_run_of_more_than_three_times_the_usual_size_waits_for_a_person(customer):
    for _ in range(21):
        late(CustomerFactory(merchant=customer.merchant), 7)

    (run,) = run_due_rules(now=NOW)

    assert (run.state, Mail.objects.count(), Step.objects.count()) == (DayRunState.HELD, 0, 0)
    assert run.held_because == "It has 21 mails; usual are 0 a run."
    release_run(run_id=run.id, released_by=None, now=NOW)
    assert Mail.objects.count() == 21
    with pytest.raises(NotHeld):
        release_run(run_id=run.id, released_by=None, now=NOW)


def test_a_run_of_few_mails_about_very_many_invoices_waits_too(customer):
    for _ in range(101):
        late(customer, 7)

    (run,) = run_due_rules(now=NOW)

    assert run.held_because == "It has 101 invoices; usual are 0 a run."


def test_a_run_with_an_older_invoice_than_ever_waits(customer):
    rule = Rule.objects.get(merchant=customer.merchant, name="60 days overdue")
    rule.conditions = {"all": [{"if": "overdue_at_least", "is": 60}, {"if": "last_reminded_at_least", "is": 14}]}
    rule.save()
    late(customer, 400)

    (run,) = run_due_rules(now=NOW)

    assert run.state == DayRunState.HELD
    assert "older than any" in run.held_because
    release_run(run_id=run.id, released_by=None, now=NOW)
    assert Mail.objects.count() == 1


def test_a_dropped_run_sends_nothing_ever(customer):
    for _ in range(21):
        late(CustomerFactory(merchant=customer.merchant), 7)
    (run,) = run_due_rules(now=NOW)

    drop_run(run_id=run.id, dropped_by=None, now=NOW)
    run_due_rules(now=NOW + timedelta(days=1))

    assert Mail.objects.count() == 0
    assert Step.objects.filter(is_dropped=True).count() == 21


def test_a_released_run_leaves_out_what_was_paid_meanwhile(customer):
    invoices = [late(CustomerFactory(merchant=customer.merchant), 7) for _ in range(21)]
    (run,) = run_due_rules(now=NOW)
    Invoice.objects.filter(id=invoices[0].id).update(status=InvoiceStatus.PAID, balance=0)

    assert release_run(run_id=run.id, released_by=None, now=NOW).mail_count == 20


def test_fifty_thousand_old_invoices_send_nothing_until_released(customer):
    customers = [CustomerFactory(merchant=customer.merchant) for _ in range(100)]
    template = InvoiceFactory.build(customer=customer)
    Invoice.objects.bulk_create(
        (
            Invoice(
                merchant=customer.merchant,
                customer=customers[place // 500],
                number=f"OLD-{place}",
                issued_on=template.issued_on,
                due_on=TODAY - timedelta(days=1 + place % 900),
                currency="USD",
                total=100,
                balance=100,
            )
            for place in range(50_000)
        ),
        batch_size=5_000,
    )
    Invoice.objects.update(created_at=NOW)

    runs = [run for days in range(4) for run in run_due_rules(now=NOW + timedelta(days=days))]

    assert {run.state for run in runs} == {DayRunState.HELD}
    assert Mail.objects.count() == 0
    release_run(run_id=runs[-1].id, released_by=None, now=NOW + timedelta(days=3))
    assert Mail.objects.count() == runs[-1].mail_count > 20


@pytest.mark.django_db(transaction=True)
def test_two_schedulers_at_once_send_one_mail():
    with transaction.atomic():
        customer = CustomerFactory()
        set_schedule(customer.merchant)
        switch_all_on(customer.merchant)
        late(customer, 7)
    runs = []

    def tick():
        runs.extend(run_due_rules(now=NOW))
        connection.close()

    threads = [threading.Thread(target=tick) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(runs) == 1
    assert Mail.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("seed", [1, 2])
def test_over_400_days_with_outages_every_due_step_is_sent_exactly_once(seed):
    chance = random.Random(seed)
    merchant = MerchantFactory(time_zone="America/New_York")
    set_schedule(merchant, send_at=time(23, 30), brake_factor=100)
    start = date(2027, 11, 1)  # over both changes of the clocks and a 29 February
    switch_all_on(merchant, now=datetime.combine(start, time(0), ZoneInfo("America/New_York")))
    invoices = [
        invoice_due(start + timedelta(days=chance.randrange(80, 330)), customer=CustomerFactory(merchant=merchant))
        for _ in range(25)
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
                run_due_rules(now=midnight + timedelta(days=day, hours=hour, minutes=chance.randrange(60)))
        mark_sent()

    counted = Counter(Step.objects.values_list("invoice_id", "day"))
    offsets = (-10, -5, 7, 14, 30, 45, 60)
    expected = {(each.id, each.due_on + timedelta(days=days)) for each in invoices for days in offsets}
    assert set(counted) == expected
    assert set(counted.values()) == {1}
    mailed = Counter(
        (line, run.day) for run in DayRun.objects.all() for line in run.steps.values_list("invoice_id", flat=True)
    )
    assert sum(mailed.values()) == len(expected)
    assert Mail.objects.count() == len(mailed)
