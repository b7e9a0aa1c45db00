"""The pages that show what the rules would send: the coming days, one of them, and a large one that takes a while."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.urls import reverse

from payorcrm.backoffice.views import rehearsal as pages
from payorcrm.core.clock import day_in
from payorcrm.core.clock import now as present
from payorcrm.core.ids import uuid7
from payorcrm.customers.models import Customer
from payorcrm.reminders import brake, keep_rehearsal
from payorcrm.reminders.keep_rehearsal import rehearsal_of
from payorcrm.reminders.rehearsal_models import KeptRehearsal
from payorcrm.reminders.switch_rules import switch_on
from payorcrm.reminders.work_out_rehearsal import work_out
from tests.backoffice.rows import client_of, make_shop
from tests.factories.models import CustomerFactory, InvoiceFactory, MerchantFactory

pytestmark = pytest.mark.django_db
POLL = {"HX-Request": "true"}


@pytest.fixture
def shop():
    """A merchant with something of everything."""
    return make_shop()


def place(name, shop, *ids):
    return reverse(f"backoffice:{name}", args=[shop.merchant.slug, *ids])


def busy_days(shop):
    """Let three customers, one of whom owes twice, be due on one day that is larger than any before."""
    switch_on(shop.rule, now=present())
    soon = day_in("America/New_York", present()) + timedelta(days=20)
    for name in ("Anna’s “Ärzte” 🦷", "Bert", "Carl"):
        InvoiceFactory(customer=CustomerFactory(merchant=shop.merchant, company_name=name), due_on=soon)
    InvoiceFactory(customer=Customer.objects.get(company_name="Bert"), due_on=soon, number="B-2")


def test_all_mails_of_a_day_are_listed_by_customer_page_by_page_and_found_by_name(shop, monkeypatch):
    monkeypatch.setattr(pages, "_MAILS_OF_A_PAGE", 2)
    monkeypatch.setattr(pages, "_MAILS_SHOWN", 1)
    busy_days(shop)
    client = client_of(shop.merchant)

    overview = client.get(place("rehearsal", shop))
    ((day, shown),) = overview.context["days"]
    of = {"of": overview.context["kept"].id, "day": day.day}
    first = client.get(place("rehearsal", shop), of)
    second = client.get(place("rehearsal", shop) + "?" + first.context["page"].next)
    found = client.get(place("rehearsal", shop), of | {"search": "bert"})
    nobody = client.get(place("rehearsal", shop), of | {"search": "Zoe"})

    assert len(shown) == 1
    assert "All 3 mails of this day" in overview.text
    assert "from 1 rule that is on and" in overview.text
    names = [[mail.customer.company_name for mail, _, _ in page.context["mails"]] for page in (first, second, found)]
    assert names == [["Anna’s “Ärzte” 🦷", "Bert"], ["Carl"], ["Bert"]]
    assert "B-2" in found.text
    assert "No customer fits" in nobody.text


def test_a_day_whose_run_would_wait_says_so_and_why(shop, monkeypatch):
    monkeypatch.setattr(brake, "FEW_MAILS", 2)
    busy_days(shop)
    client = client_of(shop.merchant)

    overview = client.get(place("rehearsal", shop))
    ((day, _),) = overview.context["days"]
    page = client.get(place("rehearsal", shop), {"of": overview.context["kept"].id, "day": day.day})
    file = b"".join(client.get(place("rehearsal_export", shop)).streaming_content).decode()

    assert "1 run would be held until you release it" in overview.text
    for text in (overview.text, page.text, file):
        assert "It has 3 mails; no run before it shows what is usual." in text


def test_a_large_rehearsal_shows_that_it_is_worked_out_and_then_itself(shop, monkeypatch):
    monkeypatch.setattr(keep_rehearsal, "MOST_FOR_A_PAGE", 0)
    busy_days(shop)
    client, here = client_of(shop.merchant), place("rehearsal", shop)

    waiting = client.get(here)
    this_one = f"{here}?of={KeptRehearsal.objects.get().id}"
    # Something changes all the time; nothing is begun again for it.
    change_something()
    part = client.get(this_one, headers=POLL)
    change_something()
    files = [client.get(place("rehearsal_export", shop) + query) for query in ("", this_one.removeprefix(here))]
    work_out(KeptRehearsal.objects.get().id, now=present())
    change_something()
    ready = client.get(this_one, headers=POLL)
    shown = client.get(this_one)
    file = client.get(f"{place('rehearsal_export', shop)}{this_one.removeprefix(here)}")

    assert f'<a href="{this_one}">Look again</a>' in waiting.text
    assert f'hx-get="{this_one}"' in waiting.text
    assert (part.status_code, part.text) == (204, "")
    assert [each.url for each in files] == [this_one] * 2
    assert ready.headers["HX-Redirect"] == this_one
    assert "3 mails on 1 day" in shown.text
    assert "Something has changed since" in shown.text
    assert f"{place('rehearsal_export', shop)}{this_one.removeprefix(here)}" in shown.text
    assert b"Bert" in b"".join(file.streaming_content)
    assert KeptRehearsal.objects.count() == 1


def change_something():
    """Change a customer, in a transaction of its own as far as PostgreSQL's notes on rows go."""
    with transaction.atomic():
        Customer.objects.update(category="x")


def test_a_rehearsal_of_somebody_else_or_thrown_away_leads_to_ones_own(shop):
    other = rehearsal_of(MerchantFactory(), now=present())
    client, here = client_of(shop.merchant), place("rehearsal", shop)

    asked = [client.get(here, {"of": of, "day": "2026-01-01"}) for of in (other.id, uuid7(), "x\0")]

    assert [page.url for page in asked] == [here] * 3
    assert "That rehearsal is not kept any more." in client.get(here).text


def test_a_rehearsal_that_takes_too_long_says_so_once(shop, monkeypatch):
    monkeypatch.setattr(keep_rehearsal, "MOST_FOR_A_PAGE", 0)
    busy_days(shop)
    client, here = client_of(shop.merchant), place("rehearsal", shop)
    client.get(here)
    KeptRehearsal.objects.update(asked_at=present() - timedelta(minutes=3))
    this_one = f"{here}?of={KeptRehearsal.objects.get().id}"

    part = client.get(this_one, headers=POLL)
    again = client.get(f"{this_one}&late", headers=POLL)

    assert "perhaps no worker is running" in part.text
    assert f'hx-get="{this_one}&amp;late"' in part.text
    assert again.status_code == 204
