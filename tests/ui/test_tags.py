"""What the tags of every page draw."""

from datetime import UTC, date, datetime
from types import SimpleNamespace

import pytest
from django import forms
from django.template import Context, Template

from payorcrm.core.money import Money
from payorcrm.payments.models import PaymentState
from payorcrm.ui.context import Brand

EVENING = datetime(2026, 11, 22, 2, 30, tzinfo=UTC)


def draw(source: str, **context: object) -> str:
    return Template(source).render(Context(context)).strip()


def test_a_moment_is_written_in_the_merchants_zone():
    brand = Brand("Acme", time_zone="America/New_York")

    assert "Nov 21, 2026, 9:30 PM EST" in draw("{% moment at %}", at=EVENING, brand=brand).replace("\u202f", " ")
    assert "Nov 21, 2026" in draw("{% day at %}", at=EVENING, brand=brand)
    assert "Nov 22, 2026" in draw("{% day on %}", on=date(2026, 11, 22), brand=brand)


def test_money_never_breaks_and_uses_a_true_minus():
    assert draw("{% money amount %}", amount=Money(-115000, "USD")) == '<span class="money">−$1,150.00</span>'


@pytest.mark.parametrize("tag", ["money", "day", "moment", "method_chip"])
def test_nothing_is_drawn_as_a_dash(tag):
    assert draw(f"{{% {tag} nothing %}}", nothing=None) == '<span class="muted">–</span>'


def test_a_badge_says_its_state_in_words():
    drawn = draw("{% badge state %}", state=PaymentState.RETURNED)

    assert 'class="badge bad"' in drawn
    assert "Returned" in drawn
    assert 'aria-hidden="true"' in drawn


def test_a_method_reads_well_aloud():
    card = SimpleNamespace(kind="card", brand="amex", bank_name="", last4="0005")

    drawn = draw("{% method_chip method %}", method=card)

    assert "American Express" in drawn
    assert '<span class="unseen">ending in</span> 0005' in drawn


def test_tags_escape_what_people_typed():
    assert "<script>" not in draw(
        '{% alert "bad" text %}{% empty "inbox" text text %}{% badge "open" text %}', text="<script>"
    )


class CodeForm(forms.Form):
    code = forms.CharField(help_text="Six digits.")
    note = forms.CharField(required=False)


def test_a_field_is_tied_to_its_help_and_its_error():
    drawn = draw("{{ form }}", form=CodeForm({"code": ""}))

    assert 'aria-describedby="id_code_helptext id_code_error"' in drawn
    assert 'id="id_code_helptext"' in drawn
    assert 'id="id_code_error"' in drawn
    assert 'aria-invalid="true"' in drawn
    assert drawn.count("(optional)") == 1
