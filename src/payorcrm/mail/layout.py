"""The one layout of all mails: the merchant's name, logo and colour around what a composer wrote.

It is rendered and inlined once per appearance of a merchant and language; a mail only fills the gaps.
"""

from dataclasses import dataclass
from functools import lru_cache
from html import escape

from css_inline import CSSInliner
from django.template import Context, Engine
from django.utils.translation import gettext

from payorcrm.core.language import direction_of, speaking
from payorcrm.mail.drafts import Draft
from payorcrm.mail.marks import Marks
from payorcrm.merchants.branding import logo_says_name, logo_url
from payorcrm.merchants.models import Merchant
from payorcrm.ui.colors import palette_of

PRODUCT_ACCENT = "#0f62a8"
# In the order in which they stand in the layout.
MARKS = Marks(("subject", "preheader", "body", "reason", "unsubscribe"))


@dataclass(frozen=True, slots=True)
class Letterhead:
    """How a sender looks in a mail."""

    name: str
    accent: str
    address: str = ""
    phone: str = ""
    reply_to: str = ""
    logo_url: str = ""
    logo_says_name: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """The finished HTML around a mail, cut open at its gaps, and the last lines of the text part."""

    pieces: tuple[str, ...]
    signature: str
    unsubscribe: str


def letterhead_of(merchant: Merchant | None) -> Letterhead:
    """Return how a merchant looks; without one, the product itself."""
    if merchant is None:
        return Letterhead(name="PayorCRM", accent=PRODUCT_ACCENT)
    return Letterhead(
        name=merchant.name,
        accent=merchant.accent_color,
        address=merchant.address,
        phone=merchant.phone,
        reply_to=merchant.reply_to,
        logo_url=logo_url(merchant),
        logo_says_name=logo_says_name(merchant),
    )


def accent_of(merchant: Merchant | None) -> str:
    """Return the colour of a merchant's buttons and links."""
    return merchant.accent_color if merchant else PRODUCT_ACCENT


def layout_of(merchant: Merchant | None, language: str = "") -> Layout:
    """Return the layout of a merchant's mails, its own words in a language."""
    return _make_layout(letterhead_of(merchant), language or "en")


def fill_html(draft: Draft, layout: Layout) -> str:
    """Put a draft into the layout."""
    before, after_subject, after_preheader, after_body, after_reason, after_unsubscribe = layout.pieces
    link = escape(draft.list_unsubscribe)
    unsubscribe = (
        f' <a href="{link}" class="fine-link" style="color:#5b6778;text-decoration:underline;">'
        f"{escape(layout.unsubscribe)}</a>"
        if link
        else ""
    )
    return "".join(
        (
            before,
            escape(draft.subject),
            after_subject,
            escape(draft.preheader),
            after_preheader,
            draft.html,
            after_body,
            escape(draft.reason),
            after_reason,
            unsubscribe,
            after_unsubscribe,
        )
    )


def fill_text(draft: Draft, layout: Layout) -> str:
    """Return the text part with its last lines: who writes, why, and how to end it."""
    lines = [draft.text.rstrip("\n"), "", "-- ", layout.signature]
    if draft.reason:
        lines += ["", draft.reason]
    if draft.list_unsubscribe:
        lines.append(f"{layout.unsubscribe}: {draft.list_unsubscribe}")
    return "\n".join(lines) + "\n"


def inline_styles(html: str, accent: str) -> str:
    """Write the styles of `mail/mail.css` into a fragment's elements, where every mail client finds them."""
    return _inliner().inline_fragment(html, stylesheet(accent))


@lru_cache(maxsize=64)
def stylesheet(accent: str) -> str:
    """Return the stylesheet in the shades of an accent colour."""
    palette = palette_of(accent)
    values = {"light": palette.light, "dark": palette.dark}
    return _engine().get_template("mail/mail.css").render(Context(values, autoescape=False))


@lru_cache(maxsize=64)
def _make_layout(letterhead: Letterhead, language: str) -> Layout:
    values = {"letterhead": letterhead, "stylesheet": stylesheet(letterhead.accent), **MARKS.by_gap}
    values |= {"language": language, "direction": direction_of(language)}
    with speaking(language):
        html = _inliner().inline(_engine().get_template("mail/base.html").render(Context(values)))
        unsubscribe = gettext("Unsubscribe from reminders")
    return Layout(pieces=MARKS.cut(html)[::2], signature=_signature(letterhead), unsubscribe=unsubscribe)


def _signature(letterhead: Letterhead) -> str:
    lines = [letterhead.name, *letterhead.address.splitlines(), letterhead.phone]
    return "\n".join(line.strip() for line in lines if line.strip())


@lru_cache(maxsize=1)
def _inliner() -> CSSInliner:
    return CSSInliner(load_remote_stylesheets=False, keep_at_rules=True)


@lru_cache(maxsize=1)
def _engine() -> Engine:
    return Engine(app_dirs=True)
