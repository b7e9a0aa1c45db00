"""A bookkeeper puts a customer on hold, sees why no reminder went out, ends the hold, and the reminder follows."""

from datetime import UTC, date, datetime, time, timedelta

from playwright.sync_api import expect

from payorcrm.core.clock import day_in
from payorcrm.invoices.models import Invoice
from payorcrm.reminders.models import Schedule
from tests.factories.due_runs import run_due_rules
from tests.factories.journey import Business, open_business
from tests.factories.system import RunningSystem
from tests.journeys.person import Person
from tests.journeys.portal import fill_in_sign_in
from tests.reminders.rules import LONG_AGO, set_schedule, switch_all_on


def test_a_hold_stops_the_reminder_and_its_end_lets_it_go(system: RunningSystem, person: Person) -> None:
    now = datetime.now(UTC)
    business = open_business(system, "120.00")
    yesterday = _due_for_the_run_of_yesterday(business, now)
    person.open("/account/login/")
    fill_in_sign_in(person, business.owner.email)
    person.open(f"/m/{business.merchant.slug}/customers/{business.customer.id}/")

    person.page.get_by_text("Put on hold", exact=True).first.click()
    person.page.get_by_label("Reason").select_option("dispute")
    person.page.locator("#holds").get_by_label("Note").fill("Two chairs came broken")
    person.press("Put on hold")
    person.sees("no reminder goes out, not even one that is on its way")
    _run_at(business, now - timedelta(days=1))

    person.page.get_by_role("link", name="Why was, or was not, a reminder sent?").click()
    person.page.get_by_label("Day", exact=True).fill(yesterday.isoformat())
    person.press("Show")
    person.sees("7 days overdue: Not sent: on hold.")
    person.look("held")
    assert business.mails_about("is past due") == 0

    person.open(f"/m/{business.merchant.slug}/holds/")
    person.look("one hold")
    person.press(f"End the hold on {business.customer}")
    person.sees("The hold has ended; reminders go on.")
    _run_at(business, now)

    business.mail("is past due")
    person.open(f"/m/{business.merchant.slug}/customers/{business.customer.id}/why/?day={yesterday.isoformat()}")
    expect(person.page.get_by_text("7 days overdue: ")).to_contain_text("by the run of")


def _run_at(business: Business, now: datetime) -> None:
    """Run the rules; until and after that, their hour is so late that the worker does not."""
    schedules = Schedule.objects.filter(merchant=business.merchant)
    schedules.update(send_at=time(0))
    run_due_rules(now=now)
    schedules.update(send_at=time(23, 59))


def _due_for_the_run_of_yesterday(business: Business, now: datetime) -> date:
    yesterday = day_in(business.merchant.time_zone, now) - timedelta(days=1)
    Invoice.objects.filter(customer=business.customer).update(due_on=yesterday - timedelta(days=7), created_at=LONG_AGO)
    set_schedule(business.merchant, send_at=time(23, 59))
    switch_all_on(business.merchant, now=now - timedelta(days=1))
    return yesterday
