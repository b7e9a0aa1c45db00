"""What time does to saved methods: reminders of deposits, accounts that nobody verified, cards that expire."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import F, Q

from payorcrm.payment_methods import mails
from payorcrm.payment_methods.models import DEPOSITS_LIFE, PaymentMethod, Verification

FIRST_REMINDER, SECOND_REMINDER = timedelta(days=3), timedelta(days=7)


def remind_of_deposits(*, now: datetime) -> int:
    """Mail those who have not named their deposits after three days, and again after seven; return how many."""
    waiting = PaymentMethod.objects.saved().filter(verification=Verification.PENDING, saved_at__gt=now - DEPOSITS_LIFE)
    first = Q(verification_reminded_at=None, saved_at__lte=now - FIRST_REMINDER)
    second = Q(saved_at__lte=now - SECOND_REMINDER, verification_reminded_at__lt=F("saved_at") + SECOND_REMINDER)
    with transaction.atomic():
        due = list(waiting.filter(first | second).select_for_update(skip_locked=True))
        _note(due, verification_reminded_at=now)
        mails.queue_about(due, kind="deposits_reminder", now=now)
    return len(due)


def end_old_verifications(*, now: datetime) -> int:
    """Give up accounts whose deposits nobody has named for two weeks, and say so; return how many."""
    waiting = PaymentMethod.objects.saved().filter(verification=Verification.PENDING)
    with transaction.atomic():
        old = list(waiting.filter(saved_at__lte=now - DEPOSITS_LIFE).select_for_update(skip_locked=True))
        _note(old, verification=Verification.FAILED)
        mails.queue_about(old, kind="method_not_verified", now=now)
    return len(old)


def mail_expiring_cards(*, now: datetime) -> int:
    """Mail once, 30 days before a saved card's last month ends, in the merchant's time zone; return how many."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_EXPIRING, {"now": now})
            ids = [row[0] for row in cursor.fetchall()]
        mails.queue_about(list(PaymentMethod.objects.filter(id__in=ids)), kind="card_expiring", now=now)
    return len(ids)


_EXPIRING = """
UPDATE payment_methods_paymentmethod card SET expiry_mailed_at = %(now)s
  FROM merchants_merchant merchant
 WHERE merchant.id = card.merchant_id
   AND card.kind = 'card' AND card.saved_at IS NOT NULL AND card.removed_at IS NULL AND card.expiry_mailed_at IS NULL
   AND (make_date(card.expiry_year, card.expiry_month, 1) + interval '1 month' - interval '1 day')::date
       BETWEEN (%(now)s AT TIME ZONE merchant.time_zone)::date
           AND (%(now)s AT TIME ZONE merchant.time_zone)::date + 30
RETURNING card.id"""


def _note(methods: list[PaymentMethod], **values: Any) -> None:
    fields: Mapping[str, Any] = values
    PaymentMethod.objects.filter(id__in=[method.id for method in methods]).update(**fields)
