"""Plans the invoices of the invented business: which customer, when, how much, and what became of each. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from random import Random

from payorcrm.demo.business import COMPANIES
from payorcrm.demo.plan_methods import SAVERS

SEED = 2026
TERMS = timedelta(days=30)
FIRST_NUMBER = 20_401

# The customer to play owes $1,150.00 for eight overdue invoices, as (days overdue, dollars).
PLAYED_OVERDUE = ((52, 121), (45, 126), (38, 174), (31, 118), (24, 117), (17, 161), (10, 181), (3, 152))
PLAYED_NOT_DUE = (-11, 139)
PLAYED_PAID = ((118, 148), (96, 205), (75, 132), (66, 97))

BUYS_IN_CANADA = "Café Étoile Filante"


class Fate(StrEnum):
    """What became of an invoice, but for payments that failed."""

    DRAFT = "draft"
    OPEN = "open"
    PARTLY_ELSEWHERE = "partly_elsewhere"
    ELSEWHERE = "elsewhere"
    PAID_HERE = "paid_here"
    VOIDED = "voided"
    WRITTEN_OFF = "written_off"


@dataclass(frozen=True, slots=True)
class PlannedInvoice:
    """One invoice; `customer` is its place among the companies, `settled` what was paid outside; amounts in cents."""

    number: str
    customer: int
    issued_on: date
    due_on: date
    currency: str
    total: int
    fate: Fate
    settled: int = 0


@dataclass(frozen=True, slots=True)
class _Draft:
    customer: int
    days_overdue: int
    total: int
    fate: Fate


def plan_invoices(today: date) -> list[PlannedInvoice]:
    """Return about 400 invoices, the oldest first; the same ones every time, but for the days."""
    drafts = [*_of_played(), *(draft for place in range(1, len(COMPANIES)) for draft in _of_company(place))]
    in_order = sorted(drafts, key=lambda draft: (-draft.days_overdue, draft.customer, draft.total))
    return [_planned(FIRST_NUMBER + count, draft, today) for count, draft in enumerate(in_order)]


def _of_played() -> Iterator[_Draft]:
    for days, dollars in (*PLAYED_OVERDUE, PLAYED_NOT_DUE):
        yield _Draft(0, days, dollars * 100, Fate.OPEN)
    for days, dollars in PLAYED_PAID:
        yield _Draft(0, days, dollars * 100, Fate.PAID_HERE)


def _of_company(place: int) -> Iterator[_Draft]:
    random = Random(SEED + place)  # noqa: S311
    size = random.choice((1, 1, 2, 4))
    for days in range(-26 + random.randrange(9), 176, random.choice((17, 19, 21, 23))):
        total = size * random.randrange(3_500, 42_000, 5)
        yield _Draft(place, days, total, _fate(place, days, random))


def _fate(place: int, days: int, random: Random) -> Fate:
    """Choose what became of an invoice: the older, the more likely it is settled; none over 120 days late is open."""
    if days < -20 and random.random() < 0.3:
        return Fate.DRAFT
    if days <= 0:
        return Fate.OPEN
    chance = random.random()
    if days > 90 and chance < 0.08:
        return Fate.WRITTEN_OFF
    if chance < 0.11:
        return Fate.VOIDED
    if days <= 120 and chance < 0.52 - days / 400:
        return Fate.PARTLY_ELSEWHERE if chance < 0.16 else Fate.OPEN
    return Fate.PAID_HERE if place in SAVERS and days > 8 else Fate.ELSEWHERE


def _planned(number: int, draft: _Draft, today: date) -> PlannedInvoice:
    due_on = today - timedelta(days=draft.days_overdue)
    shares = {Fate.ELSEWHERE: draft.total, Fate.PARTLY_ELSEWHERE: draft.total * 2 // 5}
    abroad = COMPANIES[draft.customer].name == BUYS_IN_CANADA and number % 2 == 0
    return PlannedInvoice(
        number=f"INV-{number}",
        customer=draft.customer,
        issued_on=min(due_on - TERMS, today),
        due_on=due_on,
        currency="CAD" if abroad else "USD",
        total=draft.total,
        fate=draft.fate,
        settled=shares.get(draft.fate, 0),
    )
