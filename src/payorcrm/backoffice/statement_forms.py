"""What staff type in about statements: when they go out, with which text, and to which customers."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import QueryDict

from payorcrm.reminders.models import ReminderTemplate
from payorcrm.statements.models import WEEKDAYS, StatementRule

_DAYS = [
    ("On a day of the week", [(f"w{place}", f"Every {name}") for place, name in WEEKDAYS]),
    (
        "On a day of the month",
        [(f"m{place}", f"On day {place}") for place in range(1, 31)] + [("m31", "On the last day")],
    ),
]


class StatementRuleForm(forms.Form):
    """A rule's name, template, day, and whether it also goes to those who owe nothing."""

    name = forms.CharField(max_length=100, help_text="Only you see it.")
    template = forms.ModelChoiceField(
        ReminderTemplate.objects.none(), empty_label=None, help_text="The text of its mails."
    )
    day = forms.ChoiceField(
        label="When",
        choices=_DAYS,
        help_text="At the hour of your schedule. A day without sending is made up for on the next one.",
    )
    includes_settled = forms.BooleanField(
        label="Also to customers who owe nothing", required=False, help_text="Their statement says so."
    )

    def __init__(self, sent_in: Any, *, rule: StatementRule, typed_in: Mapping[str, Any] | None = None) -> None:
        stored = {
            "name": rule.name,
            "template": rule.template_id,
            "day": f"w{rule.weekday}" if rule.month_day is None else f"m{rule.month_day}",
            "includes_settled": rule.includes_settled,
        }
        super().__init__(sent_in, initial=stored | dict(typed_in or {}))
        self.rule = rule
        templates = ReminderTemplate.objects.filter(merchant=rule.merchant_id).order_by("name")
        self.fields["template"].queryset = templates  # type: ignore[attr-defined]

    def fill(self) -> StatementRule:
        """Put what was typed in into the rule, which is not stored yet."""
        rule, given = self.rule, self.cleaned_data
        kind, number = given["day"][0], int(given["day"][1:])
        rule.name, rule.template, rule.includes_settled = given["name"], given["template"], given["includes_settled"]
        rule.weekday, rule.month_day = (number, None) if kind == "w" else (None, number)
        return rule


def typed_in(sent_in: QueryDict) -> dict[str, Any]:
    """Return what stands in the form, right or wrong, so that a press of another button than Save loses nothing."""
    texts = {name: sent_in.get(name, "") for name in ("name", "template", "day")}
    return texts | {"includes_settled": "includes_settled" in sent_in}
