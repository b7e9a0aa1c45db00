"""The door for packages that send mail: queue one, register who writes it, and make a draft from templates."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from textwrap import shorten
from typing import Any
from uuid import UUID

from django.db import transaction
from django.template import Context, Engine
from django.utils.translation import get_language, get_language_bidi

from payorcrm.core.errors import Refused
from payorcrm.mail.drafts import Attachment, Composed, Draft, LateComposed, Unsendable, after_sending, composer
from payorcrm.mail.jobs import deliver_soon
from payorcrm.mail.layout import accent_of, inline_styles
from payorcrm.mail.models import LONGEST_NAME, Mail
from payorcrm.merchants.models import Merchant

__all__ = [
    "Attachment",
    "Composed",
    "Draft",
    "LateComposed",
    "NoAddress",
    "Unsendable",
    "after_sending",
    "composer",
    "queue_mail",
    "render_draft",
]


class NoAddress(Refused):
    """A mail was to be queued to nobody."""

    code = "no_address"
    message = "There is no e-mail address to write to."


def queue_mail(
    *,
    kind: str,
    about_id: UUID | None,
    merchant: Merchant | None,
    customer_id: UUID | None,
    to_address: str,
    to_name: str = "",
    also_to: Sequence[str] = (),
    cc: Sequence[str] = (),
    now: datetime,
    send_after: datetime | None = None,
) -> Mail:
    """Put one mail into the outbox and its delivery on the job queue, both in the current transaction."""
    if not to_address:
        raise NoAddress
    with transaction.atomic(savepoint=False):
        mail = Mail.objects.create(
            kind=kind,
            about_id=about_id,
            merchant=merchant,
            customer_id=customer_id,
            to_address=to_address,
            to_name=to_name[:LONGEST_NAME],
            also_to=list(also_to),
            cc=list(cc),
            queued_at=now,
            send_after=send_after or now,
        )
        deliver_soon(at=send_after)
    return mail


def render_draft(
    template_name: str,
    *,
    subject: str,
    merchant: Merchant | None,
    context: Mapping[str, Any],
    preheader: str = "",
    reason: str = "",
    attachments: Sequence[Attachment] = (),
) -> Draft:
    """Make a draft from the templates `<template_name>.html` (inner part) and `<template_name>.txt`.

    The language is the one that is spoken where this is called. Without a `preheader` the text's first words are it.

    The classes of `mail/mail.css` may be used there; `{% include "mail/_button.html" with url=... label=... %}` makes
    a button, with `quiet=True` one of less weight. `start` and `end` are the sides where lines begin and end.
    """
    start, end = ("right", "left") if get_language_bidi() else ("left", "right")
    values = {"merchant": merchant, "subject": subject, "start": start, "end": end, **context}
    html = mail_engine().get_template(f"{template_name}.html").render(Context(values))
    text = tidy_text(mail_engine().get_template(f"{template_name}.txt").render(Context(values, autoescape=False)))
    return Draft(
        subject=subject,
        html=inline_styles(html, accent_of(merchant)),
        text=text,
        merchant=merchant,
        preheader=preheader or first_words(text),
        reason=reason,
        language=get_language() or "",
        attachments=tuple(attachments),
    )


@cache
def mail_engine() -> Engine:
    """Return the template engine of mails: without the web's tags and context processors."""
    return Engine(app_dirs=True, builtins=["django.templatetags.i18n"])


LONGEST_PREHEADER = 160
# A heading and a line that only leads to what follows end without one.
_SENTENCE = re.compile(r"[.!?](\s|$)")


def first_words(text: str) -> str:
    """Return what an inbox shows beside the subject: the first paragraph that says something, as far as it fits."""
    paragraphs = [" ".join(each.split()) for each in text.split("\n\n") if each.strip()]
    said = next((each for each in paragraphs if _SENTENCE.search(each)), "".join(paragraphs[:1]))
    return shorten(said, LONGEST_PREHEADER, placeholder="…")


_TRAILING_SPACE = re.compile(r"[ \t]+$", re.MULTILINE)
_MANY_BLANK_LINES = re.compile(r"\n{3,}")


def tidy_text(text: str) -> str:
    """Take away what template tags leave behind: spaces at line ends and runs of blank lines."""
    return _MANY_BLANK_LINES.sub("\n\n", _TRAILING_SPACE.sub("", text)).strip() + "\n"
