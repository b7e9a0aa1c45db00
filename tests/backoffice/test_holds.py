"""The list of holds, the answer to "why", and the alarms about runs, as staff see them."""

from datetime import time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db.models import F
from django.urls import reverse

from payorcrm.core.clock import day_in
from payorcrm.core.clock import now as present
from payorcrm.invoices.models import Invoice
from payorcrm.merchants.models import Role
from payorcrm.reminders.hold import hold_for_bounce, put_on_hold, put_several_on_hold
from payorcrm.reminders.models import DayRun, Hold, HoldReason, Rule, Schedule
from payorcrm.staff.models import AuditEntry
from tests.backoffice.rows import client_of, make_shop
from tests.factories.due_runs import run_due_rules
from tests.factories.models import CustomerFactory, InvoiceFactory
from tests.reminders.rules import LONG_AGO, set_schedule, switch_all_on

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop():
    return make_shop()


def place(name, shop, *ids):
    return reverse(f"backoffice:{name}", args=[shop.merchant.slug, *ids])


def listed(shop, query=""):
    page = client_of(shop.merchant).get(place("holds", shop) + query)
    return [hold for hold, *_ in page.context["rows"]], page.text


def test_holds_in_force_are_listed_and_ended_ones_on_request(shop):
    hold_for_bounce(customer=shop.customer, now=present())

    in_force, text = listed(shop)
    ended, _ = listed(shop, "?state=ended")
    everything, _ = listed(shop, "?state=all&reason=bounced&search=acme")

    assert [hold.reason for hold in in_force] == ["bounced"]
    assert "The address is corrected" in text
    assert [hold.id for hold in ended] == [shop.hold.id]
    assert [hold.reason for hold in everything] == ["bounced"]


def test_the_list_says_that_what_is_processing_needs_no_hold(shop):
    Invoice.objects.filter(id=shop.invoice.id).update(in_flight=100)

    assert "1 invoice with a payment under way" in listed(shop)[1]


def test_a_hold_is_ended_in_the_list_and_not_by_a_viewer(shop):
    hold = hold_for_bounce(customer=shop.customer, now=present())

    assert "End<span" not in client_of(shop.merchant, Role.VIEWER).get(place("holds", shop)).text
    answer = client_of(shop.merchant).post(place("hold_end", shop, hold.id), {"back": "holds"})

    assert answer["Location"] == place("holds", shop)
    assert listed(shop)[0] == []


def test_what_was_before_and_after_a_hold_and_its_end_is_written_down_and_a_second_press_is_not(shop):
    client, invoice, today = client_of(shop.merchant), shop.invoice, day_in(shop.merchant.time_zone, present())
    soon, later = today + timedelta(days=5), today + timedelta(days=9)
    dispute = {"reason": "dispute", "until": str(soon), "note": "“Wrong” 🚢"}
    for form in (dispute, dispute, {"reason": "dispute", "until": str(later)}):
        client.post(place("hold_customer", shop, shop.customer.id), form)
    client.post(place("hold_invoice", shop, invoice.id), dispute)
    whole, single = Hold.objects.filter(reason="dispute", ended_at=None).order_by("id")

    for hold in (whole, whole, single):
        client.post(place("hold_end", shop, hold.id))

    found = AuditEntry.objects.filter(merchant=shop.merchant).order_by("id").values_list("says", "changes")
    name, first, second = f"{shop.customer}, on hold", f"Disputed, until {soon}: “Wrong” 🚢", f"Disputed, until {later}"
    assert list(found) == [
        ("Held reminders to a customer", [[name, "", first]]),
        ("Held reminders to a customer", [[name, first, second]]),
        ("Held reminders about an invoice", [[f"Invoice {invoice.number}, on hold", "", first]]),
        ("Ended a hold", [[name, second, ""]]),
        ("Ended a hold", [[f"Invoice {invoice.number}, on hold", first, ""]]),
    ]


def test_a_hold_whose_day_is_near_stands_on_the_dashboard_until_it_is_prolonged(shop):
    today = day_in(shop.merchant.time_zone, present())
    hold = put_on_hold(
        customer=shop.customer,
        invoice=None,
        reason=HoldReason.DISPUTE,
        until=today + timedelta(days=1),
        note="",
        held_by=None,
        now=present(),
    )
    client = client_of(shop.merchant)

    before = client.get(place("dashboard", shop)).text
    (listed_hold,), text = listed(shop, "?state=review")
    done = client.post(place("hold_prolong", shop, hold.id), {"back": "holds"}, follow=True)
    client.post(place("hold_prolong", shop, hold.id))

    assert "1 hold to look at" in before
    assert listed_hold == hold
    assert "Prolong<span" in text
    assert "On hold until" in done.text
    assert "to look at</strong>" not in client.get(place("dashboard", shop)).text
    assert AuditEntry.objects.filter(says="Prolonged a hold").count() == 1


@pytest.mark.parametrize("count", [1, 30])
def test_the_list_takes_as_many_statements_for_many_holds(shop, django_assert_num_queries, count):
    customers = [CustomerFactory(merchant=shop.merchant).id for _ in range(count)]
    terms = {"reason": HoldReason.DISPUTE, "until": None, "note": "", "held_by": None, "now": present()}
    put_several_on_hold(merchant=shop.merchant, customer_ids=customers, **terms)
    client = client_of(shop.merchant)
    client.get(place("holds", shop))

    with django_assert_num_queries(5):
        assert len(client.get(place("holds", shop)).context["rows"]) == count


