"""An image of the user's own, from an array or a picture."""

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from advmip import InputError
from advmip.datasets.image_files import read_image
from advmip.layout import Layout

GREY, COLOUR = Layout((1, 4, 3)), Layout((3, 4, 3))
FLAT = Layout((12,))
BYTES = np.arange(12, dtype=np.uint8).reshape(4, 3) * 23
COLOURS = np.stack([BYTES, BYTES // 2, 255 - BYTES], axis=-1)
TWO_BYTES = np.linspace(0, 65535, 12).astype(np.uint16).reshape(4, 3)


def png(file: Path, size: tuple[int, int], depth: int, kind: int, data: bytes) -> None:
    """A PNG of any depth and kind of colour, which Pillow reads but does not write."""

    def chunk(name: bytes, content: bytes) -> bytes:
        checked = name + content
        return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))

    width, height = size
    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    row = len(data) // height
    rows = b"".join(b"\0" + data[start : start + row] for start in range(0, len(data), row))
    file.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("array", "layout", "expected"),
    [
        (BYTES / 255, GREY, BYTES[None] / 255),
        (BYTES[None] / 255, GREY, BYTES[None] / 255),
        (BYTES[..., None] / 255, GREY, BYTES[None] / 255),
        (BYTES[..., None] > 99, GREY, BYTES[None] > 99),
        (COLOURS / 255, COLOUR, COLOURS.transpose(2, 0, 1) / 255),
        (np.asfortranarray(COLOURS) / 255, Layout.said("hwc", (4, 3, 3), ""), COLOURS / 255),
        (COLOURS.transpose(2, 0, 1) / 255, Layout.said("hwc", (4, 3, 3), ""), COLOURS / 255),
        (BYTES / 255, FLAT, BYTES / 255),
        (BYTES[None] / 255, FLAT, BYTES[None] / 255),
        (BYTES.ravel() / 255, FLAT, BYTES.ravel() / 255),
        (BYTES / 255, Layout.said("hw:4x3", (12,), ""), BYTES.ravel() / 255),
        (np.array(0.5), Layout((1,)), np.array(0.5)),
        (np.array([0.5]), Layout((1, 1, 1)), np.array([0.5])),
    ],
)
def test_an_array_is_laid_out_for_the_network(
    array: np.ndarray, layout: Layout, expected: np.ndarray, tmp_path: Path
) -> None:
    np.save(tmp_path / "image.npy", array)
    image = read_image(tmp_path / "image.npy", layout)
    assert image.dtype == np.float64
    np.testing.assert_array_equal(image, expected)


def paletted(image: np.ndarray) -> Image.Image:
    picture = Image.fromarray(np.arange(12, dtype=np.uint8).reshape(4, 3), "P")
    picture.putpalette(image.reshape(-1).tolist())
    return picture


def opaque(picture: Image.Image) -> Image.Image:
    picture.putalpha(255)
    return picture


RIGHT = {
    "grey.png": (Image.fromarray(BYTES), BYTES / 255),
    "grey.bmp": (Image.fromarray(BYTES), BYTES / 255),
    "grey.pgm": (Image.fromarray(BYTES), BYTES / 255),
    "grey.tiff": (Image.fromarray(BYTES), BYTES / 255),
    "grey.gif": (Image.fromarray(BYTES), BYTES / 255),
    "colour.png": (Image.fromarray(COLOURS), COLOURS / 255),
    "colour.ppm": (Image.fromarray(COLOURS), COLOURS / 255),
    "colour.tiff": (Image.fromarray(COLOURS), COLOURS / 255),
    "palette.png": (paletted(COLOURS), COLOURS / 255),
    "palette.gif": (paletted(COLOURS), COLOURS / 255),
    "opaque.png": (opaque(Image.fromarray(COLOURS)), COLOURS / 255),
    "opaque grey.png": (opaque(Image.fromarray(BYTES)), BYTES / 255),
    "bilevel.png": (Image.fromarray(BYTES > 99), (BYTES > 99) * 1.0),
    "bilevel.tiff": (Image.fromarray(BYTES > 99), (BYTES > 99) * 1.0),
    "sixteen.png": (Image.fromarray(TWO_BYTES), TWO_BYTES / 65535),
    "sixteen.tiff": (Image.fromarray(TWO_BYTES), TWO_BYTES / 65535),
    "sixteen.pgm": (Image.fromarray(TWO_BYTES), TWO_BYTES / 65535),
    "float.tiff": (
        Image.fromarray((BYTES / 255).astype(np.float32)),
        (BYTES / 255).astype(np.float32),
    ),
}


