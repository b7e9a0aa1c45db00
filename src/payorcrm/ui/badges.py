"""What colour and icon a state has. The words are the glossary's; each means the same wherever it stands."""

from typing import NamedTuple


class Look(NamedTuple):
    """A tone of the stylesheet (good, warn, bad, note, still) and an icon's name."""

    tone: str
    icon: str


_DONE = Look("good", "check-circle")
_UNDER_WAY = Look("note", "clock")
_WRONG = Look("bad", "x-circle")
_QUIET = Look("still", "minus-circle")

LOOKS: dict[str, Look] = {
    # invoices
    "draft": Look("still", "pencil-square"),
    "open": Look("still", "document-text"),
    "overdue": Look("bad", "exclamation-circle"),
    "processing": _UNDER_WAY,
    "paid": _DONE,
    "void": _QUIET,
    "written_off": _QUIET,
    "changed": Look("still", "pencil-square"),
    "settled_elsewhere": _DONE,
    "voided": _QUIET,
    "due_changed": Look("still", "calendar-days"),
    "noted": Look("still", "chat-bubble-left"),
    "attached": Look("still", "paper-clip"),
    "held": Look("note", "pause-circle"),
    "hold_ended": Look("still", "play-circle"),
    # payments
    "submitting": _UNDER_WAY,
    "unknown": Look("warn", "question-mark-circle"),
    "action_needed": Look("warn", "hand-raised"),
    "pending": _UNDER_WAY,
    "succeeded": _DONE,
    "declined": _WRONG,
    "failed": _WRONG,
    "returned": Look("bad", "arrow-uturn-left"),
    "refunded": Look("still", "receipt-refund"),
    "disputed": Look("warn", "exclamation-triangle"),
    "canceled": _QUIET,
    "part_refunded": Look("note", "receipt-refund"),
    "reversed": Look("bad", "arrow-uturn-left"),
    "credited": Look("still", "receipt-refund"),
    "moved": Look("still", "arrows-right-left"),
    # mails
    "queued": Look("note", "queue-list"),
    "sending": Look("note", "paper-airplane"),
    "sent": _DONE,
    "deferred": Look("warn", "clock"),
    "withdrawn": _QUIET,
    "bounced": Look("bad", "arrow-uturn-left"),
    # ways into the portal
    "not_invited": _QUIET,
    "invited": Look("note", "envelope"),
    "mail_failed": _WRONG,
    "signs_in": _DONE,
    # confirmations and methods
    "used": _DONE,
    "superseded": _QUIET,
    "expired": Look("warn", "clock"),
}
NEUTRAL = Look("still", "minus-circle")


def look_of(state: str) -> Look:
    """Return the look of a state's value; an unknown one is neutral."""
    return LOOKS.get(state, NEUTRAL)
