"""The answer to "why": from what runs wrote down, for any customer and day."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from payorcrm.invoices.models import Invoice, InvoiceStatus
from payorcrm.reminders.decide_run import drop_run, release_run
from payorcrm.reminders.explain_day import explain_day
from payorcrm.reminders.failed_conditions import failed_parts
from payorcrm.reminders.hold import put_on_hold
from payorcrm.reminders.models import HoldReason, Rule
from payorcrm.reminders.switch_rules import switch_off
from tests.factories.due_runs import run_due_rules
from tests.factories.models import NOW, TODAY, CustomerFactory, StaffFactory
from tests.factories.outbox import deliver
from tests.factories.smtp import ScriptedServer
from tests.reminders.rules import invoice_due, mark_sent

LATER = NOW + timedelta(days=3)


def late(customer, days, **fields):
    return invoice_due(TODAY - timedelta(days=days), customer=customer, **fields)


def hold(customer, **fields):
    defaults = {"invoice": None, "reason": HoldReason.DISPUTE, "until": None, "note": "", "held_by": None, "now": NOW}
    return put_on_hold(customer=customer, **(defaults | fields))


def answer(customer, day=TODAY, now=LATER, **fields):
    return explain_day(customer=customer, day=day, now=now, **fields)


def said(explained):
    """Return what was said of each invoice by the rules that concern it."""
    return {about.invoice.number: [(each.rule, each.words) for each in about.verdicts] for about in explained.invoices}


def test_what_was_mailed_is_said_with_its_rule(ruled, server: ScriptedServer):
    invoice = late(ruled, 7)
    run_due_rules(now=NOW)
    deliver(NOW)

    explained = answer(ruled)

    assert said(explained) == {invoice.number: [("7 days overdue", "Mailed.")]}
    assert [(sent.numbers, sent.reminder.mail.state) for sent in explained.reminders] == [([invoice.number], "sent")]
    assert explained.sentences == ["The rules ran at 10:00 AM."]


def test_which_condition_failed_is_said(ruled):
    invoice = late(ruled, 6)
    run_due_rules(now=NOW)

    (about,) = answer(ruled).invoices

    assert about.invoice == invoice
    assert about.verdicts == []
    others = {each.rule: each.words for each in about.others}
    assert others["7 days overdue"] == "Does not match: it is not so that it is overdue by exactly 7 days."
    assert len(others) == 7


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda invoice: hold(invoice.customer), "Not sent: on hold."),
        (
            lambda invoice: Invoice.objects.filter(id=invoice.id).update(in_flight=5),
            "Not sent: a payment is under way.",
        ),
        (
            lambda invoice: invoice.customer.contacts.update(email=""),
            "Not sent: no e-mail address.",
        ),
    ],
)
def test_why_a_run_left_something_out_is_said_as_it_was_noted(ruled, change, words):
    invoice = late(ruled, 7)
    change(invoice)
    run_due_rules(now=NOW)
    Invoice.objects.filter(id=invoice.id).update(in_flight=0)

    assert said(answer(ruled)) == {invoice.number: [("7 days overdue", words)]}


def test_too_soon_is_said_and_what_another_run_did_about_the_day(ruled):
    ruled.merchant.schedule.min_days_between = 3
    ruled.merchant.schedule.save()
    late(ruled, 7)
    soon = late(ruled, 6)
    run_due_rules(now=NOW)
    mark_sent()
    tomorrow = TODAY + timedelta(days=1)
    run_due_rules(now=NOW + timedelta(days=1))

    assert said(answer(ruled, tomorrow))[soon.number] == [
        ("7 days overdue", "Not sent: reminded too short a time ago.")
    ]
    run_due_rules(now=NOW + timedelta(days=3))
    assert said(answer(ruled, tomorrow))[soon.number] == [
        ("7 days overdue", "Chosen; the mail: queued, by the run of November 23, 2026.")
    ]


def test_a_hold_of_that_day_is_shown_although_it_has_ended(ruled):
    late(ruled, 7)
    held = hold(ruled, until=TODAY, note="On the phone")

    assert answer(ruled).holds == [held]
    assert answer(ruled, TODAY + timedelta(days=1)).holds == []


def test_what_was_left_out_at_the_moment_of_sending_is_said(ruled, server: ScriptedServer):
    stopped, mailed = late(ruled, 7), late(ruled, 14)
    run_due_rules(now=NOW)
    Invoice.objects.filter(id=stopped.id).update(status=InvoiceStatus.PAID, balance=0)
    deliver(NOW)

    words = said(answer(ruled))

    assert words[mailed.number] == [("14 days overdue", "Mailed.")]
    assert words[stopped.number] == [
        ("7 days overdue", "Chosen, but left out when the mail was sent: paid or void by then.")
    ]


def test_a_run_that_waits_is_dropped_or_released_says_so(ruled):
    mine = late(ruled, 7)
    for _ in range(21):
        late(CustomerFactory(merchant=ruled.merchant), 7)
    (run,) = run_due_rules(now=NOW)
    owner = StaffFactory(merchant=ruled.merchant).user

    waiting = answer(ruled)
    assert said(waiting)[mine.number] == [("7 days overdue", "Waits with its run.")]
    assert (
        waiting.sentences[1]
        == "Nothing of this run was sent: it waits for a person. It has 22 mails; no run before it shows what is usual."
    )
    drop_run(run_id=run.id, dropped_by=owner, now=NOW)
    dropped = answer(ruled)
    assert said(dropped)[mine.number] == [("7 days overdue", "Dropped by a person.")]
    assert f"it was dropped by {owner}" in dropped.sentences[1]


def test_what_lapsed_while_its_run_waited_says_so(ruled):
    mine = late(ruled, 7)
    for _ in range(21):
        late(CustomerFactory(merchant=ruled.merchant), 7)
    (run,) = run_due_rules(now=NOW)
    Invoice.objects.filter(id=mine.id).update(status=InvoiceStatus.PAID, balance=0)
    release_run(run_id=run.id, released_by=None, now=NOW)

    assert said(answer(ruled))[mine.number] == [("7 days overdue", "Not due any more when its run was released.")]


def test_a_day_without_sending_says_why_and_which_run_followed(ruled):
    schedule = ruled.merchant.schedule
    schedule.weekdays, schedule.country = [0, 1, 2, 3, 4], "US"
    schedule.save()
    holiday = date(2026, 11, 26)
    run_due_rules(now=NOW.replace(day=27))

    assert answer(ruled, holiday, now=NOW.replace(day=27)).sentences == [
        "Thanksgiving Day is a public holiday.",
        "What fell due was for the run of November 27, 2026.",
    ]
    assert answer(ruled, date(2026, 11, 28), now=NOW.replace(day=30)).sentences == [
        "Saturday is no day on which you send."
    ]


def test_days_that_were_missed_for_too_long_say_so(ruled):
    late(ruled, 7)
    run_due_rules(now=NOW + timedelta(days=9))

    explained = answer(ruled, now=NOW + timedelta(days=9))

    assert explained.sentences == [
        "The rules did not run on this day; nothing was sent by them.",
        "No run followed within five days, nor on your next day of sending; it is not sent any more.",
    ]


def test_before_the_hour_of_today_the_run_is_announced(ruled):
    invoice = late(ruled, 7)
    early = datetime.combine(TODAY, time(8), ZoneInfo("America/New_York"))

    explained = answer(ruled, now=early)

    assert explained.sentences == ["The rules run at 9:00 AM."]
    assert said(explained) == {invoice.number: [("7 days overdue", "Due on this day.")]}


def test_a_day_to_come_says_what_is_planned(ruled):
    invoice = late(ruled, 5)

    (mail,) = answer(ruled, TODAY + timedelta(days=2), now=NOW).planned

    assert (mail.rule.name, mail.numbers) == ("7 days overdue", (invoice.number,))
    assert answer(ruled, TODAY + timedelta(days=3), now=NOW).planned == []


def test_a_rule_that_was_changed_since_is_judged_as_it_was(ruled):
    late(ruled, 6)
    run_due_rules(now=NOW)
    rule = Rule.objects.get(merchant=ruled.merchant, name="7 days overdue")
    switch_off(rule)
    Rule.objects.filter(id=rule.id).update(conditions={"all": [{"if": "overdue_exactly", "is": 6}]}, name="Other")

    (about,) = answer(ruled).invoices

    assert {each.rule: each.words for each in about.others}[
        "7 days overdue"
    ] == "Does not match: it is not so that it is overdue by exactly 7 days."


def test_one_invoice_can_be_asked_about_alone(ruled):
    late(ruled, 7)
    paid = late(ruled, 30)
    Invoice.objects.filter(id=paid.id).update(status=InvoiceStatus.PAID, balance=0)
    run_due_rules(now=NOW)

    (about,) = answer(ruled, invoice=paid).invoices

    assert (about.invoice, about.verdicts) == (paid, [])
    assert {each.words for each in about.others if each.rule == "30 days overdue"} == {"The invoice is paid."}


@pytest.mark.parametrize("count", [1, 30])
def test_an_answer_takes_the_same_number_of_statements_for_many_invoices(ruled, django_assert_max_num_queries, count):
    for _ in range(count):
        late(ruled, 7)
    run_due_rules(now=NOW)
    mark_sent()

    with django_assert_max_num_queries(50):
        assert len(answer(ruled).invoices) == count


@pytest.mark.django_db
def test_conditions_about_earlier_reminders_are_asked_too():
    invoice = invoice_due(TODAY - timedelta(days=7), customer=CustomerFactory())
    holds, fails = {"if": "last_reminded_at_least", "is": 3}, {"if": "reminders_at_least", "is": 1}

    found = failed_parts({"all": [holds, fails]}, [invoice], day=TODAY, merchant=invoice.merchant)

    assert found == {invoice.id: [fails]}
