"""A merchant's logo beside its name, on pages and in mails."""

import io

import pytest
from django.template.loader import render_to_string
from django.test import RequestFactory
from PIL import Image

from payorcrm.mail.layout import layout_of
from payorcrm.merchants.branding import brand_of, logo_says_name
from payorcrm.merchants.logo import LOGO_TYPE, clean_logo
from payorcrm.merchants.models import Merchant
from tests.factories.models import MerchantFactory

pytestmark = pytest.mark.django_db


def merchant_with(logo: bytes | None) -> Merchant:
    return MerchantFactory(name="Harbor & Sons", slug="harbor", logo=logo, logo_type=LOGO_TYPE)


def picture(width: int, height: int) -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (width, height), "#1d6b52").save(written, format="WEBP")
    return clean_logo(written.getvalue())


def header_of(merchant: Merchant) -> str:
    return render_to_string("ui/mark.html", {"brand": brand_of(merchant)}, RequestFactory().get("/"))


@pytest.mark.parametrize("size", [(440, 200), (1280, 100)])
def test_a_wide_logo_is_a_word_mark(size: tuple[int, int]) -> None:
    assert logo_says_name(merchant_with(picture(*size)))


@pytest.mark.parametrize("size", [(200, 200), (100, 600), (430, 200)])
def test_another_logo_is_none(size: tuple[int, int]) -> None:
    assert not logo_says_name(merchant_with(picture(*size)))


@pytest.mark.parametrize("logo", [None, b"", b"GIF89a", b"\x89PNG\r\n\x1a\n"])
def test_what_has_no_size_says_no_name(logo: bytes | None) -> None:
    assert not logo_says_name(merchant_with(logo))


def test_the_name_stands_beside_a_square_logo_once() -> None:
    merchant = merchant_with(picture(200, 200))

    page, mail = header_of(merchant), layout_of(merchant).pieces[2]

    for shown in (page, mail.partition('class="card"')[0]):
        assert shown.count("Harbor &amp; Sons") == 1
        assert 'alt=""' in shown
        assert ">Harbor &amp; Sons</span>" in shown


def test_a_word_mark_stands_alone_and_is_named_for_those_who_cannot_see_it() -> None:
    merchant = merchant_with(picture(640, 120))

    page, mail = header_of(merchant), layout_of(merchant).pieces[2]

    for shown in (page, mail.partition('class="card"')[0]):
        assert shown.count("Harbor &amp; Sons") == 1
        assert 'alt="Harbor &amp; Sons"' in shown
