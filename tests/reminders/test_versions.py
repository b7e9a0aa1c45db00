"""A template's texts: each is kept, mails name the one they were written from, and customers get their language's."""

import pytest
from django.db import DatabaseError, transaction

from payorcrm.reminders.default_template import DEFAULT_BODY, DEFAULT_SUBJECT
from payorcrm.reminders.models import Reminder, ReminderRun, ReminderTemplate, TemplateVersion
from payorcrm.reminders.send import send_reminders
from payorcrm.reminders.switch_rules import rules_of
from payorcrm.reminders.templates import (
    InUse,
    SavedMeanwhile,
    copy_template,
    delete_template,
    make_default,
    remove_variant,
    restore_version,
    save_template,
    start_template,
    template_for,
    version_of,
)
from tests.factories.inbox import text_of
from tests.factories.models import NOW, CustomerFactory, InvoiceFactory, MerchantFactory, UserFactory
from tests.factories.outbox import deliver
from tests.factories.smtp import ScriptedServer

pytestmark = pytest.mark.django_db
TEXT = {"name": "Firm", "subject": "Pay", "body": "<p>First</p>"}


def write(template: ReminderTemplate, body: str, **changes: object) -> TemplateVersion:
    save_template(template, **TEXT | {"body": body} | changes)
    return version_of(template)


def test_every_save_makes_a_version_that_says_who_and_when() -> None:
    template, author = template_for(MerchantFactory()), UserFactory()

    version = write(template, "<p>Second</p>", saved_by=author)

    assert (version.number, version.body, version.saved_by) == (2, "<p>Second</p>", author)
    assert version.saved_at == template.updated_at
    assert list(template.versions.order_by("number").values_list("body", flat=True)) == [DEFAULT_BODY, "<p>Second</p>"]


def test_a_save_that_changes_no_text_makes_none() -> None:
    template = template_for(MerchantFactory())
    first = write(template, "<p>Same</p>")

    assert write(template, "<p>Same</p>", name="Renamed") == first


def test_a_version_cannot_be_rewritten() -> None:
    version = version_of(template_for(MerchantFactory()))

    with pytest.raises(DatabaseError, match="stays as it is"), transaction.atomic():
        TemplateVersion.objects.filter(id=version.id).update(body="<p>Never said</p>")


def test_a_queued_mail_says_what_its_template_said_when_the_run_was_decided(server: ScriptedServer) -> None:
    customer = CustomerFactory()
    InvoiceFactory(customer=customer)
    template = template_for(customer.merchant)
    decided = write(template, "<p>Decided</p>")
    run = send_reminders(merchant=customer.merchant, now=NOW)
    write(template, "<p>Changed since</p>")

    deliver()

    assert "Decided" in text_of(server.mails[0])
    run.refresh_from_db()
    assert run.version == decided
    assert Reminder.objects.select_related("run__version").get().run.version.number == 2


def test_runs_of_rules_remember_the_version_too() -> None:
    template = template_for(MerchantFactory())

    ReminderRun.objects.bulk_create([ReminderRun(merchant=template.merchant, template=template, started_at=NOW)])

    assert ReminderRun.objects.get().version == version_of(template)


def test_customers_get_the_text_in_their_language_and_others_the_one_for_everybody(server: ScriptedServer) -> None:
    merchant = MerchantFactory()
    for language in ("es", "en"):
        InvoiceFactory(customer=CustomerFactory(merchant=merchant, language=language))
    template = template_for(merchant)
    write(template, "<p>For everybody</p>")
    write(template, "<p>En español</p>", subject="Pague", language="es")
    send_reminders(merchant=merchant, now=NOW)

    deliver()

    assert {(mail["Subject"], text_of(mail).splitlines()[0]) for mail in server.mails} == {
        ("Pague", "En español"),
        ("Pay", "For everybody"),
    }


