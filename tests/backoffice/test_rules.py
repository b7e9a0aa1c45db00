"""Rules, schedule, held runs and holds as staff work with them."""

import re
from datetime import time, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from payorcrm.core.clock import day_in
from payorcrm.core.clock import now as present
from payorcrm.mail.models import Mail
from payorcrm.reminders.arrange_rules import copy_rule
from payorcrm.reminders.models import DayRunState, Hold, Schedule, Step, StepState
from payorcrm.reminders.switch_rules import rules_of
from tests.backoffice.rows import client_of, make_shop
from tests.factories.models import CustomerFactory, InvoiceFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop():
    """A merchant with something of everything."""
    return make_shop()


def place(name, shop, *ids):
    return reverse(f"backoffice:{name}", args=[shop.merchant.slug, *ids])


def test_seven_rules_are_there_and_off_and_one_click_switches_one_on(shop):
    client = client_of(shop.merchant)
    page = client.get(place("rules", shop))
    assert [rule.is_active for rule in page.context["rules"]] == [False] * 7
    assert "Big" in page.text

    client.post(place("rule_switch", shop, shop.rule.id), {"to": "on"})
    client.post(place("rule_switch", shop, shop.rule.id), {"to": "on"})

    shop.rule.refresh_from_db()
    assert shop.rule.is_active
    client.post(place("rule_switch", shop, shop.rule.id), {"to": "off"})
    shop.rule.refresh_from_db()
    assert not shop.rule.is_active


def written(shop, *conditions, name="Late", **fields):
    """Return a form of the builder whose conditions stand side by side."""
    sent_in = {"name": name, "template": str(shop.template.id), "joint:": "all", "act": "save"}
    for place, (condition, *values) in enumerate(conditions):
        sent_in[f"if:{place}"] = condition
        sent_in |= {f"{letter}:{place}": value for letter, value in zip("ab", values, strict=False)}
    return sent_in | fields


def days_late(shop):
    return str((day_in("America/New_York", present()) - shop.invoice.due_on).days)


def test_a_rule_is_changed_and_shows_whom_it_matches_today(shop):
    late = rules_of(shop.merchant)[2]
    days = days_late(shop)
    Hold.objects.all().delete()

    page = client_of(shop.merchant).post(
        place("rule", shop, late.id), written(shop, ("overdue_exactly", days)), follow=True
    )

    late.refresh_from_db()
    assert (late.name, late.conditions) == ("Late", {"all": [{"if": "overdue_exactly", "is": int(days)}]})
    assert shop.invoice.number in page.text
    assert Mail.objects.filter(kind="reminder", state="queued").count() == 0


def test_a_new_rule_is_saved_switched_off_with_groups_within_groups(shop):
    sent_in = written(
        shop,
        ("overdue_between", "10", "20"),
        **{"joint:1": "any", "if:1-0": "category_is", "a:1-0": " Retail ", "joint:1-1": "all"},
        **{"if:1-1-0": "amount_at_least", "a:1-1-0": "1,250.50", "if:1-1-1": "has_saved_method", "a:1-1-1": "no"},
    )

    page = client_of(shop.merchant).post(place("rule_new", shop), sent_in, follow=True)

    rule = rules_of(shop.merchant)[-1]
    inner = {"all": [{"if": "amount_at_least", "is": 125050}, {"if": "has_saved_method", "is": False}]}
    either = {"any": [{"if": "category_is", "is": "Retail"}, inner]}
    assert rule.conditions == {"all": [{"if": "overdue_between", "is": [10, 20]}, either]}
    assert not rule.is_active
    assert "The rule is saved. It is off: switch it on when you are sure of it." in page.text
    assert "has at least $1,250.50 owed on it" in page.text
    form = client_of(shop.merchant).get(place("rule", shop, rule.id)).text
    assert 'value="1250.50"' in form


@pytest.mark.parametrize(
    ("conditions", "words"),
    [
        ([("overdue_exactly", "seven")], "Enter a whole number from 0 to 3650."),
        ([("overdue_exactly", "7"), ("amount_at_least", "much")], "“much” is not an amount."),
        ([("overdue_exactly", "7"), ("amount_at_least", "")], "Enter an amount, such as 250.00."),
        ([("overdue_exactly", "7"), ("currency_is", "dollars")], "Choose a currency."),
        ([("overdue_exactly", "7"), ("issued_from", "soon")], "Enter a day, such as 2026-01-31."),
        ([("overdue_exactly", "7"), ("category_is", "")], "Enter 1 to 100 characters."),
        ([("overdue_between", "9", "3")], "The first value must not be above the second."),
        ([("overdue_exactly", "7"), ("", "")], "Choose a condition, or remove this one."),
        ([], "This group is empty: add a condition, or remove the group."),
        ([("category_is", "Retail")], "Every way through the conditions must say how late"),
    ],
)
@pytest.mark.parametrize("press", ["save", "test", "rehearse", "check"])
def test_what_is_wrong_is_said_at_the_condition_and_nothing_is_lost(shop, press, conditions, words):
    sent_in = written(shop, *conditions, name="Tom's “🍀”", act=press)

    page = client_of(shop.merchant).post(place("rule", shop, shop.rule.id), sent_in)

    assert words in page.text
    assert page.text.count("Tom&#x27;s “🍀”") == 1
    assert all(f'value="{value}"' in page.text for _, *values in conditions for value in values if value)
    shop.rule.refresh_from_db()
    assert shop.rule.name == "Due in 10 days"