def test_a_promise_without_a_day_is_refused_with_words(shop):
    Hold.objects.all().delete()

    address = place("hold_customer", shop, shop.customer.id)
    page = client_of(shop.merchant).post(address, {"reason": "promise", "note": "Jo rang"})

    assert "A promise to pay and a pause need a last day" in page.text
    assert page.context["hold_form"]["note"].value() == "Jo rang"
    assert 'aria-invalid="true"' in page.text
    assert not Hold.objects.exists()


def test_why_is_answered_for_a_customer_and_for_one_invoice(shop):
    client = client_of(shop.merchant, Role.VIEWER)
    switch_all_on(shop.merchant)
    Hold.objects.all().delete()

    page = client.get(place("why", shop, shop.customer.id))
    one = client.get(place("why", shop, shop.customer.id) + f"?invoice={shop.invoice.id}&day=2026-01-01")

    assert "Nothing of this run was sent: it waits for a person. Big" in page.text
    assert shop.invoice.number in page.text
    assert f"Invoice {shop.invoice.number}" in one.text
    assert "owed, due" in one.text

    type(shop.invoice).objects.filter(id=shop.invoice.id).update(status="paid", balance=0, in_flight=0)

    paid = client.get(place("why", shop, shop.customer.id) + f"?invoice={shop.invoice.id}&day=2026-01-01")
    assert "Paid by now: nobody is reminded of it any more, due" in paid.text


def test_why_of_an_invoice_with_a_payment_under_way_gives_that_reason_alone(shop):
    client = client_of(shop.merchant)
    invoice = InvoiceFactory(customer=shop.customer)
    about = place("why", shop, shop.customer.id) + f"?invoice={invoice.id}"
    no_rule = client.get(about).text
    Invoice.objects.filter(id=invoice.id).update(in_flight=F("balance"))

    under_way, then = client.get(about).text, client.get(about + "&day=2026-01-01").text

    assert "No rule was due on this day." in no_rule
    assert "nobody is reminded of it until that settles or fails" in under_way
    assert "No rule was due" not in under_way
    assert "No rule was due on this day." in then


def test_nobody_elses_invoice_is_explained_and_an_odd_day_is_refused(shop):
    client, other = client_of(shop.merchant), make_shop()
    stranger = CustomerFactory(merchant=shop.merchant)
    address = place("why", shop, shop.customer.id)

    assert client.get(f"{address}?invoice={other.invoice.id}").status_code == 404
    assert client.get(f"{address}?invoice=x").status_code == 404
    assert client.get(place("why", shop, stranger.id) + f"?invoice={shop.invoice.id}").status_code == 404
    assert "Choose a day from 1990 to 2099." in client.get(f"{address}?day=9999-12-31").text
    assert "Choose a day." in client.get(f"{address}?day=").text


@pytest.mark.parametrize("name", ["dashboard", "rules"])
def test_a_run_that_waits_and_one_that_is_late_are_told_on_the_first_pages(shop, name):
    switch_all_on(shop.merchant, now=LONG_AGO)
    # At midnight where the merchant is, so that the hour has come long ago except just after it.
    set_schedule(shop.merchant, send_at=time(0))
    if present().astimezone(ZoneInfo(shop.merchant.time_zone)).time() < time(0, 20):
        shop.merchant.time_zone = "Asia/Tokyo"
        shop.merchant.save()
    client = client_of(shop.merchant)

    assert "wait for you" in client.get(place(name, shop)).text
    DayRun.objects.all().delete()
    late = client.get(place(name, shop)).text
    run_due_rules(now=present())
    soon = client.get(place(name, shop)).text

    assert "n a few minutes" in late
    assert "n a few minutes" not in soon
    assert "The reminder rules have not run" in late
    assert "The reminder rules have not run" not in soon


def test_the_rules_say_when_they_ran_last_and_when_next(shop):
    page = client_of(shop.merchant).get(place("rules", shop))
    assert "Every rule is off." in page.text

    switch_all_on(shop.merchant)
    timetable = client_of(shop.merchant).get(place("rules", shop)).context["timetable"]

    assert timetable.last == shop.day_run
    assert timetable.next_at > present()
    assert Rule.objects.filter(is_active=True).count() == 7


def test_countries_have_names_and_states_are_chosen_once_the_country_is_kept(shop):
    client = client_of(shop.merchant)
    page = client.get(place("schedule", shop))
    assert ">United States</option>" in page.text
    assert "state or province" not in page.text
    sent_in = {"send_at": "09:00", "weekdays": ["0"], "country": "US", "min_days_between": "3", "brake_factor": "3"}
    client.post(place("schedule", shop), sent_in)

    assert ">California</option>" in client.get(place("schedule", shop)).text
    client.post(place("schedule", shop), sent_in | {"subdivision": "CA"})
    assert Schedule.objects.get().subdivision == "CA"
    client.post(place("schedule", shop), sent_in | {"country": "DE", "subdivision": "CA"})
    assert (Schedule.objects.get().country, Schedule.objects.get().subdivision) == ("DE", "")
