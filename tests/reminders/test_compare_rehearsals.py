"""How the mails of the coming days differ once a rule is changed: worked out in the database, and kept."""

import random
from collections.abc import Callable, Iterator
from copy import copy
from datetime import date, timedelta
from threading import Thread
from typing import Any

import pytest
from django.db import connection, transaction

from payorcrm.customers.models import Customer
from payorcrm.merchants.models import Merchant
from payorcrm.reminders import keep_rehearsal, work_out_rehearsal
from payorcrm.reminders.foresee import foresee
from payorcrm.reminders.keep_rehearsal import change_of, fingerprint_of, forget_rehearsals, rehearsal_of
from payorcrm.reminders.models import ReminderTemplate, Rule
from payorcrm.reminders.rehearsal_models import KeptRehearsal, RehearsedChange, RehearsedMail
from payorcrm.reminders.rehearse import ForeseenMail, rehearse
from payorcrm.reminders.run_rules import active_rules
from payorcrm.reminders.switch_rules import switch_on, switched
from payorcrm.reminders.work_out_rehearsal import NEW, drafted, with_draft, work_out
from tests.factories.models import NOW, TODAY, CustomerFactory
from tests.reminders.rules import invoice_due, set_schedule, switch_all_on
from tests.reminders.test_keep_rehearsal import jobs

pytestmark = pytest.mark.django_db
Side = tuple[date, str, tuple[str, ...]]


@pytest.fixture
def customer() -> Customer:
    """A customer of a merchant whose seven rules are on, and who owes something since yesterday."""
    customer = CustomerFactory()
    set_schedule(customer.merchant)
    switch_all_on(customer.merchant)
    invoice_due(TODAY - timedelta(days=1), customer=customer, number="A-1")
    return customer


def on_day(rule: Rule, days: int) -> Rule:
    """Return a rule that speaks of another number of days, not stored."""
    other = copy(rule)
    other.conditions = {"all": [{"if": "overdue_exactly", "is": days}]}
    return other


def said(kept: KeptRehearsal) -> list[tuple[str, date | None, date | None]]:
    """Return each change by its kind and days."""
    changes = RehearsedChange.objects.filter(rehearsal=kept).select_related("before", "after").order_by("id")
    return [(each.kind, each.before and each.before.day, each.after and each.after.day) for each in changes]


def test_a_later_day_moves_a_mail(customer: Customer) -> None:
    rule = active_rules(customer.merchant)[2]

    kept = change_of(on_day(rule, 9), now=NOW)

    assert said(kept) == [("moved", TODAY + timedelta(days=6), TODAY + timedelta(days=8))]
    assert kept.counts == {"added": 0, "gone": 0, "moved": 1, "written": 0, "same": 2}
    assert RehearsedMail.objects.filter(rehearsal=kept).count() == 1


def test_a_rule_more_adds_mails_and_writes_those_of_the_same_day(customer: Customer) -> None:
    first = active_rules(customer.merchant)[0]
    more = Rule(merchant=first.merchant, template=first.template, name="More", position=50)
    more.conditions = {"any": [{"if": "overdue_exactly", "is": days} for days in (7, 10)]}

    kept, again = [change_of(switched(copy(more), now=NOW), now=NOW) for _ in range(2)]

    seventh, tenth = TODAY + timedelta(days=6), TODAY + timedelta(days=9)
    assert said(kept) == [("written", seventh, seventh), ("added", None, tenth)]
    # A rule that is not stored has no id yet by which it would be another one each time.
    assert kept == again
    assert set(kept.mails.values_list("rule_id", flat=True)) == {NEW}


def test_another_template_or_other_invoices_write_a_mail_differently(customer: Customer) -> None:
    rule = active_rules(customer.merchant)[2]
    other = copy(rule)
    other.template = ReminderTemplate.objects.create(merchant=customer.merchant, name="Kind", subject="x", body="x")
    seventh = TODAY + timedelta(days=6)

    assert said(change_of(other, now=NOW)) == [("written", seventh, seventh)]

    other = copy(rule)
    invoice_due(TODAY - timedelta(days=2), customer=customer)
    other.conditions = {"any": [{"if": "overdue_exactly", "is": days} for days in (7, 8)]}
    assert ("written", seventh, seventh) in said(change_of(other, now=NOW))


