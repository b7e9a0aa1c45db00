"""The pages that show what a change of a rule would change: written or switched, small or large, page by page."""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from payorcrm.backoffice.views import rule_change as pages
from payorcrm.core.clock import day_in
from payorcrm.core.clock import now as present
from payorcrm.core.ids import uuid7
from payorcrm.customers.models import Customer
from payorcrm.merchants.models import Role
from payorcrm.reminders import keep_rehearsal
from payorcrm.reminders.models import Hold, Rule, Schedule
from payorcrm.reminders.rehearsal_models import KeptRehearsal
from payorcrm.reminders.switch_rules import switch_on
from payorcrm.reminders.work_out_rehearsal import work_out
from tests.backoffice.rows import client_of, make_shop
from tests.factories.models import CustomerFactory, InvoiceFactory

pytestmark = pytest.mark.django_db
POLL = {"HX-Request": "true"}


@pytest.fixture
def shop():
    """A merchant four of whose customers hear of an invoice in some days, once a rule is on."""
    shop = make_shop()
    Hold.objects.all().delete()
    soon = day_in("America/New_York", present()) + timedelta(days=16)
    for name in ("Anna’s “Ärzte” 🦷", "Bert", "Carl", "Dora & Sons"):
        InvoiceFactory(customer=CustomerFactory(merchant=shop.merchant, company_name=name), due_on=soon)
    return shop


def place(name, shop, *ids):
    return reverse(f"backoffice:{name}", args=[shop.merchant.slug, *ids])


def written(shop, **fields):
    """Return a form of the builder with one condition."""
    conditions = {"joint:": "all", "if:0": "due_in", "a:0": "9"}
    return {"name": "Tom's “🍀”", "template": str(shop.template.id), "act": "rehearse"} | conditions | fields


def test_a_large_comparison_leaves_the_form_as_it_is_and_shows_itself_when_it_is_there(shop, monkeypatch):
    monkeypatch.setattr(keep_rehearsal, "MOST_FOR_A_PAGE", 0)
    client, here = client_of(shop.merchant), place("rule", shop, shop.rule.id)

    waiting = client.post(here, written(shop))
    kept = KeptRehearsal.objects.get(draft__isnull=False)
    part = client.get(place("rule_change", shop, kept.id), headers=POLL)
    work_out(kept.id, now=present())
    ready = client.get(place("rule_change", shop, kept.id), headers=POLL)
    again = client.post(here, written(shop))

    assert waiting.text.count("Tom&#x27;s “🍀”") == 1
    assert f'hx-get="{place("rule_change", shop, kept.id)}"' in waiting.text
    assert f'<a href="{place("rule_change", shop, kept.id)}">Look again</a>' in waiting.text
    assert (part.status_code, part.text) == (204, "")
    assert "<html" not in ready.text
    for text in (ready.text, again.text):
        assert text.count(">Added</span>") == 4
        assert "As if this rule was switched on now." in text
    assert KeptRehearsal.objects.count() == 2


def test_what_switching_changes_waits_for_its_job_and_comes_back_without_scripts(shop, monkeypatch):
    monkeypatch.setattr(keep_rehearsal, "MOST_FOR_A_PAGE", 0)
    client, here = client_of(shop.merchant, Role.VIEWER), place("rule_rehearsal", shop, shop.rule.id)

    waiting = client.get(here)
    kept = KeptRehearsal.objects.get(draft__isnull=False)
    with transaction.atomic():
        Customer.objects.filter(merchant=shop.merchant).update(category="x")
    work_out(kept.id, now=present())
    ready = client.get(place("rule_change", shop, kept.id))

    assert f'<a href="{place("rule_change", shop, kept.id)}">Look again</a>' in waiting.text
    assert "with this one switched on" in waiting.text
    assert ready.text.count(">Added</span>") == 4


def test_a_mail_that_changes_says_which_invoices_make_the_difference(shop):
    Schedule.objects.update_or_create(merchant=shop.merchant, defaults={"weekdays": list(range(7))})
    switch_on(shop.rule, now=present())
    soon = day_in("America/New_York", present()) + timedelta(days=18)
    InvoiceFactory(customer=Customer.objects.get(company_name="Bert"), due_on=soon, number="B-18")
    more = {"joint:": "any", "if:0": "due_in", "a:0": "10", "if:1": "due_in", "a:1": "12"}
    client, here = client_of(shop.merchant), place("rule", shop, shop.rule.id)

    page = client.post(here, written(shop, **more))
    rows = page.context["page"].difference.rows

    assert ("Bert", "moved", "now also B-18") in {
        (row.change.customer.company_name, row.change.kind, row.otherwise) for row in rows
    }
    assert '<span class="under">now also B-18</span>' in page.text


