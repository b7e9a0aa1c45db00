"""The payment history: found by reference, invoice, status and day, told in the payer's words, the same cost always."""

import io
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from django.urls import reverse
from openpyxl import load_workbook

from payorcrm.core.clock import now
from payorcrm.payment_methods.models import Mandate
from payorcrm.payments.models import Allocation, Payment, PaymentEvent, PaymentState
from tests.backoffice.rows import client_of, make_payment
from tests.factories.models import CustomerFactory, InvoiceFactory, PaymentMethodFactory, PortalAccessFactory, usd

LIST = "/portal/payments/"


@pytest.fixture
def access(db):
    return PortalAccessFactory()


@pytest.fixture
def payer(client, access):
    client.force_login(access.user)
    return client


def shown(payer, **query):
    return payer.get(f"{LIST}?{urlencode(query)}").content.decode()


def many_payments(customer, count):
    """Write payments of four invoices each, all at once."""
    method = PaymentMethodFactory(customer=customer)
    invoices = [InvoiceFactory(customer=customer, number=f"INV-{place}") for place in range(4)]
    payments = Payment.objects.bulk_create(
        Payment(
            merchant=customer.merchant,
            customer=customer,
            method=method,
            gateway="sandbox",
            reference=f"PAY-{place:05}",
            idempotency_key=f"key {place}",
            amount=100,
            currency="USD",
            state=PaymentState.SUCCEEDED,
            submitted_at=now() - timedelta(minutes=place),
        )
        for place in range(count)
    )
    Allocation.objects.bulk_create(
        Allocation(
            merchant=customer.merchant,
            payment=payment,
            invoice=invoice,
            customer_id=customer.id,
            amount=25,
            currency="USD",
        )
        for payment in payments
        for invoice in invoices
    )


@pytest.mark.parametrize("count", [1, 30, 10_000])
def test_list_and_search_cost_the_same_however_long(payer, access, count, django_assert_num_queries):
    many_payments(access.customer, count)
    payer.get(LIST)

    with django_assert_num_queries(4):
        listed = shown(payer)
    with django_assert_num_queries(4):
        found = shown(payer, search="INV-3")

    assert "and 2 more" in listed
    assert "PAY-00000" in found


def test_payment_is_found_by_its_reference_an_invoice_its_status_or_its_day(payer, access):
    wanted = make_payment(
        access.customer,
        reference="PAY-WANTED",
        invoices=[InvoiceFactory(customer=access.customer, number="INV-WANTED")],
        state=PaymentState.DECLINED,
        submitted_at=datetime(2026, 3, 5, 3, tzinfo=UTC),
    )
    make_payment(access.customer, reference="PAY-OTHER", submitted_at=datetime(2026, 3, 6, 12, tzinfo=UTC))

    # At 3:00 UTC it is still the evening before at the merchant's.
    for query in (
        {"search": "wanted"},
        {"search": "inv-want"},
        {"state": "declined"},
        {"since": "2026-03-04", "until": "2026-03-04"},
    ):
        assert wanted.reference in shown(payer, **query), query
        assert "PAY-OTHER" not in shown(payer, **query), query


@pytest.mark.parametrize(
    "query", [{"state": "stolen"}, {"since": "soon"}, {"until": "0001-01-01"}, {"search": "a\x00b"}, {"after": "x"}]
)
def test_what_cannot_be_read_narrows_nothing(payer, access, query):
    made = make_payment(access.customer)

    assert made.reference in shown(payer, **query)


def test_list_without_a_match_says_so_and_leads_back(payer, access):
    make_payment(access.customer)

    assert "No payment fits" in shown(payer, search="nothing like it")
    assert "No payments yet" not in shown(payer, search="nothing like it")


def test_files_hold_the_rows_of_the_list_and_no_formula(payer, access):
    made = make_payment(
        access.customer, settled_at=now(), invoices=[InvoiceFactory(customer=access.customer, number="=1+1")]
    )
    make_payment(access.customer, state=PaymentState.DECLINED)
    query = urlencode({"state": "succeeded"})

    csv = b"".join(payer.get(f"{LIST}export.csv?{query}").streaming_content).decode("utf-8-sig").splitlines()
    book = payer.get(f"{LIST}export.xlsx?{query}")
    sheet = load_workbook(io.BytesIO(b"".join(book.streaming_content))).active

    assert len(csv) == sheet.max_row == 2
    assert csv[1].startswith(f"{made.reference},")
    assert csv[1].endswith(",'=1+1")
    assert [cell.value for cell in sheet[2]][0::9] == [made.reference, "=1+1"]
    assert sheet[2][9].data_type == "s"
    assert sheet[2][4].value == 120
    assert [sheet[2][place].is_date for place in (1, 2)] == [True, True]
    assert csv[1].split(",")[1] == str(sheet[2][1].value)


def test_only_known_kinds_of_file_exist(payer):
    assert payer.get(f"{LIST}export.exe").status_code == 404


def test_customer_and_merchant_read_the_same_amounts_and_states(payer, access):
    for state in PaymentState:
        make_payment(access.customer, state=state, **({"return_code": "R01"} if state == "returned" else {}))
    address = reverse("backoffice:payments_export", args=[access.merchant.slug])

    mine = b"".join(payer.get(f"{LIST}export.csv").streaming_content).decode("utf-8-sig").splitlines()
    theirs = b"".join(client_of(access.merchant).get(address).streaming_content).decode("utf-8-sig").splitlines()

    pick = {"mine": (0, 1, 4, 5, 6, 7), "theirs": (0, 1, 6, 7, 9, 10)}
    assert [[line.split(",")[place] for place in pick["mine"]] for line in mine[1:]] == [
        [line.split(",")[place] for place in pick["theirs"]] for line in theirs[1:]
    ]


