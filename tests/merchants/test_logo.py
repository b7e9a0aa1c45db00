"""Which pictures are taken as a logo."""

import io

import pytest
from PIL import Image

from payorcrm.merchants.logo import NotALogo, clean_logo


def png(width: int, height: int) -> bytes:
    written = io.BytesIO()
    Image.new("1", (width, height)).save(written, format="PNG", optimize=True)
    return written.getvalue()


@pytest.mark.parametrize("size", [(1, 10_001), (10_001, 1), (5_001, 5_000)])
def test_a_picture_that_needs_much_memory_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(NotALogo, match="too many pixels"):
        clean_logo(png(*size))


def test_a_large_picture_is_made_small() -> None:
    with Image.open(io.BytesIO(clean_logo(png(3_200, 1_000)))) as small:
        assert small.size == (640, 200)
