"""What people say of a new merchant's checklist: this step not now, or no list any more."""

from collections.abc import Callable
from datetime import datetime

from django.db import transaction

from payorcrm.merchants.models import Merchant, Setup


def skip_step(merchant: Merchant, name: str) -> None:
    """Pass over a step."""
    _change(merchant, lambda skipped: skipped | {name})


def take_step_up(merchant: Merchant, name: str) -> None:
    """Take a step up again that was passed over."""
    _change(merchant, lambda skipped: skipped - {name})


def close_setup(merchant: Merchant, *, now: datetime) -> None:
    """Take the checklist away; a second press changes nothing."""
    Setup.objects.filter(merchant=merchant, closed_at=None).update(closed_at=now)


def _change(merchant: Merchant, change: Callable[[set[str]], set[str]]) -> None:
    with transaction.atomic():
        setup = Setup.objects.select_for_update().filter(merchant=merchant).first()
        if setup:
            setup.skipped = sorted(change(set(setup.skipped)))
            setup.save(update_fields=["skipped"])
