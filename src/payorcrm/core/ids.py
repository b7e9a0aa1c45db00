"""Identifiers: UUIDv7 for rows (RFC 9562, section 5.7) and short references for people."""

import os
import secrets
import time
from collections.abc import Iterator
from uuid import UUID

# Crockford's base 32 leaves out I, L, O and U, which people misread.
READABLE_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

_VERSION_7 = 0x7 << 76
_VARIANT_RFC = 0b10 << 62


def uuid7() -> UUID:
    """Make a time-ordered UUID: 48 bits of Unix milliseconds, 12 of their fraction, then 62 random bits.

    Rows that one process makes one after the other keep their order even within a millisecond (RFC 9562, section 6.2,
    method 3).
    """
    return _uuid7_from(*_moment(), int.from_bytes(os.urandom(8), "big"))


def uuid7_batch(count: int) -> Iterator[UUID]:
    """Make `count` UUIDs of one moment with a single read of the system's randomness."""
    milliseconds, fraction = _moment()
    noise = os.urandom(8 * count)
    for start in range(0, 8 * count, 8):
        yield _uuid7_from(milliseconds, fraction, int.from_bytes(noise[start : start + 8], "big"))


# A random UUID of version 4 with its first 18 characters replaced; the parameter is `uuid7_start()`.
UUID7_IN_SQL = "overlay(gen_random_uuid()::text PLACING %(uuid7_start)s FROM 1 FOR 18)::uuid"


def uuid7_start() -> str:
    """Return how every UUIDv7 of this moment begins, for `UUID7_IN_SQL`."""
    return str(_uuid7_from(*_moment(), 0))[:18]


def _moment() -> tuple[int, int]:
    """Return Unix milliseconds, and how many 4096ths of the next one have passed."""
    milliseconds, nanoseconds = divmod(time.time_ns(), 1_000_000)
    return milliseconds, nanoseconds * 4096 // 1_000_000


def _uuid7_from(milliseconds: int, fraction: int, noise: int) -> UUID:
    low = noise & 0x3FFF_FFFF_FFFF_FFFF
    return UUID(int=(milliseconds << 80) | _VERSION_7 | (fraction << 64) | _VARIANT_RFC | low)


def readable_reference(prefix: str) -> str:
    """Make a reference such as `PAY-7K2M-9QXD-4T` (50 random bits) that people can read out on the phone."""
    letters = "".join(secrets.choice(READABLE_ALPHABET) for _ in range(10))
    return f"{prefix}-{letters[:4]}-{letters[4:8]}-{letters[8:]}"
