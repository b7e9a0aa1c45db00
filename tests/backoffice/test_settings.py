"""What an owner changes, and what is refused."""

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from PIL import Image

from tests.backoffice.rows import client_of, make_shop

pytestmark = pytest.mark.django_db
FORM = {
    "name": "Harbor & Co",
    "address": "1 Quay Street",
    "phone": "",
    "reply_to": "billing@harbor.example",
    "time_zone": "America/Denver",
    "accent_color": "#aa3300",
    "confirmation_hours": "48",
    "language": "es",
    "allows_part_payments": "on",
}


def save(shop, **changes):
    place = reverse("backoffice:settings", args=[shop.merchant.slug])
    response = client_of(shop.merchant).post(place, FORM | changes, follow=True)
    shop.merchant.refresh_from_db()
    return response


def picture(kind: str = "PNG", size: tuple[int, int] = (1200, 300)) -> SimpleUploadedFile:
    written = io.BytesIO()
    Image.new("RGB", size, "#aa3300").save(written, format=kind)
    return SimpleUploadedFile(f"logo.{kind.lower()}", written.getvalue())


def test_settings_are_saved_and_shown_at_once():
    shop = make_shop()

    response = save(shop)

    assert "The settings are saved." in response.text
    assert "Harbor &amp; Co" in response.text
    assert "#aa3300" in response.text
    assert shop.merchant.confirmation_hours == 48
    assert shop.merchant.time_zone == "America/Denver"
    assert shop.merchant.language == "es"
    assert shop.merchant.allows_part_payments
    assert not shop.merchant.invites_new_customers


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("accent_color", "red", "Write the colour as #"),
        ("confirmation_hours", "0", "greater than or equal to 1"),
        ("confirmation_hours", "169", "less than or equal to 168"),
        ("time_zone", "Mars/Olympus", "Select a valid choice"),
        ("reply_to", "nobody", "valid email address"),
        ("name", "", "This field is required"),
    ],
)
def test_what_does_not_fit_is_refused_and_the_head_keeps_the_saved_name(field, value, words):
    shop = make_shop(name="Harbor Supply")

    response = save(shop, **{field: value})

    assert words in response.text
    assert shop.merchant.name == "Harbor Supply"
    assert "<span>Harbor Supply</span>" in response.text


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_logo_is_made_small_and_kept_as_png(kind):
    shop = make_shop()

    save(shop, new_logo=picture(kind))

    kept = Image.open(io.BytesIO(bytes(shop.merchant.logo)))
    assert (kept.format, kept.size) == ("PNG", (640, 160))
    assert shop.merchant.logo_type == "image/png"


def test_a_logo_can_be_removed():
    shop = make_shop()
    save(shop, new_logo=picture())

    save(shop, remove_logo="on")

    assert shop.merchant.logo is None


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<svg onload=alert(1)>", "Please choose a PNG"),
        (b"\x89PNG\r\n\x1a\n broken", "Please choose a PNG"),
        (b"x" * 2_000_001, "larger than 2 MB"),
    ],
    ids=["svg", "broken", "large"],
)
def test_what_is_no_logo_is_refused(content, words):
    shop = make_shop()

    response = save(shop, new_logo=SimpleUploadedFile("logo.png", content))

    assert words in response.text
    assert shop.merchant.logo is None


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_decoded():
    shop = make_shop()

    response = save(shop, new_logo=picture(size=(6000, 5000)))

    assert "too many pixels" in response.text
