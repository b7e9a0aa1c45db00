"""The brake: what is too large, too old or newly imported waits for a person, who is told."""

from datetime import timedelta

import pytest
from django.db import connection

from payorcrm.core.models import User
from payorcrm.core.money import Money
from payorcrm.customers.models import Customer
from payorcrm.invoices.check_import import is_mentioned
from payorcrm.invoices.models import Invoice, InvoiceStatus
from payorcrm.mail.models import Mail, MailState
from payorcrm.merchants.models import Role
from payorcrm.reminders.decide_run import NotHeld, drop_run, release_run
from payorcrm.reminders.models import DayRun, DayRunState, LeftOut, Omission, Reminder, Rule, Step, StepState
from payorcrm.reminders.tell_staff import KIND
from payorcrm.reminders.weigh_run import weigh_by_customer, weigh_by_rule
from tests.factories.due_runs import run_due_rules
from tests.factories.models import NOW, TODAY, CustomerFactory, InvoiceFactory, StaffFactory, usd
from tests.factories.outbox import deliver
from tests.factories.smtp import ScriptedServer
from tests.reminders.rules import invoice_due, mark_sent

MANY = 50_000
# Ten years of invoices of twenty customers: on no day are there many mails or invoices.
CUSTOMERS, DAYS = 20, 3650


def late(customer, days, **fields):
    return invoice_due(TODAY - timedelta(days=days), customer=customer, **fields)


def many_late(customer, days=7, count=21):
    return [late(CustomerFactory(merchant=customer.merchant), days) for _ in range(count)]


def arrived(invoices, moment=NOW):
    Invoice.objects.filter(id__in=[invoice.id for invoice in invoices]).update(created_at=moment)


def release(run, now=NOW):
    return release_run(run_id=run.id, released_by=None, now=now)


def test_a_run_of_more_than_three_times_the_usual_size_waits_for_a_person(ruled):
    many_late(ruled)

    (run,) = run_due_rules(now=NOW)

    held = Step.objects.filter(state=StepState.HELD).count()
    assert (run.state, Reminder.objects.count(), held) == (DayRunState.HELD, 0, 21)
    assert run.held_because == "It has 21 mails; no run before it shows what is usual."
    release(run)
    assert Reminder.objects.count() == 21
    with pytest.raises(NotHeld):
        release(run)


def test_a_run_that_waits_says_what_hangs_on_it_by_rule_and_customer(ruled):
    many_late(ruled)
    late(ruled, 7)
    late(ruled, 14)
    late(ruled, 14, currency="EUR")

    (run,) = run_due_rules(now=NOW)

    by_rule = [(each.name, each.customer_count, each.invoice_count, each.owed) for each in weigh_by_rule(run)]
    assert by_rule == [
        ("7 days overdue", 22, 22, [usd("2640.00")]),
        ("14 days overdue", 1, 2, [Money(120_00, "EUR"), usd("120.00")]),
    ]
    largest = weigh_by_customer(run)
    assert len(largest) == 10
    assert (largest[0].id, largest[0].invoice_count) == (ruled.id, 3)
    assert largest[0].owed == [Money(120_00, "EUR"), usd("240.00")]
    release(run)
    assert weigh_by_rule(run) == []


def test_a_run_of_few_mails_about_very_many_invoices_waits_too(ruled):
    for _ in range(101):
        late(ruled, 7)

    (run,) = run_due_rules(now=NOW)

    assert run.held_because == "It has 101 invoices; no run before it shows what is usual."


def remind_from_60_days_on(customer):
    rule = Rule.objects.get(merchant=customer.merchant, name="60 days overdue")
    rule.conditions = {"all": [{"if": "overdue_at_least", "is": 60}, {"if": "last_reminded_at_least", "is": 14}]}
    rule.save()


def test_a_run_with_an_older_invoice_than_ever_waits(ruled):
    remind_from_60_days_on(ruled)
    late(ruled, 400)

    (run,) = run_due_rules(now=NOW)

    assert run.held_because == "An invoice was due on October 16, 2025: older than any that rules sent before."
    release(run)
    assert Reminder.objects.count() == 1


def test_an_invoice_that_was_released_once_grows_older_without_a_brake(ruled):
    remind_from_60_days_on(ruled)
    invoice = late(ruled, 400)
    release(run_due_rules(now=NOW)[0])
    mark_sent()
    Invoice.objects.filter(id=invoice.id).update(last_reminded_at=NOW)

    (run,) = run_due_rules(now=NOW + timedelta(days=15))

    assert (run.state, run.mail_count) == (DayRunState.SENT, 1)


def test_age_is_counted_on_the_day_of_the_run(ruled):
    remind_from_60_days_on(ruled)
    first = late(ruled, 100)
    release(run_due_rules(now=NOW)[0])
    mark_sent()
    Invoice.objects.filter(id=first.id).update(status=InvoiceStatus.PAID, balance=0)
    # Due after the first, yet much older by then.
    invoice_due(first.due_on + timedelta(days=1), customer=ruled)

    (run,) = run_due_rules(now=NOW + timedelta(days=300))

    assert run.state == DayRunState.HELD


def test_a_dropped_run_sends_nothing_ever(ruled):
    many_late(ruled)
    (run,) = run_due_rules(now=NOW)

    drop_run(run_id=run.id, dropped_by=None, now=NOW)
    run_due_rules(now=NOW + timedelta(days=1))

    assert Reminder.objects.count() == 0
    assert Step.objects.filter(state=StepState.DROPPED).count() == 21


