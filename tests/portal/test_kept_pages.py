"""What is kept of the invoice list between visits is never stale, never another's, and never carries another's keys."""

import re
from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import reverse

from payorcrm.core.clock import now
from payorcrm.customers.models import Customer, PortalAccess
from payorcrm.customers.view_as import VIEWING, start_viewing
from payorcrm.invoices.models import Invoice
from payorcrm.portal import invoice_frame, invoice_pages
from payorcrm.ui import write_once
from tests.factories.models import CustomerFactory, MerchantFactory, PortalAccessFactory, StaffFactory
from tests.portal.invoice_kit import numbers_in, owe, owe_many, shown, some_of_each

# What is kept is trusted outside of transactions only.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    forget()
    yield
    forget()


def forget() -> None:
    write_once._kept.clear()
    invoice_pages._kept.clear()
    invoice_frame._head.cache_clear()


def visitor(merchant, **customer) -> tuple[Client, Customer]:
    access = PortalAccessFactory(customer=CustomerFactory(merchant=merchant, **customer))
    client = Client()
    client.force_login(access.user)
    return client, access.customer


def keyless(page: str) -> str:
    return re.sub(r'(csrfmiddlewaretoken" value|nonce)="[^"]+"', r'\1=""', page)


@pytest.mark.parametrize("query", ["", "?tab=processing", "?tab=paid", "?search=zzz", "?sort=-amount", "?currency=USD"])
def test_a_kept_page_is_the_one_that_is_written_anew(query):
    merchant = MerchantFactory()
    (one, first), (other, second) = visitor(merchant, company_name="Ann & Co"), visitor(merchant, company_name="<b>Zoë")
    some_of_each(first)
    owe_many(second, 70)

    pages = [keyless(shown(client, query)) for _ in range(3) for client in (one, other)]
    forget()
    anew = [keyless(shown(client, query)) for client in (one, other)]

    assert pages == anew * 3
    assert "Ann &amp; Co" in pages[0]
    assert "&lt;b&gt;Zoë" in pages[1]


def test_two_customers_of_one_merchant_share_the_frame_and_nothing_of_their_own():
    merchant = MerchantFactory()
    (one, first), (other, second) = visitor(merchant, company_name="Acme"), visitor(merchant, company_name="Birch")
    owe(first, "acme-1")
    owe(second, "birch-1")

    shown(one)
    page = shown(other)

    assert len(write_once._kept) == 1
    assert numbers_in(page) == ["birch-1"]
    assert "Acme" not in page
    assert str(first.id) not in page
    assert str(second.id) in page


def test_every_answer_has_a_nonce_and_a_form_key_of_its_own():
    client, customer = visitor(MerchantFactory())
    owe(customer, "one")
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = client.cookies

    pages = [strict.get(reverse("portal:invoices")) for _ in range(3)]
    nonces = [re.search(r'nonce="([^"]+)"', page.text)[1] for page in pages]
    keys = [re.search(r'csrfmiddlewaretoken" value="(\w+)"', page.text)[1] for page in pages]
    answer = strict.post(
        reverse("portal:basket"), {"csrfmiddlewaretoken": keys[-1], "all": "unpaid", "currency": "USD"}
    )

    assert len(set(nonces)) == len(set(keys)) == 3
    for page, nonce in zip(pages, nonces, strict=True):
        assert f"'nonce-{nonce}'" in page["Content-Security-Policy"]
    assert answer.status_code == 302


def test_a_page_that_is_kept_asks_for_no_invoice_and_is_written_anew_after_a_change(django_assert_num_queries):
    client, customer = visitor(MerchantFactory())
    invoice = owe(customer, "one")
    first = shown(client)

    with django_assert_num_queries(4) as asked:
        second = shown(client)
    Invoice.objects.filter(id=invoice.id).update(number="renamed")
    third = shown(client)

    assert not any('FROM "invoices_invoice"' in query["sql"] for query in asked)
    assert numbers_in(first) == numbers_in(second) == ["one"]
    assert numbers_in(third) == ["renamed"]


def test_another_language_accent_or_account_is_another_page():
    merchant = MerchantFactory(accent_color="#0f766e")
    client, customer = visitor(merchant)
    owe(customer, "one")
    user = PortalAccess.objects.get(customer=customer).user
    english = shown(client)

    user.language = "es"
    user.save()
    spanish = shown(client)
    merchant.accent_color = "#b91c1c"
    merchant.save()
    red = shown(client)
    PortalAccessFactory(user=user)
    switching = shown(client)

    assert "Facturas" in spanish
    assert "Facturas" not in english
    assert keyless(red) != keyless(spanish)
    assert reverse("portal:accounts") in switching
    assert reverse("portal:accounts") not in red


def test_staff_who_look_at_one_customer_after_another_see_the_name_of_each():
    merchant = MerchantFactory()
    (_, first), (_, second) = visitor(merchant, company_name="Acme"), visitor(merchant, company_name="Birch")
    staff = StaffFactory(merchant=merchant)

    pages = []
    for customer in (first, second):
        client = Client()
        client.force_login(staff.user)
        session = client.session
        session[VIEWING] = str(start_viewing(customer=customer, user=staff.user, now=now()).id)
        session.save()
        pages.append(shown(client))

    assert "You see the portal as Acme" in pages[0]
    assert "You see the portal as Birch" in pages[1]
    assert "Acme" not in pages[1]


def test_a_message_is_shown_once_and_not_kept():
    client, customer = visitor(MerchantFactory())
    owe(customer, "one")
    shown(client)

    told, afterwards = client.post(reverse("portal:basket"), follow=True).text, shown(client)

    assert "Please choose at least one invoice" in told
    assert "Please choose at least one invoice" not in afterwards
