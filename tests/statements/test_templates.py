"""The template that rules of statements need."""

import pytest

from payorcrm.reminders.templates import InUse, delete_template
from payorcrm.statements.templates import statement_template
from tests.factories.models import NOW, MerchantFactory
from tests.statements.rules import make_rule

pytestmark = pytest.mark.django_db


def test_a_template_that_a_rule_sends_with_is_not_deleted():
    merchant = MerchantFactory()
    rule = make_rule(merchant, name="Weekly")

    with pytest.raises(InUse, match="Weekly"):
        delete_template(rule.template, now=NOW)

    assert statement_template(merchant) == rule.template
