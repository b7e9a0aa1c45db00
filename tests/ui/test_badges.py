"""Every state has a colour and an icon."""

import pytest
from heroicons.templatetags.heroicons import heroicon_mini

from payorcrm.invoices.models import InvoiceEventKind, InvoiceStatus
from payorcrm.mail.models import MailState
from payorcrm.payments.models import PaymentState
from payorcrm.ui.badges import LOOKS, NEUTRAL, look_of

STATES = [*InvoiceStatus, *InvoiceEventKind, *PaymentState, *MailState]


@pytest.mark.parametrize("state", STATES, ids=repr)
def test_every_member_has_label_and_look(state):
    assert state.value in LOOKS
    assert state.label


@pytest.mark.parametrize("state", sorted(LOOKS))
def test_every_look_can_be_drawn(state):
    look = look_of(state)

    assert look.tone in {"good", "warn", "bad", "note", "still"}
    assert "<svg" in heroicon_mini(look.icon)


def test_an_unheard_of_state_is_neutral():
    assert look_of("teleported") == NEUTRAL
