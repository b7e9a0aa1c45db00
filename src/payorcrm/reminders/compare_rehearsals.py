"""Says how the mails of the coming days differ once a rule is changed, and how large the difference is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from payorcrm.reminders.models import Rule
from payorcrm.reminders.rehearse import ForeseenMail, rehearse
from payorcrm.reminders.run_rules import active_rules

CHANGES_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Move:
    """A mail of now beside what becomes of it."""

    before: ForeseenMail
    after: ForeseenMail


@dataclass(frozen=True, slots=True)
class Difference:
    """How the mails after a change differ from those of now."""

    added: list[ForeseenMail]
    gone: list[ForeseenMail]
    moved: list[Move]
    changed: list[Move]  # on the same day, but by another rule or template, or about other invoices
    same_count: int

    def is_nothing(self) -> bool:
        """Say whether a change would change no mail."""
        return not self.count()

    def count(self) -> int:
        """Count the mails that would change."""
        return sum(len(each) for each in (self.added, self.gone, self.moved, self.changed))

    def first_changes(self) -> list["Change"]:
        """Return the first of all changes by day and customer."""
        changes = [Change("Added", None, mail) for mail in self.added]
        changes += [Change("Gone", mail, None) for mail in self.gone]
        changes += [Change("Moved", move.before, move.after) for move in self.moved]
        changes += [Change("Written differently", move.before, move.after) for move in self.changed]
        return sorted(changes, key=lambda each: (each.day(), each.mail().company_name.lower()))[:CHANGES_SHOWN]


@dataclass(frozen=True, slots=True)
class Change:
    """One mail as it is now and as it would be; None is no mail."""

    words: str
    before: ForeseenMail | None
    after: ForeseenMail | None

    def mail(self) -> ForeseenMail:
        """Return what would be sent, or is no longer."""
        mail = self.after or self.before
        assert mail is not None
        return mail

    def day(self) -> date:
        """Return the first day that differs."""
        return min(mail.day for mail in (self.before, self.after) if mail)


def rehearse_change(rule: Rule, *, now: datetime) -> Difference:
    """Say how the mails of the coming days would differ if a rule were as it is given; nothing is stored."""
    active = active_rules(rule.merchant)
    others = [each for each in active if each.id != rule.id]
    after = sorted([*others, rule], key=lambda each: each.position) if rule.is_active else others
    return compare(*(rehearse(rule.merchant, rules, now=now).mails for rules in (active, after)))


def compare(before: Sequence[ForeseenMail], after: Sequence[ForeseenMail]) -> Difference:
    """Say what a change adds, takes away, moves to another day and writes differently."""
    old = {(*mail.recipient, mail.day): mail for mail in before}
    new = {(*mail.recipient, mail.day): mail for mail in after}
    both = [Move(old[key], new[key]) for key in old if key in new]
    changed = [move for move in both if _written(move.before) != _written(move.after)]
    added, gone = [new[key] for key in new if key not in old], [old[key] for key in old if key not in new]
    moved = list(_moves(gone, added))
    stayed = {id(mail) for move in moved for mail in (move.before, move.after)}
    return Difference(
        added=[mail for mail in added if id(mail) not in stayed],
        gone=[mail for mail in gone if id(mail) not in stayed],
        moved=moved,
        changed=changed,
        same_count=len(both) - len(changed),
    )


def _written(mail: ForeseenMail) -> tuple[object, ...]:
    return mail.rule.id, mail.rule.template_id, mail.numbers


def _moves(gone: Sequence[ForeseenMail], added: Sequence[ForeseenMail]) -> Iterator[Move]:
    """Pair what goes with what comes to the same customer about the same invoices, on the nearest day."""
    coming: dict[tuple[UUID, str], list[ForeseenMail]] = {}
    for mail in added:
        coming.setdefault(mail.recipient, []).append(mail)
    for mail in gone:
        alike = [each for each in coming.get(mail.recipient, []) if set(each.numbers) & set(mail.numbers)]
        if alike:
            nearest = min(alike, key=lambda each: abs(each.day - mail.day))
            coming[mail.recipient].remove(nearest)
            yield Move(mail, nearest)
