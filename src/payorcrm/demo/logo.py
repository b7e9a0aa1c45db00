"""Draws the merchant's logo: a finch, made of a few curves, on the accent colour."""

import io

from PIL import Image, ImageDraw

from payorcrm.demo.business import ACCENT

SIZE = 200
# Drawn larger and made smaller, which smooths the edges.
SCALE = 4


def draw_logo() -> bytes:
    """Return the logo as a PNG, the same bytes each time for one version of Pillow."""
    picture = Image.new("RGBA", (SIZE * SCALE, SIZE * SCALE), (0, 0, 0, 0))
    pen = ImageDraw.Draw(picture)
    pen.rounded_rectangle(_scaled(0, 0, 200, 200), radius=44 * SCALE, fill=ACCENT)
    pen.pieslice(_scaled(34, 36, 166, 168), start=0, end=180, fill="#ffffff")
    pen.polygon(_points((34, 103), (8, 74), (80, 103)), fill="#ffffff")
    pen.ellipse(_scaled(104, 46, 166, 108), fill="#ffffff")
    pen.polygon(_points((160, 64), (190, 78), (160, 92)), fill="#f0b429")
    pen.pieslice(_scaled(62, 80, 118, 144), start=0, end=180, fill=ACCENT)
    pen.ellipse(_scaled(138, 66, 149, 77), fill=ACCENT)
    written = io.BytesIO()
    picture.resize((SIZE, SIZE), Image.Resampling.LANCZOS).save(written, format="PNG", optimize=True)
    return written.getvalue()


def _scaled(*box: int) -> tuple[int, ...]:
    return tuple(edge * SCALE for edge in box)


def _points(*points: tuple[int, int]) -> list[tuple[int, int]]:
    return [(x * SCALE, y * SCALE) for x, y in points]
