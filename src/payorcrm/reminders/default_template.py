"""The templates that every merchant starts with. As long as one is unchanged, customers get it in their language."""

from functools import lru_cache

from django.utils.translation import get_language, gettext, gettext_noop

DEFAULT_NAME = "Friendly reminder"
DEFAULT_SUBJECT = gettext_noop("Reminder: {{total_invoice_amount}} is past due")
DEFAULT_BODY = gettext_noop("""\
<h1>{{total_invoice_amount}} is past due</h1>
<p>Hello {{first_name}},</p>
<p>Our books show the following as past due for {{customer_company_name}}. \
You can pay it all at once, right from this mail.</p>
{{invoice_list}}
{{payment_buttons}}
<p>Have you paid already? Thank you! Payments of the last few days may not be in our books yet, \
so please disregard this reminder. If something is not right, just reply to this mail.</p>
<p>{{login_register}}</p>""")

DEFAULT_UPCOMING_NAME = "Due soon"
DEFAULT_UPCOMING_SUBJECT = gettext_noop("{{total_invoice_amount}} will soon be due")
DEFAULT_UPCOMING_BODY = gettext_noop("""\
<h1>{{total_invoice_amount}} will soon be due</h1>
<p>Hello {{first_name}},</p>
<p>So that nothing is overlooked: these invoices of {{customer_company_name}} will soon be due. \
You can pay them all at once, right from this mail.</p>
{{invoice_list}}
{{payment_buttons}}
<p>Have you paid already? Thank you! Then please disregard this mail. \
If something is not right, just reply to it.</p>
<p>{{login_register}}</p>""")
OUR_TEXTS = frozenset({DEFAULT_SUBJECT, DEFAULT_BODY, DEFAULT_UPCOMING_SUBJECT, DEFAULT_UPCOMING_BODY})


def in_their_words(text: str) -> str:
    """Return our own text in the language that is spoken; a text of the merchant's stays as it is."""
    return _in_their_words(text, get_language() or "")


# A run asks this of the same few texts ten thousand times.
@lru_cache(maxsize=256)
def _in_their_words(text: str, _language: str) -> str:
    return gettext(text) if text in OUR_TEXTS else text