def test_the_first_problem_gets_the_focus(shop):
    sent_in = written(shop, ("overdue_exactly", "7"), ("amount_between", "1.00", "x"))

    page = client_of(shop.merchant).post(place("rule", shop, shop.rule.id), sent_in)

    assert re.search(r'<input id="b-1"[^>]*aria-invalid="true" aria-describedby="problem-1" autofocus', page.text)
    assert page.text.count("aria-invalid") == 1


def test_two_rules_of_one_name_are_refused(shop):
    first, second = rules_of(shop.merchant)[:2]

    page = client_of(shop.merchant).post(
        place("rule", shop, first.id), written(shop, ("due_in", "3"), name=second.name)
    )

    assert "Another rule has this name already." in page.text
    assert 'value="3"' in page.text


def test_a_rule_is_tried_before_it_is_saved(shop):
    Hold.objects.all().delete()
    other = CustomerFactory(merchant=shop.merchant, unsubscribed_at=present(), company_name="Quiet & Sons")
    InvoiceFactory(customer=other, due_on=shop.invoice.due_on)

    sent_in = written(shop, ("overdue_exactly", days_late(shop)), act="test")
    page = client_of(shop.merchant).post(place("rule_new", shop), sent_in)

    assert page.context["page"].trial.mail_count == 1
    assert "No: unsubscribed from reminders" in page.text
    assert "As written above, not saved" in page.text
    assert len(rules_of(shop.merchant)) == 7


def test_a_trial_says_that_nobody_would_be_left_out(shop):
    Hold.objects.all().delete()

    sent_in = written(shop, ("overdue_exactly", days_late(shop)), act="test")
    page = client_of(shop.merchant).post(place("rule_new", shop), sent_in)

    assert "<dt>Would get none</dt><dd>0</dd>" in page.text


def test_a_rule_is_rehearsed_before_it_is_saved(shop):
    Hold.objects.all().delete()
    sent_in = written(shop, ("overdue_at_least", "1"), ("reminders_at_most", "0"), act="rehearse")

    page = client_of(shop.merchant).post(place("rule", shop, shop.rule.id), sent_in)

    ((kind, numbers),) = [(row.change.kind, row.numbers) for row in page.context["page"].difference.rows]
    assert (kind, numbers) == ("added", [shop.invoice.number])
    assert "As if this rule was switched on now." in page.text
    assert Mail.objects.filter(kind="reminder", state="queued").count() == 0


def test_what_switching_would_change_and_what_is_to_come_is_shown_by_day_and_as_a_file(shop):
    Hold.objects.all().delete()
    soon = day_in("America/New_York", present()) + timedelta(days=16)
    invoice = InvoiceFactory(customer=shop.customer, due_on=soon, number="SOON-1")
    client = client_of(shop.merchant)

    before = client.get(place("rule_rehearsal", shop, shop.rule.id)).text
    nothing = client.get(place("rehearsal", shop)).text
    client.post(place("rule_switch", shop, shop.rule.id), {"to": "on"})
    page = client.get(place("rehearsal", shop))
    ((day, _),) = page.context["days"]
    of_the_day = client.get(place("rehearsal", shop), {"of": page.context["kept"].id, "day": day.day}).text
    file = b"".join(client.get(place("rehearsal_export", shop)).streaming_content).decode()

    assert "Added" in before
    assert invoice.number in before
    assert "No rule is on" in nothing
    assert soon - timedelta(days=10) <= day.day <= soon - timedelta(days=6)
    assert invoice.number in of_the_day
    assert f"{shop.customer},SOON-1,120.00,USD,Due in 10 days" in file
    off = client.get(place("rule_rehearsal", shop, shop.rule.id)).text
    assert "Gone" in off


@pytest.mark.parametrize(
    ("press", "conditions", "focus", "said"),
    [
        ("condition:", ["due_in", "category_is", ""], "if-2", "Condition 3 added."),
        ("remove:0", ["category_is"], "if-0", "Condition 1 removed."),
        ("remove:1", ["due_in"], "if-0", "Condition 2 removed."),
        ("down:0", ["category_is", "due_in"], "up-1", "Condition 1 moved down."),
        ("up:1", ["category_is", "due_in"], "down-0", "Condition 2 moved up."),
        ("up:0", ["due_in", "category_is"], "down-0", "Condition 1 moved up."),
        ("remove:9", ["due_in", "category_is"], "", ""),
        ("nonsense", ["due_in", "category_is"], "", ""),
    ],
)
def test_buttons_change_the_conditions_and_put_the_focus_where_one_expects_it(shop, press, conditions, focus, said):
    sent_in = written(shop, ("due_in", "3"), ("category_is", "Retail"), act=press)

    page = client_of(shop.merchant).post(place("rule_new", shop), sent_in).context["page"]

    assert [line.name for line in page.draft.parts] == conditions
    assert (page.focus, page.said) == (focus, said)


