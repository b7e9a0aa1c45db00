"""What an owner changes, and what is refused."""

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from PIL import Image

from payorcrm.backoffice.settings_forms import BrandingForm
from payorcrm.backoffice.settings_sections import SECTIONS
from payorcrm.merchants.models import Role
from tests.backoffice.rows import client_of, make_shop

pytestmark = pytest.mark.django_db
COMPANY = {
    "name": "Harbor & Co",
    "address": "1 Quay Street",
    "phone": "",
    "reply_to": "billing@harbor.example",
    "time_zone": "America/Denver",
    "currency": "CAD",
    "language": "es",
}
BRANDING = {"accent_color": "#aa3300"}
PORTAL = {"confirmation_hours": "48", "allows_part_payments": "on"}
FORMS = {"company": COMPANY, "branding": BRANDING, "portal": PORTAL}


def save(shop, section="branding", **changes):
    place = reverse(f"backoffice:settings_{section}", args=[shop.merchant.slug])
    response = client_of(shop.merchant).post(place, FORMS[section] | changes, follow=True)
    shop.merchant.refresh_from_db()
    return response


def picture(kind: str = "PNG", size: tuple[int, int] = (1200, 300)) -> SimpleUploadedFile:
    written = io.BytesIO()
    Image.new("RGB", size, "#aa3300").save(written, format=kind)
    return SimpleUploadedFile(f"logo.{kind.lower()}", written.getvalue())


def test_the_company_is_saved_and_shown_at_once():
    shop = make_shop()

    response = save(shop, "company")

    assert "The settings are saved." in response.text
    assert "Harbor &amp; Co" in response.text
    assert shop.merchant.time_zone == "America/Denver"
    assert shop.merchant.currency == "CAD"
    assert shop.merchant.language == "es"


def test_a_section_leaves_the_other_sections_alone():
    shop = make_shop(confirmation_hours=36, accent_color="#0f62a8")

    save(shop, "company")

    assert (shop.merchant.confirmation_hours, shop.merchant.accent_color) == (36, "#0f62a8")
    assert shop.merchant.invites_new_customers


def test_what_customers_can_do_is_saved():
    shop = make_shop()

    response = save(shop, "portal")

    assert shop.merchant.confirmation_hours == 48
    assert shop.merchant.allows_part_payments
    assert not shop.merchant.invites_new_customers
    assert f"/c/{shop.merchant.slug}/" in response.text


def test_the_colour_is_saved_and_used_at_once():
    response = save(make_shop(), "branding")

    assert "#aa3300" in response.text


@pytest.mark.parametrize(
    ("section", "field", "value", "words"),
    [
        ("branding", "accent_color", "red", "Write the colour as #"),
        ("portal", "confirmation_hours", "0", "greater than or equal to 1"),
        ("portal", "confirmation_hours", "169", "less than or equal to 168"),
        ("company", "time_zone", "Mars/Olympus", "Select a valid choice"),
        ("company", "currency", "XYZ", "Select a valid choice"),
        ("company", "reply_to", "nobody", "valid email address"),
        ("company", "name", "", "This field is required"),
    ],
)
def test_what_does_not_fit_is_refused_and_the_head_keeps_the_saved_name(section, field, value, words):
    shop = make_shop(name="Harbor Supply")

    response = save(shop, section, **{field: value})

    assert words in response.text
    assert shop.merchant.name == "Harbor Supply"
    assert "<span>Harbor Supply</span>" in response.text


def test_a_viewer_reads_every_section_in_words():
    shop = make_shop(name="Harbor Supply", currency="USD")
    client = client_of(shop.merchant, Role.VIEWER)

    texts = {each.name: client.get(reverse(each.address, args=[shop.merchant.slug])).text for each in SECTIONS}

    assert "USD – US Dollar" in texts["settings_company"]
    assert "America/New York" in texts["settings_company"]
    assert all("<textarea" not in text and ">Save<" not in text for text in texts.values())


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


class Unread(SimpleUploadedFile):
    def read(self, *_: object) -> bytes:
        raise AssertionError("it was read")


def test_a_file_that_is_too_large_is_not_even_read():
    shop = make_shop()

    form = BrandingForm(
        {"accent_color": "#123456"}, {"new_logo": Unread("logo.png", b"x" * 2_000_001)}, instance=shop.merchant
    )

    assert "larger than 2 MB" in str(form.errors["new_logo"])


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_decoded():
    shop = make_shop()

    response = save(shop, new_logo=picture(size=(6000, 5000)))

    assert "too many pixels" in response.text


def preview(colour: str):
    shop = make_shop()
    return client_of(shop.merchant).get(
        reverse("backoffice:settings_branding_preview", args=[shop.merchant.slug]), {"accent_color": colour}
    )


def test_a_colour_is_shown_by_day_and_at_night_before_it_is_saved():
    shown = preview("#cc4422").json()

    assert shown["light"]["--accent"] == "#cc4422"
    assert shown["is_good"]
    assert "exactly this colour" in shown["words"]


@pytest.mark.parametrize(
    ("colour", "words"),
    [("#ffee88", "By day buttons are darker than your colour"), ("#101020", "At night buttons are lighter than")],
)
def test_a_colour_that_is_hard_to_see_is_warned_of(colour, words):
    shown = preview(colour).json()

    assert not shown["is_good"]
    assert words in shown["words"]


def test_a_colour_that_is_none_changes_nothing_in_the_preview():
    assert preview("red; }").status_code == 422
