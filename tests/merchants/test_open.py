"""Opening a merchant, and refusing what cannot be one."""

import pytest

from payorcrm.core.models import User
from payorcrm.merchants.models import Merchant, Role
from payorcrm.merchants.open import NotAMerchant, open_merchant

GOOD = {
    "name": "Harbor Supply",
    "slug": "harbor-supply",
    "owner_email": "Ada@harbor.example",
    "time_zone": "America/New_York",
    "currency": "USD",
}


def test_merchant_has_an_owner_who_must_choose_a_password(db):
    merchant = open_merchant(**GOOD)

    (staff,) = merchant.staff.all()
    assert (staff.role, staff.user.email) == (Role.OWNER, "Ada@harbor.example")
    assert not staff.user.has_usable_password()


def test_known_user_becomes_owner_of_a_second_merchant(db):
    open_merchant(**GOOD)

    open_merchant(**GOOD | {"slug": "second", "owner_email": "ada@HARBOR.example"})

    assert User.objects.count() == 1
    assert Merchant.objects.count() == 2


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "  "),
        ("slug", "not a slug"),
        ("owner_email", "nobody"),
        ("time_zone", "Mars/Olympus"),
        ("time_zone", "../etc"),
        ("currency", "XYZ"),
    ],
)
def test_bad_detail_is_refused_and_named(db, field, value):
    with pytest.raises(NotAMerchant) as refused:
        open_merchant(**GOOD | {field: value})

    assert value.strip() in str(refused.value)
    assert not Merchant.objects.exists()


def test_slug_is_taken_once(db):
    open_merchant(**GOOD)

    with pytest.raises(NotAMerchant, match="already"):
        open_merchant(**GOOD)
