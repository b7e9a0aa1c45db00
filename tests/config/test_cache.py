"""What the cache keeps, as far as safety hangs on it."""

from django.core.cache import cache


def test_counted_tries_outlast_a_flood_of_others(db):
    cache.set("0-tries-of-somebody", 5, 3600)

    for number in range(700):
        cache.set(f"tries-of-{number}", 1, 3600)

    assert cache.get("0-tries-of-somebody") == 5
