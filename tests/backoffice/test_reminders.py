"""Sending reminders: the page says how many mails first, and two presses send once."""

import pytest
from django.urls import reverse

from payorcrm.core.clock import now
from payorcrm.mail.models import Mail
from payorcrm.reminders.models import ReminderRun
from payorcrm.reminders.switch_rules import rules_of
from tests.backoffice.rows import client_of, make_shop
from tests.factories.models import CustomerFactory, InvoiceFactory

pytestmark = pytest.mark.django_db


def place(shop) -> str:
    return reverse("backoffice:reminders_send", args=[shop.merchant.slug])


def form(shop, **changes) -> dict[str, object]:
    return {"template": str(shop.template.id), "min_days_overdue": "1"} | changes


def seen(page) -> dict[str, object]:
    """Return what the form of a page says of the mails that it shows."""
    return {"seen": page.context["summary"].mark, "mails": str(page.context["summary"].mail_count)}


def test_the_question_says_how_many_mails_go_to_how_many_customers_and_sends_none():
    shop = make_shop()
    other = CustomerFactory(merchant=shop.merchant)
    InvoiceFactory.create_batch(2, customer=other)
    silent = CustomerFactory(merchant=shop.merchant, company_name="Silent Ltd", contact__email="")
    InvoiceFactory(customer=silent)

    text = client_of(shop.merchant).get(place(shop)).text

    assert "Send 2 mails to 2 customers" in text
    assert "$360.00" in text
    assert "No e-mail address" in text
    assert "Silent Ltd" in text
    assert ReminderRun.objects.count() == 0


@pytest.mark.parametrize("currency", ["USD", "EUR"])
def test_chosen_customers_with_nothing_overdue_are_counted_so_that_the_numbers_add_up(currency):
    shop = make_shop()
    silent = CustomerFactory(merchant=shop.merchant, contact__email="")
    InvoiceFactory(customer=silent, currency=currency)
    content = CustomerFactory.create_batch(2, merchant=shop.merchant)
    chosen = [shop.customer, silent, *content]

    text = client_of(shop.merchant).get(place(shop) + "?" + "&".join(f"customer={each.id}" for each in chosen)).text

    assert "Remind 4 customers?" in text
    assert "Send 1 mail to 1 customer" in text
    assert "No e-mail address</span>: 1 customer" in text
    assert "Nothing to remind about</span>: 2 customers, with no invoice that is overdue that long" in text


def test_one_customer_is_reminded_by_name():
    shop = make_shop()
    other = CustomerFactory(merchant=shop.merchant)
    InvoiceFactory(customer=other)
    client = client_of(shop.merchant)

    asked = client.get(place(shop) + f"?customer={other.id}").text
    client.post(place(shop), form(shop, customer=str(other.id)))

    assert f"Remind {other}?" in asked
    assert "Send 1 mail to 1 customer" in asked
    assert list(Mail.objects.filter(kind="reminder", about_id__isnull=False).values_list("customer", flat=True)) == [
        other.id
    ]


def test_the_second_press_sends_nothing_and_says_so():
    shop = make_shop()
    client = client_of(shop.merchant)
    both = form(shop, **seen(client.get(place(shop))))

    first = client.post(place(shop), both, follow=True)
    second = client.post(place(shop), both, follow=True)

    assert "1 reminder is on the way" in first.text
    assert "No reminder was sent" in second.text
    assert sum(ReminderRun.objects.values_list("reminder_count", flat=True)) == 1


@pytest.mark.parametrize("of_whom", [{}, {"everything": "yes"}])
def test_who_fell_due_after_the_question_is_not_mailed_before_the_new_number_was_seen(of_whom):
    shop = make_shop()
    client = client_of(shop.merchant)
    page = client.get(place(shop), of_whom)
    mails = Mail.objects.count()
    InvoiceFactory(customer=shop.customer)

    other_invoices = client.post(place(shop), form(shop, **of_whom, mark=page.context["chosen"].mark(), **seen(page)))
    InvoiceFactory(customer=CustomerFactory(merchant=shop.merchant))
    more = client.post(place(shop), form(shop, **of_whom, mark=page.context["chosen"].mark(), **seen(page)))
    without = client.post(place(shop), form(shop, **of_whom, mark=more.context["chosen"].mark()))

    assert "It is 1 mail still, but to other customers or about other invoices." in other_invoices.text
    assert "It was 1 mail; now it is 2." in more.text
    assert "Nothing was sent" in without.text
    assert (Mail.objects.count(), ReminderRun.objects.count()) == (mails, 0)
    client.post(place(shop), form(shop, **of_whom, mark=more.context["chosen"].mark(), **seen(more)))
    assert Mail.objects.count() == mails + 2


def test_days_overdue_narrow_the_count():
    shop = make_shop()

    text = client_of(shop.merchant).get(place(shop) + "?min_days_overdue=3000").text

    assert "Nobody to remind" in text


def test_nothing_chosen_leads_back_to_the_customers():
    shop = make_shop()

    response = client_of(shop.merchant).get(place(shop) + "?chosen=yes", follow=True)

    assert "Choose at least one customer first." in response.text
    assert response.redirect_chain[0][0] == reverse("backoffice:customers", args=[shop.merchant.slug])


def test_the_list_of_runs_says_who_sent_what():
    shop = make_shop()
    client = client_of(shop.merchant)
    client.post(place(shop), form(shop, **seen(client.get(place(shop)))))

    text = client.get(reverse("backoffice:templates", args=[shop.merchant.slug])).text

    assert "Sent lately" in text
    assert str(shop.merchant.staff.get().user) in text


def test_the_list_of_runs_names_the_rule_that_sent():
    shop = make_shop()
    rule = rules_of(shop.merchant)[0]
    ReminderRun.objects.create(merchant=shop.merchant, template=rule.template, rule=rule, started_at=now())

    text = client_of(shop.merchant).get(reverse("backoffice:templates", args=[shop.merchant.slug])).text

    assert f"Rule “{rule.name}”" in text
    assert "Command line" not in text
