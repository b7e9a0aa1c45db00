"""Actions on many rows: confirmed on a page that counts, and about the rows that were counted."""

from datetime import timedelta

import pytest
from django.urls import reverse

from payorcrm.core.clock import day_in
from payorcrm.core.clock import now as present
from payorcrm.invoices.models import Invoice, InvoiceStatus
from payorcrm.mail.models import Mail
from payorcrm.payments.models import PaymentRequestLine
from payorcrm.reminders.models import Hold, HoldReason
from tests.backoffice.rows import client_of, make_shop
from tests.factories.models import CustomerFactory, InvoiceFactory, usd

pytestmark = pytest.mark.django_db


def ask(shop, name, **form):
    return client_of(shop.merchant).get(reverse(f"backoffice:{name}", args=[shop.merchant.slug]), form, follow=True)


def do(shop, name, **form):
    return client_of(shop.merchant).post(reverse(f"backoffice:{name}", args=[shop.merchant.slug]), form, follow=True)


def more_invoices(shop, count, **fields):
    return [InvoiceFactory(customer=shop.customer, amount=usd("10.00"), **fields) for _ in range(count)]


def named(invoices):
    return [str(each.id) for each in invoices]


@pytest.mark.parametrize("name", ["invoices_void", "invoices_hold", "invoices_end_holds", "invoices_remind"])
def test_nothing_chosen_is_said_and_nothing_done(name):
    shop = make_shop()

    assert "Choose at least one invoice first." in ask(shop, name).text


@pytest.mark.parametrize("name", ["customers_hold", "customers_end_holds"])
def test_no_customer_chosen_is_said_and_nothing_done(name):
    shop = make_shop()

    assert "Choose at least one customer first." in ask(shop, name).text


def test_ticked_invoices_alone_become_void():
    shop = make_shop()
    one, _, three = more_invoices(shop, 3)
    three.in_flight = 500
    three.save()

    page = ask(shop, "invoices_void", invoice=named([one, three]))
    done = do(shop, "invoices_void", invoice=named([one, three]), note="Sent twice.", count="2")

    assert "Void 1 invoice?" in page.text
    assert "A payment is under way" in page.text
    assert three.number in page.text
    assert "1 invoice became void." in done.text
    assert set(Invoice.objects.filter(status=InvoiceStatus.VOID)) == {one}


def marked(page):
    """Return what the page's form says of the rows it is about."""
    return {"count": str(len(page.context["chosen"].ids)), "mark": page.context["chosen"].mark()}


def test_all_that_match_are_meant_only_when_said_and_only_those_that_were_counted():
    shop = make_shop()
    matching = [InvoiceFactory(customer=shop.customer, number=f"WRONG-{place}") for place in range(40)]
    form = {"everything": "yes", "search": "wrong-"}

    page = ask(shop, "invoices_void", **form)
    InvoiceFactory(customer=shop.customer, number="WRONG-late")
    stale = do(shop, "invoices_void", **form, note="Wrong file.", **marked(page))
    untouched = not Invoice.objects.filter(status=InvoiceStatus.VOID).exists()
    done = do(shop, "invoices_void", **form, note="Wrong file.", **marked(stale))

    assert "Void 40 invoices?" in page.text
    assert 'name="search" value="wrong-"' in page.text
    assert "The list has changed since you looked; nothing was done" in stale.text
    assert untouched
    assert "41 invoices became void." in done.text
    assert Invoice.objects.filter(status=InvoiceStatus.VOID).count() == len(matching) + 1


def test_as_many_others_are_not_the_rows_that_somebody_looked_at():
    shop = make_shop()
    seen = [InvoiceFactory(customer=shop.customer, number=f"WRONG-{place}") for place in range(2)]
    form = {"everything": "yes", "search": "wrong-"}

    page = ask(shop, "invoices_void", **form)
    Invoice.objects.filter(id=seen[0].id).update(number="RIGHT-0")
    InvoiceFactory(customer=shop.customer, number="WRONG-late")
    stale = do(shop, "invoices_void", **form, note="Wrong file.", **marked(page))

    assert "The list has changed since you looked; nothing was done" in stale.text
    assert not Invoice.objects.filter(status=InvoiceStatus.VOID).exists()


def test_void_needs_a_reason_and_keeps_the_choice():
    shop = make_shop()
    (one,) = more_invoices(shop, 1)

    response = do(shop, "invoices_void", invoice=named([one]), note="")

    assert response.status_code == 422
    assert "Say why in a few words" in response.text
    assert f'name="invoice" value="{one.id}"' in response.text


def test_a_filter_that_cannot_be_read_does_not_become_everything():
    shop = make_shop()

    response = do(shop, "invoices_void", everything="yes", at_least="lots", note="x", count="1")

    assert response.status_code == 422
    assert "One of the filters cannot be read." in response.text
    assert not Invoice.objects.filter(status=InvoiceStatus.VOID).exists()


