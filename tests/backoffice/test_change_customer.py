"""Changing a customer: filled in, errors at the field, nobody's change lost, written down and shown once."""

import json
from dataclasses import asdict
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from payorcrm.backoffice.invoice_history import history_of
from payorcrm.backoffice.timeline import timeline_of
from payorcrm.core import clock
from payorcrm.customers.change_customer import facts_of
from payorcrm.customers.import_customers import import_customers
from payorcrm.customers.models import Contact, Customer
from payorcrm.mail.models import Mail
from payorcrm.merchants.models import Role
from payorcrm.reminders.models import Hold
from payorcrm.staff.models import AuditEntry
from tests.backoffice.rows import Shop, client_of, make_shop
from tests.backoffice.test_new_customer import ALL, add
from tests.factories.models import CustomerFactory, InvoiceFactory

pytestmark = pytest.mark.django_db
TYPED = {
    "company_name": "=Söhne & “Co” 'n' 🚢",
    "number": "S-8",
    "language": "es",
    "category": "Retail",
    "phone": "555 0199",
    "address": "2 Quay Street\r\nPortland",
}
SAVED = TYPED | {"address": "2 Quay Street\nPortland"}


def place(shop: Shop, customer: Customer | None = None) -> str:
    return reverse("backoffice:customer_change", args=[shop.merchant.slug, (customer or shop.customer).id])


def form_of(client: Client, shop: Shop) -> dict[str, str]:
    """Return what the browser would send if nobody typed anything."""
    form = client.get(place(shop)).context["form"]
    return {name: str(form[name].value()).replace("\n", "\r\n") for name in form.fields}


def on_file(customer: Customer) -> dict[str, str]:
    return asdict(facts_of(Customer.objects.get(id=customer.id)))


def entries(shop: Shop):
    return AuditEntry.objects.filter(merchant=shop.merchant)


def test_what_is_typed_is_on_file_is_written_down_and_stands_in_the_time_line():
    shop = make_shop()
    client, mail_count = client_of(shop.merchant, Role.COLLECTOR), Mail.objects.count()
    contacts = list(Contact.objects.filter(customer=shop.customer).values())
    before = on_file(shop.customer)

    answer = client.post(place(shop), form_of(client, shop) | TYPED, follow=True)

    assert answer.redirect_chain[0][0] == reverse("backoffice:customer", args=[shop.merchant.slug, shop.customer.id])
    assert on_file(shop.customer) == SAVED
    assert list(Contact.objects.filter(customer=shop.customer).values()) == contacts
    assert Mail.objects.count() == mail_count
    entry = entries(shop).get()
    assert (entry.says, entry.about) == ("Changed a customer", before["company_name"])
    labels = {"Number": "number", "Name": "company_name", "Category": "category", "Phone": "phone"}
    labels |= {"Address": "address", "Language": "language"}
    said = SAVED | {"language": "Español"}
    assert entry.changes == [[label, before[name], said[name]] for label, name in labels.items()]
    assert f"Changed by {entry.actor_name}" in answer.text
    assert f"Number: {before['number']} → S-8<br>" in answer.text
    assert "Address: nothing → 2 Quay Street, Portland" in answer.text


def test_saving_what_was_shown_changes_nothing_and_is_no_entry():
    shop = make_shop()
    Customer.objects.filter(id=shop.customer.id).update(company_name="Two  spaces", address="1 Quay  Street\nPortland ")
    before = on_file(shop.customer)
    client = client_of(shop.merchant)

    answer = client.post(place(shop), form_of(client, shop), follow=True)

    assert "Nothing was changed." in answer.text
    assert on_file(shop.customer) == before
    assert not entries(shop).exists()


def test_a_second_press_says_the_same_and_is_no_second_entry():
    shop = make_shop()
    client = client_of(shop.merchant)
    sent = form_of(client, shop) | TYPED

    first, second = (client.post(place(shop), sent, follow=True) for _ in range(2))

    assert first.redirect_chain == second.redirect_chain
    assert "🚢 is saved." in first.text
    assert "🚢 is saved." in second.text
    assert entries(shop).count() == 1


def test_what_somebody_else_changed_meanwhile_is_shown_and_not_overwritten():
    shop = make_shop()
    client = client_of(shop.merchant)
    mine, theirs = form_of(client, shop), form_of(client, shop)
    client.post(place(shop), theirs | {"phone": "555 0111", "language": "es", "category": "Theirs"})

    refused = client.post(place(shop), mine | {"company_name": "Mine", "category": "Mine, too"})
    kept = on_file(shop.customer)
    form = refused.context["form"]
    client.post(place(shop), {name: form[name].value() for name in form.fields})

    assert refused.status_code == 409
    assert "Nothing was saved: this customer was changed while you were typing." in refused.text
    assert "Phone: nothing became “555 0111”" in refused.text
    assert "Language of mails: “Your company&#x27;s” became “Español”" in refused.text
    assert (kept["company_name"], kept["category"]) == (mine["company_name"], "Theirs")
    assert on_file(shop.customer) == kept | {"company_name": "Mine", "category": "Mine, too"}
    assert entries(shop).count() == 2


