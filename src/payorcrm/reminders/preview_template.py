"""Shows a text as one customer's mail, by day and by night, without storing or sending anything."""

import re
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings

from payorcrm.core.clock import day_in
from payorcrm.customers.models import Customer
from payorcrm.mail.layout import fill_html, layout_of
from payorcrm.mail.models import Mail
from payorcrm.merchants.models import Merchant
from payorcrm.reminders.facts import Facts, read_customers
from payorcrm.reminders.mails import draft_of
from payorcrm.reminders.models import ReminderRun, ReminderTemplate
from payorcrm.reminders.parts import Row
from payorcrm.reminders.templates import clean_body, clean_subject

NOBODY = UUID(int=0)
SAMPLE_ROWS = (("43250", 196, 12_100), ("40678", 73, 12_600), ("41192", 70, 17_400), ("41665", 12, 72_900))
SAMPLE_NAMES = ("Jo", "Miller", "Acme Tools")
# What mail clients do of themselves in the dark: they ask the mail's own styles for it.
_IN_THE_DARK = "(prefers-color-scheme: dark)"
_ANY_SCHEME = 'content="light dark"'
_PICTURE = re.compile(r'<img\b[^>]*\bsrc="(https?://[^"]*)"[^>]*>', re.IGNORECASE)
_GIVEN = re.compile(r'\b(alt|width|height)="([^"]*)"', re.IGNORECASE)


def preview_template(
    *,
    merchant: Merchant,
    customer: Customer | None,
    subject: str,
    body: str,
    now: datetime,
    language: str = "",
    is_dark: bool = False,
) -> str:
    """Return the HTML that a customer would get; without overdue invoices, with invented ones.

    Its links lead nowhere. Raises TemplateRefused and its kinds.
    """
    subject, body = clean_subject(subject), clean_body(body)
    facts = sample_facts(merchant=merchant, customer=customer, subject=subject, body=body, language=language, now=now)
    fill_samples([facts])
    draft = draft_of(facts, now)
    html = fill_html(draft, layout_of(merchant, draft.language))
    scheme, applies = ("dark", "all") if is_dark else ("light", "not all")
    html = html.replace(_IN_THE_DARK, applies).replace(_ANY_SCHEME, f'content="{scheme}"')
    return _PICTURE.sub(_box_for, html)


def _box_for(picture: re.Match[str]) -> str:
    """Put a box of its size in place of a picture from another server, which the page that previews does not ask."""
    if picture[1].startswith(f"{settings.PUBLIC_URL}/"):
        return picture[0]
    given = {name.lower(): value for name, value in _GIVEN.findall(picture[0])}
    sides = [("width", given.get("width", "")), ("min-height", given.get("height", ""))]
    size = "".join(f"{side}:{pixels}px;" for side, pixels in sides if pixels.isdecimal())
    alt = f"“{given['alt']}”, a picture" if given.get("alt") else "A picture"
    return (
        f'<span style="display:inline-block;box-sizing:border-box;max-width:100%;{size}padding:8px 12px;'
        'border:1px dashed currentcolor;border-radius:4px;font-size:13px;line-height:1.4;">'
        f"{alt} from another server: shown in the mail, not in this preview.</span>"
    )


def sample_facts(
    *,
    merchant: Merchant,
    customer: Customer | None,
    subject: str,
    body: str,
    language: str,
    now: datetime,
    to_address: str = "",
) -> Facts:
    """Return whom a clean text would go to; `to_address` makes it say that it is a test."""
    template = ReminderTemplate(merchant=merchant, subject=subject, body=body)
    return Facts(
        mail=Mail(merchant=merchant),
        run=ReminderRun(merchant=merchant, template=template, to_address=to_address),
        request_id=NOBODY,
        customer_id=customer.id if customer else NOBODY,
        currency=merchant.currency,
        company_name=customer.company_name if customer else SAMPLE_NAMES[2],
        today=day_in(merchant.time_zone, now),
        language=language or (customer.language if customer else "") or merchant.language,
    )


def fill_samples(samples: list[Facts]) -> None:
    """Read what the customers owe; invent it for those who owe nothing, and the names of nobody."""
    read_customers(samples)
    for facts in samples:
        if facts.customer_id == NOBODY:
            facts.first_name, facts.last_name, _ = SAMPLE_NAMES
            facts.may_sign_in = True
        if not facts.rows:
            facts.rows = [
                Row(number, facts.today - timedelta(days=days), payable, NOBODY)
                for number, days, payable in SAMPLE_ROWS
            ]
