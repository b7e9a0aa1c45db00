"""Statements as staff work with them: rules, who would get one, runs, and one by hand."""

from datetime import timedelta

import pytest
from django.urls import reverse

from payorcrm.core.clock import day_in
from payorcrm.core.clock import now as present
from payorcrm.mail.models import Mail
from payorcrm.merchants.models import Role
from payorcrm.reminders.models import Hold
from payorcrm.statements.models import RunState, StatementRule, StatementRun
from payorcrm.statements.templates import statement_template
from tests.backoffice.rows import client_of, make_shop
from tests.factories.due_runs import run_due_statements
from tests.factories.models import CustomerFactory, InvoiceFactory
from tests.reminders.rules import set_schedule

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop():
    """A merchant with something of everything, and nothing on hold."""
    shop = make_shop()
    Hold.objects.all().delete()
    return shop


def place(name, shop, *ids):
    return reverse(f"backoffice:{name}", args=[shop.merchant.slug, *ids])


def typed_in(shop, **fields):
    template = statement_template(shop.merchant)
    return {"name": "Weekly", "template": str(template.id), "day": "w0", "act": "save"} | fields


def test_a_rule_is_made_off_changed_and_deleted(shop):
    client = client_of(shop.merchant)

    client.post(place("statement_rule_new", shop), typed_in(shop))
    made = StatementRule.objects.get(name="Weekly")
    client.post(place("statement_rule", shop, made.id), typed_in(shop, day="m31", includes_settled="on"))
    changed = StatementRule.objects.get(id=made.id)
    client.post(place("statement_rule_delete", shop, made.id))

    assert (made.weekday, made.month_day, made.is_active) == (0, None, False)
    assert (changed.weekday, changed.month_day, changed.includes_settled) == (None, 31, True)
    assert not StatementRule.objects.filter(id=made.id).exists()


def test_conditions_are_built_with_buttons_and_only_about_customers(shop):
    client = client_of(shop.merchant)
    address = place("statement_rule_new", shop)
    line = {"joint:": "all", "if:0": "balance_at_least", "a:0": "100.00"}

    added = client.post(address, typed_in(shop, act="condition:", name="Kept"))
    unfinished = client.post(address, typed_in(shop, **{"joint:": "all", "if:0": "balance_at_least", "a:0": ""}))
    of_invoices = client.post(address, typed_in(shop, **{"joint:": "all", "if:0": "due_in", "a:0": "3"}))
    tried = client.post(address, typed_in(shop, **line, act="test"))
    client.post(address, typed_in(shop, **line))

    assert 'name="if:0"' in added.text
    assert 'value="Kept"' in added.text
    assert "Overdue by exactly" not in added.text
    assert "Enter an amount, such as 250.00." in unfinished.text
    assert "says nothing about a customer" in of_invoices.text
    assert "as it is written now: 1" in tried.text
    assert "A statement goes out when the customer owes at least $100.00 in all." in tried.text
    made = StatementRule.objects.get(name="Weekly")
    assert made.conditions == {"all": [{"if": "balance_at_least", "is": 10_000}]}


def test_a_name_that_is_taken_is_refused_and_nothing_is_lost(shop):
    page = client_of(shop.merchant).post(place("statement_rule_new", shop), typed_in(shop, name="Monthly", day="w3"))

    assert "Another rule has this name already." in page.text
    assert '<option value="w3" selected>' in page.text


def test_the_page_says_who_would_get_one_today_and_who_not(shop):
    InvoiceFactory(customer=CustomerFactory(merchant=shop.merchant, company_name="No Mail Inc", contact__email=""))

    page = client_of(shop.merchant, Role.VIEWER).get(place("statement_rule", shop, shop.statement_rule.id))

    assert "Who would get it today: 1" in page.text
    assert "No: no e-mail address" in page.text
    assert "1 left out" in page.text
    assert Mail.objects.filter(kind="statement").count() == 0


def test_a_switch_says_how_many_would_get_one(shop):
    client = client_of(shop.merchant)

    page = client.post(place("statement_rule_switch", shop, shop.statement_rule.id), {"to": "on"}, follow=True)

    shop.statement_rule.refresh_from_db()
    assert shop.statement_rule.is_active
    assert "1 customer would get a statement today." in page.text
    client.post(place("statement_rule_switch", shop, shop.statement_rule.id), {"to": "off"})
    shop.statement_rule.refresh_from_db()
    assert not shop.statement_rule.is_active


def test_a_rule_that_was_switched_on_sends_and_its_run_says_what_became_of_it(shop):
    StatementRun.objects.all().delete()
    set_schedule(shop.merchant, send_at="00:00")
    client = client_of(shop.merchant)
    today = day_in("America/New_York", present())
    client.post(place("statement_rule", shop, shop.statement_rule.id), typed_in(shop, day=f"w{today.weekday()}"))
    client.post(place("statement_rule_switch", shop, shop.statement_rule.id), {"to": "on"})

    (run,) = run_due_statements(now=present() + timedelta(seconds=1))

    page = client.get(place("statement_run", shop, run.id))
    assert page.context["counts"].under_way == 1
    assert str(shop.customer) in page.text


@pytest.mark.parametrize(("decision", "state"), [("release", RunState.RELEASED), ("drop", RunState.DROPPED)])
def test_a_held_run_is_decided_once(shop, decision, state):
    client = client_of(shop.merchant)
    assert "A run waits for you" in client.get(place("statements", shop)).text
    assert "Left out" not in client.get(place("statement_run", shop, shop.statement_run.id)).text

    client.post(place("statement_run_decide", shop, shop.statement_run.id), {"decision": decision})
    again = client.post(place("statement_run_decide", shop, shop.statement_run.id), {"decision": "release"})

    shop.statement_run.refresh_from_db()
    assert (shop.statement_run.state, again.status_code) == (state, 409)


def test_one_customer_gets_a_statement_at_once_and_only_one_however_often_the_button_is_pressed(shop):
    client = client_of(shop.merchant)
    page = client.get(place("customer_statement", shop, shop.customer.id))
    mail = client.get(place("customer_statement_mail", shop, shop.customer.id))

    client.post(place("customer_statement", shop, shop.customer.id))
    second = client.post(place("customer_statement", shop, shop.customer.id), follow=True)

    assert "Send it now" in page.text
    assert shop.invoice.number in mail.text
    assert "frame-ancestors 'self'" in mail["Content-Security-Policy"]
    assert Mail.objects.filter(kind="statement", customer=shop.customer).count() == 1
    assert "No second statement was sent" in second.text


def test_the_pdf_is_what_the_customer_gets(shop):
    answer = client_of(shop.merchant, Role.VIEWER).get(place("customer_statement_pdf", shop, shop.customer.id))

    assert answer["Content-Type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF")


def test_another_merchants_rule_cannot_be_named_in_the_form(shop):
    other = make_shop()
    client = client_of(shop.merchant)

    address = place("customer_statement", shop, shop.customer.id)

    assert client.post(address, {"rule": str(other.statement_rule.id)}).status_code == 404
    assert client.post(address, {"rule": "nonsense"}).status_code == 404


@pytest.mark.parametrize("count", [1, 30])
def test_the_list_takes_the_same_queries_for_any_number_of_rules(shop, count, django_assert_num_queries):
    template = statement_template(shop.merchant)
    for number in range(count):
        StatementRule.objects.create(merchant=shop.merchant, name=f"R{number}", template=template, weekday=1)
    client = client_of(shop.merchant)
    client.get(place("statements", shop))

    with django_assert_num_queries(7):
        client.get(place("statements", shop))
