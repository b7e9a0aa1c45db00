"""Claiming mails: never more than was asked for, and true words about what is left."""

import pytest
from django.db import connection

from payorcrm.mail.claim import WayOut
from payorcrm.mail.models import Mail
from tests.factories.models import NOW, MerchantFactory
from tests.factories.outbox import queued

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("is_own", [True, False])
def test_an_outbox_that_is_taken_for_empty_gives_no_more_than_a_batch(*, is_own: bool) -> None:
    merchant = MerchantFactory()
    statistics_of_an_emptied_outbox(merchant)
    mails = [queued(merchant=merchant) for _ in range(5)]
    way_out = WayOut(merchant.id if is_own else None, limit=2)

    claimed = [way_out.claim(now=NOW), way_out.claim(now=NOW)]
    was_left = way_out.has_due(now=NOW)
    rest = way_out.claim(now=NOW)

    assert [*claimed, rest] == [mails[:2], mails[2:4], mails[4:]]
    assert (was_left, way_out.has_due(now=NOW)) == (True, False)


def statistics_of_an_emptied_outbox(merchant: object) -> None:
    """As autovacuum leaves them: PostgreSQL then joins by a nested loop, with the limited choice on its inner side."""
    for _ in range(25):
        queued(merchant=merchant)
    Mail.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE mail_mail")
