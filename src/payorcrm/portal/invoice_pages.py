"""The pages of the invoice list: their rows and the links to the pages beside them, kept until an invoice changes."""

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import date

from django.http import QueryDict
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from payorcrm.customers.models import Customer
from payorcrm.portal.invoice_list import Wanted
from payorcrm.portal.invoice_rows import rows_of
from payorcrm.ui.paging import page_of
from payorcrm.ui.templatetags.ui import written_pager

_MOST_KEPT = 500


@dataclass(frozen=True, slots=True)
class WrittenPage:
    """A page as HTML."""

    rows: SafeString
    pager: SafeString


_kept: dict[Hashable, tuple[str, WrittenPage]] = {}


def written_page(
    customer: Customer, wanted: Wanted, query: QueryDict, *, today: date, can_pick: bool, version: str
) -> WrittenPage:
    """Return the page of `wanted` that `query` asks for, as it was written before if the `version` is still the same.

    The version is that of `invoices.owed`; a page without one is not kept.
    """
    key = (customer.id, query.urlencode(), today, can_pick, get_language())
    of_version, page = _kept.get(key, ("", None))
    if page is None or of_version != version:
        page = _write(customer, wanted, query, today=today, can_pick=can_pick)
        _keep(key, version, page)
    return page


def _write(customer: Customer, wanted: Wanted, query: QueryDict, *, today: date, can_pick: bool) -> WrittenPage:
    page = page_of(wanted.invoices_of(customer, today=today), by=wanted.by, query=query)
    return WrittenPage(rows_of(page.rows, today=today, can_pick=can_pick), written_pager(page))


def _keep(key: Hashable, version: str, page: WrittenPage) -> None:
    if not version:
        return
    if len(_kept) >= _MOST_KEPT:
        _kept.clear()
    _kept[key] = version, page
