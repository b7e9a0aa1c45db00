"""Templates of reminders: the default one that every merchant has, saving one, and a preview."""

from datetime import datetime, timedelta
from typing import ClassVar
from uuid import UUID

from django.db import IntegrityError, transaction

from payorcrm.core.clock import day_in
from payorcrm.customers.models import Customer
from payorcrm.mail.layout import fill_html, layout_of
from payorcrm.mail.models import Mail
from payorcrm.merchants.models import Merchant
from payorcrm.reminders.default_template import DEFAULT_BODY, DEFAULT_NAME, DEFAULT_SUBJECT
from payorcrm.reminders.facts import Facts, read_customer
from payorcrm.reminders.fields import TemplateRefused, check_body, check_subject
from payorcrm.reminders.mails import draft_of
from payorcrm.reminders.models import ReminderRun, ReminderTemplate
from payorcrm.reminders.parts import Row
from payorcrm.reminders.sanitize import sanitize

NOBODY = UUID(int=0)
SAMPLE_ROWS = (("43250", 196, 12_100), ("40678", 73, 12_600), ("41192", 70, 17_400), ("41665", 12, 72_900))


class NameTaken(TemplateRefused):
    """Another template of the merchant has this name."""

    code = "name_taken"
    status: ClassVar[int] = 422
    message = "Another template has this name already."


class NothingWritten(TemplateRefused):
    """A template has no subject or no text."""

    code = "nothing_written"
    message = "A reminder needs a subject and a text."


def template_for(merchant: Merchant) -> ReminderTemplate:
    """Return the merchant's default template, made on first use."""
    template, _ = ReminderTemplate.objects.get_or_create(
        merchant=merchant,
        is_default=True,
        defaults={"name": DEFAULT_NAME, "subject": DEFAULT_SUBJECT, "body": DEFAULT_BODY},
    )
    return template


def save_template(template: ReminderTemplate, *, subject: str, body: str, name: str) -> ReminderTemplate:
    """Check, clean and store a template. Raises TemplateRefused and its kinds, with a line and a hint."""
    template.subject, template.body = clean_subject(subject), clean_body(body)
    template.name = name.strip() or DEFAULT_NAME
    try:
        with transaction.atomic():
            template.save()
    except IntegrityError as error:
        if "template_name_unique" not in str(error):
            raise
        raise NameTaken from error
    return template


def clean_subject(source: str) -> str:
    """Return a subject on one line. Raises TemplateRefused and its kinds."""
    subject = " ".join(source.split())
    if not subject:
        raise NothingWritten
    check_subject(subject)
    return subject


def clean_body(source: str) -> str:
    """Return a body without what mails must not contain. Raises TemplateRefused and its kinds."""
    check_body(source)
    body = sanitize(source)
    if not body:
        raise NothingWritten
    check_body(body)
    return body


def preview_template(*, merchant: Merchant, customer: Customer, subject: str, body: str, now: datetime) -> str:
    """Return the HTML that a customer would get; without overdue invoices, with invented ones. Nothing is stored.

    Its links lead nowhere. Raises TemplateRefused and its kinds.
    """
    template = ReminderTemplate(merchant=merchant, subject=clean_subject(subject), body=clean_body(body))
    facts = Facts(
        mail=Mail(merchant=merchant),
        run=ReminderRun(merchant=merchant, template=template),
        request_id=NOBODY,
        customer_id=customer.id,
        currency=merchant.currency,
        company_name=customer.company_name,
        is_unsubscribed=False,
        today=day_in(merchant.time_zone, now),
        language=customer.language or merchant.language,
    )
    read_customer(facts)
    if not facts.rows:
        facts.rows = [Row(number, facts.today - timedelta(days=days), payable) for number, days, payable in SAMPLE_ROWS]
    return fill_html(draft_of(facts, now), layout_of(merchant, facts.language))