def test_what_waits_does_not_hold_up_the_days_after(ruled):
    many_late(ruled)
    (held,) = run_due_rules(now=NOW)
    late(ruled, 6)

    (run,) = run_due_rules(now=NOW + timedelta(days=1))

    assert (run.state, run.mail_count) == (DayRunState.SENT, 1)
    mark_sent()
    assert release(held, now=NOW + timedelta(days=30)).mail_count == 21


def test_a_released_run_leaves_out_what_was_paid_meanwhile_and_notes_it(ruled):
    invoices = many_late(ruled)
    (run,) = run_due_rules(now=NOW)
    Invoice.objects.filter(id=invoices[0].id).update(status=InvoiceStatus.PAID, balance=0)
    Customer.objects.filter(id=invoices[1].customer_id).update(unsubscribed_at=NOW)

    assert release(run).mail_count == 19
    assert Step.objects.get(invoice=invoices[0]).state == StepState.LAPSED
    assert run.omissions.get().reason == LeftOut.UNSUBSCRIBED


def test_owners_and_collectors_are_told_that_a_run_waits(ruled, server: ScriptedServer):
    for role in Role:
        StaffFactory(merchant=ruled.merchant, role=role, user__email=f"{role.value}@harbor.example")
    gone = StaffFactory(merchant=ruled.merchant).user
    User.objects.filter(id=gone.id).update(is_active=False)
    many_late(ruled)
    late(ruled, 7)
    late(ruled, 14)
    late(ruled, 14, currency="EUR")

    run_due_rules(now=NOW)
    deliver(NOW)

    told = {mail["To"].addresses[0].addr_spec: mail for mail in server.mails}
    assert set(told) == {"owner@harbor.example", "collector@harbor.example"}
    mail = told["owner@harbor.example"]
    assert mail["Subject"] == "The reminders of November 20 wait for you"
    text = mail.get_body(("plain",)).get_content()
    assert "It has 23 mails; no run before it shows what is usual." in text
    assert "It would send 23 mails about 24 invoices with a balance of €120.00 and $2,760.00 today." in text
    assert f"/m/{ruled.merchant.slug}/reminders/runs/{DayRun.objects.get().id}/" in text


def test_nobody_is_told_of_a_run_that_was_decided_meanwhile(ruled, server: ScriptedServer):
    StaffFactory(merchant=ruled.merchant)
    many_late(ruled)
    (run,) = run_due_rules(now=NOW)
    drop_run(run_id=run.id, dropped_by=None, now=NOW)

    deliver(NOW)

    assert server.mails == []
    assert Mail.objects.get(kind=KIND).state == MailState.WITHDRAWN


def test_invoices_that_came_overdue_by_the_hundred_wait_although_few_are_due_today(ruled):
    arrived([late(ruled, days) for days in range(2, 104)], NOW - timedelta(days=1))

    (run,) = run_due_rules(now=NOW)

    words = "102 invoices came into the books on November 19, 2026 that were overdue already; it has some of them."
    assert (run.held_because, run.mail_count) == (words, 1)
    release(run)
    mark_sent()
    assert run_due_rules(now=NOW + timedelta(days=1))[0].state == DayRunState.SENT


def test_fifty_thousand_old_invoices_send_nothing_until_released(ruled):
    customers = [CustomerFactory(merchant=ruled.merchant).id for _ in range(CUSTOMERS)]
    model = InvoiceFactory(customer=ruled)
    columns = [field.column for field in Invoice._meta.concrete_fields]
    others = {
        "id": "gen_random_uuid()",
        "number": "'OLD-' || place",
        "customer_id": "(%(customers)s::uuid[])[1 + place %% %(customer_count)s]",
        "due_on": "%(today)s::date - 1 - place %% %(days)s",
        "issued_on": "%(today)s::date - 31 - place %% %(days)s",
        "created_at": "%(now)s",
    }
    chosen = ", ".join(others.get(column, column) for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO invoices_invoice ({', '.join(columns)}) SELECT {chosen} "
            "FROM invoices_invoice CROSS JOIN generate_series(1, %(count)s) AS place WHERE id = %(model)s",
            {
                "customers": customers,
                "customer_count": CUSTOMERS,
                "days": DAYS,
                "today": TODAY,
                "now": NOW,
                "count": MANY,
                "model": model.id,
            },
        )

    runs = [run for days in range(4) for run in run_due_rules(now=NOW + timedelta(days=days))]

    assert [run.state for run in runs] == [DayRunState.HELD] * 4
    assert max(run.mail_count for run in runs) <= CUSTOMERS
    assert Reminder.objects.count() == 0
    last = release(runs[-1], now=NOW + timedelta(days=3))
    assert Reminder.objects.count() == last.mail_count > 0


def test_what_only_waits_or_was_left_out_keeps_nobody_from_undoing_an_import(ruled):
    many_late(ruled)
    Customer.objects.filter(id=late(CustomerFactory(merchant=ruled.merchant), 7).customer_id).update(is_reminded=False)
    run_due_rules(now=NOW)
    assert (Step.objects.count(), Omission.objects.count()) == (21, 1)

    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM invoices_invoice AS i WHERE {is_mentioned('i.id')}")
        assert cursor.fetchone() == (0,)
        cursor.execute("DELETE FROM invoices_invoice")
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

    assert (Step.objects.count(), Omission.objects.count()) == (0, 0)
