"""What becomes of an accent colour that would be hard to see: in words for whoever chooses it."""

from dataclasses import dataclass

from payorcrm.ui.colors import BLACK, WHITE, contrast, palette_of, rgb_of

# Below this ratio a button would all but vanish, and what takes its place is another colour rather than a shade.
_VANISHES = 2.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a colour can be used much as it is, and what is said about it."""

    is_good: bool
    words: str


def verdict_on(accent: str) -> Verdict:
    """Say where buttons are not in the colour itself, and what it is made into there."""
    palette, own = palette_of(accent), accent.lower()
    parts = []
    if palette.light.fill != own:
        parts.append(f"By day buttons are darker than your colour, {palette.light.fill}, to stand out from white.")
    if palette.dark.fill != own:
        parts.append(f"At night buttons are lighter than your colour, {palette.dark.fill}, to stand out from black.")
    if not parts:
        on_it = max(contrast(WHITE, rgb_of(own)), contrast(BLACK, rgb_of(own)))
        parts.append(
            f"Buttons are in exactly this colour, day and night; text on them is easy to read ({on_it:.1f} to 1)."
        )
    is_good = min(contrast(rgb_of(own), WHITE), contrast(rgb_of(own), BLACK)) >= _VANISHES
    return Verdict(is_good, " ".join(parts if is_good else ["Look twice: this colour is hard to see.", *parts]))
