"""Templates of reminders: the default one that every merchant has; making, saving, copying and deleting others."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import ClassVar

from django.db import IntegrityError, transaction

from payorcrm.core.errors import Refused
from payorcrm.core.models import User
from payorcrm.merchants.models import Merchant
from payorcrm.reminders.check_template import Problem, check_text
from payorcrm.reminders.default_template import DEFAULT_BODY, DEFAULT_NAME, DEFAULT_SUBJECT, STARTS
from payorcrm.reminders.fields import TemplateRefused, check_body, check_subject
from payorcrm.reminders.models import ReminderTemplate, Rule, TemplateVersion
from payorcrm.reminders.sanitize import sanitize

LONGEST_NAME = 100


class NameTaken(TemplateRefused):
    """Another template of the merchant has this name."""

    code = "name_taken"
    status: ClassVar[int] = 422
    message = "Another template has this name already."


class NothingWritten(TemplateRefused):
    """A template has no subject or no text."""

    code = "nothing_written"
    message = "A reminder needs a subject and a text."


class HasProblems(TemplateRefused):
    """A mail of this template would be broken or hard to read."""

    code = "template_has_problems"

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = problems
        super().__init__(" ".join(problem.words for problem in problems))


class SavedMeanwhile(Refused):
    """Somebody else saved the template since its text was opened."""

    code = "template_saved_meanwhile"
    status: ClassVar[int] = 409

    def __init__(self, version: TemplateVersion) -> None:
        self.version = version
        who = version.saved_by or "Somebody"
        super().__init__(
            f"{who} saved version {version.number} while you were writing. Your text is still here: save it again to"
            f" put it in place of theirs, which stays among the versions."
        )


class TemplateGone(Refused):
    """A rule was to send a template that somebody has deleted."""

    code = "template_gone"
    status: ClassVar[int] = 409
    message = "Somebody has deleted this template in the meantime. Choose another one. Nothing was saved."


class InUse(Refused):
    """A template that something still needs cannot be deleted."""

    code = "template_in_use"
    status: ClassVar[int] = 409


def template_for(merchant: Merchant) -> ReminderTemplate:
    """Return the merchant's default template, made on first use."""
    template, _ = ReminderTemplate.objects.get_or_create(
        merchant=merchant,
        is_default=True,
        defaults={"name": DEFAULT_NAME, "subject": DEFAULT_SUBJECT, "body": DEFAULT_BODY},
    )
    return template


def version_of(template: ReminderTemplate) -> TemplateVersion:
    """Return the version that is in use; reading it names who saved it."""
    return template.versions.select_related("saved_by").order_by("-number")[0]


def save_template(
    template: ReminderTemplate,
    *,
    subject: str,
    body: str,
    name: str,
    language: str = "",
    saved_by: User | None = None,
    based_on: int | None = None,
) -> ReminderTemplate:
    """Check, clean and store a text, as a new version: the one for everybody, or the one for a language.

    Raises TemplateRefused and its kinds, and SavedMeanwhile if `based_on` is not the version in use any more.
    """
    subject, body = clean_text(subject, body)
    with transaction.atomic():
        if not template._state.adding:
            _lock(template)
            if based_on is not None and (version := version_of(template)).number != based_on:
                raise SavedMeanwhile(version)
        if language:
            template.variants[language] = {"subject": subject, "body": body}
        else:
            template.subject, template.body = subject, body
        template.name, template.saved_by = name.strip() or DEFAULT_NAME, saved_by
        _store(template)
    return template


