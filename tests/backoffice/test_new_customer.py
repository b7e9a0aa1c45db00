"""Entering a customer by hand: errors at the field, nothing lost, one customer a press, and on to the invoice."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from payorcrm.core.clock import now as present
from payorcrm.customers.add_customer import CustomerNumberTaken, NewCustomer, NewPerson, add_once
from payorcrm.customers.models import Contact, Customer
from payorcrm.mail.models import Mail
from payorcrm.merchants.models import Role
from payorcrm.staff.models import AuditEntry
from tests.backoffice.rows import Shop, client_of, make_shop, make_stop
from tests.backoffice.test_new_invoice import send as send_invoice
from tests.factories.models import CustomerFactory, MerchantFactory

pytestmark = pytest.mark.django_db
ACME = {"company_name": "Söhne & “Co” 🚢", "number": "S-7"}
ALL = ACME | {
    "first_name": "Kim",
    "last_name": "Reed",
    "emails": "kim@soehne.example, bills@soehne.example; KIM@soehne.example",
    "language": "es",
    "category": "Wholesale",
    "phone": "555 0100",
    "address": "1 Quay Street\r\nPortland",
}


def place(shop: Shop, query: str = "") -> str:
    return reverse("backoffice:customer_new", args=[shop.merchant.slug]) + query


def add(client: Client, shop: Shop, query: str = "", **form: str):
    return client.post(place(shop, query), ACME | form)


def test_a_customer_has_what_an_import_would_have_brought_and_gets_no_mail():
    shop = make_shop()
    mail_count = Mail.objects.count()

    response = client_of(shop.merchant, Role.COLLECTOR).post(place(shop), ALL)

    customer = Customer.objects.get(merchant=shop.merchant, number="S-7")
    assert response.url == reverse("backoffice:customer", args=[shop.merchant.slug, customer.id])
    assert (customer.company_name, customer.category, customer.language) == (ALL["company_name"], "Wholesale", "es")
    assert (customer.phone, customer.address, customer.is_reminded) == ("555 0100", "1 Quay Street\nPortland", True)
    contacts = Contact.objects.filter(customer=customer).order_by("-is_primary")
    assert [(str(each), each.email, each.is_primary) for each in contacts] == [
        ("Kim Reed", "kim@soehne.example", True),
        ("bills@soehne.example", "bills@soehne.example", False),
    ]
    assert Mail.objects.count() == mail_count


def test_without_a_number_the_name_is_the_number_and_without_a_person_nobody_is_on_file():
    shop = make_shop()

    text = client_of(shop.merchant).post(place(shop), {"company_name": "  Rope   Works "}, follow=True).text

    customer = Customer.objects.get(merchant=shop.merchant, number="Rope Works")
    assert customer.company_name == "Rope Works"
    assert not Contact.objects.filter(customer=customer).exists()
    assert "Without an e-mail address, no mail reaches them." in text


@pytest.mark.parametrize(
    ("form", "field", "says"),
    [
        ({"company_name": " "}, "company_name", "Write the name of the company or person."),
        ({"company_name": "BLUE whale"}, "company_name", "There is already a customer of this name, number B-1."),
        ({"number": " B-1 "}, "number", "Blue Whale has the number B-1 already."),
        ({"company_name": "B-1", "number": ""}, "number", "Blue Whale has the number B-1 already."),
        ({"company_name": "x" * 65, "number": ""}, "number", "more than 64 characters; write a number"),
        ({"number": "x" * 65}, "number", "at most 64 characters"),
        ({"company_name": "a\u202eb"}, "company_name", "a sign that cannot be printed"),
        ({"emails": "kim@acme.example, kim at acme"}, "emails", "“kim” is not an e-mail address."),
        ({"emails": f"{'x' * 64}@{'y.' * 100}example"}, "emails", "has at most 254 characters."),
        ({"emails": " ".join(f"a{place}@a.example" for place in range(51))}, "emails", "at most 50 contacts"),
        ({"language": "xx"}, "language", "Select a valid choice."),
        ({"category": "x" * 65}, "category", "at most 64 characters"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_is_lost(form, field, says):
    shop = make_shop()
    CustomerFactory(merchant=shop.merchant, company_name="Blue Whale", number="B-1")
    count = Customer.objects.count()

    response = client_of(shop.merchant).post(place(shop), ALL | form)

    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert says in response.context["form"].errors[field][0]
    assert {name: response.context["form"][name].value() for name in ALL} == ALL | form
    assert Customer.objects.count() == count
    assert not AuditEntry.objects.filter(merchant=shop.merchant).exists()


def test_another_merchants_number_and_name_are_free():
    shop, other = make_shop(), make_shop()
    CustomerFactory(merchant=other.merchant, company_name=ACME["company_name"], number="S-7")

    assert add(client_of(shop.merchant), shop).status_code == 302


def test_a_second_press_leads_to_the_first_customer_and_is_no_entry():
    shop = make_shop()
    client = client_of(shop.merchant)

    first, second = client.post(place(shop), ALL), client.post(place(shop), ALL)
    other = client.post(place(shop), ALL | {"emails": "kim@soehne.example"})

    assert first.url == second.url
    assert other.status_code == 422
    assert Customer.objects.filter(merchant=shop.merchant, number="S-7").count() == 1
    assert AuditEntry.objects.filter(merchant=shop.merchant).count() == 1


def test_the_same_customer_an_hour_later_is_no_second_press():
    merchant, facts = make_shop().merchant, NewCustomer("Acme Two", "A-2")
    add_once(merchant=merchant, facts=facts, person=NewPerson(), now=present())

    with pytest.raises(CustomerNumberTaken):
        add_once(merchant=merchant, facts=facts, person=NewPerson(), now=present() + timedelta(hours=1))


def test_the_audit_log_has_the_values_and_the_time_line_says_by_whom():
    shop = make_shop()
    client = client_of(shop.merchant)

    page = client.post(place(shop), ALL, follow=True).text
    Customer.objects.filter(number="S-7").update(company_name="Renamed by an import")

    entry = AuditEntry.objects.get(merchant=shop.merchant)
    assert (entry.says, entry.about) == ("Added a customer by hand", ALL["company_name"])
    assert entry.changes == [
        ["Number", "", "S-7"],
        ["Name", "", ALL["company_name"]],
        ["Contact's first name", "", "Kim"],
        ["Contact's last name", "", "Reed"],
        ["E-mail", "", "kim@soehne.example, bills@soehne.example"],
        ["Language of mails", "", "Español"],
        ["Category", "", "Wholesale"],
        ["Phone", "", "555 0100"],
        ["Address", "", "1 Quay Street\nPortland"],
    ]
    added = f"Added by hand by {entry.actor_name}"
    renamed = Customer.objects.get(number="S-7")
    history = reverse("backoffice:customer_history", args=[shop.merchant.slug, renamed.id])
    others = reverse("backoffice:customer_history", args=[shop.merchant.slug, shop.customer.id])
    assert added in page
    assert added in client.get(history).text
    assert "Added by hand" not in client.get(others).text


def test_a_stopped_address_is_said_at_once_and_on_the_page():
    shop = make_shop()
    make_stop(shop.merchant, "kim@soehne.example")

    page = add(client_of(shop.merchant), shop, emails="Kim@soehne.example").headers["Location"]
    text = client_of(shop.merchant).get(page).text
    told = client_of(shop.merchant)
    answer = told.post(place(shop), {"company_name": "Other", "emails": "kim@soehne.example"}, follow=True).text

    assert "kim@soehne.example" in text
    assert "550 no such user" in text
    assert "Mails to kim@soehne.example are stopped" in answer


def test_an_invoice_goes_on_where_it_was_left_with_the_new_customer():
    shop = make_shop()
    client = client_of(shop.merchant)

    asked = send_invoice(client, shop, customer="", find="Söhne", new_customer="yes", **{"line-1-description": "A & B"})
    form = client.get(asked.url)
    added = client.post(asked.url, ACME)
    back = client.get(added.url).text
    canceled = client.get(form.context["back"]).text

    customer = Customer.objects.get(number="S-7")
    assert 'value="Söhne"' in form.text
    assert "your invoice goes on where you left it" in form.text
    assert f'value="{customer.id}" checked' in back
    for typed in ("A-77", "2026-03-01", "2026-03-31", "$1,150.00", "A &amp; B"):
        assert f'value="{typed}"' in back
        assert f'value="{typed}"' in canceled
    assert "csrf" not in asked.url
    assert [each.says for each in AuditEntry.objects.filter(merchant=shop.merchant)] == ["Added a customer by hand"]


def test_an_invoice_of_many_lines_leaves_them_behind_rather_than_make_an_address_that_servers_refuse():
    shop = make_shop()
    lines = {f"line-{place}-description": "x" * 100 for place in range(40)}

    asked = send_invoice(client_of(shop.merchant), shop, new_customer="yes", **lines)

    assert len(asked.url) < 4000
    assert "number=A-77" in asked.url


@pytest.mark.parametrize(("role", "may"), [(Role.COLLECTOR, True), (Role.VIEWER, False)])
@pytest.mark.parametrize("make", [lambda: make_shop().merchant, MerchantFactory])
def test_the_list_offers_it_to_those_who_may(role, may, make):
    merchant = make()
    client, address = client_of(merchant, role), reverse("backoffice:customer_new", args=[merchant.slug])

    text = client.get(reverse("backoffice:customers", args=[merchant.slug])).text

    assert (address in text) == may
    assert client.post(address, ACME).status_code == (302 if may else 403)
