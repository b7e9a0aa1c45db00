"""The parts of the invoice list around its rows, written once for all pages that show the same."""

from dataclasses import dataclass
from functools import lru_cache

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from payorcrm.core.language import babel_locale
from payorcrm.invoices.owed import Owed
from payorcrm.portal.invoice_list import Order, Tab, Wanted, columns_of

_MOST_KEPT = 500


@dataclass(frozen=True, slots=True)
class Around:
    """All that the parts show."""

    company: str
    owed: tuple[Owed, ...]
    wanted: Wanted
    is_empty: bool
    is_viewing: bool

    @property
    def can_pick(self) -> bool:
        """Whether rows begin with a box to tick."""
        return self.wanted.tab == Tab.UNPAID and not self.is_viewing

    @property
    def currencies(self) -> list[str]:
        """The currencies to choose from."""
        return sorted({each.payable.currency for each in self.owed} | ({self.wanted.currency} - {""}))


@dataclass(frozen=True, slots=True)
class Parts:
    """What stands above the list, on top of the table, in its head, and in the bar below; and where forms go."""

    head: SafeString
    tools: SafeString
    columns: SafeString
    bar: SafeString
    basket: str


def parts_of(around: Around) -> Parts:
    """Return the parts in the active language."""
    return _write(around, get_language() or "")


@lru_cache(maxsize=_MOST_KEPT)
def _write(around: Around, _language: str) -> Parts:
    shown = {
        "around": around,
        "wanted": around.wanted,
        "owed": around.owed,
        "tabs": Tab,
        "orders": Order,
        "columns": columns_of(around.wanted),
        "here": around.wanted.address(),
        "locale": babel_locale().replace("_", "-"),
    }
    return Parts(
        head=render_to_string("portal/_invoice_head.html", shown),
        tools=render_to_string("portal/_invoice_tools.html", shown),
        columns=render_to_string("portal/_invoice_columns.html", shown),
        bar=render_to_string("portal/_invoice_bar.html", shown) if around.can_pick else SafeString(),
        basket=reverse("portal:basket"),
    )