@pytest.mark.parametrize(
    ("typed", "field", "says"),
    [
        ({"company_name": " "}, "company_name", "Write the name of the company or person."),
        ({"company_name": "BLUE whale"}, "company_name", "There is already a customer of this name, number B-1."),
        ({"number": " B-1 "}, "number", "Blue Whale has the number B-1 already."),
        ({"company_name": "x" * 65, "number": ""}, "number", "more than 64 characters; write a number"),
        ({"company_name": "a\u202eb"}, "company_name", "a sign that cannot be printed"),
        ({"language": "xx"}, "language", "Select a valid choice."),
        ({"seen": ""}, "seen", "This page is not whole."),
        ({"seen": "[" * 100_000}, "seen", "This page is not whole."),
        ({"seen": json.dumps({"number": "S-7"})}, "seen", "This page is not whole."),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_is_lost(typed, field, says):
    shop = make_shop()
    CustomerFactory(merchant=shop.merchant, company_name="Blue Whale", number="B-1")
    client, before = client_of(shop.merchant), on_file(shop.customer)
    sent = form_of(client, shop) | TYPED | typed

    answer = client.post(place(shop), sent)

    form = answer.context["form"]
    assert answer.status_code == 422
    assert list(form.errors) == [field]
    assert says in form.errors[field][0]
    assert says in answer.text
    assert {name: form[name].value() for name in sent} == sent
    assert on_file(shop.customer) == before
    assert not entries(shop).exists()


def test_two_customers_of_one_name_can_each_be_changed_without_a_new_name():
    shop = make_shop()
    CustomerFactory(merchant=shop.merchant, company_name=shop.customer.company_name.upper(), number="B-1")
    CustomerFactory(merchant=make_shop().merchant, number="S-8")
    client = client_of(shop.merchant)

    answer = client.post(place(shop), form_of(client, shop) | {"number": "S-8"})

    assert answer.status_code == 302
    assert on_file(shop.customer)["number"] == "S-8"


def test_who_added_a_customer_stays_known_when_its_number_changes():
    shop = make_shop()
    client = client_of(shop.merchant)
    add(client, shop)
    customer = Customer.objects.get(number="S-7")
    seen = json.dumps(on_file(customer))

    page = client.post(place(shop, customer), TYPED | {"seen": seen}, follow=True).text

    assert "Added by hand by" in page
    assert "Number: S-7 → S-8" in page


def test_those_who_may_find_it_on_the_customers_page_and_others_do_not():
    shop, other = make_shop(), make_shop()
    page = reverse("backoffice:customer", args=[shop.merchant.slug, shop.customer.id])
    collector, viewer = client_of(shop.merchant, Role.COLLECTOR), client_of(shop.merchant, Role.VIEWER)

    assert place(shop) in collector.get(page).text
    assert place(shop) not in viewer.get(page).text
    assert viewer.post(place(shop), ALL).status_code == 403
    assert collector.post(place(shop, other.customer), ALL).status_code == 404


def test_what_files_brought_stands_in_the_time_line_too(tmp_path):
    shop = make_shop()
    path, first, second = tmp_path / "customers.csv", clock.now() - timedelta(days=2), clock.now()
    path.write_text("Customer number,Company,Email\nN-1,Net & Twine,ann@twine.example\n")
    import_customers(merchant=shop.merchant, path=path, now=first)
    path.write_text("Customer number,Company,Email\nN-1,Net “& Twine”,bo@twine.example\n")
    import_customers(merchant=shop.merchant, path=path, now=second)
    customer = Customer.objects.get(number="N-1")

    happened = timeline_of(customer, slug=shop.merchant.slug).rows

    assert sorted(each.remark for each in happened[:2]) == [
        "E-mail: ann@twine.example → bo@twine.example",
        "Name: Net & Twine → Net “& Twine”",
    ]
    assert [each.words for each in happened] == [
        "Changed by the file customers.csv",
        "Changed by the file customers.csv",
        "Added by the file customers.csv",
    ]


def test_people_holds_and_files_stand_in_the_time_line_with_who_did_it():
    shop = make_shop()
    client, staff = client_of(shop.merchant), shop.merchant.slug
    invoice = InvoiceFactory(customer=shop.customer, number="H-1")
    until = (clock.now() + timedelta(days=9)).date()

    def post(page, *ids, **typed):
        assert client.post(reverse(f"backoffice:{page}", args=[staff, *ids]), typed).status_code == 302

    post("contact_add", shop.customer.id, email="new@acme.example", first_name="Ann", last_name="Lee")
    contact, before = Contact.objects.get(email="new@acme.example"), shop.customer.contacts.get(is_primary=True)
    post("contact_primary", contact.id)
    post("hold_invoice", invoice.id, reason="promise", until=until.isoformat(), note="By phone")
    post("hold_end", Hold.objects.get(invoice=invoice).id)
    post("hold_customer", shop.customer.id, reason="dispute")
    disputed = Hold.objects.get(customer=shop.customer, reason="dispute")
    Hold.objects.filter(id=disputed.id).update(until=clock.now().date())
    post("hold_prolong", disputed.id)
    post("contact_primary", before.id)
    post("contact_remove", contact.id)
    post("invoice_file_attach", invoice.id, attached=SimpleUploadedFile("note.txt", b"hello"))

    latest_last = reversed(timeline_of(shop.customer, slug=staff).rows)
    lines = {each.words: each.remark for each in latest_last}
    who = next(words for words in lines if words.endswith(" added a contact")).removesuffix(" added a contact")
    assert lines["On hold: Promised to pay"] == f"Invoice H-1, by {who}"
    assert lines["Hold ended: Promised to pay"] == f"Invoice H-1, by {who}"
    assert lines["On hold: Disputed"] == f"by {who}"
    assert lines["note.txt attached"] == f"Invoice H-1, by {who}"
    assert lines[f"{who} changed whose address is on file"].startswith(f"{before}, ")
    assert lines[f"{who} removed a contact"].startswith("Ann Lee, ")
    assert "Customer:" not in "".join(lines.values())
    assert lines[f"{who} prolonged a hold"].startswith(f"Disputed, {shop.customer}\nLast day: ")
    history = [each.words for each in history_of(invoice)]
    assert f"note.txt attached by {who}" in history
    assert f"On hold by {who}: Promised to pay" in history
    assert f"Hold ended by {who}: Promised to pay" in history