def test_switching_off_takes_mails_away_and_no_change_shows_as_none(customer: Customer) -> None:
    rule = active_rules(customer.merchant)[2]

    off, same = change_of(switched(rule, now=NOW), now=NOW), change_of(rule, now=NOW)

    assert said(off) == [("gone", TODAY + timedelta(days=6), None)]
    assert (said(same), same.counts["same"]) == ([], 3)


def test_all_that_a_change_does_is_what_two_rehearsals_say(customer: Customer) -> None:
    chance, merchant = random.Random(5), customer.merchant
    for _ in range(12):
        other = CustomerFactory(merchant=merchant, company_name=chance.choice("aBcD"))
        for _ in range(3):
            invoice_due(TODAY + timedelta(days=chance.randint(-40, 12)), customer=other)
    rules = active_rules(merchant)
    weekly = copy(rules[3])
    weekly.conditions = {"all": [{"if": "overdue_every", "is": [3, 4]}]}
    moved_weekly = copy(rules[3])
    moved_weekly.conditions = {"all": [{"if": "overdue_every", "is": [3, 5]}]}
    for rule in (weekly, moved_weekly):
        kept = change_of(rule, now=NOW)
        before, after = [rehearse(merchant, each, now=NOW).mails for each in (rules, with_draft(rules, rule))]
        expected = sorted(differences(before, after))
        found = sorted(as_words(each) for each in kept.changes.select_related("before", "after"))
        assert found == expected
        assert len({word for word, *_ in found}) >= 3
        assert kept.counts["same"] + sum(each[1] != "" for each in found) == len(before)
        # A transaction of its own, as far as PostgreSQL's notes on rows go.
        with transaction.atomic():
            Rule.objects.filter(id=rule.id).update(conditions=rule.conditions)
        rules = active_rules(merchant)


def as_words(change: RehearsedChange) -> tuple[str, ...]:
    """Return a change as `differences` does."""
    days = [str(each.day) if each else "" for each in (change.before, change.after)]
    return change.kind, *days, str(change.customer_id), change.mail().currency


def differences(before: list[ForeseenMail], after: list[ForeseenMail]) -> Iterator[tuple[str, ...]]:
    """Compare two rehearsals one mail after another; the nearest pairs of all move first."""
    old, new = ({(*mail.recipient, mail.day): mail for mail in mails} for mails in (before, after))
    for key in old.keys() & new.keys():
        if (old[key].rule.id, set(old[key].numbers)) != (new[key].rule.id, set(new[key].numbers)):
            yield "written", str(key[2]), str(key[2]), str(key[0]), key[1]
    gone, added = old.keys() - new.keys(), new.keys() - old.keys()
    pairs = [(one, other) for one in gone for other in added if one[:2] == other[:2]]
    pairs = [(one, other) for one, other in pairs if set(old[one].numbers) & set(new[other].numbers)]
    for one, other in sorted(pairs, key=lambda pair: (abs(pair[0][2] - pair[1][2]), pair[0][2], pair[1][2])):
        if one in gone and other in added:
            gone, added = gone - {one}, added - {other}
            yield "moved", str(one[2]), str(other[2]), str(one[0]), one[1]
    yield from (("gone", str(day), "", str(who), currency) for who, currency, day in gone)
    yield from (("added", "", str(day), str(who), currency) for who, currency, day in added)


def test_a_large_one_is_worked_out_by_one_job_with_what_it_is_compared_with(
    customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keep_rehearsal, "MOST_FOR_A_PAGE", 0)
    rule = on_day(active_rules(customer.merchant)[2], 9)

    waiting = change_of(rule, is_written=True, now=NOW)
    change_of(rule, is_written=True, now=NOW + timedelta(minutes=1))
    asked = jobs()
    work_out(waiting.id, now=NOW)

    assert (waiting.worked_out_at, asked) == (None, [str(waiting.id)])
    ready = change_of(rule, is_written=True, now=NOW)
    assert (ready.worked_out_at, ready.id) == (NOW, waiting.id)
    assert rehearsal_of(customer.merchant, now=NOW) == ready.compared_with
    assert ready.compared_with.worked_out_at == NOW
    assert drafted(ready).conditions == rule.conditions


