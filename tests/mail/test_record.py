"""What is written down about a mail that its facts keep back: it is tried later and later, and given up at last."""

from datetime import timedelta

import pytest

from payorcrm.mail.claim import WayOut
from payorcrm.mail.compose import queue_mail
from payorcrm.mail.models import Mail, MailState
from payorcrm.mail.record import MAX_ATTEMPTS, Result, write_down
from payorcrm.mail.transport import KEPT_BACK, KEPT_BACK_AGAIN
from tests.factories.models import NOW, MerchantFactory


@pytest.mark.django_db(transaction=True)
def test_a_mail_that_is_kept_back_every_time_is_tried_later_and_later_and_given_up_at_last():
    merchant = MerchantFactory()
    queue_mail(
        kind="reminder",
        about_id=None,
        merchant=merchant,
        customer_id=None,
        to_address="a@b.example",
        to_name="",
        now=NOW,
    )
    now, pauses, said = NOW, [], []

    while claimed := WayOut().claim(now=now):
        write_down([Result(claimed[0], KEPT_BACK)], now=now)
        mail = Mail.objects.get()
        pauses.append((mail.send_after - now) // timedelta(minutes=1))
        said.append(mail.last_error)
        now = mail.send_after

    assert pauses[:7] == [1, 1, 5, 15, 60, 240, 240]
    assert said[:3] == [KEPT_BACK.error, KEPT_BACK_AGAIN, KEPT_BACK_AGAIN]
    assert (mail.state, len(said)) == (MailState.FAILED, MAX_ATTEMPTS + 1)
    assert mail.last_error == f"Given up after {MAX_ATTEMPTS} tries. {KEPT_BACK_AGAIN}"
