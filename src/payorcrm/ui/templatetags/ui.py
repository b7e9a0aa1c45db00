"""The tags of every page; loaded everywhere, so that templates need no `load`."""

from datetime import date, datetime, time
from functools import cache, lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from babel.numbers import format_decimal
from django import template
from django.forms import BoundField, CheckboxInput
from django.template import Context
from django.template.loader import render_to_string
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from heroicons.templatetags.heroicons import heroicon_mini

from payorcrm.core.clock import now
from payorcrm.core.language import babel_locale
from payorcrm.core.money import Money
from payorcrm.core.write_dates import write_day, write_moment, write_time
from payorcrm.ui.badges import look_of
from payorcrm.ui.paging import Page

register = template.Library()
_NOTHING = SafeString('<span class="muted">–</span>')
_CARDS = {
    "visa": "Visa",
    "mastercard": "Mastercard",
    "amex": "American Express",
    "discover": "Discover",
    "diners": "Diners Club",
    "jcb": "JCB",
    "unionpay": "UnionPay",
}
_ALONG_THE_LINE = ("chevron-left", "chevron-right", "arrow-right", "arrow-left", "arrow-uturn")


@register.simple_tag
@cache
def icon(name: str) -> str:
    """Draw a 20-pixel heroicon that says nothing to a screen reader; words stand beside it."""
    # Those that point along the line are mirrored where lines run from right to left.
    looks = "icon onward" if name.startswith(_ALONG_THE_LINE) else "icon"
    return heroicon_mini(name, **{"class": looks, "aria_hidden": "true"})  # type: ignore[arg-type]


@register.simple_tag
def kept(template_name: str, **given: Any) -> str:
    """Include a template that shows nothing but the values given here; it is written once for each of them."""
    return _kept(template_name, get_language() or "", tuple(given.items()))


@lru_cache(maxsize=2048)
def _kept(template_name: str, _language: str, given: tuple[tuple[str, Any], ...]) -> SafeString:
    return render_to_string(template_name, dict(given))


@register.simple_tag
def badge(state: Any, label: str = "") -> str:
    """Show a state with its colour, icon and word; `state` is an enum member, or a value with a `label`."""
    value = str(state)
    look = look_of(value)
    words = label or getattr(state, "label", "") or value.replace("_", " ").capitalize()
    return format_html('<span class="badge {}">{}{}</span>', look.tone, icon(look.icon), words)


@register.simple_tag(takes_context=True)
def standing(context: Context, invoice: Any) -> str:
    """Show where an invoice stands today in the merchant's time zone: "Overdue" rather than "Open"."""
    return badge(invoice.standing(today=_local(context, now()).date()))


@register.simple_tag
def money(amount: Money | None) -> str:
    """Write an amount that never breaks across lines."""
    if amount is None:
        return _NOTHING
    return format_html('<span class="money">{}</span>', amount.format().replace("-", "\N{MINUS SIGN}"))


@register.simple_tag
def moneys(amounts: list[Money]) -> str:
    """Write amounts of several currencies, one below the other."""
    return format_html_join(SafeString("<br>"), "{}", ((money(amount),) for amount in amounts)) if amounts else _NOTHING


@register.simple_tag
def dot(state: Any) -> str:
    """Draw the dot of a time line in the colour of a state."""
    look = look_of(str(state))
    return format_html('<span class="dot {}">{}</span>', look.tone, icon(look.icon))


@register.simple_tag(takes_context=True)
def day(context: Context, value: date | datetime | None) -> str:
    """Write a day as "Nov 22, 2026"; a moment is put into the merchant's time zone first."""
    if value is None:
        return _NOTHING
    shown = _local(context, value).date() if isinstance(value, datetime) else value
    return format_html(
        '<time class="nowrap" datetime="{}">{}</time>',
        shown.isoformat(),
        write_day(shown),
    )


@register.simple_tag(takes_context=True)
def moment(context: Context, value: datetime | None) -> str:
    """Write a moment as "Nov 22, 2026, 6:34 PM EST" in the merchant's time zone."""
    if value is None:
        return _NOTHING
    local = _local(context, value)
    return format_html('<time class="nowrap" datetime="{}">{}</time>', value.isoformat(), write_moment(local))


@register.simple_tag
def time_of_day(value: time) -> str:
    """Write a time of day, such as "9:00 AM"."""
    return write_time(value)


def _local(context: Context, value: datetime) -> datetime:
    brand = context.get("brand")
    return value.astimezone(ZoneInfo(brand.time_zone if brand else "UTC"))


@register.simple_tag
def method_chip(method: Any) -> str:
    """Show a card or bank account as people know it: icon, "Visa •••• 0027". The dots are read out as "ending in"."""
    if method is None:
        return _NOTHING
    is_card = str(method.kind) == "card"
    name = _CARDS.get(method.brand, method.brand.title()) if is_card else method.bank_name
    dots = format_html('<span aria-hidden="true">••••</span><span class="unseen">{}</span>', _("ending in"))
    return format_html(
        '<span class="chip">{}<span>{} <span class="nowrap">{} {}</span></span></span>',
        icon("credit-card" if is_card else "building-library"),
        name or (_("Card") if is_card else _("Bank account")),
        dots,
        method.last4,
    )


@register.simple_tag
def way_chip(payment: Any) -> str:
    """Show how a payment was made: its card or bank account, or that it came offline: "Cheque 1042"."""
    if payment.method is not None:
        return method_chip(payment.method)
    return format_html('<span class="chip">{}<span>{}</span></span>', icon("banknotes"), payment.way())


@register.inclusion_tag("ui/alert.html")
def alert(tone: str, title: str, text: str = "") -> dict[str, str]:
    """Say something that matters; tones are good, note, warn, bad."""
    icons = {
        "good": "check-circle",
        "note": "information-circle",
        "warn": "exclamation-triangle",
        "bad": "x-circle",
    }
    return {"tone": tone, "title": title, "text": text, "icon_name": icons[tone]}


@register.inclusion_tag("ui/empty.html")
def empty(
    icon_name: str,
    title: str,
    text: str = "",
    url: str = "",
    label: str = "",
    other_url: str = "",
    other_label: str = "",
) -> dict[str, str]:
    """Fill a list that has nothing to show, and say what to do next, perhaps in one of two ways."""
    return {
        "icon_name": icon_name,
        "title": title,
        "text": text,
        "url": url,
        "label": label,
        "other_url": other_url,
        "other_label": other_label,
    }


@register.simple_tag(name="pager")
def written_pager(page: Page[Any]) -> SafeString:
    """Lead to the pages before and after."""
    return _kept("ui/pager.html", get_language() or "", (("next", page.next), ("previous", page.previous)))


@register.inclusion_tag("ui/field.html")
def field(bound: BoundField, width: str = "") -> dict[str, object]:
    """Draw one field of a form; `width` is a class such as `short`, `wide` or `digits`."""
    return {"field": bound, "width": width}


@register.filter
def is_checkbox(bound: BoundField) -> bool:
    """Say whether a field is a single box to tick, whose label stands behind it."""
    return isinstance(bound.field.widget, CheckboxInput)


@register.filter
def grouped(count: int) -> str:
    """Write a count as people do: "9,990"."""
    return format_decimal(count, locale=babel_locale())


@register.filter
def in_words(value: str) -> str:
    """Write `payment_receipt` as "Payment receipt"."""
    return value.replace("_", " ").capitalize()


@register.filter
def tone_of_message(level_tag: str) -> str:
    """Translate Django's word for a message's level."""
    return {"success": "good", "warning": "warn", "error": "bad"}.get(level_tag, "note")