@pytest.mark.parametrize("name", RIGHT)
@pytest.mark.parametrize("layout", ["chw", "hwc", "cwh"])
def test_a_picture_is_read_at_its_depth(name: str, layout: str, tmp_path: Path) -> None:
    picture, expected = RIGHT[name]
    picture.save(tmp_path / name)
    coloured = expected if expected.ndim == 3 else np.stack([expected] * 3, axis=-1)
    shape = tuple({"c": 3, "h": 4, "w": 3}[axis] for axis in layout)
    known = Layout.said(layout, shape, "a network")
    np.testing.assert_allclose(
        known.picture(read_image(tmp_path / name, known)).transpose(1, 2, 0), coloured, atol=1e-12
    )
    if expected.ndim == 2:
        for grey in (GREY, FLAT):
            np.testing.assert_allclose(read_image(tmp_path / name, grey)[0], expected, atol=1e-12)


@pytest.mark.parametrize(("depth", "top"), [(1, 1), (2, 3), (4, 15)])
def test_few_bits_are_read_as_shares_of_the_most_they_hold(
    depth: int, top: int, tmp_path: Path
) -> None:
    values = np.arange(16, dtype=np.uint8).reshape(2, 8) % (top + 1)
    bits = np.unpackbits(values[..., None], axis=-1)[..., -depth:]
    png(tmp_path / "few.png", (8, 2), depth, 0, np.packbits(bits.reshape(2, -1)).tobytes())
    image = read_image(tmp_path / "few.png", Layout((1, 2, 8)))
    np.testing.assert_allclose(image[0], values / top, atol=1e-12)


def test_the_channels_of_a_network_may_be_those_of_a_picture_with_alpha(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (4, 3, 4), np.uint8)
    Image.fromarray(pixels, "RGBA").save(tmp_path / "alpha.png")
    image = read_image(tmp_path / "alpha.png", Layout((4, 4, 3)))
    np.testing.assert_array_equal(image, pixels.transpose(2, 0, 1) / 255)
    Image.fromarray(COLOURS).save(tmp_path / "opaque.png")
    with pytest.raises(InputError, match="no transparency"):
        read_image(tmp_path / "opaque.png", Layout((4, 4, 3)))


def test_a_camera_held_upright_is_believed(tmp_path: Path) -> None:
    turned = Image.fromarray(np.ascontiguousarray(np.rot90(BYTES)))
    exif = Image.Exif()
    exif[0x0112] = 6
    turned.save(tmp_path / "turned.png", exif=exif)
    np.testing.assert_allclose(read_image(tmp_path / "turned.png", GREY)[0], BYTES / 255)


def test_a_flat_network_takes_a_picture_of_as_many_numbers(tmp_path: Path) -> None:
    Image.fromarray(COLOURS).save(tmp_path / "colour.png")
    image = read_image(tmp_path / "colour.png", Layout((36,)))
    np.testing.assert_array_equal(image, COLOURS.transpose(2, 0, 1) / 255)


def animated(file: Path) -> None:
    frames = [Image.fromarray(BYTES), Image.fromarray(255 - BYTES)]
    frames[0].save(file, save_all=True, append_images=frames[1:])


def white_is_zero(file: Path) -> None:
    info = TiffImagePlugin.ImageFileDirectory_v2()
    info[262] = 0
    Image.fromarray(TWO_BYTES).save(file, tiffinfo=info)


def transparent(file: Path) -> None:
    Image.fromarray(np.dstack([COLOURS, BYTES])).save(file)


