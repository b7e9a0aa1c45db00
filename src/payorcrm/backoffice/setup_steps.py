"""The checklist of a new merchant: its steps, and what the facts say of each. Nothing is ticked by hand."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.urls import reverse

from payorcrm.customers.models import Customer, Invitation
from payorcrm.invoices.models import Invoice
from payorcrm.mail.models import MailSender
from payorcrm.merchants.models import GatewayAccount, Merchant, Setup, Staff
from payorcrm.reminders.models import ReminderRun, Rule, TemplateTest

_ACCENT = Merchant._meta.get_field("accent_color").default
_THIS = OuterRef("pk")
_FACTS = {
    "company": ~Q(address=""),
    "look": Q(logo__isnull=False) | ~Q(accent_color=_ACCENT),
    "sender": Exists(MailSender.objects.filter(merchant=_THIS)),
    "gateway": Exists(GatewayAccount.objects.filter(merchant=_THIS)),
    "import_customers": Exists(Customer.objects.filter(merchant=_THIS)),
    "import": Exists(Invoice.objects.filter(merchant=_THIS)),
    "test": Exists(TemplateTest.objects.filter(merchant=_THIS))
    | Exists(ReminderRun.objects.filter(merchant=_THIS).exclude(to_address="")),
    "invite": Exists(Invitation.objects.filter(merchant=_THIS)),
    "switch_on": Exists(Rule.objects.filter(merchant=_THIS, is_active=True)),
}


@dataclass(frozen=True, slots=True)
class StepText:
    """A step as the checklist words it; `address` is the page that does it, or takes its press."""

    name: str
    title: str
    text: str
    button: str
    address: str
    is_for_owners: bool = False
    is_pressed: bool = False  # done by one press rather than on a page
    query: str = ""
    # Another page that does it, and the words of its link.
    other_address: str = ""
    other: str = ""


STEPS = (
    StepText(
        "company",
        "Say who you are",
        "Name, postal address and phone stand below every mail and on receipts.",
        "Enter the company",
        "settings_company",
        is_for_owners=True,
    ),
    StepText(
        "look",
        "Add logo and colour",
        "Mails, payment pages and the portal then look like yours.",
        "Choose the look",
        "settings_branding",
        is_for_owners=True,
    ),
    StepText(
        "sender",
        "Decide who mails come from",
        "Your name with our mail server, or your own address with a mail server of yours.",
        "Choose the sender",
        "sender",
        is_for_owners=True,
    ),
    StepText(
        "gateway",
        "Connect a payment processor",
        "Until then, customers can read what they owe and not pay it online.",
        "Connect a processor",
        "settings_payments",
        is_for_owners=True,
    ),
    StepText(
        "import_customers",
        "Import your customers",
        "The list of customers that your accounting program exports, as CSV or XLSX. You see what would change first.",
        "Import customers",
        "imports",
        query="?kind=customers",
        other_address="customer_new",
        other="Or add one by hand",
    ),
    StepText(
        "import",
        "Import their invoices",
        "The list of open invoices, as CSV or XLSX. An import sends no reminder.",
        "Import invoices",
        "imports",
        query="?kind=invoices",
    ),
    StepText(
        "test",
        "Send yourself a test reminder",
        "It goes to your own address, as a customer would get it. No customer hears of it.",
        "Send me a test",
        "setup_test",
        is_pressed=True,
    ),
    StepText(
        "invite",
        "Invite customers to the portal",
        "You see how many mails would go out, and to whom, before any does.",
        "Invite customers",
        "invite",
    ),
    StepText(
        "switch_on",
        "Switch on reminders",
        "Rules remind of what becomes due from then on; nothing old is sent.",
        "Choose rules",
        "rules",
    ),
)


@dataclass(frozen=True, slots=True)
class Step:
    """A step with its state."""

    words: StepText
    url: str
    is_done: bool
    is_skipped: bool
    other_url: str = ""

    @property
    def is_open(self) -> bool:
        """Whether it still waits for somebody."""
        return not (self.is_done or self.is_skipped)


@dataclass(frozen=True, slots=True)
class Checklist:
    """The steps of a merchant whose setting up is not closed."""

    steps: list[Step]

    @property
    def done_count(self) -> int:
        """How many steps the facts call done."""
        return sum(step.is_done for step in self.steps)

    @property
    def open_count(self) -> int:
        """How many steps wait for somebody."""
        return sum(step.is_open for step in self.steps)

    @property
    def next_step(self) -> Step | None:
        """The first step that waits."""
        return next((step for step in self.steps if step.is_open), None)


def checklist_of(staff: Staff) -> Checklist | None:
    """Return the checklist, from one query; None once it is closed, and for merchants that never had one."""
    setup = open_setup(staff.merchant)
    if setup is None or not staff.can_change():
        return None
    done: dict[str, Any] = dict(Merchant.objects.filter(pk=staff.merchant_id).values(**_FACTS).get())
    return Checklist([_step(staff.merchant, words, bool(done[words.name]), setup) for words in STEPS])


def open_setup(merchant: Merchant) -> Setup | None:
    """Return what is kept of a checklist that is still open."""
    setup: Setup | None = getattr(merchant, "setup", None)
    return setup if setup and setup.closed_at is None else None


def _step(merchant: Merchant, words: StepText, is_done: bool, setup: Setup) -> Step:  # noqa: FBT001
    url = reverse(f"backoffice:{words.address}", args=[merchant.slug]) + words.query
    other_url = reverse(f"backoffice:{words.other_address}", args=[merchant.slug]) if words.other_address else ""
    return Step(words, url, is_done, not is_done and words.name in setup.skipped, other_url)
