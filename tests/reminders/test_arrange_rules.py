"""Rules are made, copied, put in another order and removed; what was sent by them keeps its reason."""

import threading
import time
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from payorcrm.core.errors import Refused
from payorcrm.merchants.models import Merchant
from payorcrm.reminders import arrange_rules
from payorcrm.reminders.arrange_rules import (
    RuleNameTaken,
    TooManyRules,
    copy_rule,
    make_rule,
    move_down,
    move_up,
    remove_rule,
)
from payorcrm.reminders.conditions import ConditionsRefused
from payorcrm.reminders.models import ReminderTemplate, Rule, Step
from payorcrm.reminders.switch_rules import change_rule, rules_of, switch_off, switch_on, switched
from payorcrm.reminders.templates import InUse, TemplateGone, copy_template, delete_template, template_for
from tests.factories.due_runs import run_due_rules
from tests.factories.models import NOW, TODAY, CustomerFactory, MerchantFactory
from tests.reminders.rules import invoice_due, set_schedule, switch_all_on

pytestmark = pytest.mark.django_db
LATE = {"all": [{"if": "overdue_exactly", "is": 3}]}


@pytest.fixture
def merchant() -> Merchant:
    """A merchant with the seven rules."""
    merchant = MerchantFactory()
    rules_of(merchant)
    return merchant


def names(merchant: Merchant) -> list[str]:
    return [rule.name for rule in rules_of(merchant)]


def test_a_new_rule_stands_below_the_others_and_is_off(merchant: Merchant) -> None:
    template = rules_of(merchant)[0].template

    rule = make_rule(merchant=merchant, name="Mine", template=template, conditions=LATE)

    assert (names(merchant)[-1], rule.is_active) == ("Mine", False)
    with pytest.raises(RuleNameTaken):
        make_rule(merchant=merchant, name="Mine", template=template, conditions=LATE)
    with pytest.raises(ConditionsRefused):
        make_rule(merchant=merchant, name="Other", template=template, conditions={"all": []})


def test_copies_get_names_that_are_free(merchant: Merchant) -> None:
    rule = rules_of(merchant)[2]
    switch_on(rule, now=NOW)

    copies = [copy_rule(rule), copy_rule(rule)]

    assert [each.name for each in copies] == ["7 days overdue (copy)", "7 days overdue (copy 2)"]
    assert [each.is_active for each in copies] == [False, False]
    assert copies[0].conditions == rule.conditions


def test_a_copy_of_the_longest_name_fits(merchant: Merchant) -> None:
    rule = rules_of(merchant)[0]
    rule.name = "n" * 100
    rule.save()

    assert len(copy_rule(rule).name) == 100


def test_rules_change_places_and_the_ends_stay(merchant: Merchant) -> None:
    first, second, *_, last = names(merchant)
    rules = rules_of(merchant)

    move_up(rules[1])
    move_up(rules[1])
    move_down(rules[-1])

    assert names(merchant)[:2] == [second, first]
    assert names(merchant)[-1] == last


def test_a_removed_rule_is_seen_no_more_sends_no_more_and_keeps_what_it_did() -> None:
    customer = CustomerFactory()
    set_schedule(customer.merchant)
    switch_all_on(customer.merchant)
    invoice_due(TODAY - timedelta(days=7), customer=customer)
    invoice_due(TODAY - timedelta(days=6), customer=customer)
    run_due_rules(now=NOW)
    rule = rules_of(customer.merchant)[2]

    remove_rule(rule, now=NOW)
    runs = run_due_rules(now=NOW + timedelta(days=1))

    assert [run.mail_count for run in runs] == [0]
    assert "7 days overdue" not in names(customer.merchant)
    assert Step.objects.get().rule_id == rule.id
    switch_on(rule, now=NOW)
    assert not Rule.objects.get(id=rule.id).is_active


def test_the_name_of_a_removed_rule_is_free_and_the_seven_do_not_come_back(merchant: Merchant) -> None:
    rules = rules_of(merchant)
    for rule in rules:
        remove_rule(rule, now=NOW)

    assert names(merchant) == []
    make_rule(merchant=merchant, name=rules[0].name, template=rules[0].template, conditions=LATE)
    assert names(merchant) == [rules[0].name]


def test_there_is_an_end_to_rules(merchant: Merchant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrange_rules, "MOST_RULES", 8)
    copy_rule(rules_of(merchant)[0])

    with pytest.raises(TooManyRules):
        copy_rule(rules_of(merchant)[0])


def test_saving_in_one_tab_does_not_undo_the_switch_of_another(merchant: Merchant) -> None:
    stale = rules_of(merchant)[0]
    switch_on(rules_of(merchant)[0], now=NOW)

    change_rule(stale, name="New", template=stale.template, conditions=LATE, now=NOW)

    assert rules_of(merchant)[0].is_active
    switch_off(stale)
    assert rules_of(merchant)[0].name == "New"


def test_how_a_rule_would_be_if_switched_is_not_stored(merchant: Merchant) -> None:
    rule = rules_of(merchant)[0]

    other = switched(rule, now=NOW)

    assert (other.is_active, other.active_since, other.id) == (True, TODAY, rule.id)
    assert not rules_of(merchant)[0].is_active
    assert not switched(other, now=NOW).is_active


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_deleted_first", [True, False])
def test_a_rule_and_the_deletion_of_its_template_in_one_instant_wait_for_each_other(is_deleted_first):
    merchant = MerchantFactory()
    template = copy_template(template_for(merchant), saved_by=None)
    refusals = []

    def take():
        make_rule(merchant=merchant, name="Late", template=template, conditions=LATE)

    def delete():
        delete_template(template, now=NOW)

    def try_second():
        try:
            (take if is_deleted_first else delete)()
        except Refused as refusal:
            refusals.append(type(refusal))
        connection.close()

    with transaction.atomic():
        (delete if is_deleted_first else take)()
        second = threading.Thread(target=try_second)
        second.start()
        _until_somebody_waits_for_a_lock()
    second.join()

    assert refusals == [TemplateGone if is_deleted_first else InUse]
    assert Rule.objects.filter(template=template).exists() is not is_deleted_first


def _until_somebody_waits_for_a_lock():
    with connection.cursor() as cursor:
        for _ in range(500):
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
            time.sleep(0.01)
    raise AssertionError("nobody waits")


def test_the_database_deletes_no_template_that_a_rule_needs():
    rule = rules_of(MerchantFactory())[0]

    with pytest.raises(IntegrityError, match="rule_needs_its_template"), transaction.atomic():
        ReminderTemplate.objects.filter(id=rule.template_id).update(is_default=False, deleted_at=NOW)
    remove_rule(rule, now=NOW)
    for other in rules_of(rule.merchant):
        remove_rule(other, now=NOW)
    ReminderTemplate.objects.filter(id=rule.template_id).update(is_default=False, deleted_at=NOW)

    assert not ReminderTemplate.objects.filter(id=rule.template_id).exists()