def test_a_group_is_added_and_nests_four_deep_at_most(shop):
    client = client_of(shop.merchant)
    sent_in = written(shop, ("due_in", "3"), act="group:")

    page = client.post(place("rule_new", shop), sent_in).context["page"]
    deep = client.post(
        place("rule_new", shop),
        sent_in | {"joint:1": "any", "joint:1-0": "all", "joint:1-0-0": "any", "act": "group:1-0-0"},
    ).context["page"]

    assert (page.focus, page.draft.parts[1].place, page.draft.parts[1].joint) == ("joint-1", "group 1", "any")
    assert page.draft.parts[1].parts[0].place == "condition 1 of group 1"
    assert deep.draft.parts[1].parts[0].parts[0].parts == []
    assert deep.said == "Groups are nested as deeply as they may be."


def test_a_form_of_nonsense_is_no_error(shop):
    sent_in = {"if:0-0-0-0-0-0-0-0": "x", "if:999": "1=1", "joint:5": "no", "joint:": "x", "act": "save"}

    page = client_of(shop.merchant).post(place("rule_new", shop), sent_in)

    assert page.status_code == 200


def test_rules_are_copied_moved_and_deleted(shop):
    client = client_of(shop.merchant)
    second = rules_of(shop.merchant)[1]

    client.post(place("rule_move", shop, second.id), {"to": "up"})
    copied = client.post(place("rule_copy", shop, second.id), follow=True)
    asked = client.get(place("rule_remove", shop, second.id))
    client.post(place("rule_remove", shop, second.id))

    names = [rule.name for rule in rules_of(shop.merchant)]
    assert names[0] == "Due in 10 days"
    assert names[-1] == "Due in 5 days (copy)"
    assert "“Due in 5 days (copy)” is made. It is off." in copied.text
    assert "Delete “Due in 5 days”?" in asked.text
    assert client.get(place("rule", shop, second.id)).status_code == 404


def test_the_list_of_rules_takes_as_many_queries_for_many_as_for_seven(shop, django_assert_num_queries):
    client = client_of(shop.merchant)
    client.get(place("rules", shop))
    with CaptureQueriesContext(connection) as few:
        client.get(place("rules", shop))
    for _ in range(20):
        copy_rule(shop.rule)

    with django_assert_num_queries(len(few)):
        page = client.get(place("rules", shop))

    assert "When an invoice is due in exactly 10 days." in page.text


def test_the_schedule_is_kept(shop):
    sent_in = {
        "send_at": "23:30",
        "weekdays": ["0", "4"],
        "country": "US",
        "min_days_between": "2",
        "brake_factor": "3",
    }

    client_of(shop.merchant).post(place("schedule", shop), sent_in)

    schedule = Schedule.objects.get(merchant=shop.merchant)
    assert (schedule.send_at, schedule.weekdays, schedule.country) == (time(23, 30), [0, 4], "US")


@pytest.mark.parametrize(("decision", "state"), [("release", DayRunState.RELEASED), ("drop", DayRunState.DROPPED)])
def test_a_held_run_is_decided_once(shop, decision, state):
    client = client_of(shop.merchant)

    client.post(place("day_run_decide", shop, shop.day_run.id), {"decision": decision})
    again = client.post(place("day_run_decide", shop, shop.day_run.id), {"decision": "release"})

    shop.day_run.refresh_from_db()
    assert (shop.day_run.state, again.status_code) == (state, 409)


def test_a_held_run_says_what_waits_before_somebody_decides(shop):
    Step.objects.create(
        rule=shop.rule, invoice=shop.invoice, day=shop.day_run.day, day_run=shop.day_run, state=StepState.HELD
    )

    text = client_of(shop.merchant).get(place("day_run", shop, shop.day_run.id)).text

    assert "What waits" in text
    assert str(shop.customer) in text
    assert "It cannot be taken back." in text


def test_a_hold_is_set_and_ended_on_the_pages_of_customer_and_invoice(shop):
    client = client_of(shop.merchant)
    client.post(place("hold_end", shop, shop.hold.id))
    client.post(place("hold_customer", shop, shop.customer.id), {"reason": "dispute", "note": "Wrong goods"})
    client.post(place("hold_invoice", shop, shop.invoice.id), {"reason": "promise", "until": "2090-01-01"})
    client.post(place("hold_invoice", shop, shop.invoice.id), {"reason": "promise", "until": "2000-01-01"})

    active = Hold.objects.active(today=day_in("America/New_York", present())).order_by("id")
    assert [(hold.reason, hold.invoice_id) for hold in active] == [("dispute", None), ("promise", shop.invoice.id)]
    assert "Wrong goods" in client.get(place("customer", shop, shop.customer.id)).text
    assert "Promised to pay" in client.get(place("invoice", shop, shop.invoice.id)).text
