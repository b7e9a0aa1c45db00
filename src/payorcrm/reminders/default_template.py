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
SECOND_SUBJECT = gettext_noop("Second reminder: {{total_invoice_amount}} is past due")
SECOND_BODY = gettext_noop("""\
<h1>Second reminder: {{total_invoice_amount}} is past due</h1>
<p>Hello {{first_name}},</p>
<p>We wrote to you before, and these invoices of {{customer_company_name}} are still open. \
Please pay them today, right from this mail, or reply and tell us what keeps you from it.</p>
{{invoice_list}}
{{payment_buttons}}
<p>{{statement_pdf}}</p>
<p>{{login_register}}</p>""")

FINAL_SUBJECT = gettext_noop("Final reminder: {{total_invoice_amount}} is past due")
FINAL_BODY = gettext_noop("""\
<h1>Final reminder: {{total_invoice_amount}} is past due</h1>
<p>Hello {{first_name}},</p>
<p>In spite of our reminders, these invoices of {{customer_company_name}} have not been paid. \
Please pay <strong>{{total_invoice_amount}}</strong> within seven days.</p>
{{invoice_list}}
{{payment_buttons}}
<p>If you cannot pay everything at once, reply to this mail, and we will find a way together.</p>
<p>{{statement_pdf}}</p>""")

STATEMENT_NAME = "Statement"
STATEMENT_SUBJECT = gettext_noop("Your statement: {{total_invoice_amount}}")
STATEMENT_BODY = gettext_noop("""\
<h1>Your statement</h1>
<p>Hello {{first_name}},</p>
<p>This is what our books show as open for {{customer_company_name}} today. \
The attached PDF lists every invoice.</p>
{{statement_summary}}
{{payment_buttons}}
<p>Have you paid already? Thank you! Payments of the last few days may not be in our books yet. \
If something is not right, just reply to this mail.</p>
<p>{{login_register}}</p>""")

# What a new template may begin with: its name, its subject, its body.
STARTS = {
    "friendly": (DEFAULT_NAME, DEFAULT_SUBJECT, DEFAULT_BODY),
    "upcoming": (DEFAULT_UPCOMING_NAME, DEFAULT_UPCOMING_SUBJECT, DEFAULT_UPCOMING_BODY),
    "second": ("Second reminder", SECOND_SUBJECT, SECOND_BODY),
    "final": ("Final reminder", FINAL_SUBJECT, FINAL_BODY),
    "statement": (STATEMENT_NAME, STATEMENT_SUBJECT, STATEMENT_BODY),
}
OUR_TEXTS = frozenset(text for _, subject, body in STARTS.values() for text in (subject, body))


def in_their_words(text: str) -> str:
    """Return our own text in the language that is spoken; a text of the merchant's stays as it is."""
    return _in_their_words(text, get_language() or "")


# A run asks this of the same few texts ten thousand times.
@lru_cache(maxsize=256)
def _in_their_words(text: str, _language: str) -> str:
    return gettext(text) if text in OUR_TEXTS else text
