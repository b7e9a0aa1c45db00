"""Whatever the staff do in the back office is written down: who, when, what was before and after."""

import re
from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from payorcrm.backoffice import urls
from payorcrm.backoffice.audit_labels import ACTIONS, CHANGES_NOTHING, SUBJECTS
from payorcrm.merchants.models import Role
from payorcrm.staff.models import AuditEntry, AuditKind
from tests.backoffice.rows import client_of, make_shop
from tests.backoffice.test_access import FORMS, ID_NAMES

pytestmark = pytest.mark.django_db

PATTERNS = urls.urlpatterns


def takes_posts(pattern):
    """Say whether a view answers to POST: Django's decorators refuse it with 405 before the guard."""
    shop = make_shop()
    ids = {name: value for name, value in shop.ids().items() if name in pattern.pattern.converters}
    place = reverse(f"backoffice:{pattern.name}", kwargs={"merchant_slug": shop.merchant.slug, **ids})
    return client_of(shop.merchant, Role.VIEWER).post(place, FORMS.get(pattern.name, {})).status_code != 405


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: pattern.name)
def test_every_address_that_takes_posts_has_words_for_the_audit_log(pattern):
    has_words = pattern.name in ACTIONS or pattern.name in CHANGES_NOTHING

    assert has_words == takes_posts(pattern), f"backoffice/audit_labels.py and the address {pattern.name} disagree"


def test_every_row_that_an_address_can_name_has_a_name_in_the_audit_log():
    assert ID_NAMES == set(SUBJECTS)
    shop = make_shop()
    for id_name, row_id in shop.ids().items():
        subject = SUBJECTS[id_name]
        assert subject.words(subject.find(shop.merchant, row_id))
        assert subject.find(make_shop().merchant, row_id) is None


def test_changed_settings_say_what_was_before_and_after():
    shop = make_shop(name="Harbor", phone="")
    place = reverse("backoffice:settings", args=[shop.merchant.slug])
    client = client_of(shop.merchant)

    form = dict(re.findall(r'name="(\w+)"[^>]*value="([^"]*)"', client.get(place).text))
    form |= {"name": "Harbour & Söhne 🚢", "time_zone": "UTC", "language": "en", "accent_color": "#0f62a8"}
    client.post(place, form | {"confirmation_hours": "5", "address": shop.merchant.address})

    entry = AuditEntry.objects.get(merchant=shop.merchant)
    assert (entry.kind, entry.says) == (AuditKind.SETTINGS, "Changed the settings")
    assert ["Name", "Harbor", "Harbour & Söhne 🚢"] in entry.changes
    assert ["Confirmations are valid for (hours)", "24", "5"] in entry.changes
    assert entry.actor_email in str(shop.merchant.staff.get().user.email)


def test_a_refused_a_repeated_and_a_wrong_post_are_no_entries():
    shop = make_shop()
    slug = shop.merchant.slug
    client = client_of(shop.merchant)

    client.post(reverse("backoffice:settings", args=[slug]), {"name": ""})
    client.post(reverse("backoffice:note_write", args=[slug, shop.customer.id]), {"text": ""})
    client_of(shop.merchant, Role.VIEWER).post(reverse("backoffice:settings", args=[slug]), FORMS["settings"])

    assert not AuditEntry.objects.filter(merchant=shop.merchant).exists()


def test_an_entry_names_what_it_was_about_even_when_that_is_gone():
    shop = make_shop()
    client = client_of(shop.merchant)
    author = shop.merchant.staff.get().user
    shop.note.author = author
    shop.note.save()

    client.post(reverse("backoffice:note_delete", args=[shop.merchant.slug, shop.note.id]))

    entry = AuditEntry.objects.get(merchant=shop.merchant)
    assert (entry.says, entry.about) == ("Deleted a note", shop.customer.company_name)
    assert ["Text", "Wants to pay on Friday.", ""] in entry.changes


@pytest.mark.parametrize("change", ["UPDATE staff_auditentry SET says = 'x'", "DELETE FROM staff_auditentry"])
def test_the_database_refuses_to_change_what_was_written_down(change):
    shop = make_shop()
    client_of(shop.merchant).post(
        reverse("backoffice:rule_switch", args=[shop.merchant.slug, shop.rule.id]), {"to": "on"}
    )
    from django.db import connection

    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change)

    assert AuditEntry.objects.get().changes[0][:3] == ["Switched on", "no", "yes"]
