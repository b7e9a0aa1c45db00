"""Changes of one invoice by staff: due date, note, void, and attached files."""

from datetime import date

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from payorcrm.invoices.attach_file import MOST_BYTES, MOST_FILES
from payorcrm.invoices.models import InvoiceFile
from tests.backoffice.rows import client_of, make_attached, make_shop

pytestmark = pytest.mark.django_db


def post(shop, name, form):
    place = reverse(f"backoffice:{name}", args=[shop.merchant.slug, shop.invoice.id])
    return client_of(shop.merchant).post(place, form, follow=True)


def test_a_new_due_date_and_a_note_stand_in_the_history_with_their_author():
    shop = make_shop()

    post(shop, "invoice_due_date", {"due_on": "2031-05-06", "note": "Agreed <today>."})
    text = post(shop, "invoice_note", {"text": "Ask for Jo."}).text

    shop.invoice.refresh_from_db()
    assert shop.invoice.due_on == date(2031, 5, 6)
    assert "Due date changed by" in text
    assert "Agreed &lt;today&gt;." in text
    assert "Ask for Jo." in text


@pytest.mark.parametrize(
    ("name", "form", "says"),
    [
        ("invoice_due_date", {"due_on": "", "note": "kept words"}, "Choose a day."),
        ("invoice_due_date", {"due_on": "1990-01-02", "note": "kept words"}, "cannot be due before it was issued"),
        ("invoice_note", {"text": " "}, "Write something first."),
        ("invoice_void", {"note": ""}, "Say why in a few words"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(name, form, says):
    shop = make_shop()

    response = post(shop, name, form)

    assert response.status_code == 422
    assert says in response.text
    assert "kept words" in response.text or "kept words" not in str(form)


def test_void_twice_says_so_and_changes_nothing_more():
    shop = make_shop()
    shop.payment.allocations.all().delete()

    first = post(shop, "invoice_void", {"note": "Sent twice."})
    second = post(shop, "invoice_void", {"note": "Sent twice."})

    assert "is void: nothing is owed on it any more" in first.text
    assert "Not voided. This invoice is void" in second.text
    assert shop.invoice.events.count() == 1


def test_an_invoice_that_is_being_paid_is_not_voided():
    shop = make_shop()
    shop.invoice.in_flight = 5000
    shop.invoice.save()

    response = post(shop, "invoice_void", {"note": "Sent twice."})

    shop.invoice.refresh_from_db()
    assert "A payment of $50.00 is under way" in response.text
    assert shop.invoice.status == "open"


PNG = b"\x89PNG\r\n\x1a\n and so on"


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("page.html", b"<script>alert(1)</script>", "Files of this type are not kept."),
        ("drawing.svg", b"<svg/>", "Files of this type are not kept."),
        ("paper.pdf", b"<script>alert(1)</script>", "is not what its name says"),
        ("picture.png", b"GIF89a", "is not what its name says"),
        ("list.csv", b"a,b\0", "is not what its name says"),
        ("huge.txt", b"x" * (MOST_BYTES + 1), "larger than 5 MB"),
        ("empty.txt", b"", "The file is empty."),
    ],
)
def test_what_cannot_be_kept_is_refused(name, content, says):
    shop = make_shop()

    response = post(shop, "invoice_file_attach", {"attached": SimpleUploadedFile(name, content)})

    assert says in response.text
    assert InvoiceFile.objects.count() == 1


def test_an_attached_file_is_a_download_and_nothing_else():
    shop = make_shop()

    upload = SimpleUploadedFile("proof “of” delivery.png", PNG, content_type="text/html")
    post(shop, "invoice_file_attach", {"attached": upload})
    file = InvoiceFile.objects.latest("id")
    answer = client_of(shop.merchant).get(reverse("backoffice:invoice_file", args=[shop.merchant.slug, file.id]))

    assert answer.content == PNG
    assert answer["Content-Type"] == "image/png"
    assert answer["Content-Disposition"].startswith("attachment;")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert not file.is_for_customer


def test_there_is_a_most_of_files():
    shop = make_shop()
    for _ in range(MOST_FILES - 1):
        make_attached(shop.invoice)

    response = post(shop, "invoice_file_attach", {"attached": SimpleUploadedFile("a.png", PNG)})

    assert "has 20 files already" in response.text
