"""Recording cheques, transfers and cash; taking them back; applying them otherwise."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from html import unescape
from uuid import UUID

import pytest
from django.db import connection
from django.urls import reverse

from payorcrm.core import clock
from payorcrm.ledger.check import check_books
from payorcrm.mail.models import Mail
from payorcrm.payments.models import Payment, PaymentState
from payorcrm.staff.models import AuditEntry
from tests.backoffice.rows import client_of
from tests.factories.models import CustomerFactory, InvoiceFactory, MerchantFactory, usd

pytestmark = pytest.mark.django_db


@pytest.fixture
def customer(db):
    return CustomerFactory(merchant=MerchantFactory(), company_name='O"Brien & Söhne 🚢')


@pytest.fixture
def invoices(customer):
    today = clock.now().date()
    return [
        InvoiceFactory(
            customer=customer, number=f"INV-{place}", amount=usd("50.00"), due_on=today - timedelta(days=9 - place)
        )
        for place in range(3)
    ]


def place_of(customer) -> str:
    return reverse("backoffice:offline_record", args=[customer.merchant.slug, customer.id])


def at(name: str, payment: Payment) -> str:
    return reverse(f"backoffice:{name}", args=[payment.merchant.slug, payment.id])


def typed(page: str, **fields: str) -> dict[str, str]:
    key = re.search(r'name="key" value="([^"]+)"', page)[1]
    today = clock.day_in("America/New_York", clock.now())
    filled = {"kind": "cheque", "received_on": f"{today}", "amount": "120", "currency": "USD", "reference": "1042"}
    return filled | {"key": key} | fields


def proposed(page: str) -> dict[str, str]:
    return dict(re.findall(r'name="(part-[^"]+)" value="([^"]*)"', page))


def latest_changes(customer) -> list[list[str]]:
    return AuditEntry.objects.filter(merchant=customer.merchant).latest("id").changes


def record(client, customer, **fields: str) -> Payment:
    page = client.get(place_of(customer)).text
    form = typed(page, **fields)
    parts = proposed(client.post(place_of(customer), form | {"propose": "yes"}).text)
    answer = client.post(place_of(customer), parts | form)
    assert answer.status_code == 302, answer.text
    return Payment.objects.latest("submitted_at")


@pytest.mark.parametrize("key", ["", "no key", "\0"])
def test_form_with_a_key_that_is_none_records_nothing(customer, invoices, key):
    client = client_of(customer.merchant)
    form = typed(client.get(place_of(customer)).text)

    answer = client.post(place_of(customer), form | {"key": key})

    assert answer.status_code == 200
    assert not Payment.objects.filter(customer=customer).exists()


def test_cheque_is_proposed_for_the_oldest_invoices_first_and_recorded(customer, invoices):
    client = client_of(customer.merchant)

    payment = record(client, customer)

    balances = [usd(text) for text in ("0.00", "0.00", "30.00")]
    for invoice in invoices:
        invoice.refresh_from_db()
    assert [invoice.balance_money() for invoice in invoices] == balances
    assert (payment.state, payment.way(), payment.method) == (PaymentState.SUCCEEDED, "Cheque 1042", None)
    assert check_books() == []
    page = client.get(at("payment", payment)).text
    assert "Bank and cash" in page
    assert "Cheque 1042" in client.get(reverse("backoffice:payments", args=[customer.merchant.slug])).text


def test_proposal_records_nothing(customer, invoices):
    client = client_of(customer.merchant)
    form = typed(client.get(place_of(customer)).text)

    page = client.post(place_of(customer), form | {"propose": "yes"}).text

    assert list(proposed(page).values()) == ["50.00", "50.00", "20.00"]
    assert not Payment.objects.exists()


def test_double_click_records_one_payment(customer, invoices):
    client = client_of(customer.merchant)
    form = typed(client.get(place_of(customer)).text) | {f"part-{invoices[0].id}": "50"}

    answers = [client.post(place_of(customer), form) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [302, 302]
    assert Payment.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_same_cheque_from_two_tabs_at_once_is_recorded_once(customer, invoices):
    client = client_of(customer.merchant)
    forms = [typed(client.get(place_of(customer)).text) for _ in range(3)]

    def press(form):
        try:
            return client_of(customer.merchant).post(place_of(customer), form).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as tabs:
        answers = list(tabs.map(press, forms))

    assert sorted(answers) == [200, 200, 302]
    assert Payment.objects.count() == 1


def test_same_cheque_from_another_tab_is_asked_about_first(customer, invoices):
    client = client_of(customer.merchant)
    record(client, customer)
    form = typed(client.get(place_of(customer)).text)

    asked = client.post(place_of(customer), form)
    client.post(place_of(customer), form | {"is_another": "on"})

    assert "is recorded already" in asked.text
    assert Payment.objects.count() == 2


def test_more_than_is_owed_stays_unapplied_and_is_seen_and_applied_later(customer, invoices):
    client = client_of(customer.merchant)
    payment = record(client, customer, amount="200.00")
    recorded = latest_changes(customer)
    home = reverse("backoffice:customer", args=[customer.merchant.slug, customer.id])
    late = InvoiceFactory(customer=customer, number="INV-9", amount=usd("80.00"))

    before = client.get(home).text
    page = client.get(at("payment_apply", payment)).text
    seen = re.search(r'name="seen" value="([^"]+)"', page)[1]
    answer = client.post(at("payment_apply", payment), proposed(page) | {"seen": seen, f"part-{late.id}": "50.00"})

    late.refresh_from_db()
    assert recorded[0] == ["Invoice INV-0, owed", "$50.00", "$0.00"]
    assert recorded[-1] == ["Unapplied, USD", "$0.00", "$50.00"]
    assert ["Unapplied, USD", "$50.00", "$0.00"] in latest_changes(customer)
    assert "Not applied to an invoice" in before
    assert answer.status_code == 302
    assert late.balance_money() == usd("30.00")
    assert "Not applied to an invoice" not in client.get(home).text
    assert check_books() == []


def test_customer_page_shows_the_oldest_unapplied_payments_and_leads_to_the_others(customer):
    client = client_of(customer.merchant)
    payments = [record(client, customer, amount=f"{amount}.00") for amount in range(101, 112)]

    page = client.get(reverse("backoffice:customer", args=[customer.merchant.slug, customer.id])).text
    (address,) = re.findall(r'href="([^"]+unapplied=yes)"', page)

    assert page.count("apply it<") == 10
    assert client.get(unescape(address)).text.count(f"/{payments[10].id}/") > 0


def test_an_amount_for_an_invoice_that_was_paid_in_another_tab_is_asked_about_again(customer, invoices):
    client = client_of(customer.merchant)
    old = typed(client.get(place_of(customer)).text, reference="1043", amount="50.00")
    old |= {f"part-{invoices[0].id}": "50.00", f"part-{invoices[1].id}": "0.00"}
    paid = record(client, customer, amount="200.00")
    apply_page = {"seen": re.search(r'name="seen" value="([^"]+)"', client.get(at("payment_apply", paid)).text)[1]}

    refused = client.post(place_of(customer), old)
    kept = client.post(at("payment_apply", paid), apply_page | {f"part-{UUID(int=1)}": "1.00"})
    again = client.post(place_of(customer), {**old, f"part-{invoices[0].id}": ""})

    assert (
        "Nothing was recorded: an amount was written beside an invoice that is not owed here any more" in refused.text
    )
    assert 'value="1043"' in refused.text
    assert "Nothing was changed: an amount was written beside an invoice" in kept.text
    assert again.status_code == 302
    assert Payment.objects.count() == 2


def test_amount_moves_from_one_invoice_to_another(customer, invoices):
    client = client_of(customer.merchant)
    payment = record(client, customer, amount="50.00")
    page = client.get(at("payment_apply", payment)).text
    seen = re.search(r'name="seen" value="([^"]+)"', page)[1]
    moved = {f"part-{invoices[0].id}": "20.00", f"part-{invoices[2].id}": "30.00", "seen": seen}

    first, stale = (client.post(at("payment_apply", payment), moved) for _ in range(2))

    assert (first.status_code, stale.status_code) == (302, 200)
    assert "applied this payment otherwise meanwhile" in stale.text
    shown = client.get(at("payment", payment)).text
    assert latest_changes(customer) == [
        ["Invoice INV-0, from this payment", "$50.00", "$20.00"],
        ["Invoice INV-0, owed", "$0.00", "$30.00"],
        ["Invoice INV-2, from this payment", "$0.00", "$30.00"],
        ["Invoice INV-2, owed", "$50.00", "$20.00"],
    ]
    assert "Taken from invoice INV-0: $30.00" in shown
    assert "Applied to invoice INV-2: $30.00" in shown
    assert check_books() == []


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"amount": "nothing"}, "Write an amount, such as"),
        ({"received_on": "2999-01-01"}, "Choose today or an earlier day"),
        ({"part": "60.00"}, "At most $50.00 can go to this invoice"),
        ({"part": "x"}, "Write an amount, such as"),
        ({"amount": "10.00", "part": "50.00"}, "$40.00 more than the payment"),
    ],
)
def test_bad_input_is_named_and_nothing_is_recorded(customer, invoices, fields, words):
    client = client_of(customer.merchant)
    part = fields.pop("part", None) if "part" in (fields := dict(fields)) else None
    form = typed(client.get(place_of(customer)).text, **fields)

    page = client.post(place_of(customer), form | ({f"part-{invoices[0].id}": part} if part else {})).text

    assert words in page
    assert 'value="1042"' in page
    assert not Payment.objects.exists()


def test_bounced_cheque_is_reversed_by_a_second_entry_and_its_invoices_are_owed_again(customer, invoices):
    client = client_of(customer.merchant)
    payment = record(client, customer)

    client.post(at("payment_reverse", payment), {"reason": "Bounced", "tells_customer": "on"})
    again = client.post(at("payment_reverse", payment), {"reason": "Bounced"}, follow=True)

    payment.refresh_from_db()
    invoices[0].refresh_from_db()
    assert payment.state == PaymentState.REVERSED
    assert invoices[0].balance_money() == usd("50.00")
    assert latest_changes(customer) == [
        ["State", "Paid", "Reversed"],
        ["Invoice INV-0, owed", "$0.00", "$50.00"],
        ["Invoice INV-1, owed", "$0.00", "$50.00"],
        ["Invoice INV-2, owed", "$30.00", "$50.00"],
    ]
    assert "is reversed already" in again.text
    assert Mail.objects.filter(kind="payment_reversed").count() == 1
    assert check_books() == []


def test_receipt_is_mailed_only_when_asked_for(customer, invoices):
    client = client_of(customer.merchant)

    record(client, customer)
    without = Mail.objects.filter(kind="receipt").count()
    record(client, customer, reference="1043", amount="10.00", sends_receipt="on")

    assert (without, Mail.objects.filter(kind="receipt").count()) == (0, 1)


def test_customer_is_found_by_an_invoice_number(customer, invoices):
    other = CustomerFactory(merchant=customer.merchant, company_name="Somebody else")
    place = reverse("backoffice:offline_customer", args=[customer.merchant.slug])

    page = client_of(customer.merchant).get(place, {"search": "inv-1"}).text

    assert place_of(customer) in page
    assert place_of(other) not in page


def test_filters_find_offline_and_unapplied_payments(customer, invoices):
    client = client_of(customer.merchant)
    record(client, customer, amount="200.00")
    place = reverse("backoffice:payments", args=[customer.merchant.slug])

    found = {query: "Cheque 1042" in client.get(place + query).text for query in FILTERS}

    assert found == FILTERS


FILTERS = {
    "?kind=offline": True,
    "?kind=cheque": True,
    "?kind=wire": False,
    "?kind=card": False,
    "?unapplied=yes": True,
    "?state=succeeded": True,
    "?state=part_refunded": False,
    "?search=1042": True,
}
