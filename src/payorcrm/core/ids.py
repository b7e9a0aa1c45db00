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
    """Make a time-ordered UUID: 48 bits of Unix milliseconds, then 74 random bits."""
    return _uuid7_from(time.time_ns() // 1_000_000, int.from_bytes(os.urandom(10), "big"))


def uuid7_batch(count: int) -> Iterator[UUID]:
    """Make `count` UUIDs of one millisecond with a single read of the system's randomness."""
    milliseconds = time.time_ns() // 1_000_000
    noise = os.urandom(10 * count)
    for start in range(0, 10 * count, 10):
        yield _uuid7_from(milliseconds, int.from_bytes(noise[start : start + 10], "big"))


# A random UUID of version 4 with its first 15 characters replaced; the parameter is `uuid7_start()`.
UUID7_IN_SQL = "overlay(gen_random_uuid()::text PLACING %(uuid7_start)s FROM 1 FOR 15)::uuid"


def uuid7_start() -> str:
    """Return how every UUIDv7 of this millisecond begins, for `UUID7_IN_SQL`."""
    digits = f"{time.time_ns() // 1_000_000:012x}"
    return f"{digits[:8]}-{digits[8:]}-7"


def _uuid7_from(milliseconds: int, noise: int) -> UUID:
    high = (noise >> 62) & 0xFFF
    low = noise & 0x3FFF_FFFF_FFFF_FFFF
    return UUID(int=(milliseconds << 80) | _VERSION_7 | (high << 64) | _VARIANT_RFC | low)


def readable_reference(prefix: str) -> str:
    """Make a reference such as `PAY-7K2M-9QXD-4T` (50 random bits) that people can read out on the phone."""
    letters = "".join(secrets.choice(READABLE_ALPHABET) for _ in range(10))
    return f"{prefix}-{letters[:4]}-{letters[4:8]}-{letters[8:]}"
