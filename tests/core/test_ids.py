"""Identifiers are of version 7, in the order of time, and never the same twice."""

import re
import time

import pytest
from django.db import connection

from payorcrm.core.ids import UUID7_IN_SQL, readable_reference, uuid7, uuid7_batch, uuid7_start


def milliseconds_of(identifier):
    return identifier.int >> 80


def test_uuid7_is_of_version_7_and_says_when_it_was_made():
    before = time.time_ns() // 1_000_000

    identifier = uuid7()

    assert (identifier.version, identifier.variant) == (7, "specified in RFC 4122")
    assert before <= milliseconds_of(identifier) <= time.time_ns() // 1_000_000


def test_what_is_made_later_sorts_later_also_within_a_millisecond():
    made = []
    for _ in range(2_000):
        made.append(uuid7())
        until = time.time_ns() + 1_000
        while time.time_ns() < until:
            pass

    assert made == sorted(made)
    assert len(set(map(milliseconds_of, made))) < len(made) / 2


def test_a_batch_is_of_one_millisecond_and_without_twins():
    batch = list(uuid7_batch(10_000))

    assert len(set(batch)) == 10_000
    assert len(set(map(milliseconds_of, batch))) == 1
    assert {identifier.version for identifier in batch} == {7}


@pytest.mark.django_db
def test_the_database_makes_the_same_kind():
    before = time.time_ns() // 1_000_000
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {UUID7_IN_SQL} FROM generate_series(1, 1000)", {"uuid7_start": uuid7_start()})
        made = [identifier for (identifier,) in cursor.fetchall()]

    assert len(set(made)) == 1_000
    assert {(identifier.version, identifier.variant) for identifier in made} == {(7, "specified in RFC 4122")}
    assert before <= milliseconds_of(made[0]) <= time.time_ns() // 1_000_000


def test_a_readable_reference_has_no_letters_that_people_misread():
    assert re.fullmatch(
        r"PAY-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{2}", readable_reference("PAY")
    )
