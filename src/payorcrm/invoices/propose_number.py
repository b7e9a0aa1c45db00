"""Proposes the number of the next invoice: the latest one, counted on."""

import re
from uuid import UUID

from django.db.models import Max
from django.db.models.functions import Length

from payorcrm.invoices.models import Invoice

FIRST = "INV-0001"
_LOOKED_AT = 200
_MOST_DIGITS = 18


def propose_number(merchant_id: UUID) -> str:
    """Return a number that is free, made of the merchant's latest one; nothing if that one does not end in digits."""
    invoices = Invoice.objects.filter(merchant=merchant_id)
    # Keys are in the order of time, and there is an index of them.
    number = invoices.order_by("-id").values_list("number", flat=True).first()
    if number is None:
        return FIRST
    match = re.fullmatch(rf"(.*?)(\d{{1,{_MOST_DIGITS}}})", number, re.ASCII | re.DOTALL)
    if not match:
        return ""
    stem, digits = match.groups()
    following = [f"{stem}{int(digits) + step:0{len(digits)}}" for step in range(1, _LOOKED_AT + 1)]
    taken = set(invoices.filter(number__in=following).values_list("number", flat=True))
    free = next((each for each in following if each not in taken), "") or _after_the_highest(merchant_id, stem, digits)
    return free if len(free) <= 64 else ""


def _after_the_highest(merchant_id: UUID, stem: str, digits: str) -> str:
    """Count on from the highest number of the same make: the rows of one import have no order of their own."""
    same = Invoice.objects.filter(merchant=merchant_id, number__startswith=stem).annotate(long=Length("number"))
    highest = same.filter(long=len(stem) + len(digits)).aggregate(found=Max("number"))["found"] or ""
    tail = highest[len(stem) :]
    return f"{stem}{int(tail) + 1:0{len(digits)}}" if tail.isascii() and tail.isdigit() else ""