@contextmanager
def refusing_a_deleted_template() -> Iterator[None]:
    """Let the database say that a template is not there any more, even since an instant. Raises TemplateGone."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if "rule_needs_its_template" not in str(error):
            raise
        raise TemplateGone from error


def start_template(*, merchant: Merchant, start: str, saved_by: User | None) -> ReminderTemplate:
    """Make a template that begins with one of our texts."""
    name, subject, body = STARTS.get(start) or next(iter(STARTS.values()))
    template = ReminderTemplate(merchant=merchant, name=name, subject=subject, body=body, saved_by=saved_by)
    return _store_under_free_name(template)


def copy_template(template: ReminderTemplate, *, saved_by: User | None) -> ReminderTemplate:
    """Make a template that says the same, in every language."""
    copy = ReminderTemplate(
        merchant=template.merchant,
        name=f"Copy of {template.name}"[:LONGEST_NAME],
        subject=template.subject,
        body=template.body,
        variants=template.variants,
        saved_by=saved_by,
    )
    return _store_under_free_name(copy)


def restore_version(template: ReminderTemplate, version: TemplateVersion, *, saved_by: User | None) -> None:
    """Put an earlier version's texts into use again, as a new version."""
    with transaction.atomic():
        _lock(template)
        template.subject, template.body, template.variants = version.subject, version.body, version.variants
        template.saved_by = saved_by
        template.save()


def remove_variant(template: ReminderTemplate, language: str, *, saved_by: User | None) -> None:
    """Let customers of a language get the text for everybody again; the versions keep what is removed."""
    with transaction.atomic():
        _lock(template)
        template.variants.pop(language, None)
        template.saved_by = saved_by
        template.save()


def make_default(template: ReminderTemplate) -> None:
    """Let reminders that name no template use this one."""
    with transaction.atomic():
        Merchant.objects.select_for_update(no_key=True).get(id=template.merchant_id)
        ReminderTemplate.objects.filter(merchant=template.merchant_id, is_default=True).update(is_default=False)
        ReminderTemplate.objects.filter(id=template.id).update(is_default=True)


def delete_template(template: ReminderTemplate, *, now: datetime) -> None:
    """Take a template away; mails that were sent with it still name it. Raises InUse."""
    with transaction.atomic():
        _lock(template)
        if template.is_default:
            raise InUse("This is the default template. Make another one the default first. Nothing was deleted.")
        if rules := rules_with(template):
            names = ", ".join(f"“{name}”" for name in rules)
            whose = "The rule" if len(rules) == 1 else "The rules"
            raise InUse(f"{whose} {names} would have nothing to send. Choose another template there first.")
        ReminderTemplate.objects.filter(id=template.id).update(deleted_at=now)


def rules_with(template: ReminderTemplate) -> list[str]:
    """Name every rule that sends mails of a template, switched on or off."""
    rules = Rule.objects.filter(template=template, removed_at__isnull=True).order_by("position")
    others = [name for names in _others_who_need.values() for name in names(template)]
    return [*rules.values_list("name", flat=True), *others]


_others_who_need: dict[str, Callable[[ReminderTemplate], list[str]]] = {}


def needs_templates(names: Callable[[ReminderTemplate], list[str]]) -> Callable[[ReminderTemplate], list[str]]:
    """Register a function that names what, outside of this package, would have nothing to send without a template."""
    _others_who_need[names.__qualname__] = names
    return names


def clean_text(subject: str, body: str) -> tuple[str, str]:
    """Return a text as it may be mailed. Raises TemplateRefused and its kinds, with every problem that was found."""
    cleaned = clean_subject(subject), clean_body(body)
    problems = [problem for problem in check_text(subject, body) if not problem.is_warning]
    if problems:
        raise HasProblems(problems)
    return cleaned


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


def _lock(template: ReminderTemplate) -> None:
    """Read a template again, so that nothing of another save is lost, and let other saves wait."""
    template.refresh_from_db(from_queryset=ReminderTemplate.objects.select_for_update())


def _store(template: ReminderTemplate) -> None:
    try:
        with transaction.atomic():
            template.save()
    except IntegrityError as error:
        if "template_name_unique" not in str(error):
            raise
        raise NameTaken from error


def _store_under_free_name(template: ReminderTemplate) -> ReminderTemplate:
    with transaction.atomic():
        Merchant.objects.select_for_update(no_key=True).get(id=template.merchant_id)
        taken = set(ReminderTemplate.objects.filter(merchant=template.merchant_id).values_list("name", flat=True))
        name, number = template.name, 1
        while template.name in taken:
            number += 1
            template.name = f"{name[: LONGEST_NAME - 6]} {number}"
        _store(template)
    return template
