"""Whatever colour a merchant chooses, text stays readable."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payorcrm.ui.colors import DEFAULT_ACCENT, Shades, contrast, palette_of, rgb_of

colors = st.from_regex(r"\A#[0-9a-f]{6}\Z")
LIGHT_SURFACE, DARK_SURFACE = "#ffffff", "#161b23"


def ratio(first: str, second: str) -> float:
    return contrast(rgb_of(first), rgb_of(second))


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [("#000000", "#ffffff", 21.0), ("#777777", "#ffffff", 4.48), ("#ffffff", "#ffffff", 1.0)],
)
def test_contrast_is_the_ratio_of_wcag(first, second, expected):
    assert ratio(first, second) == pytest.approx(expected, abs=0.01)


@given(colors)
def test_every_accent_has_readable_text_on_it(accent):
    palette = palette_of(accent)

    for shades in (palette.light, palette.dark):
        assert ratio(shades.on_fill, shades.fill) >= 4.5
        assert ratio(shades.on_fill, shades.hover) >= 4.5


@given(colors)
def test_every_accent_can_be_read_as_a_link_on_panel_and_tint(accent):
    palette = palette_of(accent)

    for shades, surface in ((palette.light, LIGHT_SURFACE), (palette.dark, DARK_SURFACE)):
        assert ratio(shades.ink, surface) >= 4.5
        assert ratio(shades.ink, shades.wash) >= 4.5


@given(colors)
def test_every_button_stands_out_from_its_panel(accent):
    palette = palette_of(accent)

    assert ratio(palette.light.fill, LIGHT_SURFACE) >= 3
    assert ratio(palette.dark.fill, DARK_SURFACE) >= 3


def test_a_colour_that_is_none_gives_the_products_own():
    assert palette_of("red; } body { display: none") == palette_of(DEFAULT_ACCENT)


def test_a_readable_accent_is_kept_as_it_is():
    assert palette_of("#0f62a8").light == Shades("#0f62a8", "#0d5490", "#ffffff", "#0f62a8", "#ecf2f8")
