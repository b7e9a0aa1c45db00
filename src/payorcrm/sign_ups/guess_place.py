"""Guesses where a business is from what its browser says; all of it can be changed on the same page."""

from babel.core import get_global
from babel.numbers import get_territory_currencies
from django.utils.translation.trans_real import parse_accept_lang_header

HOME = "US"
# Where most people are, in countries of many time zones.
_ZONES = {
    "AR": "America/Argentina/Buenos_Aires",
    "AU": "Australia/Sydney",
    "BR": "America/Sao_Paulo",
    "CA": "America/Toronto",
    "CL": "America/Santiago",
    "CN": "Asia/Shanghai",
    "DE": "Europe/Berlin",
    "EC": "America/Guayaquil",
    "ES": "Europe/Madrid",
    "MX": "America/Mexico_City",
    "NZ": "Pacific/Auckland",
    "PT": "Europe/Lisbon",
    "US": "America/New_York",
}


def guess_zone(accept_language: str) -> str:
    """Return a time zone of the first country that a browser's languages name; without one, New York's."""
    territory = _territory_of(accept_language)
    named = (
        zone for zone, place in sorted(get_global("zone_territories").items()) if place == territory and "/" in zone
    )
    return _ZONES.get(territory) or next(named, _ZONES[HOME])


def guess_currency(time_zone: str) -> str:
    """Return the currency where a time zone is; without one, the dollar."""
    territory = get_global("zone_territories").get(time_zone, HOME)
    return next(iter(get_territory_currencies(territory)), "USD")


def _territory_of(accept_language: str) -> str:
    for language, _ in parse_accept_lang_header(accept_language):
        territory = language.rpartition("-")[2].upper()
        if len(territory) == 2 and "-" in language:
            return territory
    return HOME