def test_a_language_falls_back_when_its_text_is_removed() -> None:
    template = template_for(MerchantFactory())
    write(template, "<p>En español</p>", language="es")

    remove_variant(template, "es", saved_by=None)

    assert template.text_in("es") == (DEFAULT_SUBJECT, DEFAULT_BODY)
    assert version_of(template).number == 3


def test_a_restored_version_is_a_new_one_with_all_its_languages() -> None:
    template = template_for(MerchantFactory())
    spanish = write(template, "<p>En español</p>", language="es")
    write(template, "<p>Later</p>")

    restore_version(template, spanish, saved_by=None)

    assert (template.body, template.variants["es"]["body"]) == (DEFAULT_BODY, "<p>En español</p>")
    assert version_of(template).number == 4


def test_two_people_do_not_overwrite_each_other_unknowingly() -> None:
    template, other = template_for(MerchantFactory()), UserFactory(name="Ines")
    mine = ReminderTemplate.objects.get(id=template.id)
    write(template, "<p>Theirs</p>", saved_by=other, based_on=1)

    with pytest.raises(SavedMeanwhile, match="Ines saved version 2"):
        write(mine, "<p>Mine</p>", based_on=1)

    assert write(mine, "<p>Mine</p>", based_on=2).number == 3


def test_a_save_in_one_language_leaves_what_was_saved_in_another() -> None:
    template = template_for(MerchantFactory())
    stale = ReminderTemplate.objects.get(id=template.id)
    write(template, "<p>En español</p>", language="es")

    write(stale, "<p>For everybody</p>")

    assert ReminderTemplate.objects.get().variants["es"]["body"] == "<p>En español</p>"


def test_new_templates_begin_with_our_texts_under_free_names() -> None:
    merchant = MerchantFactory()

    names = [start_template(merchant=merchant, start="final", saved_by=None).name for _ in range(2)]

    assert names == ["Final reminder", "Final reminder 2"]
    assert start_template(merchant=merchant, start="nonsense", saved_by=None).body == DEFAULT_BODY


def test_a_copy_speaks_every_language_of_the_first() -> None:
    template = template_for(MerchantFactory())
    write(template, "<p>En español</p>", language="es")

    copy = copy_template(template, saved_by=None)

    assert (copy.name, copy.body, copy.variants) == ("Copy of Firm", template.body, template.variants)
    assert not copy.is_default


def test_one_template_is_the_default() -> None:
    first = template_for(MerchantFactory())
    second = copy_template(first, saved_by=None)

    make_default(second)

    assert template_for(first.merchant) == second
    assert ReminderTemplate.objects.filter(is_default=True).count() == 1


def test_a_template_that_a_rule_sends_is_not_deleted_and_the_rule_is_named() -> None:
    rule = rules_of(MerchantFactory())[0]

    with pytest.raises(InUse, match="“Due in 10 days”, “Due in 5 days”"):
        delete_template(rule.template, now=NOW)


def test_a_removed_rule_needs_no_template() -> None:
    rules = rules_of(MerchantFactory())
    template = rules[0].template
    for rule in rules:
        rule.removed_at = NOW
        rule.save()

    delete_template(template, now=NOW)

    assert not ReminderTemplate.objects.filter(id=template.id).exists()


def test_the_default_template_is_not_deleted() -> None:
    with pytest.raises(InUse, match="default"):
        delete_template(template_for(MerchantFactory()), now=NOW)


def test_a_deleted_template_frees_its_name_and_its_mails_keep_their_text() -> None:
    template = copy_template(template_for(MerchantFactory()), saved_by=None)
    run = ReminderRun.objects.create(merchant=template.merchant, template=template, started_at=NOW)

    delete_template(template, now=NOW)

    assert not ReminderTemplate.objects.filter(id=template.id).exists()
    run.refresh_from_db()
    assert (run.template, run.version.body) == (template, DEFAULT_BODY)
    assert copy_template(template_for(template.merchant), saved_by=None).name == template.name
