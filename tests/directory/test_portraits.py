"""Portraits: whatever is uploaded becomes WebP without metadata, or is refused with a sentence."""

import io
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from polyclinic.directory.models import PublishedProfile
from polyclinic.directory.portraits import SIZES, encode, file_of
from polyclinic.directory.profiles import set_portrait
from polyclinic.kernel.errors import Defect, Forbidden, Invalid
from polyclinic.kernel.scope import open_session
from polyclinic.web.files import LocalFiles
from support.cast import Cast


def picture(kind: str = "JPEG", size: tuple[int, int] = (900, 700), **options: object) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "#a87").save(out, kind, **options)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_picture_becomes_square_webp_in_each_size(kind: str) -> None:
    """M4: re-encoded, whatever it was."""
    for name, content in encode(picture(kind)).items():
        with Image.open(io.BytesIO(content)) as image:
            assert (image.format, image.size) == ("WEBP", (SIZES[name], SIZES[name]))


def test_metadata_is_gone_and_the_picture_upright() -> None:
    """M4: where a photograph was taken is nobody's business."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "taken at home"
    upright = Image.new("RGB", (400, 800), "white")
    upright.paste("black", (0, 0, 400, 100))
    out = io.BytesIO()
    upright.rotate(90, expand=True).save(out, "JPEG", exif=exif)
    for content in encode(out.getvalue()).values():
        assert b"taken at home" not in content
        with Image.open(io.BytesIO(content)) as image:
            assert not image.getexif()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "image-unreadable"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image-unreadable"),
        (picture("GIF"), "image-unreadable"),
        (picture("BMP"), "image-unreadable"),
        (picture("JPEG")[:500], "image-unreadable"),
        (picture("PNG", (120, 900)), "image-too-small"),
        (picture("PNG", (8000, 7000)), "image-too-large"),
        (b"\xff\xd8" + b"0" * (13 * 1024 * 1024), "image-too-large"),
    ],
)
def test_what_is_no_usable_picture_is_refused(content: bytes, code: str) -> None:
    """M4: type by content, limits on bytes and pixels, a sentence for each."""
    with pytest.raises(Invalid) as refused:
        encode(content)
    assert refused.value.code == code
    assert str(refused.value.fields["image"])


def test_a_new_portrait_replaces_the_old_one_everywhere(
    cast: Cast, engine: Engine, owner: Engine, tmp_path: Path
) -> None:
    """S3: live at once on every portal; the old files are gone."""
    files = LocalFiles(tmp_path)
    with open_session(engine, cast.sam.scope()) as session:
        old = set_portrait(session, cast.sam, files, cast.sam.id, picture()).image_key
        new = set_portrait(session, cast.sam, files, cast.sam.id, picture("PNG")).image_key
    assert old and new and old != new
    assert files.get(file_of(old, "l")) is None
    assert files.get(file_of(new, "s")) is not None
    with Session(owner) as session:
        query = select(PublishedProfile.image_key).where(PublishedProfile.specialist_id == cast.sam.id)
        assert list(session.scalars(query)) == [new, new]


def test_a_refused_portrait_leaves_nothing_behind(cast: Cast, engine: Engine, tmp_path: Path) -> None:
    """I2: nobody sets another person's portrait, and no file stays."""
    with open_session(engine, cast.ben.scope()) as session, pytest.raises(Forbidden):
        set_portrait(session, cast.ben, LocalFiles(tmp_path), cast.sam.id, picture())
    assert list(tmp_path.rglob("*.webp")) == []


@pytest.mark.parametrize(
    "key", ["../secret", "portraits/../../etc/passwd", "portraits/x.webp", "/portraits/" + "a" * 20]
)
def test_a_key_never_leaves_the_folder(key: str, tmp_path: Path) -> None:
    """M4: keys are ours; anything else is a mistake of the program."""
    with pytest.raises(Defect):
        LocalFiles(tmp_path).get(key)