def test_a_draft_that_was_rehearsed_again_ends_the_wait_for_the_one_before(shop, monkeypatch):
    monkeypatch.setattr(keep_rehearsal, "MOST_FOR_A_PAGE", 0)
    client, here = client_of(shop.merchant), place("rule", shop, shop.rule.id)

    kept, newer = (
        client.post(here, written(shop, **{"a:0": days})).context["page"].difference.kept for days in ("9", "8")
    )
    part = client.get(place("rule_change", shop, kept.id), headers=POLL)
    work_out(newer.id, now=present())
    shown = client.get(place("rule_change", shop, kept.id))

    for text in (part.text, shown.text):
        assert "only the latest is worked out" in text
        assert f'<a href="{place("rule_change", shop, newer.id)}">See the latest</a>' in text
        assert "every 2s" not in text


def test_what_is_not_there_in_time_says_so_once(shop, monkeypatch):
    monkeypatch.setattr(keep_rehearsal, "MOST_FOR_A_PAGE", 0)
    client = client_of(shop.merchant)
    client.get(place("rule_rehearsal", shop, shop.rule.id))
    KeptRehearsal.objects.update(asked_at=present() - timedelta(minutes=3))
    here = place("rule_change", shop, KeptRehearsal.objects.get(draft__isnull=False).id)

    part = client.get(here, headers=POLL)
    again = client.get(f"{here}?late", headers=POLL)

    assert "perhaps no worker is running" in part.text
    assert again.status_code == 204


def test_all_changes_are_listed_page_by_page_with_as_many_queries_for_few_as_for_many(shop, monkeypatch):
    monkeypatch.setattr(pages, "_SHOWN_BESIDE_A_RULE", 1)
    monkeypatch.setattr(pages, "_CHANGES_OF_A_PAGE", 3)
    client = client_of(shop.merchant)
    beside = client.get(place("rule_rehearsal", shop, shop.rule.id))
    here = place("rule_change", shop, beside.context["difference"].kept.id)

    first = client.get(here)
    with CaptureQueriesContext(connection) as for_three:
        client.get(here)
    with CaptureQueriesContext(connection) as for_one:
        second = client.get(f"{here}?{first.context['difference'].page.next}")

    assert f'<a href="{here}">All 4 changes</a>' in beside.text
    names = [[row.change.customer.company_name for row in page.context["difference"].rows] for page in (first, second)]
    assert names == [["Anna’s “Ärzte” 🦷", "Bert", "Carl"], ["Dora & Sons"]]
    assert len(for_three) == len(for_one)


def test_a_kept_comparison_says_that_something_has_changed_and_leads_back_to_what_was_written(shop):
    client = client_of(shop.merchant)
    for address, sent_in in (
        (place("rule", shop, shop.rule.id), written(shop)),
        (place("rule_new", shop), written(shop)),
    ):
        kept = client.post(address, sent_in).context["page"].difference.kept
        here = place("rule_change", shop, kept.id)
        before = client.get(here).text
        with transaction.atomic():
            Customer.objects.filter(merchant=shop.merchant).update(category="x")

        after = client.get(here).text
        form = client.get(address, {"draft": kept.id})

        assert "Something has changed since" not in before
        assert "Something has changed since" in after
        assert f'href="{address}?draft={kept.id}"' in after
        assert 'value="Tom&#x27;s “🍀”"' in form.text
        assert 'value="9"' in form.text
    assert not Rule.objects.filter(name="Tom's “🍀”").exists()


def test_what_was_written_elsewhere_or_is_thrown_away_shows_the_rule_as_it_is(shop):
    client, other = client_of(shop.merchant), make_shop()
    foreign = client_of(other.merchant).post(place("rule_new", other), written(other)).context["page"].difference.kept
    mine = client.post(place("rule_new", shop), written(shop)).context["page"].difference.kept

    for text in (foreign.id, mine.id, uuid7(), "x\0"):
        page = client.get(place("rule", shop, shop.rule.id), {"draft": text})
        assert page.context["page"].form.initial["name"] == "Due in 10 days"
        assert "Nothing of it was saved." in page.text
    for gone in (foreign.id, uuid7()):
        here = place("rule_change", shop, gone)
        page, part = client.get(here), client.get(here, headers=POLL)
        assert (page.status_code, part.headers["HX-Redirect"]) == (404, here)
        assert "This comparison is not kept any more" in page.text
