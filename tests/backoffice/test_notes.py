"""Notes: everybody reads them, collectors write them, and only their authors change them."""

import pytest
from django.test import Client
from django.urls import reverse

from payorcrm.customers.mention import compose_mentions
from payorcrm.customers.models import Note
from payorcrm.mail.models import Mail
from payorcrm.merchants.models import Role
from tests.backoffice.rows import client_of, make_note, make_shop
from tests.factories.models import NOW, StaffFactory, UserFactory

pytestmark = pytest.mark.django_db


def signed_in(user) -> Client:
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def mails_about_notes() -> list[Mail]:
    return list(Mail.objects.filter(kind="note_mention").order_by("id"))


def test_a_note_is_seen_by_all_staff():
    shop = make_shop()
    place = reverse("backoffice:note_write", args=[shop.merchant.slug, shop.customer.id])

    response = client_of(shop.merchant, Role.COLLECTOR).post(place, {"text": "Promised <b>Friday</b>."}, follow=True)

    page = reverse("backoffice:customer", args=[shop.merchant.slug, shop.customer.id])
    assert "The note is saved." in response.text
    assert "Promised &lt;b&gt;Friday&lt;/b&gt;." in client_of(shop.merchant, Role.VIEWER).get(page).text


@pytest.mark.parametrize("text", ["", "   ", "x" * 4001])
def test_an_empty_or_endless_note_is_not_kept(text):
    shop = make_shop()
    place = reverse("backoffice:note_write", args=[shop.merchant.slug, shop.customer.id])

    response = client_of(shop.merchant).post(place, {"text": text}, follow=True)

    assert "No note was saved" in response.text
    assert Note.objects.filter(customer=shop.customer).count() == 1


def test_an_author_changes_and_deletes_a_note():
    shop = make_shop()
    staff = StaffFactory(merchant=shop.merchant, role=Role.COLLECTOR)
    note = make_note(shop.customer, staff.user)
    client = signed_in(staff.user)

    client.post(reverse("backoffice:note_change", args=[shop.merchant.slug, note.id]), {"text": "On Monday."})
    note.refresh_from_db()
    client.post(reverse("backoffice:note_delete", args=[shop.merchant.slug, note.id]))

    assert note.text == "On Monday."
    assert note.edited_at
    assert not Note.objects.filter(id=note.id).exists()


@pytest.mark.parametrize("name", ["note_change", "note_delete"])
def test_not_even_an_owner_changes_what_a_colleague_wrote(name):
    shop = make_shop()

    response = client_of(shop.merchant).post(
        reverse(f"backoffice:{name}", args=[shop.merchant.slug, shop.note.id]), {"text": "Mine"}
    )

    shop.note.refresh_from_db()
    assert response.status_code == 403
    assert shop.note.text == "Wants to pay on Friday."


def test_colleagues_who_are_named_get_a_mail_each_once():
    shop = make_shop()
    for email in ("kim@mail.example", "lee@mail.example", "max@mail.example"):
        StaffFactory(merchant=shop.merchant, user=UserFactory(email=email))
    StaffFactory(user=UserFactory(email="stranger@mail.example"))
    author = StaffFactory(merchant=shop.merchant, user=UserFactory(email="ann@mail.example", name="Ann"))
    client = signed_in(author.user)

    text = "@Kim, @kim and (@lee): write to pay@max.example. @ann @stranger"
    place = reverse("backoffice:note_write", args=[shop.merchant.slug, shop.customer.id])
    page = client.post(place, {"text": text}, follow=True).text
    note = Note.objects.get(author=author.user)
    client.post(reverse("backoffice:note_change", args=[shop.merchant.slug, note.id]), {"text": text + " @max!"})

    mails = mails_about_notes()
    assert "It is mailed to " in page
    assert "No colleague is called @stranger, so nobody was mailed for that." in page
    assert "mentioned you" not in page
    draft = compose_mentions(mails, NOW)[mails[0].id]
    assert sorted(mail.to_address for mail in mails) == ["kim@mail.example", "lee@mail.example", "max@mail.example"]
    assert draft.subject == f"Ann mentioned you in a note about {shop.customer.company_name}"
    assert "pay@max.example" in draft.text


def test_two_colleagues_of_one_name_are_told_apart():
    shop = make_shop()
    for email in ("kim@north.example", "kim@south.example"):
        StaffFactory(merchant=shop.merchant, user=UserFactory(email=email))
    place = reverse("backoffice:note_write", args=[shop.merchant.slug, shop.customer.id])

    client_of(shop.merchant).post(place, {"text": "@kim @kim.south.example"})

    assert [mail.to_address for mail in mails_about_notes()] == ["kim@south.example"]


def test_a_note_that_is_gone_withdraws_its_mail():
    shop = make_shop()
    StaffFactory(merchant=shop.merchant, user=UserFactory(email="kim@mail.example"))
    place = reverse("backoffice:note_write", args=[shop.merchant.slug, shop.customer.id])
    client_of(shop.merchant).post(place, {"text": "@kim"})

    Note.objects.all().delete()

    assert compose_mentions(mails_about_notes(), NOW) == {}
