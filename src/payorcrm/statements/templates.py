"""The template that statements are written with: made on first use, changed like any other one."""

from payorcrm.merchants.models import Merchant
from payorcrm.reminders.default_template import (
    STATEMENT_BODY,
    STATEMENT_NAME,
    STATEMENT_SUBJECT,
)
from payorcrm.reminders.models import ReminderTemplate
from payorcrm.reminders.templates import needs_templates
from payorcrm.statements.models import StatementRule


def statement_template(merchant: Merchant) -> ReminderTemplate:
    """Return the merchant's template of statements."""
    template, _ = ReminderTemplate.objects.get_or_create(
        merchant=merchant,
        name=STATEMENT_NAME,
        defaults={"subject": STATEMENT_SUBJECT, "body": STATEMENT_BODY},
    )
    return template


@needs_templates
def rules_with(template: ReminderTemplate) -> list[str]:
    """Name the rules that send statements with a template."""
    return list(StatementRule.objects.filter(template=template).order_by("name").values_list("name", flat=True))
