"""Mails a text to the person who writes it; no customer gets it, and none counts as reminded."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import ClassVar
from uuid import UUID

from django.db import transaction

from payorcrm.core.errors import Refused
from payorcrm.core.models import User
from payorcrm.customers.models import Customer
from payorcrm.mail.compose import Composed, LateComposed, Unsendable, composer, queue_mail
from payorcrm.mail.models import Mail
from payorcrm.merchants.models import Merchant
from payorcrm.reminders.facts import Facts
from payorcrm.reminders.mails import draft_of
from payorcrm.reminders.models import TemplateTest
from payorcrm.reminders.preview_template import fill_samples, sample_facts
from payorcrm.reminders.render import CannotFill
from payorcrm.reminders.templates import clean_text

KIND = "template_test"
MOST_AN_HOUR = 20
# A second press within this time sends nothing again.
JUST_NOW = timedelta(seconds=10)
KEPT = timedelta(days=30)


class TooManyTests(Refused):
    """A person mailed themselves more tests within an hour than anybody reads."""

    code = "too_many_tests"
    status: ClassVar[int] = 429
    message = f"No test was sent: you had {MOST_AN_HOUR} within an hour. Please look at those, and try again later."


def send_test(
    *,
    merchant: Merchant,
    customer: Customer | None,
    subject: str,
    body: str,
    asked_by: User,
    now: datetime,
    language: str = "",
) -> TemplateTest:
    """Mail a text to `asked_by` as a customer would get it. Raises TemplateRefused and its kinds, TooManyTests."""
    subject, body = clean_text(subject, body)
    test = TemplateTest(
        merchant=merchant,
        customer=customer,
        subject=subject,
        body=body,
        language=language,
        asked_by=asked_by,
        asked_at=now,
    )
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(id=asked_by.id)
        mine = TemplateTest.objects.filter(asked_by=asked_by)
        just_now = mine.filter(asked_at__gt=now - JUST_NOW, customer=customer, language=language)
        if same := just_now.filter(subject=subject, body=body).first():
            return same
        if mine.filter(asked_at__gt=now - timedelta(hours=1)).count() >= MOST_AN_HOUR:
            raise TooManyTests
        mine.filter(asked_at__lt=now - KEPT).delete()
        test.save()
        queue_mail(
            kind=KIND,
            about_id=test.id,
            merchant=merchant,
            customer_id=None,
            to_address=asked_by.email,
            to_name=asked_by.name,
            now=now,
        )
    return test


@composer(KIND)
def compose_tests(mails: list[Mail], now: datetime) -> Mapping[UUID, LateComposed]:
    """Write tests from what is owed when they are sent."""
    kept = TemplateTest.objects.select_related("merchant", "customer", "asked_by")
    tests = kept.in_bulk([mail.about_id for mail in mails if mail.about_id])
    facts = {mail.id: _facts(tests[mail.about_id], now) for mail in mails if mail.about_id in tests}
    fill_samples(list(facts.values()))
    return {mail_id: partial(_compose, fact, now) for mail_id, fact in facts.items()}


def _facts(test: TemplateTest, now: datetime) -> Facts:
    return sample_facts(
        merchant=test.merchant,
        customer=test.customer,
        subject=test.subject,
        body=test.body,
        language=test.language,
        to_address=test.asked_by.email,
        now=now,
    )


def _compose(facts: Facts, now: datetime) -> Composed:
    try:
        return draft_of(facts, now)
    except CannotFill as error:
        return Unsendable(str(error))
