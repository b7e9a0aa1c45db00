"""From one accent colour to a palette that stays readable: on it, as a link, in light and in dark.

Contrast is WCAG 2.2's relative luminance ratio (success criteria 1.4.3 and 1.4.11).
"""

import re
from dataclasses import dataclass
from functools import lru_cache

DEFAULT_ACCENT = "#274690"
MIN_CONTRAST = 4.5

Rgb = tuple[int, int, int]
WHITE: Rgb = (255, 255, 255)
BLACK: Rgb = (0, 0, 0)
# Text on the accent's own wash is the hardest case of each scheme.
_LIGHT_SURFACE: Rgb = (255, 255, 255)
_DARK_SURFACE: Rgb = (22, 27, 35)

_HEX = re.compile(r"#[0-9a-fA-F]{6}\Z")


@dataclass(frozen=True, slots=True)
class Shades:
    """The accent in one colour scheme: as a fill, pressed, the text on it, as text itself, as a tint."""

    fill: str
    hover: str
    on_fill: str
    ink: str
    wash: str


@dataclass(frozen=True, slots=True)
class Palette:
    """The accent in both colour schemes."""

    light: Shades
    dark: Shades


@lru_cache(maxsize=512)
def palette_of(accent: str) -> Palette:
    """Return the palette of a colour such as `#0f62a8`; of anything else, the product's own."""
    base = rgb_of(accent if _HEX.match(accent) else DEFAULT_ACCENT)
    return Palette(
        light=_shades(base, _LIGHT_SURFACE, 0.08),
        dark=_shades(base, _DARK_SURFACE, 0.16),
    )


def contrast(first: Rgb, second: Rgb) -> float:
    """Return the contrast ratio of two colours, 1 to 21."""
    lighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def rgb_of(text: str) -> Rgb:
    """Read `#rrggbb`."""
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


def hex_of(color: Rgb) -> str:
    """Write `#rrggbb`."""
    return "#{:02x}{:02x}{:02x}".format(*color)


def _shades(base: Rgb, surface: Rgb, tint: float) -> Shades:
    away = BLACK if surface == _LIGHT_SURFACE else WHITE
    # A button must stand out from the surface it lies on, whatever the colour (3 to 1, as any control).
    fill = _until_readable(base, against=surface, toward=away, ratio=3.0)
    on_fill = max(WHITE, BLACK, key=lambda text: contrast(text, fill))
    hover = _mix(fill, BLACK if on_fill == WHITE else WHITE, 0.14)
    wash = _mix(surface, base, tint)
    ink = _until_readable(base, against=wash, toward=away, ratio=MIN_CONTRAST + 0.3)
    return Shades(*(hex_of(color) for color in (fill, hover, on_fill, ink, wash)))


def _until_readable(color: Rgb, *, against: Rgb, toward: Rgb, ratio: float) -> Rgb:
    steps = (_mix(color, toward, step / 40) for step in range(41))
    return next((mixed for mixed in steps if contrast(mixed, against) >= ratio), toward)


def _mix(color: Rgb, other: Rgb, share: float) -> Rgb:
    red, green, blue = (round(one + (two - one) * share) for one, two in zip(color, other, strict=True))
    return red, green, blue


def _luminance(color: Rgb) -> float:
    red, green, blue = (_linear(part / 255) for part in color)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