def test_offline_and_partly_refunded_payments_read_the_same_on_both_sides(payer, access):
    offline = {"offline_kind": "cheque", "offline_reference": "1042", "received_on": now().date(), "gateway": ""}
    cheque = make_payment(access.customer, gateway_reference="", **offline)
    part = make_payment(access.customer, refunded=3000)

    mine = payer.get(LIST).content.decode()
    theirs = client_of(access.merchant).get(reverse("backoffice:payments", args=[access.merchant.slug])).text

    for page in (mine, theirs):
        assert all(words in page for words in (cheque.reference, "Cheque 1042", part.reference, "Partly refunded"))
    assert cheque.reference not in payer.get(f"{LIST}?state=part_refunded").content.decode()


def page_of(payer, payment):
    return " ".join(payer.get(reverse("portal:payment", args=[payment.id])).content.decode().split())


@pytest.mark.parametrize(
    ("state", "fields", "words"),
    [
        ("submitting", {}, "You will not be charged twice"),
        ("pending", {"expected_on": datetime(2026, 11, 27, tzinfo=UTC).date()}, "November 27, 2026"),
        ("succeeded", {}, "The business has the money."),
        ("declined", {"decline_code": "insufficient_funds"}, "not enough money"),
        ("failed", {}, "did not reach the bank"),
        ("returned", {"return_code": "R02"}, "the account has been closed (R02)"),
        ("refunded", {}, "The money was given back."),
        ("disputed", {}, "looking into this payment"),
        ("canceled", {}, "Nothing was taken from your account."),
        ("reversed", {}, "The money did not arrive, or the payment was recorded by mistake."),
        ("succeeded", {"refunded": 3000}, "$30.00</span> of this payment was given back to you."),
    ],
)
def test_page_tells_what_happened_in_plain_words(payer, access, state, fields, words):
    made = make_payment(access.customer, state=state, invoices=[InvoiceFactory(customer=access.customer)], **fields)

    page = page_of(payer, made)

    assert words in page
    assert "Noted" not in page


def test_debit_is_submitted_then_processed_then_cleared(payer, access):
    bank = PaymentMethodFactory(customer=access.customer, bank=True)
    made = make_payment(access.customer, method=bank, state=PaymentState.PENDING)
    made.state = PaymentState.SUCCEEDED
    made.save()
    PaymentEvent.objects.create(
        merchant=access.merchant, payment=made, state=PaymentState.SUCCEEDED, at=made.submitted_at + timedelta(days=4)
    )

    page = page_of(payer, made)

    line = page[page.index("What happened") :]
    assert line.index("Cleared") < line.index("Processing") < line.index("Submitted")


def test_what_came_back_can_be_paid_again_and_what_is_paid_cannot(payer, access):
    unpaid = InvoiceFactory(customer=access.customer)
    paid = InvoiceFactory(customer=access.customer, balance=0, status="paid")
    made = make_payment(access.customer, state="returned", return_code="R01", invoices=[unpaid, paid])

    page = page_of(payer, made)

    assert f'name="invoice" value="{unpaid.id}"' in page
    assert f'value="{paid.id}"' not in page


def test_page_names_who_paid_and_keeps_the_authorization(payer, access):
    bank = PaymentMethodFactory(customer=access.customer, bank=True)
    mandate = Mandate.objects.create(
        merchant=access.merchant,
        customer=access.customer,
        method=bank,
        reference="MAN-1",
        text="I authorize one debit.",
        version="1",
        amount=1,
        currency="USD",
        accepted_at=now(),
    )
    access.user.name = "Jo Marlowe"
    access.user.save()
    made = make_payment(access.customer, method=bank, mandate=mandate, made_by=access.user)

    page = page_of(payer, made)

    assert "Jo Marlowe" in page
    assert "I authorize one debit." in page


@pytest.mark.parametrize("count", [1, 30])
def test_page_costs_the_same_however_many_invoices_it_pays(payer, access, count, django_assert_num_queries):
    made = make_payment(
        access.customer, invoices=[InvoiceFactory(customer=access.customer, amount=usd("1.00")) for _ in range(count)]
    )
    page_of(payer, made)

    with django_assert_num_queries(7):
        page_of(payer, made)


def test_page_of_a_very_long_payment_is_short(payer, access):
    many_payments(access.customer, 1)
    made = Payment.objects.get()
    invoices = [InvoiceFactory(customer=access.customer, amount=usd("1.00")) for _ in range(100)]
    Allocation.objects.bulk_create(
        Allocation(
            merchant=access.merchant,
            payment=made,
            invoice=each,
            customer_id=access.customer.id,
            amount=100,
            currency="USD",
        )
        for each in invoices
    )

    page = page_of(payer, made)

    assert "104 invoices" in page
    assert "4 more invoices belong to this payment" in page


def test_another_customers_files_and_pages_do_not_exist(payer, access):
    theirs = make_payment(CustomerFactory(merchant=access.merchant))

    answers = [payer.get(reverse(f"portal:{name}", args=[theirs.id])) for name in ("payment", "receipt_pdf")]
    export = b"".join(payer.get(f"{LIST}export.csv").streaming_content).decode()

    assert [answer.status_code for answer in answers] == [404, 404]
    assert theirs.reference not in export