def see_through_palette(file: Path) -> None:
    paletted(COLOURS).save(file, transparency=3)


def written(picture: Image.Image) -> Callable[[Path], None]:
    return lambda file: picture.save(file)


def sixteen_bits(kind: int, channels: int) -> Callable[[Path], None]:
    return lambda file: png(file, (3, 4), 16, kind, b"\1\2" * 12 * channels)


WRONG: dict[str, tuple[str, Callable[[Path], None], str]] = {
    "colours of 16 bits": ("a.png", sixteen_bits(2, 3), "RGB;16B"),
    "grey and alpha of 16 bits": ("a.png", sixteen_bits(4, 2), "LA;16B"),
    "colours of more than a byte": (
        "a.ppm",
        lambda file: file.write_bytes(b"P6 3 4 65535\n" + b"\1\2" * 36),
        "PPM of mode RGB",
    ),
    "whole numbers of 32 bits": (
        "a.tiff",
        written(Image.fromarray(BYTES.astype(np.int32))),
        "TIFF of mode I, stored as I;32",
    ),
    "floats beyond 1": ("a.tiff", written(Image.fromarray(BYTES.astype(np.float32))), "253.0 at"),
    "inks": ("a.tiff", written(Image.fromarray(COLOURS).convert("CMYK")), "mode CMYK"),
    "another colour space": ("a.tiff", written(Image.fromarray(COLOURS).convert("LAB")), "LAB"),
    "frames": ("a.gif", animated, "2 pictures"),
    "pages": ("a.tiff", animated, "2 pictures"),
    "white is 0": ("a.tiff", white_is_zero, "0 is white"),
    "transparency": ("a.png", transparent, "transparent pixels"),
    "transparent colours": ("a.png", see_through_palette, "transparent pixels"),
    "another format": ("a.jp2", written(Image.fromarray(COLOURS)), "JPEG2000"),
    "another size": ("a.png", written(Image.fromarray(BYTES.T.copy())), "4 wide and 3 high"),
    "cut off": ("a.png", lambda file: file.write_bytes(b"\x89PNG\r\n\x1a\n\0"), "not readable"),
    "text": ("a.png", lambda file: file.write_bytes(b"no image"), "not readable"),
    "no array": ("a.npy", lambda file: file.write_bytes(b"no image"), "not readable"),
    "an archive": ("a.npy", lambda file: np.savez(file.open("wb"), a=BYTES), "not readable"),
    "words": ("a.npy", lambda file: np.save(file, np.full((4, 3), "a")), "values of type"),
    "complex": ("a.npy", lambda file: np.save(file, np.full((4, 3), 1j)), "values of type"),
    "a turned array": ("a.npy", lambda file: np.save(file, np.zeros((3, 4))), "shape (3, 4)"),
    "bytes": ("a.npy", lambda file: np.save(file, BYTES), "253.0 at (0, 3, 2)"),
    "nothing": ("a.npy", lambda file: None, "no such file"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_would_not_be_read_as_what_it_is_is_refused(name: str, tmp_path: Path) -> None:
    file, write, named = WRONG[name]
    write(tmp_path / file)
    with pytest.raises(InputError) as caught:
        read_image(tmp_path / file, GREY)
    assert str(tmp_path / file) in caught.value.subject
    assert named in caught.value.found


def test_a_picture_cut_off_anywhere_is_refused_or_whole(tmp_path: Path) -> None:
    Image.fromarray(COLOURS).save(tmp_path / "whole.png")
    content = (tmp_path / "whole.png").read_bytes()
    refused = []
    for end in range(len(content)):
        (tmp_path / "cut.png").write_bytes(content[:end])
        try:
            image = read_image(tmp_path / "cut.png", COLOUR)
        except InputError as error:
            refused.append(error.found)
        else:
            np.testing.assert_array_equal(image, COLOURS.transpose(2, 0, 1) / 255)
    assert len(refused) > len(content) / 2
    assert all("not readable" in found for found in refused)
