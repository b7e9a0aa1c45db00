"""Statements that take too long together are broken off and leave the transaction as it was."""

from datetime import timedelta

import pytest
from django.db import OperationalError, connection

from payorcrm.core.time_limit import TookTooLong, at_most
from payorcrm.merchants.models import Merchant
from tests.factories.models import MerchantFactory

pytestmark = pytest.mark.django_db


def ask(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def open_a_shop(naps: list[float]) -> None:
    MerchantFactory()
    for nap in naps:
        ask(f"SELECT pg_sleep({nap})")


@pytest.mark.parametrize("naps", [[5], [0.02] * 20])
def test_what_takes_too_long_is_broken_off_and_undone(naps):
    with pytest.raises(TookTooLong), at_most(timedelta(milliseconds=100)):
        open_a_shop(naps)

    assert not Merchant.objects.exists()


def test_what_is_done_in_time_stays_and_limits_nothing_after_it():
    with at_most(timedelta(milliseconds=200)):
        open_a_shop([])
    ask("SELECT pg_sleep(0.25)")

    assert Merchant.objects.exists()


def test_other_trouble_stays_what_it_is():
    with (
        pytest.raises(OperationalError, match="deadlock"),
        at_most(timedelta(seconds=1)),
        connection.cursor() as cursor,
    ):
        cursor.execute("DO $$ BEGIN RAISE EXCEPTION 'a deadlock' USING ERRCODE = '40P01'; END $$")