def test_a_second_press_voids_nothing_more():
    shop = make_shop()
    (one,) = more_invoices(shop, 1)
    do(shop, "invoices_void", invoice=named([one]), note="x")

    again = do(shop, "invoices_void", invoice=named([one]), note="x")

    assert "Nothing was changed" in again.text
    assert one.events.count() == 1


def test_invoices_go_on_hold_and_off_again_and_twice_is_once():
    shop = make_shop()
    Hold.objects.all().delete()
    one, two = more_invoices(shop, 2)
    paid = InvoiceFactory(customer=shop.customer, status=InvoiceStatus.PAID, balance=0)
    form = {"invoice": named([one, two, paid]), "reason": HoldReason.DISPUTE, "note": "Says it never came."}

    page = ask(shop, "invoices_hold", invoice=form["invoice"])
    for _ in range(2):
        do(shop, "invoices_hold", **form)
    held = set(Hold.objects.values_list("invoice", flat=True))
    count = Hold.objects.count()
    ended = do(shop, "invoices_end_holds", invoice=named([one]))
    nothing = ask(shop, "invoices_end_holds", invoice=named([one]))

    assert "Reminders about them go on" not in nothing.text
    assert "Put 2 invoices on hold?" in page.text
    assert "Paid, void or written off" in page.text
    assert (held, count) == ({one.id, two.id}, 2)
    assert "1 hold ended" in ended.text
    assert set(Hold.objects.filter(ended_at=None).values_list("invoice", flat=True)) == {two.id}


def test_a_hold_without_its_day_is_refused_beside_the_form():
    shop = make_shop()
    (one,) = more_invoices(shop, 1)

    response = do(shop, "invoices_hold", invoice=named([one]), reason=HoldReason.PROMISE, note="On Friday")

    assert response.status_code == 422
    assert "need a last day" in response.text
    assert 'value="On Friday"' in response.text


def test_customers_go_on_hold_and_off_again_by_a_filter():
    shop = make_shop()
    Hold.objects.all().delete()
    for place in range(3):
        CustomerFactory(merchant=shop.merchant, company_name=f"Slow {place}")
    CustomerFactory(company_name="Slow of another merchant")
    form = {"everything": "yes", "search": "slow"}

    page = ask(shop, "customers_hold", **form)
    do(shop, "customers_hold", **form, reason=HoldReason.DISPUTE, note="", **marked(page))
    listed = ask(shop, "customers", hold="yes")
    ended = do(shop, "customers_end_holds", **form, **marked(page))

    assert "Put 3 customers on hold?" in page.text
    assert [row[0].company_name for row in listed.context["rows"]] == ["Slow 0", "Slow 1", "Slow 2"]
    assert "3 holds ended" in ended.text
    assert not Hold.objects.filter(ended_at=None).exists()


def test_a_reminder_of_chosen_invoices_names_no_others():
    shop = make_shop()
    Hold.objects.all().delete()
    Mail.objects.all().delete()
    today = day_in("America/New_York", present())
    late = InvoiceFactory(customer=shop.customer, due_on=today - timedelta(days=9))
    InvoiceFactory(customer=shop.customer, due_on=today - timedelta(days=9))
    soon = InvoiceFactory(customer=shop.customer, due_on=today + timedelta(days=9))
    chosen = named([late, soon])

    page = ask(shop, "invoices_remind", invoice=chosen)
    for _ in range(2):
        form = {"template": str(shop.template.id), "min_days_overdue": "1"}
        do(shop, "invoices_remind", invoice=chosen, **form)

    assert "Remind about 2 invoices?" in page.text
    assert "Nothing to remind about" in page.text
    assert Mail.objects.count() == 1
    assert list(
        PaymentRequestLine.objects.filter(request__reminder__isnull=False).values_list("invoice", flat=True)
    ) == [late.id]


def test_invitations_and_reminders_take_all_customers_of_a_filter():
    shop = make_shop()
    for place in range(2):
        InvoiceFactory(customer=CustomerFactory(merchant=shop.merchant, company_name=f"Slow {place}"))
    form = {"everything": "yes", "search": "slow", "chosen": "yes"}

    assert "Remind 2 customers?" in ask(shop, "reminders_send", **form).text
    assert "Invite 2 customers to the portal?" in ask(shop, "invite", **form).text


def test_a_filter_without_a_customer_reminds_nobody():
    shop = make_shop()
    mails = Mail.objects.count()
    form = {"everything": "yes", "search": "nobody at all"}

    page = ask(shop, "reminders_send", **form)
    do(shop, "reminders_send", **form, **marked(page), template=str(shop.template.id), min_days_overdue="1")

    assert "Nobody to remind" in page.text
    assert Mail.objects.count() == mails


def test_the_list_offers_everything_only_when_there_is_more_than_a_page():
    shop = make_shop()

    few = ask(shop, "invoices").text
    more_invoices(shop, 40)
    many = ask(shop, "invoices", at_most="20").text

    assert 'name="everything"' not in few
    assert "All 40 that these filters show" in many
    assert 'type="hidden" name="at_most" value="20"' in many
