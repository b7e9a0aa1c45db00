"""Dressing a plain-text mail of another library in the one layout of all mails."""

import re
from html import escape

from django.utils.translation import get_language, gettext

from payorcrm.mail.drafts import Draft
from payorcrm.mail.layout import PRODUCT_ACCENT, fill_html, inline_styles, layout_of

_ADDRESS_ALONE = re.compile(r"https?://\S+\Z")
_ADDRESS = re.compile(r"https?://[^\s<>\"]+")


def dress(*, subject: str, text: str) -> str:
    """Return the HTML part for a text: its paragraphs, and a button for an address that stands alone."""
    blocks = [_block(block.strip()) for block in re.split(r"\n\s*\n", text) if block.strip()]
    inner = inline_styles(f"<h1>{escape(subject)}</h1>{''.join(blocks)}", PRODUCT_ACCENT)
    draft = Draft(subject=subject, html=inner, text=text, merchant=None)
    return fill_html(draft, layout_of(None, get_language() or ""))


def _block(block: str) -> str:
    if _ADDRESS_ALONE.match(block):
        return _button(escape(block))
    lines = [_ADDRESS.sub(r'<a href="\g<0>">\g<0></a>', escape(line)) for line in block.splitlines()]
    return f"<p>{'<br>'.join(lines)}</p>"


def _button(address: str) -> str:
    words = escape(gettext("Continue"))
    return (
        '<table role="presentation" class="button-row" width="100%" cellpadding="0" cellspacing="0" border="0"><tr>'
        f'<td class="button" align="center"><a class="button-link" href="{address}">{words}</a></td></tr></table>'
        f'<p class="small muted">{address}</p>'
    )
