"""From the wish to open an account to the merchant: only the owner of an address opens anything with it."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from payorcrm.core.models import User
from payorcrm.core.signing import NotGenuine, sign
from payorcrm.mail.drafts import composer_of
from payorcrm.mail.models import Mail
from payorcrm.mail.trust import trust
from payorcrm.merchants.models import Merchant, Role, Setup, Staff
from payorcrm.merchants.open import MerchantDetails, NotAMerchant, free_slug
from payorcrm.sign_ups.accept import (
    AddressHasSignIn,
    OneAtATime,
    OpenAlready,
    SignUpOver,
    has_password,
    open_another,
    open_signed_up,
    sign_up_link,
    sign_up_of_link,
)
from payorcrm.sign_ups.ask import KIND, ask_to_sign_up
from payorcrm.sign_ups.models import SignUp
from tests.factories.models import NOW, MerchantFactory, UserFactory

pytestmark = pytest.mark.django_db
HARBOR = MerchantDetails("Harbor & Sons “🦞”", "harbor-sons", "America/Denver", "CAD")


def ask(email: str = "Ada@harbor.example", details: MerchantDetails = HARBOR) -> SignUp:
    return ask_to_sign_up(details=details, name="Ada Reyes", email=email, password="three calm lobsters", now=NOW)


def written() -> list[str]:
    mails = list(Mail.objects.filter(kind=KIND).order_by("id"))
    drafts = composer_of(KIND)(mails, NOW)
    return [drafts[mail.id].text for mail in mails if mail.id in drafts]


def test_nothing_exists_before_the_link_of_the_mail_is_used():
    ask()

    assert not Merchant.objects.exists()
    assert not User.objects.exists()


def test_the_link_opens_the_merchant_with_its_owner_and_a_checklist():
    asked = ask()
    link = re.search(r"/signup/open/([\w-]+)/", written()[0])[1]

    open_signed_up(sign_up=sign_up_of_link(link, NOW), now=NOW)

    staff = Staff.objects.select_related("merchant", "user").get()
    assert (staff.merchant.name, staff.merchant.slug, staff.role) == (HARBOR.name, "harbor-sons", Role.OWNER)
    assert (staff.merchant.time_zone, staff.merchant.currency) == ("America/Denver", "CAD")
    assert (staff.merchant.reply_to, staff.user.name) == ("Ada@harbor.example", "Ada Reyes")
    assert staff.user.check_password("three calm lobsters")
    assert not staff.merchant.is_trusted
    assert Setup.objects.filter(merchant=staff.merchant, closed_at=None).exists()
    assert SignUp.objects.get(id=asked.id).password == ""


def test_a_second_press_opens_nothing_more():
    asked = ask()
    open_signed_up(sign_up=asked, now=NOW)

    with pytest.raises(OpenAlready):
        open_signed_up(sign_up=asked, now=NOW)

    assert Merchant.objects.count() == 1


def test_a_mail_says_nothing_that_a_stranger_typed():
    ask(details=MerchantDetails("Buy at evil.example", "buy", "UTC", "USD"))

    assert "evil.example" not in written()[0]
    assert "Ada" not in written()[0]


def test_who_has_a_sign_in_is_led_to_it_and_keeps_the_password():
    person = UserFactory(email="ada@harbor.example")
    asked = ask()

    text = written()[0]

    assert "/account/login/?next=/signup/" in text
    assert "/signup/open/" not in text
    with pytest.raises(AddressHasSignIn):
        open_signed_up(sign_up=asked, now=NOW)
    assert User.objects.get().password == person.password


def test_a_mail_that_is_sent_after_the_opening_is_withdrawn():
    open_signed_up(sign_up=ask(), now=NOW)

    assert written() == []


def test_a_slug_taken_meanwhile_gives_way_to_a_free_one():
    asked = ask()
    MerchantFactory(slug="harbor-sons")

    assert open_signed_up(sign_up=asked, now=NOW).merchant.slug == "harbor-sons-2"


@pytest.mark.parametrize(
    ("name", "slug"),
    [("Müller & Söhne", "muller-sohne"), ("株式会社", "company"), ("x" * 200, "x" * 50), ("--", "company")],
)
def test_an_address_is_proposed_for_any_name(name, slug):
    assert free_slug(name) == slug


def test_a_link_is_good_for_a_day_and_cannot_be_made_up():
    asked = ask()
    link = sign_up_link(asked, NOW).rsplit("/", 2)[1]

    with pytest.raises(SignUpOver):
        sign_up_of_link(link, NOW + timedelta(days=1, seconds=1))
    with pytest.raises(NotGenuine):
        sign_up_of_link(link[:-1] + ("A" if link[-1] != "A" else "B"), NOW)
    with pytest.raises(NotGenuine):
        sign_up_of_link(sign("sign-up", b"short", now=NOW), NOW)


def test_a_stranger_who_caused_the_mail_does_not_choose_the_owners_password():
    asked = ask()

    assert has_password(asked, "three calm lobsters")
    assert not has_password(asked, "what the owner would type")


def test_what_nobody_answered_is_forgotten():
    earlier = ask()
    SignUp.objects.filter(id=earlier.id).update(asked_at=NOW - timedelta(days=2))

    ask("other@harbor.example")

    assert not SignUp.objects.filter(id=earlier.id).exists()


def test_what_cannot_be_opened_is_refused_before_a_mail_is_sent():
    with pytest.raises(NotAMerchant):
        ask(details=MerchantDetails("Harbor", "harbor", "Mars/Olympus", "USD"))

    assert not Mail.objects.exists()


def test_page_and_time_are_the_same_for_an_address_with_a_sign_in():
    UserFactory(email="ada@harbor.example")

    counts = []
    for email in ("ada@harbor.example", "new@harbor.example"):
        with CaptureQueriesContext(connection) as counted:
            ask(email)
        counts.append(len(counted))

    assert counts[0] == counts[1]


def test_a_second_business_waits_until_the_first_is_trusted():
    details = MerchantDetails("Harbor Two", "harbor-two", "America/Denver", "CAD")
    first = open_signed_up(sign_up=ask(), now=NOW)

    with pytest.raises(OneAtATime, match="Harbor & Sons “🦞” is new here"):
        open_another(first.user, details)
    trust(first.merchant, now=NOW)
    second = open_another(first.user, details)

    assert not second.merchant.is_trusted
