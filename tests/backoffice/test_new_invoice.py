"""Entering an invoice by hand: found customers, errors at the field, nothing lost, and one invoice a press."""

import pytest
from django.test import Client
from django.urls import reverse

from payorcrm.invoices.models import Invoice
from payorcrm.ledger.check import check_books
from payorcrm.merchants.models import Role
from tests.backoffice.rows import Shop, client_of, make_shop
from tests.factories.models import CustomerFactory

pytestmark = pytest.mark.django_db
EMPTY_LINES = {"line-TOTAL_FORMS": "3", "line-INITIAL_FORMS": "0", "line-MIN_NUM_FORMS": "0", "line-MAX_NUM_FORMS": "9"}
FACTS = {"number": "A-77", "issued_on": "2026-03-01", "due_on": "2026-03-31", "currency": "USD", "total": "$1,150.00"}


def send(client: Client, shop: Shop, **form):
    place = reverse("backoffice:invoice_new", args=[shop.merchant.slug])
    return client.post(place, EMPTY_LINES | FACTS | {"customer": str(shop.customer.id)} | form)


def line(place, **fields):
    return {f"line-{place}-{name}": value for name, value in fields.items()}


def test_an_invoice_with_one_total_is_owed_and_in_the_books():
    shop = make_shop()

    response = send(client_of(shop.merchant, Role.COLLECTOR), shop)

    invoice = Invoice.objects.get(number="A-77")
    assert response.url == reverse("backoffice:invoice", args=[shop.merchant.slug, invoice.id])
    assert (invoice.customer, invoice.balance, invoice.status) == (shop.customer, 115000, "open")
    assert not [each for each in check_books() if invoice.number in each.row]


def test_lines_are_added_up_and_kept_in_order():
    shop = make_shop()
    lines = line(0, description="Rope", quantity="2.5", price="10.50") | line(2, description="Discount", amount="-1.25")

    send(client_of(shop.merchant), shop, total="", **lines)

    invoice = Invoice.objects.get(number="A-77")
    assert invoice.total == 2500
    kept = invoice.lines.order_by("position").values_list("description", "amount")
    assert list(kept) == [("Rope", 2625), ("Discount", -125)]


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"number": ""}, "This field is required."),
        ({"due_on": "2026-02-28"}, "An invoice cannot be due before it was issued."),
        ({"total": "a lot"}, "Write an amount, such as 1150 or 1,150.00."),
        ({"total": "0"}, "An invoice needs an amount of more than nothing."),
        ({"total": "9" * 18}, "Write an amount, such as 1150 or 1,150.00."),
        ({"total": ""}, "Write the total, or at least one line."),
        ({"currency": "XYZ"}, "Select a valid choice."),
        ({"customer": "", "find": "nobody at all"}, "No customer fits “nobody at all”."),
        ({"customer": ""}, "Who owes this invoice?"),
        (line(0, description="Rope", amount="5"), "The lines add up to $5.00, but this says $1,150.00."),
        (line(0, description="Rope", quantity="2", price="3", amount="7"), "Quantity and price make $6.00."),
        (line(0, amount="1150"), "Say what this line bills."),
        (line(0, description="Rope"), "Write an amount, or a quantity and a price."),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_is_lost(form, says):
    shop = make_shop()

    response = send(client_of(shop.merchant), shop, **form)

    assert response.status_code == 422
    assert says in response.text
    assert not Invoice.objects.filter(number=form.get("number", "A-77")).exists()
    typed = {"due_on": "2026-03-31", "total": "$1,150.00"} | form
    for name in typed.keys() - {"customer", "currency"}:
        assert not typed[name] or f'value="{typed[name]}"' in response.text, name


def test_a_taken_number_is_refused_at_the_number():
    shop = make_shop()

    response = send(client_of(shop.merchant), shop, number=shop.invoice.number)

    assert response.status_code == 422
    assert "There is already an invoice with this number." in response.text


def test_a_second_press_leads_to_the_first_invoice():
    shop = make_shop()
    client = client_of(shop.merchant)

    first, second = send(client, shop), send(client, shop)

    assert first.url == second.url
    assert Invoice.objects.filter(number="A-77").count() == 1


def test_the_only_customer_whom_the_words_fit_is_meant():
    shop = make_shop()
    CustomerFactory(merchant=shop.merchant, company_name="Zebra “Stripes” 🦓")

    response = send(client_of(shop.merchant), shop, customer="", find="stripes")

    assert response.status_code == 302
    assert Invoice.objects.get(number="A-77").customer.company_name == "Zebra “Stripes” 🦓"


def test_customers_of_others_are_neither_found_nor_billed():
    shop, other = make_shop(), make_shop()
    other.customer.company_name = "Somebody Else’s"
    other.customer.save()
    client = client_of(shop.merchant)

    assert "No customer fits" in send(client, shop, customer="", find="somebody").text
    assert send(client, shop, customer=str(other.customer.id)).status_code == 404


@pytest.mark.parametrize("button", ["find_customer", "more"])
def test_finding_customers_and_more_lines_keep_what_was_typed_and_complain_of_nothing(button):
    shop = make_shop()
    typed = line(1, description="Rope & twine", amount="oops")

    response = send(
        client_of(shop.merchant), shop, customer="", find=shop.customer.number, number="", **typed, **{button: "1"}
    )

    assert response.status_code == 200
    assert "errorlist" not in response.text
    assert 'value="Rope &amp; twine"' in response.text
    assert 'value="oops"' in response.text
    assert f'value="{shop.customer.id}" checked' in response.text
    assert response.text.count("-description") >= (7 if button == "more" else 3)


def test_the_page_proposes_the_next_number_and_the_customer_it_came_from():
    shop = make_shop()
    Invoice.objects.update(number="RE-0099")
    place = reverse("backoffice:invoice_new", args=[shop.merchant.slug])

    text = client_of(shop.merchant).get(place, {"customer": str(shop.customer.id)}).text

    assert 'value="RE-0100"' in text
    assert f'value="{shop.customer.id}" checked' in text
