"""Payment links say one thing, for 90 days, and nobody else can make them."""

from datetime import timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payorcrm.core.signing import NotGenuine
from payorcrm.payments.links import (
    BANK,
    CARD,
    LINK_LIFE,
    LinkExpired,
    open_payment_link,
    open_payment_page,
    open_unsubscribe_link,
    payment_page_token,
    payment_token,
    read_payment_token,
    unsubscribe_link,
)
from tests.factories.models import NOW


@pytest.mark.parametrize("choice", [CARD, BANK, "6f1c2d1e-7f0a-4d38-9f0e-1f3f6a2b9c44"])
def test_link_names_its_request_and_choice(choice):
    request_id = uuid4()

    link = open_payment_link(payment_token(request_id, choice, NOW), now=NOW + LINK_LIFE)

    assert (link.request_id, link.choice) == (request_id, choice)


def test_link_older_than_ninety_days_is_expired_but_still_tells_what_it_was():
    token = payment_token(uuid4(), CARD, NOW)

    with pytest.raises(LinkExpired):
        open_payment_link(token, now=NOW + LINK_LIFE + timedelta(seconds=1))
    assert read_payment_token(token).choice == CARD


@given(place=st.integers(0, 70), letter=st.sampled_from("AZaz09-_"))
def test_any_changed_letter_makes_a_link_worthless(place, letter):
    token = payment_token(uuid4(), CARD, NOW)
    changed = token[:place] + letter + token[place + 1 :]

    if changed != token and not _is_same_bytes(changed, token):
        with pytest.raises(NotGenuine):
            read_payment_token(changed)


@given(text=st.text(max_size=200))
def test_nonsense_is_never_a_link(text):
    with pytest.raises(NotGenuine):
        read_payment_token(text)


def test_link_of_one_purpose_opens_nothing_else():
    with pytest.raises(NotGenuine):
        open_unsubscribe_link(payment_page_token(uuid4(), NOW))
    with pytest.raises(NotGenuine):
        open_payment_page(payment_token(uuid4(), CARD, NOW), now=NOW)


def test_link_made_under_an_older_key_still_opens_and_under_a_removed_one_does_not(settings):
    settings.LINK_KEYS = ["old"]
    token = payment_token(uuid4(), CARD, NOW)

    settings.LINK_KEYS = ["new", "old"]
    assert read_payment_token(token).choice == CARD
    settings.LINK_KEYS = ["new"]
    with pytest.raises(NotGenuine):
        read_payment_token(token)


def test_unsubscribe_link_names_its_customer():
    customer_id = uuid4()

    token = unsubscribe_link(customer_id, NOW).rstrip("/").rpartition("/")[2]

    assert open_unsubscribe_link(token) == customer_id


def _is_same_bytes(one: str, other: str) -> bool:
    # The last letter of base64 without padding has bits that carry nothing.
    return one[:-1] == other[:-1]
