"""What tests of importing in the browser share: a merchant's browser, and the steps of an import."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from payorcrm.core.clock import now
from payorcrm.invoices.import_kept_file import run_import
from payorcrm.invoices.models import ImportFile
from payorcrm.merchants.models import Merchant
from tests.backoffice.rows import client_of
from tests.factories.models import MerchantFactory

CUSTOMERS = "customerno,companyname,emailaddress1\nC1,Acme Tools,jo@acme.example\nC2,Birch & Co,al@birch.example\n"
INVOICES = "num,customerno,amount,duedate\nI1,C1,100.00,2026-12-01\nI2,C9,50.00,2026-12-01\nI3,C1,x,2026-12-01\n"


@pytest.fixture
def merchant() -> Merchant:
    return MerchantFactory()


@pytest.fixture
def client(merchant: Merchant) -> Client:
    return client_of(merchant)


def place(merchant: Merchant, name: str, *ids: object) -> str:
    return reverse(f"backoffice:{name}", args=[merchant.slug, *ids])


def drop(client: Client, merchant: Merchant, kind: str, text: str, name: str = "list.csv"):
    upload = SimpleUploadedFile(name, text.encode())
    return client.post(place(merchant, "import_upload"), {"kind": kind, "file": upload}, follow=True)


def dropped() -> ImportFile:
    return ImportFile.objects.latest("id")


def page(client: Client, merchant: Merchant, name: str) -> str:
    return client.get(place(merchant, name, dropped().id)).text


def start(client: Client, merchant: Merchant, **form: str):
    file = dropped()
    return client.post(place(merchant, "import_preview", file.id), {"version": str(file.version), **form}, follow=True)


def import_customers(client: Client, merchant: Merchant) -> None:
    drop(client, merchant, "customers", CUSTOMERS.replace("C", "D"))
    start(client, merchant)
    run_import(dropped().id, now=now())
