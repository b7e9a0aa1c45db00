"""Plans what the invoices of the invented business bill: goods that suit the customer, and the delivery. Pure."""

from collections.abc import Iterator
from decimal import Decimal
from random import Random

from payorcrm.core.money import Money
from payorcrm.demo.business import COMPANIES
from payorcrm.demo.plan_invoices import SEED, PlannedInvoice
from payorcrm.invoices.lines import BilledLine

# Each with a price in dollars that the actual one lies near.
GOODS: dict[str, tuple[tuple[str, int], ...]] = {
    "Restaurants": (
        ("Bread flour, 50 lb bag", 24),
        ("Olive oil, 3 L tin", 31),
        ("Sea salt, 3 kg tub", 9),
        ("Linen napkins, dozen", 18),
        ("Takeaway boxes, case of 300", 42),
    ),
    "Retail": (
        ("Canvas tote, natural", 6),
        ("Beeswax candles, box of 12", 27),
        ("Enamel mugs, set of 6", 34),
        ("Kraft paper roll, 60 m", 15),
        ("Gift tags, pack of 100", 8),
    ),
    "Offices": (
        ("Copy paper, case of 10", 46),
        ("Ground coffee, 5 lb", 39),
        ("Hand soap refill, 1 gal", 14),
        ("Paper towels, case of 12", 28),
    ),
    "Schools": (
        ("Drawing paper, ream", 12),
        ("Tempera paint, set of 8", 22),
        ("Glue sticks, box of 30", 17),
        ("Storage bins, stackable", 11),
    ),
    "Hospitality": (
        ("Bath towels, dozen", 64),
        ("Pillow cases, dozen", 38),
        ("Breakfast tea, 500 bags", 29),
        ("Room slippers, 50 pairs", 45),
    ),
    "Trades": (
        ("Work gloves, dozen pairs", 33),
        ("Contractor bags, case", 26),
        ("Masking tape, case of 24", 41),
        ("Utility blades, box of 100", 13),
    ),
}
_QUANTITIES = (1, 2, 3, 4, 5, 6, 8, 10, 12)


def plan_lines(planned: PlannedInvoice) -> list[BilledLine]:
    """Return lines that add up to the invoice's total; the same ones every time."""
    random = Random(f"{SEED} {planned.number}")  # noqa: S311
    category = COMPANIES[planned.customer].category
    goods = random.sample(GOODS[category], k=min(3, 1 + planned.total // 9_000))
    lines = list(_goods(random, goods, planned.total - 900, planned.currency))
    delivery = planned.total - sum(line.amount.minor for line in lines)
    return [*lines, BilledLine("Delivery", Money(delivery, planned.currency))]


def _goods(random: Random, goods: list[tuple[str, int]], cents: int, currency: str) -> Iterator[BilledLine]:
    """Yield goods for about `cents`, never more, at prices that end in 0 or 5."""
    weights = [random.randrange(2, 6) for _ in goods]
    for (description, dollars), weight in zip(goods, weights, strict=True):
        share = cents * weight // sum(weights)
        quantity = max((each for each in _QUANTITIES if each * dollars * 100 <= share), default=1)
        if quantity == _QUANTITIES[-1]:
            quantity = share // (dollars * 100)
        price = share // quantity // 5 * 5
        yield BilledLine(description, Money(quantity * price, currency), Decimal(quantity), Money(price, currency))
