"""Rules, schedule, held runs and holds as staff work with them."""

from datetime import time

import pytest
from django.urls import reverse

from payorcrm.core.clock import day_in
from payorcrm.core.clock import now as present
from payorcrm.mail.models import Mail
from payorcrm.reminders.models import DayRunState, Hold, Schedule
from payorcrm.reminders.switch_rules import rules_of
from tests.backoffice.rows import client_of, make_shop

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


def test_a_rule_is_changed_and_shows_whom_it_matches_today(shop):
    late = rules_of(shop.merchant)[2]
    client = client_of(shop.merchant)
    days = (day_in("America/New_York", present()) - shop.invoice.due_on).days
    Hold.objects.all().delete()

    sent_in = {"name": "Late", "template": str(shop.template.id), "when": "overdue_exactly", "days": str(days)}
    page = client.post(place("rule", shop, late.id), sent_in, follow=True)

    late.refresh_from_db()
    assert (late.name, late.conditions) == ("Late", {"all": [{"if": "overdue_exactly", "is": days}]})
    assert shop.invoice.number in page.text
    assert Mail.objects.filter(kind="reminder", state="queued").count() == 0


def test_two_rules_of_one_name_are_refused(shop):
    first, second = rules_of(shop.merchant)[:2]
    sent_in = {"name": second.name, "template": str(shop.template.id), "when": "due_in", "days": "3"}

    page = client_of(shop.merchant).post(place("rule", shop, first.id), sent_in)

    assert "Another rule has this name already." in page.text


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
