"""What payments and refunds note about asking the processor again: a silent one is asked less and less."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Least

MOST_COUNTED = 9999


class Asked(models.Model):
    """`ask_after` is when the processor is asked again what became of it, `asked_at` when it was asked last."""

    asked_count = models.PositiveSmallIntegerField(default=0, db_default=0)
    asked_at = models.DateTimeField(null=True, blank=True)
    ask_after = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True

    def note_asking(self, pauses: Sequence[timedelta], now: datetime) -> None:
        """Write down that it is asked, before that happens: a worker that is killed over it must not ask on and on.

        The next time is after the pause that comes next, the last one over and over.
        """
        pause = pauses[min(self.asked_count, len(pauses) - 1)]
        type(self)._default_manager.filter(pk=self.pk).update(
            asked_count=Least(F("asked_count") + 1, MOST_COUNTED), asked_at=now, ask_after=now + pause
        )


def is_to_ask(*, now: datetime) -> Q:
    """Filter those not asked about just now; of new ones, those whose page has given up waiting for the answer."""
    before = now - timedelta(seconds=settings.GATEWAY_TIMEOUT_SECONDS)
    return Q(ask_after__lte=now) | Q(ask_after=None, submitted_at__lt=before)
