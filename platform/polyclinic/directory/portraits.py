"""Portraits: what somebody uploads becomes WebP pictures without metadata, or a sentence that says why not (M4)."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING, Final

from flask_babel import lazy_gettext as _l

from polyclinic.kernel.errors import Invalid
from polyclinic.kernel.ids import new_token
from polyclinic.kernel.later import Later
from polyclinic.web.files import FileStore
from polyclinic.web.offload import offload

if TYPE_CHECKING:
    import PIL
    from PIL import Image, ImageOps
else:  # only who uploads a picture needs it: 0.1 s and 3 MB
    PIL, Image, ImageOps = Later("PIL"), Later("PIL.Image"), Later("PIL.ImageOps")

#: What is decoded at all; by content, whatever the name says.
FORMATS: Final = ("JPEG", "PNG", "WEBP")
MOST_BYTES: Final = 12 * 1024 * 1024
MOST_PIXELS: Final = 50_000_000
SMALLEST_SIDE: Final = 200
#: name -> side in pixels: cards and profile pages, twice for dense screens
SIZES: Final = {"s": 224, "l": 640}
QUALITY: Final = 84


def keep_portrait(files: FileStore, content: bytes) -> str:
    """Keep an uploaded picture in every size and return its key; raises Invalid where it cannot be used."""
    pictures = offload(encode, content)
    key = f"portraits/{new_token(24)}"
    for size, picture in pictures.items():
        files.put(file_of(key, size), picture)
    return key


def forget_portrait(files: FileStore, key: str) -> None:
    """Remove a portrait in every size."""
    for size in SIZES:
        files.delete(file_of(key, size))


def file_of(key: str, size: str) -> str:
    """Return the key of one size of a portrait."""
    return f"{key}.{size}.webp"


def encode(content: bytes) -> dict[str, bytes]:
    """Return a picture as square WebP in each size, upright and without metadata; CPU work for ``offload``."""
    if len(content) > MOST_BYTES:
        raise _refused("image-too-large", _l("This picture is larger than 12 MB. Please choose a smaller one."))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=FORMATS) as image:
                _refuse_size(image.size)
                upright = ImageOps.exif_transpose(image).convert("RGB")
    except (
        PIL.UnidentifiedImageError,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
        OSError,
        ValueError,
    ):
        raise _refused(
            "image-unreadable", _l("This is not a picture that can be read. Expected a JPEG, PNG or WebP file.")
        ) from None
    return {size: _square(upright, side) for size, side in SIZES.items()}


def _refuse_size(size: tuple[int, int]) -> None:
    """Decide by the header alone, before anything is decoded."""
    if size[0] * size[1] > MOST_PIXELS:
        raise _refused("image-too-large", _l("This picture has too many pixels. Please choose a smaller one."))
    if min(size) < SMALLEST_SIDE:
        message = _l("This picture is too small: it needs at least %(side)s pixels each way.", side=SMALLEST_SIDE)
        raise _refused("image-too-small", message)


def _square(image: Image.Image, side: int) -> bytes:
    side = min(side, *image.size)
    # Faces are rather above the middle of a photograph.
    fitted = ImageOps.fit(image, (side, side), Image.Resampling.LANCZOS, centering=(0.5, 0.35))
    out = io.BytesIO()
    fitted.save(out, "WEBP", quality=QUALITY, method=4, exif=b"", icc_profile=None)
    return out.getvalue()


def _refused(code: str, message: object) -> Invalid:
    return Invalid(code, message, fields={"image": message})
