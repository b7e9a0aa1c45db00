"""Logos as merchants bring them: read, checked, made small, and written anew so that nothing hidden travels along."""

import io
from typing import ClassVar

from PIL import Image, UnidentifiedImageError

from payorcrm.core.errors import Refused

LOGO_TYPE = "image/png"
MAX_BYTES = 2_000_000
# Twice the size that mails and pages show, for sharp screens.
_BOX = (640, 200)
_MAX_PIXELS = 25_000_000
# Making a picture smaller needs room for the whole length of its longer side.
_MAX_SIDE = 10_000


class NotALogo(Refused):
    """An uploaded file cannot be used as a logo."""

    code = "not_a_logo"
    status: ClassVar[int] = 422
    message = "Please choose a PNG, JPEG or WebP picture."


def clean_logo(upload: bytes) -> bytes:
    """Return the picture as a PNG that fits 640 by 200 pixels. Raises NotALogo."""
    if len(upload) > MAX_BYTES:
        raise NotALogo("The picture is larger than 2 MB. Please choose a smaller one.")
    try:
        with Image.open(io.BytesIO(upload), formats=["PNG", "JPEG", "WEBP"]) as picture:
            return _small_png(picture)
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise NotALogo from error


def _small_png(picture: Image.Image) -> bytes:
    if picture.width * picture.height > _MAX_PIXELS or max(picture.size) > _MAX_SIDE:
        raise NotALogo("The picture has too many pixels. Please choose a smaller one.")
    plain = picture.convert("RGBA")
    plain.thumbnail(_BOX)
    written = io.BytesIO()
    plain.save(written, format="PNG", optimize=True)
    return written.getvalue()
