"""The page around the rows of the invoice list, written once for all customers of a merchant who see the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from payorcrm.core.language import babel_locale
from payorcrm.invoices.owed import Owed
from payorcrm.portal.access import Visit
from payorcrm.portal.invoice_list import Order, Tab, Wanted, columns_of
from payorcrm.portal.invoice_pages import WrittenPage
from payorcrm.ui.context import Brand
from payorcrm.ui.write_once import render_once

_MOST_HEADS = 500


@dataclass(frozen=True, slots=True)
class Frame:
    """All that the page shows beside what is the customer's own: the head, the rows, and the pages beside them."""

    brand: Brand
    slug: str
    # Said above the page to a user who can change to another customer, and to staff who look.
    company_above: str
    is_viewing: bool
    wanted: Wanted
    # Whether rows begin with a box to tick.
    can_pick: bool
    currencies: tuple[str, ...]
    is_mixed: bool
    is_empty: bool


def can_pick(visit: Visit, wanted: Wanted) -> bool:
    """Say whether invoices of the list can be ticked, to pay them."""
    return wanted.tab == Tab.UNPAID and not visit.is_viewing


def frame_of(request: HttpRequest, visit: Visit, wanted: Wanted, *, owed: Sequence[Owed], is_empty: bool) -> Frame:
    """Return the frame of a visit's list."""
    return Frame(
        brand=request.brand,  # type: ignore[attr-defined]
        slug=visit.merchant.slug,
        company_above=visit.customer.company_name if visit.is_viewing or len(visit.accesses) > 1 else "",
        is_viewing=visit.is_viewing,
        wanted=wanted,
        can_pick=can_pick(visit, wanted),
        currencies=tuple(sorted({each.payable.currency for each in owed} | ({wanted.currency} - {""}))),
        is_mixed=len(owed) > 1,
        is_empty=is_empty,
    )


def render_framed(
    request: HttpRequest, visit: Visit, frame: Frame, *, owed: tuple[Owed, ...], page: WrittenPage
) -> HttpResponse:
    """Render the list with what is the customer's own."""
    slots = {
        "customer_id": SafeString(visit.customer.id),
        "head": _head(visit.customer.company_name, owed, visit.is_viewing, get_language()),
        "rows": page.rows,
        "pager": page.pager,
    }
    return render_once(request, "portal/invoice_list.html", about=frame, shown=lambda: _context_of(frame), slots=slots)


def _context_of(frame: Frame) -> Mapping[str, Any]:
    wanted = frame.wanted
    return {
        "section": "invoices",
        "frame": frame,
        "wanted": wanted,
        "tabs": Tab,
        "orders": Order,
        "columns": columns_of(wanted),
        "here": wanted.address(),
        "locale": babel_locale().replace("_", "-"),
    }


@lru_cache(maxsize=_MOST_HEADS)
def _head(company: str, owed: tuple[Owed, ...], is_viewing: bool, _language: str | None) -> SafeString:  # noqa: FBT001
    # The language is the active one; it is only a part of the key under which the head is kept.
    shown = {"company": company, "owed": owed, "is_viewing": is_viewing}
    return render_to_string("portal/_invoice_head.html", shown)
