"""What tests of the portal's invoices share: a user who is signed in, and invoices that are owed."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from payorcrm.core.clock import day_in
from payorcrm.core.clock import now as present
from payorcrm.customers.models import Customer
from payorcrm.invoices.models import Invoice, InvoiceStatus
from tests.factories.models import InvoiceFactory, PortalAccessFactory


@pytest.fixture
def access():
    return PortalAccessFactory(customer__company_name="Acme Tools")


@pytest.fixture
def customer(access) -> Customer:
    return access.customer


@pytest.fixture
def signed_in(client, access) -> Client:
    client.force_login(access.user)
    return client


def shown(client: Client, query: str = "") -> str:
    return client.get(reverse("portal:invoices") + query).content.decode()


def numbers_in(page: str) -> list[str]:
    return re.findall(r'<td class="name nowrap"><a href="[^"]*">([^<]*)</a>', page)


def owe(customer: Customer, number: str, *, due_in: int = 10, **fields) -> Invoice:
    """Make an invoice due in some days from today, issued a month before."""
    due_on = day_in("America/New_York", present()) + timedelta(days=due_in)
    return InvoiceFactory(
        customer=customer, number=number, due_on=due_on, issued_on=due_on - timedelta(days=30), **fields
    )


def owe_many(customer: Customer, count: int) -> None:
    """Make many invoices in one statement, four in five of them open."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO invoices_invoice (id, merchant_id, customer_id, number, status, issued_on, due_on, currency, "
            "total, balance, in_flight, created_at) "
            "SELECT gen_random_uuid(), %s, %s, 'N' || n, CASE WHEN n %% 5 = 0 THEN 'paid' ELSE 'open' END, "
            "current_date - n %% 700 - 30, current_date - n %% 700 + 60, 'USD', 1000 + n, "
            "CASE WHEN n %% 5 = 0 THEN 0 ELSE 1000 + n END, 0, now() FROM generate_series(1, %s) n",
            [customer.merchant_id, customer.id, count],
        )


def some_of_each(customer: Customer) -> None:
    owe(customer, "late", due_in=-12)
    owe(customer, "soon", due_in=5)
    owe(customer, "partly", due_in=7, in_flight=4000)
    owe(customer, "flying", due_in=1, in_flight=12000)
    owe(customer, "done", status=InvoiceStatus.PAID, balance=0)
    owe(customer, "gone", status=InvoiceStatus.VOID, balance=0)
    owe(customer, "lost", status=InvoiceStatus.WRITTEN_OFF, balance=0)
    owe(customer, "draft", status=InvoiceStatus.DRAFT)


# Of all invoices, four in five are unpaid.


def exported(client: Client, kind: str, query: str = "") -> bytes | str:
    response = client.get(reverse("portal:invoices_export", args=[kind]) + query)
    whole = b"".join(response.streaming_content)
    return whole.decode("utf-8-sig") if kind == "csv" else whole