def test_of_several_drafts_of_one_rule_the_latest_alone_is_worked_out(
    customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keep_rehearsal, "MOST_FOR_A_PAGE", 0)
    rule, other = active_rules(customer.merchant)[2:4]
    minutes = iter(range(9))

    def ask(rule: Rule, days: int) -> KeptRehearsal:
        return change_of(on_day(rule, days), is_written=True, now=NOW + timedelta(minutes=next(minutes)))

    first, second, of_other = ask(rule, 9), ask(rule, 10), ask(other, 9)
    for each in (first, of_other):
        work_out(each.id, now=NOW)
    done = set(KeptRehearsal.objects.filter(draft__isnull=False, worked_out_at=NOW))
    again = ask(rule, 9)
    for each in (second, again):
        work_out(each.id, now=NOW)

    assert done == {of_other}
    assert again == first
    assert set(KeptRehearsal.objects.filter(draft__isnull=False, worked_out_at=NOW)) == {of_other, first}


@pytest.mark.django_db(transaction=True)
def test_both_sides_see_one_moment_whatever_changes_before_and_meanwhile(
    customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keep_rehearsal, "MOST_FOR_A_PAGE", 0)
    late_ones = iter(range(2, 9))

    def bring_another() -> None:
        invoice_due(TODAY - timedelta(days=next(late_ones)), customer=CustomerFactory(merchant=customer.merchant))

    def foresee_while_another_comes(*given: Any, **named: Any) -> Any:
        beside = Thread(target=lambda: (bring_another(), connection.close()))
        beside.start()
        beside.join()
        return foresee(*given, **named)

    now_shown = rehearsal_of(customer.merchant, now=NOW)
    work_out(now_shown.id, now=NOW)
    waiting = change_of(on_day(active_rules(customer.merchant)[2], 9), is_written=True, now=NOW)
    bring_another()
    monkeypatch.setattr(work_out_rehearsal, "foresee", foresee_while_another_comes)

    work_out(waiting.id, now=NOW)

    kept = KeptRehearsal.objects.get(id=waiting.id)
    # Two were there in the moment of both sides; the draft moves their mails and adds none.
    assert kept.counts == {"added": 0, "gone": 0, "moved": 2, "written": 0, "same": 4}
    assert (kept.compared_with == now_shown, kept.invoice_count) == (False, 2)


def _draft_differently(rule: Rule) -> Rule:
    return on_day(rule, 12)


def _switch_another_on(rule: Rule) -> Rule:
    other = Rule.objects.create(
        merchant=rule.merchant, template=rule.template, name="x", conditions=rule.conditions, position=90
    )
    switch_on(other, now=NOW)
    return rule


@pytest.mark.parametrize("change", [_draft_differently, _switch_another_on])
def test_it_is_found_again_until_the_draft_or_anything_else_changes(
    customer: Customer, change: Callable[[Rule], Rule]
) -> None:
    rule = on_day(active_rules(customer.merchant)[2], 9)
    first, again = [change_of(rule, now=NOW + timedelta(minutes=each)) for each in (0, 5)]
    with transaction.atomic():
        other = change(rule)

    assert first == again != change_of(other, now=NOW)


def test_it_goes_after_an_hour_and_what_it_is_compared_with_stays_the_latest(customer: Customer) -> None:
    merchant = Merchant.objects.get(id=customer.merchant_id)
    base = rehearsal_of(merchant, now=NOW)
    change_of(on_day(active_rules(merchant)[2], 9), now=NOW + timedelta(minutes=1))

    forget_rehearsals(now=NOW + timedelta(hours=2))

    assert [each.id for each in KeptRehearsal.objects.all()] == [base.id]
    assert RehearsedChange.objects.count() == 0
    assert base.fingerprint == fingerprint_of(merchant, NOW)
